"""Read one simbench grid without reading all of simbench.

`simbench.get_simbench_net` parses 134 MB of tables, of which 116 MB are year-long profiles of
every grid. It also takes the folder to read from, so the rows of the wanted subnets are copied
to a temporary folder and simbench itself builds the grid from there: same code, same net,
a fraction of the time. The folder is gone when the function returns; nothing is cached.

Profiles are read apart, only the rows of a time window and the columns a grid uses.
"""

import io
import tempfile
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gridrig.errors import GridError

ROW_S = 900
"""Length of one profile row. [s]"""

ROWS = 366 * 96
"""Rows of a profile: the leap year 2016 at 15 minutes."""

FIRST_ROW_UTC_S = 1_451_602_800
"""Start of row 0, labelled 01.01.2016 00:00 in German local time: 2015-12-31T23:00:00Z. [s]"""

_ZONE = ZoneInfo("Europe/Berlin")
_PROFILE_TABLES = frozenset({"LoadProfile", "PowerPlantProfile", "RESProfile", "StorageProfile"})


def read_simbench_net(code: str) -> Any:
    """Build the pandapower net of a simbench code, without profiles.

    Parameters
    ----------
    code : str
        For example `1-LV-rural1--2-no_sw`.

    Returns
    -------
    pandapower net
        As `simbench.get_simbench_net(code)`, with empty `profiles`.

    Raises
    ------
    GridError
        `grid.network_unknown` if simbench has no such grid.
    """
    import simbench

    folder = profile_folder(code)
    wanted = _subnets(code, folder)
    with tempfile.TemporaryDirectory(prefix="gridrig-simbench-") as name:
        for table in sorted(folder.glob("*.csv")):
            if table.stem not in _PROFILE_TABLES:
                _copy_rows(table, Path(name, table.name), wanted)
        return simbench.get_simbench_net(code, input_path=name)


def profile_folder(code: str) -> Path:
    """Return the folder of the tables and profiles that a simbench code reads."""
    import simbench

    codes = simbench.collect_all_simbench_codes()
    if code not in codes:
        from difflib import get_close_matches

        near = get_close_matches(code, codes, n=1)
        raise GridError(
            "grid.network_unknown",
            "simbench has no grid {name!r}{hint}",
            name=code,
            hint=f" (did you mean {near[0]!r}?)" if near else "",
        )
    _, parameters = simbench.get_simbench_code_and_parameters(code)
    return Path(simbench.complete_data_path(parameters[5]))


def _subnets(code: str, folder: Path) -> frozenset[bytes] | None:
    """Return the names of the subnets of a grid, None for all of them."""
    import simbench

    upper, lower = simbench.get_relevant_subnets(code, str(folder))
    uppers = [upper] if isinstance(upper, str) else list(upper)
    if "complete_data" in uppers:
        return None
    return frozenset(name.encode() for name in [*uppers, *lower])


def _copy_rows(table: Path, target: Path, wanted: frozenset[bytes] | None) -> None:
    """Copy the rows whose subnet names a wanted one; simbench does the exact choice itself.

    Simbench splits the subnets at "_" and fails where no row has one, so each table that keeps
    a row gets a copy of it in a subnet nobody asks for: simbench drops that copy.
    """
    with table.open("rb") as rows, target.open("wb") as kept:
        header = rows.readline()
        kept.write(header)
        columns = header.strip().split(b";")
        if wanted is None or b"subnet" not in columns:
            kept.writelines(rows)
            return
        place = columns.index(b"subnet")
        fields: list[bytes] = []
        for row in rows:
            cells = row.rstrip().split(b";")
            if not wanted.isdisjoint(cells[place].split(b"_")):
                fields = cells
                kept.write(row.rstrip() + b"\n")
        if fields:
            fields[place] = b"nowhere_nowhere"
            kept.write(b";".join(fields) + b"\n")


def read_profile_rows(table: Path, columns: Sequence[str], first: int, count: int) -> Any:
    """Read some columns of consecutive rows of a profile table.

    Parameters
    ----------
    table : Path
        A `*Profile.csv` of simbench.
    columns : sequence of str
        Profile names; a name that is not there is an error.
    first, count : int
        Row 0 is labelled 01.01.2016 00:00.

    Returns
    -------
    array of float64, shape (count, len(columns))
        As stored. [1]

    Raises
    ------
    GridError
        `grid.profile_missing` for an unknown profile, `grid.profile_clock` if a row's label is
        not the local time its position stands for.
    """
    import pandas as pd

    with table.open("rb") as rows:
        header = rows.readline()
        names = header.decode().strip().split(";")
        missing = sorted(set(columns) - set(names))
        if missing:
            raise GridError(
                "grid.profile_missing",
                "{table} has no profile {missing}",
                table=table.name,
                missing=", ".join(missing),
            )
        text = header + b"".join(islice(rows, first, first + count))
    unique = list(dict.fromkeys(columns))
    frame = pd.read_csv(io.BytesIO(text), sep=";", usecols=["time", *unique])
    if len(frame) != count:
        raise GridError(
            "grid.profile_short",
            "{table} has {found} rows from row {first}, {count} were asked for",
            table=table.name,
            found=len(frame),
            first=first,
            count=count,
        )
    for offset in (0, count - 1):
        _check_label(str(frame["time"].iloc[offset]), first + offset, table)
    return frame[list(columns)].to_numpy(dtype=float)


def _check_label(label: str, row: int, table: Path) -> None:
    """Refuse data whose rows are not where this module believes them to be."""
    local = datetime.fromtimestamp(FIRST_ROW_UTC_S + row * ROW_S, _ZONE)
    expected = local.strftime("%d.%m.%Y %H:%M")
    if label != expected:
        raise GridError(
            "grid.profile_clock",
            "row {row} of {table} is labelled {label}, expected {expected}",
            row=row,
            table=table.name,
            label=label,
            expected=expected,
        )
