"""How much better a forecast is than persistence, on an origin that rolls through a test period.

The model is trained on what lies before the first origin and anew every week. Origins follow each
other by a step count that is prime to a day, so that they meet every time of day. Two horizons: the
next step, against "as it is now"; and all steps of the day ahead, against "as it was yesterday".

Skill is 1 - error / error of persistence: 0 is no better, 1 is perfect. The median is judged by the
mean absolute error and the mean by the root mean square, since each is the best answer to its own
question; the spread by the mean pinball loss over `QUANTILES`, where persistence has the quantiles
of its own errors by hour of day, from the same training.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gridrig.minds.forecasting import HOURS, QUANTILES, Forecaster
from gridrig.minds.inputs import Kind
from gridrig.minds.series import FloatArray, IntArray, LocalTime, Series
from gridrig.quantity import DAY_S

ORIGINS_APART = 7
RETRAINED_DAYS = 7
NEXT_STEP, DAY_AHEAD = "next step", "day ahead"


@dataclass(frozen=True)
class Errors:
    """Mean errors, in the unit of the series."""

    mae: float
    rmse: float
    pinball: float

    @classmethod
    def of(cls, actual: FloatArray, mean: FloatArray, quantiles: FloatArray) -> "Errors":
        """Return the errors of forecasts; steps that were never measured do not count."""
        known = np.isfinite(actual)
        actual, mean, quantiles = actual[known], mean[known], quantiles[known]
        short = actual[:, None] - quantiles
        levels = np.array(QUANTILES)
        pinball = np.maximum(levels * short, (levels - 1) * short)
        middle = quantiles[:, QUANTILES.index(0.5)]
        return cls(
            float(np.abs(actual - middle).mean()),
            float(np.sqrt(((actual - mean) ** 2).mean())),
            float(pinball.mean()),
        )


@dataclass(frozen=True)
class Skill:
    """What a forecast and persistence came to at one horizon."""

    series: str
    horizon: str
    origins: int
    ours: Errors
    persistence: Errors
    flags: tuple[str, ...] = ()

    def over_persistence(self, measure: str) -> float:
        """Return the skill by "mae", "rmse" or "pinball"."""
        base = float(getattr(self.persistence, measure))
        return 1.0 - float(getattr(self.ours, measure)) / base if base else 0.0


def rolling_skill(
    series: Series,
    *,
    kind: Kind,
    zone: str,
    first_day: int,
    days: int,
    weather: FloatArray | None = None,
    apart: int = ORIGINS_APART,
    retrained_days: int = RETRAINED_DAYS,
) -> list[Skill]:
    """Return the skill at both horizons over `days` from `first_day` of the series on.

    Origins are `apart` steps apart, and the model is trained anew every `retrained_days`; by
    default as `gridrig forecast` has them.

    Raises
    ------
    MindError
        `forecast.history_short` if `first_day` leaves less than three weeks to train on;
        `forecast.horizon` if the series ends before the test does.
    """
    day = series.steps_a_day
    first, stop = first_day * day, (first_day + days - 1) * day
    columns: dict[str, list[tuple[FloatArray, ...]]] = {NEXT_STEP: [], DAY_AHEAD: []}
    flags: dict[str, None] = {}
    for begin in range(first, stop, retrained_days * day):
        model = Forecaster.fit(series, kind=kind, zone=zone, weather=weather, until=begin)
        persistence = _Persistence.fit(series, begin, zone)
        for origin in range(begin, min(begin + retrained_days * day, stop), apart):
            made = model.forecast(series, origin, weather=weather)
            flags |= dict.fromkeys(made.flags)
            actual = series.values[origin : origin + day]
            one = actual[:1], made.mean[:1], made.quantiles[:1], *persistence.now(origin)
            all_day = actual, made.mean, made.quantiles, *persistence.yesterday(origin)
            columns[NEXT_STEP].append(one)
            columns[DAY_AHEAD].append(all_day)
    return list(_skills(series.name, columns, tuple(flags)))


def _skills(
    name: str, columns: dict[str, list[tuple[FloatArray, ...]]], flags: tuple[str, ...]
) -> Iterator[Skill]:
    for horizon, rows in columns.items():
        actual, mean, quantiles, held, spread = map(np.concatenate, zip(*rows, strict=True))
        known = np.isfinite(held)
        persistence = Errors.of(actual[known], held[known], spread[known])
        yield Skill(
            name, horizon, len(rows), Errors.of(actual, mean, quantiles), persistence, flags
        )


@dataclass(frozen=True)
class _Persistence:
    """The forecast that nothing changes, with the spread of its past errors."""

    series: Series
    zone: str
    _of_now: FloatArray  # (HOURS, quantiles)
    _of_yesterday: FloatArray

    @classmethod
    def fit(cls, series: Series, until: int, zone: str) -> "_Persistence":
        past = series.values[:until]
        hour = _hours(series, 0, until, zone)
        return cls(
            series,
            zone,
            _by_hour(past[1:] - past[:-1], hour[1:]),
            _by_hour(past[series.steps_a_day :] - past[: -series.steps_a_day],
                     hour[series.steps_a_day :]),
        )  # fmt: skip

    def now(self, origin: int) -> tuple[FloatArray, FloatArray]:
        """Return the next step, as the last one was, and its quantiles."""
        held = self.series.values[origin - 1 : origin]
        return held, held[:, None] + self._of_now[_hours(self.series, origin, 1, self.zone)]

    def yesterday(self, origin: int) -> tuple[FloatArray, FloatArray]:
        """Return the next day, as the last one was, and its quantiles."""
        day = self.series.steps_a_day
        held = self.series.values[origin - day : origin]
        hours = _hours(self.series, origin, day, self.zone)
        return held, held[:, None] + self._of_yesterday[hours]


def _hours(series: Series, first: int, steps: int, zone: str) -> IntArray:
    begin = series.start_utc_s + first * series.step_s
    return LocalTime.of(begin, series.step_s, steps, zone).hour.astype(np.int64)


def _by_hour(errors: FloatArray, hour: IntArray) -> FloatArray:
    spread = np.zeros((HOURS, len(QUANTILES)))
    for one in range(HOURS):
        of_hour = errors[(hour == one) & np.isfinite(errors)]
        if len(of_hour):
            spread[one] = np.quantile(of_hour, QUANTILES)
    return spread


def days_of(series: Series) -> int:
    """Return how many whole days a series has."""
    return len(series.values) * series.step_s // DAY_S
