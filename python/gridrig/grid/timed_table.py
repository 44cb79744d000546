"""Tables whose rows are moments of one length: read, and their times and numbers checked."""

from pathlib import Path
from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.profile_table import FloatArray


def read_timed(path: Path, *, instead: str = "") -> Any:
    """Return a .csv or .parquet file as a pandas frame; `instead` is what else could be named.

    Raises
    ------
    GridError
        `grid.profile_unreadable`, also if it is not there.
    """
    import pandas as pd

    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    if path.suffix.lower() not in readers or not path.is_file():
        raise GridError(
            "grid.profile_unreadable",
            "no table {file}: expected {instead}a .csv or .parquet file that is there",
            file=str(path),
            instead=instead,
        )
    try:
        return readers[path.suffix.lower()](path)
    except (ValueError, OSError) as error:
        raise GridError(
            "grid.profile_unreadable", "{file}: {reason}", file=str(path), reason=str(error)
        ) from error


def rows_of(path: Path, frame: Any) -> tuple[int, int]:
    """Return the start of the first row and the length of all, or refuse a gap. [s]"""
    import pandas as pd

    if "time" not in frame or len(frame) < 2:
        raise GridError(
            "grid.profile_unreadable",
            "{file} needs a column time and at least two rows",
            file=str(path),
        )
    try:
        times = pd.to_datetime(frame["time"], errors="raise", format="ISO8601")
    except (ValueError, TypeError) as error:
        raise GridError(
            "grid.profile_unreadable", "{file}, time: {reason}", file=str(path), reason=str(error)
        ) from error
    if getattr(times.dt, "tz", None) is None:
        raise bad_cell(path, "time", 0, frame["time"].iloc[0], "a time with its zone, such as ...Z")
    seconds = times.dt.tz_convert("UTC").dt.as_unit("ns").astype("int64").to_numpy() / 1e9
    steps = np.diff(seconds)
    odd = np.flatnonzero((steps != steps[0]) | (steps <= 0) | (steps % 1 != 0))
    if len(odd):
        row = int(odd[0]) + 1
        found = frame["time"].iloc[row]
        raise bad_cell(path, "time", row, found, "rows of one whole length, in order")
    return int(seconds[0]), int(steps[0])


def numbers(path: Path, frame: Any, column: str) -> FloatArray:
    """Return a column, every cell of which is a finite number, or refuse the first that is not."""
    import pandas as pd

    values: FloatArray = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise bad_cell(path, column, row, frame[column].iloc[row], "a number")
    return values


def bad_cell(path: Path, column: str, row: int, found: object, expected: str) -> GridError:
    """Return the error for one cell; `row` counts from 0."""
    return GridError(
        "grid.profile_unreadable",
        "{file}, row {row}, {column}: found {found}, expected {expected}",
        file=str(path),
        row=row + 1,
        column=column,
        found=str(found),
        expected=expected,
    )
