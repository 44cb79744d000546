"""What judges row M6 finds forecasters that peek, keep quiet or are no better."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from criteria import assert_fails, assert_passes

from gridrig.minds.open_series import OpenSeries
from gridrig.minds.series import Series
from gridrig.minds.skill import DAY_AHEAD, Errors, Skill
from gridrig.promises import forecasts

DAY, STEPS = 96, 21_000
WEATHER = np.linspace(0.0, 1.0, STEPS)
ROOF = OpenSeries(
    Series("roof", 1_451_602_800, 900, np.sin(np.arange(STEPS) / 7.0)), "sun", WEATHER
)


class Yesterday:
    """Says what was a day ago, and what it lacks."""

    def forecast(self, series: Series, origin: int, *, weather: Any) -> Any:
        ahead = slice(origin, origin + DAY)
        lacks = int(np.isnan(weather[ahead]).sum())
        flags = (f"weather missing for {lacks} steps",) if lacks else ()
        said = self.said(series.values, origin)
        return SimpleNamespace(mean=said, quantiles=said[:, None], flags=flags)

    def said(self, values: Any, origin: int) -> Any:
        return values[origin - DAY : origin]


class Peeks(Yesterday):
    def said(self, values: Any, origin: int) -> Any:
        return values[origin : origin + DAY]


class SaysNothing(Yesterday):
    def forecast(self, series: Series, origin: int, *, weather: Any) -> Any:
        made = super().forecast(series, origin, weather=weather)
        made.flags = ()
        return made


def judged(monkeypatch: pytest.MonkeyPatch, model: Yesterday) -> tuple[int, int]:
    monkeypatch.setattr(forecasts, "_model", lambda one, origin: model)
    return forecasts._future_seen(ROOF), forecasts._unflagged(ROOF)


def test_a_forecaster_that_peeks_or_is_silent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, unflagged = judged(monkeypatch, Yesterday())
    assert_passes(seen, "test_forecast_skill.future_seen")
    assert_passes(unflagged, "test_forecast_skill.weather_lost_unflagged")
    seen, unflagged = judged(monkeypatch, Peeks())
    assert_fails(seen, "test_forecast_skill.future_seen")
    assert unflagged == 0
    seen, unflagged = judged(monkeypatch, SaysNothing())
    assert seen == 0
    assert_fails(unflagged, "test_forecast_skill.weather_lost_unflagged")


def test_one_series_by_one_measure_no_better_than_the_day_before_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, good = Errors(1.0, 1.0, 1.0), Errors(0.9, 0.9, 0.9)
    series = [replace(ROOF, series=replace(ROOF.series, name=name)) for name in forecasts.SERIES]

    def least(worst: Errors) -> float:
        def skills(one: Series, **_: Any) -> list[Skill]:
            ours = worst if one.name == forecasts.SERIES[1] else good
            return [Skill(one.name, DAY_AHEAD, 9, ours, before)]

        monkeypatch.setattr(forecasts, "rolling_skill", skills)
        return float(forecasts.year_of_forecasts.__wrapped__().least)

    monkeypatch.setattr(forecasts, "open_series", lambda: series)
    monkeypatch.setattr(forecasts, "_model", lambda one, origin: Yesterday())
    assert_passes(least(good), "test_forecast_skill.skill_day_ahead_min")
    assert_fails(least(replace(good, pinball=0.96)), "test_forecast_skill.skill_day_ahead_min")
