"""The year of a simbench grid: 35,136 rows of 15 minutes of 2016.

The labels run in German local time (they skip 02:00 on 27 March and repeat it on 30 October), and
so do the loads: a shop opens at the same label all year. Row 0, labelled 01.01.2016 00:00, is
therefore 2015-12-31T23:00:00Z, and row k starts 900 k seconds later; each read checks the labels
against this. A label is the start of its row.

Known gaps: by the sun, simbench's PV rows fit UTC better than the label (on the shortest day the
modules wake at label 07:15, which by the label is an hour before sunrise in Germany). Loads and
PV are kept row by row together, as simbench and everyone who cites it uses them, so the sun
stands about an hour early here. Only 2016 exists. Storage profiles are never read: in this
data set they discharge all year without charging, and storage follows its BMS.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gridrig.errors import GridError
from gridrig.grid.network import Network
from gridrig.grid.profile_table import FloatArray, ProfileTable, RowWindow, missing_profile
from gridrig.grid.simbench_grid import (
    FIRST_ROW_UTC_S,
    ROW_S,
    ROWS,
    profile_folder,
    read_profile_rows,
)


def read_simbench_profiles(network: Network, start_utc_s: int, end_utc_s: int) -> ProfileTable:
    """Read the rows of a window of time, for a network that came from simbench.

    Raises
    ------
    GridError
        `grid.profile_absent`, `grid.profile_time` outside the year, `grid.profile_missing`,
        `grid.profile_clock`.
    """
    if network.profile_code is None:
        raise GridError("grid.profile_absent", "{network} is not simbench's", network=network.name)
    rows = RowWindow.of(start_utc_s, end_utc_s, FIRST_ROW_UTC_S, ROW_S)
    if rows.first < 0 or rows.count < 2 or rows.first + rows.count > ROWS:
        raise GridError(
            "grid.profile_time",
            "window {start} to {end} is not inside the profiles, {begin} to {finish}",
            start=_iso(start_utc_s),
            end=_iso(end_utc_s),
            begin=_iso(FIRST_ROW_UTC_S),
            finish=_iso(FIRST_ROW_UTC_S + (ROWS - 1) * ROW_S),
        )
    folder = profile_folder(network.profile_code)
    loads = [_profile(x.name, x.profile) for x in network.loads]
    sgens = [_profile(x.name, x.profile) for x in network.sgens]
    columns = [f"{name}_pload" for name in loads] + [f"{name}_qload" for name in loads]
    both = _read(folder / "LoadProfile.csv", columns, rows)
    return ProfileTable(
        first_utc_s=FIRST_ROW_UTC_S + rows.first * ROW_S,
        row_s=ROW_S,
        load_w=both[:, : len(loads)] * [x.draw_w for x in network.loads],
        load_var=both[:, len(loads) :] * [x.draw_var for x in network.loads],
        sgens=tuple(x.name for x in network.sgens),
        sgen=_read(folder / "RESProfile.csv", sgens, rows),
    )


def _read(table: Path, columns: Sequence[str], rows: RowWindow) -> FloatArray:
    values: FloatArray = read_profile_rows(table, columns, rows.first, rows.count)
    return values


def _profile(element: str, profile: str | None) -> str:
    if profile is None:
        raise missing_profile(element)
    return profile


def _iso(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
