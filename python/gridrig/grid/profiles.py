"""What the loads and PV of a simbench grid did in 2016, addressed by UTC time.

The data: 35,136 rows of 15 minutes. The labels run in German local time (they skip 02:00 on
27 March and repeat it on 30 October), and so do the loads: a shop opens at the same label all
year. Row 0, labelled 01.01.2016 00:00, is therefore 2015-12-31T23:00:00Z, and row k starts
900 k seconds later; each read checks the labels against this. A label is the start of its row.

Known gaps: by the sun, simbench's PV rows fit UTC better than the label (on the shortest day the
modules wake at label 07:15, which by the label is an hour before sunrise in Germany). Loads and
PV are kept row by row together, as simbench and everyone who cites it uses them, so the sun
stands about an hour early here. Only 2016 exists. Storage profiles are never read: in this
data set they discharge all year without charging, and storage follows its BMS.

Between rows: `hold` (default) keeps a row's value for its 15 minutes, so that the energy of a
delivery period is exactly the row's; `linear` goes straight from row start to row start, which
makes ramps but moves up to half a row's change of energy between neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import GridError
from gridrig.grid.network import Network
from gridrig.grid.simbench_grid import (
    FIRST_ROW_UTC_S,
    ROW_S,
    ROWS,
    profile_folder,
    read_profile_rows,
)

FloatArray = NDArray[np.float64]
Between = Literal["hold", "linear"]


@dataclass(frozen=True)
class LoadPoint:
    """Power of all loads at each bus, positive into the grid: a consuming load is negative."""

    p_w: FloatArray
    """By `Profiles.buses`. [W]"""
    q_var: FloatArray
    """By `Profiles.buses`. [var]"""


class Profiles:
    """Load and PV profiles of one network over one window of time.

    Parameters
    ----------
    network : Network
    start_utc_s, end_utc_s : int
        The window; times inside it, both ends included, can be asked for. [s]
    load_p, load_q, sgen : array of float64, shape (rows, elements)
        Relative profiles from the row that holds `start_utc_s`, one row more than the window.
    between : {"hold", "linear"}
    """

    def __init__(
        self,
        network: Network,
        start_utc_s: int,
        end_utc_s: int,
        *,
        load_p: FloatArray,
        load_q: FloatArray,
        sgen: FloatArray,
        between: Between = "hold",
    ) -> None:
        self.buses = tuple(network.loads_by_bus())
        self.sgens = tuple(x.name for x in network.sgens)
        self.start_utc_s = start_utc_s
        self.end_utc_s = end_utc_s
        self.between: Between = between
        self._first_row = (start_utc_s - FIRST_ROW_UTC_S) // ROW_S
        at_bus = np.array(
            [[x.bus == bus for bus in self.buses] for x in network.loads], dtype=float
        )
        self._p_w = -(load_p * [x.draw_w for x in network.loads]) @ at_bus
        self._q_var = -(load_q * [x.draw_var for x in network.loads]) @ at_bus
        self._sgen = sgen

    def loads(self, utc_s: float) -> LoadPoint:
        """Return the sums of P and Q of the loads at each bus, at a time [s]."""
        return LoadPoint(self._at(self._p_w, utc_s), self._at(self._q_var, utc_s))

    def load(self, bus: str, utc_s: float) -> tuple[float, float]:
        """Return P [W] and Q [var] of the loads of one bus, positive into the grid."""
        place = self._place(bus, self.buses, "bus with a load")
        point = self.loads(utc_s)
        return float(point.p_w[place]), float(point.q_var[place])

    def sgen_fractions(self, utc_s: float) -> FloatArray:
        """Return each generator's output over its rating, by `sgens`, 0 to 1. [1]"""
        return self._at(self._sgen, utc_s)

    def sgen_fraction(self, name: str, utc_s: float) -> float:
        """Return one generator's output over its rating, 0 to 1. [1]"""
        return float(self.sgen_fractions(utc_s)[self._place(name, self.sgens, "generator")])

    def _place(self, name: str, names: Sequence[str], kind: str) -> int:
        try:
            return names.index(name)
        except ValueError:
            raise GridError(
                "grid.profile_missing", "no {kind} is called {name!r}", kind=kind, name=name
            ) from None

    def _at(self, table: FloatArray, utc_s: float) -> FloatArray:
        if not self.start_utc_s <= utc_s <= self.end_utc_s:
            raise GridError(
                "grid.profile_time",
                "time {time} is outside the loaded profiles, {start} to {end}",
                time=_iso(utc_s),
                start=_iso(self.start_utc_s),
                end=_iso(self.end_utc_s),
            )
        rows = (utc_s - FIRST_ROW_UTC_S) / ROW_S - self._first_row
        row = int(rows)
        value: FloatArray = table[row].copy()
        if self.between == "linear":
            value += (rows - row) * (table[row + 1] - value)
        return value


def load_profiles(
    network: Network, start_utc_s: int, end_utc_s: int, *, between: Between = "hold"
) -> Profiles:
    """Read the profiles of a network for a window of time.

    Parameters
    ----------
    network : Network
        One that came from simbench.
    start_utc_s, end_utc_s : int
        The window, inside simbench's year; a forecast that looks back needs it to start
        earlier than the scenario. [s]
    between : {"hold", "linear"}
        What holds between two rows.

    Raises
    ------
    GridError
        `grid.profile_absent` if the network has no profiles, `grid.profile_time` outside the
        year, `grid.profile_missing`, `grid.profile_clock`.
    """
    if network.profile_code is None:
        raise GridError(
            "grid.profile_absent",
            "network {network} has no profiles: only simbench grids bring their own",
            network=network.name,
        )
    first = (start_utc_s - FIRST_ROW_UTC_S) // ROW_S
    # One row more than the window, for the line from the last row to the next.
    count = (end_utc_s - FIRST_ROW_UTC_S) // ROW_S - first + 2
    if first < 0 or count < 2 or first + count > ROWS:
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
    both = _read(folder / "LoadProfile.csv", columns, first, count)
    return Profiles(
        network,
        start_utc_s,
        end_utc_s,
        load_p=both[:, : len(loads)],
        load_q=both[:, len(loads) :],
        sgen=_read(folder / "RESProfile.csv", sgens, first, count),
        between=between,
    )


def _read(table: Path, columns: Sequence[str], first: int, count: int) -> FloatArray:
    values: FloatArray = read_profile_rows(table, columns, first, count)
    return values


def _profile(element: str, profile: str | None) -> str:
    if profile is None:
        raise GridError("grid.profile_missing", "element {name!r} names no profile", name=element)
    return profile


def _iso(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
