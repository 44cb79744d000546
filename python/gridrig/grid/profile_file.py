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

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.network import Network
from gridrig.grid.profile_table import ProfileTable, RowWindow, not_covered
from gridrig.grid.timed_table import bad_cell, numbers, read_timed, rows_of

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
    frame = read_timed(path, instead="'rated', 'shapes', or ")
    begin, row_s = rows_of(path, frame)
    loads = {load.name: load for load in network.loads}
    sgens = _columns(path, list(frame.columns), list(loads))
    rows = RowWindow.of(start_utc_s, end_utc_s, begin, row_s)
    # The row after the last is only gone towards; at the end the last one is kept.
    if rows.first < 0 or rows.count < 2 or rows.first + rows.count - 1 > len(frame):
        raise not_covered(path, len(frame), row_s, frame["time"].iloc[0])
    picked = np.minimum(rows.first + np.arange(rows.count), len(frame) - 1)
    load_w = np.empty((rows.count, len(loads)))
    load_var = np.empty_like(load_w)
    for index, load in enumerate(loads.values()):
        load_w[:, index] = numbers(path, frame, load.name + _DRAW_W)[picked]
        if load.name + _DRAW_VAR in frame:
            load_var[:, index] = numbers(path, frame, load.name + _DRAW_VAR)[picked]
        else:
            ratio = load.draw_var / load.draw_w if load.draw_w else 0.0
            load_var[:, index] = load_w[:, index] * ratio
    sgen = np.empty((rows.count, len(sgens)))
    for index, name in enumerate(sgens):
        values = numbers(path, frame, name + _FRACTION)
        if ((values < 0.0) | (values > 1.0)).any():
            row = int(np.argmax((values < 0.0) | (values > 1.0)))
            raise bad_cell(path, name + _FRACTION, row, values[row], "a share from 0 to 1")
        sgen[:, index] = values[picked]
    first = begin + rows.first * row_s
    return ProfileTable(first, row_s, load_w, load_var, tuple(sgens), sgen)


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
