"""What profiles are made of, wherever they come from: rows of one length from one moment on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import GridError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ProfileTable:
    """Rows of what loads draw and generators could give; the first holds a window's start."""

    first_utc_s: int
    """Start of the first row. [s]"""
    row_s: int
    load_w: FloatArray
    """What each load of the network draws, shape (rows, loads). [W]"""
    load_var: FloatArray
    """[var]"""
    sgens: tuple[str, ...]
    """Names of the generators that a device may follow."""
    sgen: FloatArray
    """Output of each over its rating, shape (rows, sgens). [1]"""


@dataclass(frozen=True)
class RowWindow:
    """Which rows of equal length a window of time needs."""

    first: int
    """Counted from the start of the data."""
    count: int
    """One row more than the window, for the line from the last row to the next."""

    @classmethod
    def of(cls, start_utc_s: int, end_utc_s: int, begin_utc_s: int, row_s: int) -> "RowWindow":
        """Return the rows for a window, of data that begins at `begin_utc_s`. [s]"""
        first = (start_utc_s - begin_utc_s) // row_s
        return cls(first, (end_utc_s - begin_utc_s) // row_s - first + 2)


def not_covered(path: Path, count: int, row_s: int, begin: object) -> GridError:
    """Return the error for rows that do not cover a window."""
    return GridError(
        "grid.profile_time",
        "{file} has {count} rows of {row_s} s from {begin}: they do not cover the run and the "
        "day before it",
        file=str(path),
        count=count,
        row_s=row_s,
        begin=str(begin),
    )


def missing_profile(element: str) -> GridError:
    """Return the error for an element that names no profile."""
    return GridError("grid.profile_missing", "element {name!r} names no profile", name=element)
