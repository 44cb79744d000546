"""Profiles from a table in CSV or Parquet.

One row a moment, equally long, in the order of time. Columns:

- `time`: the start of the row, ISO 8601 with its zone in CSV (`2016-06-21T00:00:00Z`), a timestamp
  with a zone or such a text in Parquet;
- `<load>.draw_w` for every load of the network, what it draws [W]; and `<load>.draw_var` [var],
  without which it keeps the power factor of its rating;
- `<name>.fraction`, a generator's output over its rating, 0 to 1, by any name: a device follows it
  by `emulate.profile`.

Nothing else may stand in it: a name that is misspelt is an error, not a load at zero.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.network import Network
from gridrig.grid.profile_table import FloatArray, ProfileTable, RowWindow

_FRACTION, _DRAW_W, _DRAW_VAR = ".fraction", ".draw_w", ".draw_var"


def read_profile_file(
    path: Path, network: Network, start_utc_s: int, end_utc_s: int
) -> ProfileTable:
    """Read the rows of a window of time.

    Raises
    ------
    GridError
        `grid.profile_unreadable` with file, column and row, `grid.profile_missing` for a load
        without a column, `grid.profile_time` if the rows do not cover the window.
    """
    frame = _frame(path)
    begin, row_s = _clock(path, frame)
    loads = {load.name: load for load in network.loads}
    sgens = _columns(path, list(frame.columns), list(loads))
    rows = RowWindow.of(start_utc_s, end_utc_s, begin, row_s)
    # The row after the last is only gone towards; at the end the last one is kept.
    if rows.first < 0 or rows.count < 2 or rows.first + rows.count - 1 > len(frame):
        raise GridError(
            "grid.profile_time",
            "{file} has {count} rows of {row_s} s from {begin}: they do not cover the run and the "
            "day before it",
            file=str(path),
            count=len(frame),
            row_s=row_s,
            begin=str(frame["time"].iloc[0]),
        )
    picked = np.minimum(rows.first + np.arange(rows.count), len(frame) - 1)
    load_w = np.empty((rows.count, len(loads)))
    load_var = np.empty_like(load_w)
    for index, load in enumerate(loads.values()):
        load_w[:, index] = _numbers(path, frame, load.name + _DRAW_W)[picked]
        if load.name + _DRAW_VAR in frame:
            load_var[:, index] = _numbers(path, frame, load.name + _DRAW_VAR)[picked]
        else:
            ratio = load.draw_var / load.draw_w if load.draw_w else 0.0
            load_var[:, index] = load_w[:, index] * ratio
    sgen = np.empty((rows.count, len(sgens)))
    for index, name in enumerate(sgens):
        values = _numbers(path, frame, name + _FRACTION)
        if ((values < 0.0) | (values > 1.0)).any():
            row = int(np.argmax((values < 0.0) | (values > 1.0)))
            raise _bad(path, name + _FRACTION, row, values[row], "a share from 0 to 1")
        sgen[:, index] = values[picked]
    first = begin + rows.first * row_s
    return ProfileTable(first, row_s, load_w, load_var, tuple(sgens), sgen)


def _frame(path: Path) -> Any:
    import pandas as pd

    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    if path.suffix.lower() not in readers or not path.is_file():
        raise GridError(
            "grid.profile_unreadable",
            "no profiles {file}: expected 'rated', 'shapes', or a .csv or .parquet file that is "
            "there",
            file=str(path),
        )
    try:
        return readers[path.suffix.lower()](path)
    except (ValueError, OSError) as error:
        raise GridError(
            "grid.profile_unreadable", "{file}: {reason}", file=str(path), reason=str(error)
        ) from error


def _clock(path: Path, frame: Any) -> tuple[int, int]:
    """Return the start of the first row and the length of all. [s]"""
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
        raise _bad(path, "time", 0, frame["time"].iloc[0], "a time with its zone, such as ...Z")
    seconds = times.dt.tz_convert("UTC").dt.as_unit("ns").astype("int64").to_numpy() / 1e9
    steps = np.diff(seconds)
    odd = np.flatnonzero((steps != steps[0]) | (steps <= 0) | (steps % 1 != 0))
    if len(odd):
        row = int(odd[0]) + 1
        raise _bad(path, "time", row, frame["time"].iloc[row], "rows of one whole length, in order")
    return int(seconds[0]), int(steps[0])


def _columns(path: Path, columns: Sequence[str], loads: Sequence[str]) -> list[str]:
    """Return the names of the generators, after refusing what is missing or unknown."""
    sgens = [column.removesuffix(_FRACTION) for column in columns if column.endswith(_FRACTION)]
    known = {"time", *(name + _FRACTION for name in sgens)}
    known |= {name + end for name in loads for end in (_DRAW_W, _DRAW_VAR)}
    strange = [column for column in columns if column not in known]
    missing = [name for name in loads if name + _DRAW_W not in columns]
    if missing:
        raise GridError(
            "grid.profile_missing",
            "{file} has no column {column!r}, and {count} loads in all have none{hint}",
            file=str(path),
            column=missing[0] + _DRAW_W,
            count=len(missing),
            hint=_hint(missing[0] + _DRAW_W, strange),
        )
    if strange:
        raise GridError(
            "grid.profile_unreadable",
            "{file} has a column {column!r}, which is no load's draw_w or draw_var and no "
            "fraction{hint}",
            file=str(path),
            column=strange[0],
            hint=_hint(strange[0], sorted(known)),
        )
    return sgens


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _numbers(path: Path, frame: Any, column: str) -> FloatArray:
    import pandas as pd

    values: FloatArray = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise _bad(path, column, row, frame[column].iloc[row], "a number")
    return values


def _bad(path: Path, column: str, row: int, found: object, expected: str) -> GridError:
    return GridError(
        "grid.profile_unreadable",
        "{file}, row {row}, {column}: found {found}, expected {expected}",
        file=str(path),
        row=row + 1,
        column=column,
        found=str(found),
        expected=expected,
    )
