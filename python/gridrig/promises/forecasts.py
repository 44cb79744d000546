"""Forecasts against the day before: on the open series of a year, and on a run's signed meters."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from gridrig.campaign.loop import Loop
from gridrig.minds.forecasting import Forecaster
from gridrig.minds.open_series import ZONE, OpenSeries, open_series
from gridrig.minds.skill import DAY_AHEAD, rolling_skill
from gridrig.quantity import DAY_S

TRAINED_DAYS, TESTED_DAYS = 28, 337  # of the leap year 2016
APART = 91  # steps from one origin to the next: prime to a day, so that all its times are met
RETRAINED_DAYS = 28
SERIES = ("load of a home", "PV, stand-in of one", "price, stand-in")
LOOKED_AT = (3_000, 20_007)  # origins at which the future is shuffled
MEASURES = ("mae", "rmse", "pinball")


@dataclass(frozen=True)
class YearOfForecasts:
    """What the open series of a year came to.

    Parameters
    ----------
    least : float
        Least skill over the day before, of all series and measures. [1]
    least_of : str
        Which that is.
    origins : int
        Of all series.
    future_seen : int
        Forecasts that were another when what came after them was shuffled.
    unflagged : int
        Forecasts whose weather was taken away and that did not say so, or were no number.
    """

    least: float
    least_of: str
    origins: int
    future_seen: int
    unflagged: int


@lru_cache(maxsize=1)
def year_of_forecasts() -> YearOfForecasts:
    """Forecast the year; the same for every bench, so it is done once in a process."""
    found = []
    origins = future_seen = unflagged = 0
    for one in (each for each in open_series() if each.series.name in SERIES):
        for skill in rolling_skill(
            one.series, kind=one.kind, zone=ZONE, first_day=TRAINED_DAYS, days=TESTED_DAYS,
            weather=one.weather, apart=APART, retrained_days=RETRAINED_DAYS,
        ):  # fmt: skip
            if skill.horizon == DAY_AHEAD:
                origins += skill.origins
                found += [(skill.over_persistence(by), f"{by}, {one.series.name}")
                          for by in MEASURES]  # fmt: skip
        future_seen += _future_seen(one)
        unflagged += _unflagged(one)
    least, least_of = min(found)
    return YearOfForecasts(least, least_of, origins, future_seen, unflagged)


def _model(one: OpenSeries, origin: int) -> Forecaster:
    weather = one.weather
    return Forecaster.fit(one.series, kind=one.kind, zone=ZONE, weather=weather, until=origin)


def _future_seen(one: OpenSeries) -> int:
    """Count the forecasts that change with what comes after their origin."""
    seen = 0
    for origin in LOOKED_AT:
        values = one.series.values.copy()
        np.random.default_rng(origin).shuffle(values[origin:])
        other = replace(one, series=replace(one.series, values=values))
        made = [
            _model(each, origin).forecast(each.series, origin, weather=each.weather)
            for each in (one, other)
        ]
        seen += not np.array_equal(made[0].quantiles, made[1].quantiles)
    return seen


def _unflagged(one: OpenSeries) -> int:
    """Count the forecasts that lose their weather without a word, or are no forecast then."""
    if one.weather is None:
        return 0
    wrong = 0
    for origin in LOOKED_AT:
        lost = one.weather.copy()
        lost[origin:] = np.nan
        made = _model(one, origin).forecast(one.series, origin, weather=lost)
        told = any(flag.startswith("weather missing") for flag in made.flags)
        wrong += not (told and np.isfinite(made.mean).all())
    return wrong


def metered_skill(loop: Loop) -> float | None:
    """Return by how much an operator's forecast from signed meters beats the day before. [1]

    Of the load of every bus at the end of the run, as the profiles have it; None without operator.
    """
    if loop.operator is None:
        return None
    street, end_s = loop.physics.street, loop.clock.start_utc_s + loop.scenario.duration_s
    ours = persistence = 0.0
    for bus in street.loads:
        truth_w, _ = street.profiles.load(bus, end_s - 1)
        before_w, _ = street.profiles.load(bus, end_s - 1 - DAY_S)
        ours += abs(loop.operator.outlook.levels.get(bus, 1.0) * before_w - truth_w)
        persistence += abs(before_w - truth_w)
    return 1.0 - ours / persistence
