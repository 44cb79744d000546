"""A quantity over time in equal steps, as forecasts take and give it; NaN stands for missing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import MindError
from gridrig.quantity import DAY_S

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
OFFSETS_MAX = 1 << 16  # quarters of an hour whose offset is kept: those of a year, nearly twice


@dataclass(frozen=True)
class Series:
    """Values that each hold for one step.

    Parameters
    ----------
    name : str
        What it is called in a table or a message.
    start_utc_s : int
        Start of the first step. [s since 1970]
    step_s : int
        Length of a step; a day is a whole number of them. [s]
    values : array of float64, shape (n,)
        In whatever unit; NaN where nothing is known.
    """

    name: str
    start_utc_s: int
    step_s: int
    values: FloatArray

    def __post_init__(self) -> None:
        if self.step_s <= 0 or DAY_S % self.step_s:
            raise MindError(
                "forecast.step",
                "{name} has steps of {found} s, expected a divisor of {day} s",
                name=self.name,
                found=self.step_s,
                day=DAY_S,
            )

    @property
    def steps_a_day(self) -> int:
        """Steps of one day. [1]"""
        return DAY_S // self.step_s


@dataclass(frozen=True)
class LocalTime:
    """Where each step of a series lies in the day and the week of the people who live by it."""

    hour: FloatArray
    """Since local midnight, at the middle of the step. [h]"""
    rest_day: NDArray[np.bool_]
    """Whether it is a Saturday or a Sunday."""

    @classmethod
    def of(cls, start_utc_s: int, step_s: int, steps: int, zone: str) -> "LocalTime":
        """Return the local time of consecutive steps; a change of clocks moves the hour."""
        place = ZoneInfo(zone)
        middles = start_utc_s + step_s // 2 + step_s * np.arange(steps, dtype=np.int64)
        # Clocks change on whole quarters of an hour, so that one offset holds for each of them.
        quarters, back = np.unique(middles // 900, return_inverse=True)
        offsets = np.array([_offset_s(int(q) * 900, place) for q in quarters], dtype=np.int64)
        local = middles + offsets[back]
        day = local // DAY_S + 3  # 1970-01-01 was a Thursday
        return cls((local % DAY_S) / 3600.0, day % 7 >= 5)


@lru_cache(maxsize=OFFSETS_MAX)
def _offset_s(utc_s: int, place: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(utc_s, UTC).astimezone(place).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def read_series(path: Path, columns: list[str]) -> list[Series]:
    """Read columns of a CSV file with a column `time` (ISO 8601 with its zone) and equal steps.

    Raises
    ------
    MindError
        `forecast.unreadable` with file, column or row, what was found and what was expected.
    """
    import pandas as pd

    try:
        frame: Any = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise _bad(path, "the file", str(error), "a CSV table") from None
    for column in ("time", *columns):
        if column not in frame:
            raise _bad(path, f"column {column!r}", "nothing", f"one of {list(frame.columns)}")
    try:
        times = [datetime.fromisoformat(str(text)) for text in frame["time"]]
    except ValueError as error:
        raise _bad(path, "column 'time'", str(error), "ISO 8601 with a zone") from None
    if any(time.tzinfo is None for time in times):
        raise _bad(path, "column 'time'", "a time without a zone", "ISO 8601 with a zone")
    seconds = np.array([int(time.timestamp()) for time in times], dtype=np.int64)
    if len(seconds) < 2:
        raise _bad(path, "the file", f"{len(seconds)} rows", "at least two")
    step_s = int(seconds[1] - seconds[0])
    uneven = np.flatnonzero(np.diff(seconds) != step_s)
    if len(uneven):
        row = int(uneven[0]) + 2
        raise _bad(
            path, f"row {row}", str(frame["time"].iloc[row - 1]), f"{step_s} s after the row before"
        )
    found = []
    for column in columns:
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(np.isnan(values) & frame[column].notna().to_numpy())
        if len(wrong):
            shown = repr(frame[column].iloc[int(wrong[0])])
            raise _bad(path, f"row {int(wrong[0]) + 1} of {column!r}", shown, "a number or nothing")
        found.append(Series(column, int(seconds[0]), step_s, values))
    return found


def _bad(path: Path, place: str, found: str, expected: str) -> MindError:
    return MindError(
        "forecast.unreadable",
        "{file}: {place} is {found}, expected {expected}",
        file=str(path),
        place=place,
        found=found,
        expected=expected,
    )
