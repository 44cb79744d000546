"""What loads draw and what the sun gives, addressed by UTC time.

Where it comes from is said by the rig (`[feeder] profiles`): simbench's own year, the load shapes
of an OpenDSS file, a table in CSV or Parquet, or nothing but the ratings.

Between rows: `hold` (default) keeps a row's value for its length, so that the energy of a delivery
period is exactly the rows'; `linear` goes straight from row start to row start, which makes ramps
but moves up to half a row's change of energy between neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.network import Network
from gridrig.grid.profile_table import FloatArray, ProfileTable
from gridrig.grid.weather import SunTable, Weather

Between = Literal["hold", "linear"]
RATED, SHAPES = "rated", "shapes"
_ROW_S = 900


@dataclass(frozen=True)
class LoadPoint:
    """Power of all loads at each point, positive into the grid: a consuming load is negative."""

    p_w: FloatArray
    """By `Profiles.buses`. [W]"""
    q_var: FloatArray
    """By `Profiles.buses`. [var]"""


class _Rows(NamedTuple):
    """Values from one moment on, each row equally long."""

    first_utc_s: int
    row_s: int
    values: FloatArray


class Profiles:
    """Load and PV profiles of one network over one window of time.

    Parameters
    ----------
    network : Network
    start_utc_s, end_utc_s : int
        The window; times inside it, both ends included, can be asked for. [s]
    table : ProfileTable
        Rows that cover it, and one more.
    between : {"hold", "linear"}
    sun : SunTable or None
        What arrays give by the weather, beside the table's generators.
    """

    def __init__(
        self,
        network: Network,
        start_utc_s: int,
        end_utc_s: int,
        table: ProfileTable,
        *,
        between: Between = "hold",
        sun: SunTable | None = None,
    ) -> None:
        self.buses = tuple(network.loads_by_bus())
        self.sgens = (*table.sgens, *(sun.names if sun is not None else ()))
        self.start_utc_s = start_utc_s
        self.end_utc_s = end_utc_s
        self.between: Between = between
        place = {bus: index for index, bus in enumerate(self.buses)}
        at_bus = np.zeros((len(network.loads), len(self.buses)))
        for index, load in enumerate(network.loads):
            at_bus[index, place[load.bus]] = 1.0
        clock = table.first_utc_s, table.row_s
        self._p_w = _Rows(*clock, -table.load_w @ at_bus)
        self._q_var = _Rows(*clock, -table.load_var @ at_bus)
        self._sgen = _Rows(*clock, table.sgen)
        self._sun = None if sun is None else _Rows(sun.first_utc_s, sun.row_s, sun.fraction)

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
        own = self._at(self._sgen, utc_s)
        return own if self._sun is None else np.append(own, self._at(self._sun, utc_s))

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

    def _at(self, rows: _Rows, utc_s: float) -> FloatArray:
        if not self.start_utc_s <= utc_s <= self.end_utc_s:
            raise GridError(
                "grid.profile_time",
                "time {time} is outside the loaded profiles, {start} to {end}",
                time=_iso(utc_s),
                start=_iso(self.start_utc_s),
                end=_iso(self.end_utc_s),
            )
        place = (utc_s - rows.first_utc_s) / rows.row_s
        row = int(place)
        value: FloatArray = rows.values[row].copy()
        if self.between == "linear":
            value += (place - row) * (rows.values[row + 1] - value)
        return value


def load_profiles(
    network: Network,
    start_utc_s: int,
    end_utc_s: int,
    *,
    source: str | None = None,
    folder: Path | None = None,
    between: Between = "hold",
    weather: Weather | None = None,
) -> Profiles:
    """Read the profiles of a network for a window of time.

    Parameters
    ----------
    network : Network
    start_utc_s, end_utc_s : int
        The window; a forecast that looks back needs it to start earlier than the scenario. [s]
    source : str, optional
        `shapes` (of an OpenDSS file), `rated` (every load at its rating, all the time), or the
        path of a `.csv` or `.parquet` table. By default simbench's year or the shapes, if the
        network has them.
    folder : Path, optional
        Where a relative path starts; the rig file's folder.
    between : {"hold", "linear"}
        What holds between two rows.
    weather : Weather, optional
        Arrays whose output follows from it, beside the generators of the source.

    Raises
    ------
    GridError
        As `Weather.sun`; `grid.profile_absent` if the network has no profiles of its own,
        `grid.profile_time` outside of what there is, `grid.profile_missing`,
        `grid.profile_clock`, `grid.profile_unreadable`.
    """
    window = network, start_utc_s, end_utc_s
    if source is None and network.profile_code is not None:
        from gridrig.grid.simbench_profiles import read_simbench_profiles

        table = read_simbench_profiles(*window)
    elif source == RATED:
        table = _rated(*window)
    elif source == SHAPES or (source is None and any(x.profile for x in network.loads)):
        from gridrig.grid.dss_shapes import read_shapes

        table = read_shapes(*window)
    elif source is None:
        raise GridError(
            "grid.profile_absent",
            "network {network} has no profiles of its own, as simbench grids and OpenDSS files "
            "with shapes have: expected feeder.profiles = 'rated' or a .csv or .parquet file",
            network=network.name,
        )
    else:
        from gridrig.grid.profile_file import read_profile_file

        table = read_profile_file((folder or Path()) / source, *window)
    sun = None
    if weather is not None:
        sun = weather.sun(start_utc_s, end_utc_s, folder=folder or Path(), taken=table.sgens)
    return Profiles(network, start_utc_s, end_utc_s, table, between=between, sun=sun)


def _rated(network: Network, start_utc_s: int, end_utc_s: int) -> ProfileTable:
    """Return every load at its rating and every generator at its own."""
    rows = (end_utc_s - start_utc_s) // _ROW_S + 2
    return ProfileTable(
        first_utc_s=start_utc_s,
        row_s=_ROW_S,
        load_w=np.tile([x.draw_w for x in network.loads], (rows, 1)),
        load_var=np.tile([x.draw_var for x in network.loads], (rows, 1)),
        sgens=tuple(x.name for x in network.sgens),
        sgen=np.ones((rows, len(network.sgens))),
    )


def _iso(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
