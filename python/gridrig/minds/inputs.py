"""What a forecast is made from: calendar, the days before, and what a weather service said.

Everything about a step is known a day before it begins, so that the same inputs serve every
forecast of up to a day, wherever its origin lies.

Of a generator under the sun every input is a share of what the last two weeks showed to be possible
at that time of day; of a load or a price it stands for itself.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridrig.minds.series import FloatArray, IntArray, LocalTime, Series

Kind = Literal["load", "sun", "price"]
WEEK_DAYS = 7
ENVELOPE_DAYS = 14
HARMONICS = 4


@dataclass(frozen=True)
class Inputs:
    """Inputs for consecutive steps of a series.

    Parameters
    ----------
    columns : array of float64, shape (n, k)
        One row a step, never NaN; what was missing is replaced.
    weather : array of float64, shape (n, m)
        What the weather service says, NaN where it said nothing; m = 0 without one.
    scale : array of float64, shape (n,)
        What is possible at each step, in the unit of the series; 1 unless under the sun.
    replaced : array of bool, shape (n,)
        Where a value of the day or the week before was missing.
    hour : array of float64, shape (n,)
        Local time of day. [h]
    """

    columns: FloatArray
    weather: FloatArray
    scale: FloatArray
    replaced: NDArray[np.bool_]
    hour: FloatArray


def make_inputs(
    series: Series, weather: FloatArray, first: int, stop: int, *, kind: Kind, zone: str
) -> Inputs:
    """Return the inputs of the steps `first` to `stop`, which are at most a day past the series.

    Of the series only what lies a day or more before a step is looked at.
    """
    steps = np.arange(first, stop)
    day = series.steps_a_day
    before = _lagged(series.values, steps, day * np.arange(1, WEEK_DAYS + 1))
    week_mean = _mean_of_known(before)
    known = np.isfinite(before[:, [0, WEEK_DAYS - 1]])
    yesterday, last_week = np.where(known, before[:, [0, WEEK_DAYS - 1]], week_mean[:, None]).T
    time = LocalTime.of(series.start_utc_s + first * series.step_s, series.step_s, len(steps), zone)
    calendar = _calendar(time)
    scale = np.ones(len(steps))
    if kind == "sun":
        around = day * np.arange(1, ENVELOPE_DAYS + 1)
        lags = np.concatenate([around - 1, around, around + 1])
        # A step ago a day less one is still to come for the last step of a day ahead.
        lags = np.where(lags < day, day, lags)
        scale = np.nan_to_num(np.fmax.reduce(_lagged(series.values, steps, lags), axis=1))
        calendar = calendar[:, :1] * scale[:, None]
    columns = np.column_stack([calendar, yesterday, last_week, week_mean])
    missing = np.asarray(~known.all(axis=1))
    said = np.full((len(steps), weather.shape[1]), np.nan)
    inside = steps < len(weather)
    said[inside] = weather[steps[inside]]
    return Inputs(columns, np.column_stack([said, said**2]), scale, missing, time.hour)


def _lagged(values: FloatArray, steps: IntArray, lags: IntArray) -> FloatArray:
    """Return the values so many steps before each step, shape (n, lags); NaN where none is."""
    places = steps[:, None] - lags[None, :]
    inside = (places >= 0) & (places < len(values))
    found: FloatArray = np.where(inside, values[np.where(inside, places, 0)], np.nan)
    return found


def _mean_of_known(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.zeros(len(values)), where=count > 0)
    return mean


def _calendar(time: LocalTime) -> FloatArray:
    """Return a level and daily waves, of their own on workdays and on days of rest."""
    angles = 2 * np.pi / 24 * time.hour[:, None] * np.arange(1, HARMONICS + 1)
    waves = np.column_stack([np.ones(len(time.hour)), np.sin(angles), np.cos(angles)])
    rest = time.rest_day[:, None]
    return np.column_stack([waves, waves * rest])
