"""Forecasts: no peeking, known answers, what is missing is said, and skill over persistence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridrig.errors import MindError
from gridrig.minds.forecasting import Forecaster
from gridrig.minds.open_series import load_profiles, weather_stand_in
from gridrig.minds.series import LocalTime, Series, read_series
from gridrig.minds.skill import Errors, rolling_skill

DAY = 96
START_UTC_S = 1_451_602_800  # midnight in Berlin, a Friday
RANDOM = np.random.default_rng(7)


def weekly_wave(days: int) -> Series:
    """A wave of the day in UTC+1 with another level at weekends: the calendar says all of it."""
    hour = (np.arange(days * DAY) % DAY + 0.5) / 4
    weekday = (np.arange(days * DAY) // DAY + 4) % 7
    values = 5 + 2 * np.sin(2 * np.pi * hour / 24) - 1.5 * (weekday >= 5)
    return Series("wave", START_UTC_S, 900, values)


@pytest.fixture(scope="module")
def home() -> Series:
    (load,) = load_profiles("H0-A")
    return Series("home", START_UTC_S, 900, load[: 60 * DAY])


@pytest.mark.parametrize("kind", ["load", "sun"])
@pytest.mark.parametrize("offset", [0, 1, 37, 95])
def test_shuffling_what_comes_after_the_origin_changes_nothing(home, kind, offset):
    origin = 40 * DAY + offset
    weather = weather_stand_in(1)[: 60 * DAY]
    said = Forecaster.fit(home, kind=kind, until=origin, weather=weather).forecast(
        home, origin, weather=weather
    )
    future = home.values.copy()
    future[origin:] = RANDOM.permutation(future[origin:]) * 100
    other = replace(home, values=future)
    again = Forecaster.fit(other, kind=kind, until=origin, weather=weather).forecast(
        other, origin, weather=weather
    )
    assert again.mean.tobytes() == said.mean.tobytes()
    assert again.quantiles.tobytes() == said.quantiles.tobytes()


def test_shuffling_what_comes_before_the_origin_changes_the_forecast(home):
    origin = 40 * DAY
    past = home.values.copy()
    past[:origin] = RANDOM.permutation(past[:origin])
    other = replace(home, values=past)
    said = Forecaster.fit(home, kind="load", until=origin).forecast(home, origin)
    again = Forecaster.fit(other, kind="load", until=origin).forecast(other, origin)
    assert not np.allclose(again.mean, said.mean)


def test_a_wave_of_the_calendar_is_forecast_to_a_hundredth():
    wave = weekly_wave(60)
    model = Forecaster.fit(wave, kind="load", until=50 * DAY, zone="Etc/GMT-1")
    for origin in range(50 * DAY, 57 * DAY, 61):
        made = model.forecast(wave, origin)
        assert np.abs(made.mean - wave.values[origin : origin + DAY]).max() < 0.05
        assert made.flags == ()


def test_the_day_after_tomorrow_is_forecast_from_tomorrow_and_knows_nothing_later():
    wave = weekly_wave(60)
    model = Forecaster.fit(wave, kind="load", until=50 * DAY, zone="Etc/GMT-1")
    origin = 51 * DAY + 30
    found = model.days_ahead(wave, origin, 3)
    assert np.abs(found - wave.values[origin : origin + 3 * DAY]).max() < 0.1
    assert (found[:DAY] == model.forecast(wave, origin).mean).all()
    shuffled = wave.values.copy()
    RANDOM.shuffle(shuffled[origin:])
    assert (model.days_ahead(replace(wave, values=shuffled), origin, 3) == found).all()


def test_the_error_of_the_last_hour_is_carried_on_as_long_as_errors_last():
    # An autoregressive error of known persistence: after h steps 0.95^h of it is expected.
    wave, noise = weekly_wave(200), np.zeros(200 * DAY)
    for step in range(1, len(noise)):
        noise[step] = 0.95 * noise[step - 1] + 0.1 * RANDOM.normal()
    noisy = replace(wave, values=wave.values + noise)
    model = Forecaster.fit(noisy, kind="load", until=190 * DAY, zone="Etc/GMT-1")
    origin = 190 * DAY
    calm = replace(noisy, values=noisy.values.copy())
    calm.values[origin - 4 : origin] += 1.0
    moved = model.forecast(calm, origin).mean - model.forecast(noisy, origin).mean
    assert moved[0] == pytest.approx(0.95, abs=0.06)
    assert moved[8] == pytest.approx(0.95**9, abs=0.12)
    assert abs(moved[70]) < 0.15


def test_missing_weather_is_said_and_forecast_without(home):
    weather, origin = weather_stand_in(1)[: 60 * DAY], 40 * DAY
    model = Forecaster.fit(home, kind="load", until=origin, weather=weather)
    silent = weather.copy()
    silent[origin + 10 : origin + 20] = np.nan
    made = model.forecast(home, origin, weather=silent)
    assert made.flags == ("weather missing for 10 steps: forecast without it",)
    assert np.isfinite(made.mean).all()
    full, none = model.forecast(home, origin, weather=weather), model.forecast(home, origin)
    assert (made.mean[30:] == full.mean[30:]).all()
    assert none.flags == ("weather missing for 96 steps: forecast without it",)
    assert not np.allclose(none.mean, full.mean)


def test_missing_measurements_are_said_and_replaced(home):
    origin = 40 * DAY
    model = Forecaster.fit(home, kind="load", until=origin)
    holes = home.values.copy()
    holes[origin - DAY : origin - DAY + 5] = np.nan
    holes[origin - 2] = np.nan
    made = model.forecast(replace(home, values=holes), origin)
    assert np.isfinite(made.mean).all()
    assert made.flags == (
        "day or week before missing for 6 steps: mean of the week",
        "last hour incomplete: its error carried on as far as known",
    )


def test_under_the_sun_nothing_is_negative_and_the_night_is_dark():
    hour = (np.arange(60 * DAY) % DAY) / 4
    cloud = np.repeat(RANDOM.uniform(0.2, 1.0, 60), DAY)
    sun = Series("sun", START_UTC_S, 900, np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * cloud)
    made = Forecaster.fit(sun, kind="sun", until=50 * DAY).forecast(sun, 50 * DAY)
    assert (made.mean >= 0).all()
    assert (made.quantiles >= 0).all()
    assert (made.mean[:20] == 0).all()
    assert made.mean[48] > 0.2


def test_errors_are_those_of_their_definitions():
    actual, mean = np.array([1.0, 2.0, np.nan]), np.array([2.0, 0.0, 9.0])
    quantiles = np.array([[0.0, 2.0, 3.0], [1.0, 1.0, 1.0], [9.0, 9.0, 9.0]])
    found = Errors.of(actual, mean, quantiles)
    assert found.mae == 1.0
    assert found.rmse == pytest.approx(np.sqrt(2.5))
    # 0.1 x 1 + 0.5 x 1 + 0.1 x 2, and 0.1 + 0.5 + 0.9.
    assert found.pinball == pytest.approx((0.8 + 1.5) / 6)


def test_a_home_is_forecast_better_than_by_persistence(home):
    step, day = rolling_skill(home, kind="load", zone="Europe/Berlin", first_day=40, days=20)
    assert (step.horizon, day.horizon) == ("next step", "day ahead")
    assert day.origins == 261
    assert day.over_persistence("mae") > 0.1
    assert day.over_persistence("rmse") > 0.1
    assert day.over_persistence("pinball") > 0.1
    assert step.over_persistence("rmse") > -0.05


def test_persistence_against_itself_has_no_skill():
    # The same every day: persistence of yesterday is perfect, and skill over perfection is none.
    flat = Series("flat", START_UTC_S, 900, np.ones(40 * DAY))
    step, day = rolling_skill(flat, kind="load", zone="UTC", first_day=30, days=5)
    assert day.persistence.mae == 0.0
    assert day.over_persistence("mae") == 0.0
    assert step.ours.mae < 0.01


def test_clocks_that_change_move_the_hour_and_not_the_day():
    # 27 March 2016 in Berlin: after 01:59 comes 03:00.
    time = LocalTime.of(1_459_036_800, 900, DAY, "Europe/Berlin")  # midnight UTC, a Sunday
    assert time.hour[3] == pytest.approx(1.75 + 1 / 8)
    assert time.hour[4] == pytest.approx(3.0 + 1 / 8)
    assert time.rest_day[0]
    assert not time.rest_day[-1]


def test_three_weeks_are_needed(home):
    with pytest.raises(MindError, match="expected at least 21") as error:
        Forecaster.fit(home, kind="load", until=20 * DAY)
    assert error.value.code == "forecast.history_short"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "column 'time' is nothing"),
        ("time,x\n2016-01-01T00:00,1\n2016-01-01T00:15,1\n", "a time without a zone"),
        ("time,x\n2016-01-01T00:00Z,1\n2016-01-01T00:15Z,oak\n", "row 2 of 'x' is 'oak'"),
        (
            "time,x\n2016-01-01T00:00Z,1\n2016-01-01T00:15Z,1\n2016-01-01T00:45Z,1\n",
            "row 3 is 2016-01-01T00:45Z, expected 900 s after the row before",
        ),
        ("time,y\n2016-01-01T00:00Z,1\n2016-01-01T00:15Z,1\n", "column 'x' is nothing"),
        ("time,x\n2016-01-01T00:00Z,1\n2016-01-01T00:07Z,\n", "420 s, expected a divisor"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(tmp_path: Path, text, said):
    path = tmp_path / "series.csv"
    path.write_text(text)
    with pytest.raises(MindError, match=said):
        read_series(path, ["x"])


def test_a_value_that_is_empty_is_missing(tmp_path: Path):
    path = tmp_path / "series.csv"
    path.write_text("time,x\n2016-01-01T00:00+01:00,1\n2016-01-01T00:15+01:00,\n")
    (series,) = read_series(path, ["x"])
    assert series.start_utc_s == START_UTC_S
    assert np.isnan(series.values[1])


def test_next_steps_are_the_first_steps_of_forecasts_from_every_origin(home):
    model, first = Forecaster.fit(home, kind="load", until=40 * DAY), 40 * DAY
    together = model.next_steps(home, first, first + 30)
    alone = [model.forecast(home, first + k, 1).quantiles[0] for k in range(30)]
    assert np.allclose(together, alone, rtol=0, atol=1e-12)
