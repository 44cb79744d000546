"""A low-voltage network as data, the same for every engine, and the way to load one.

Invariants: bus, line, transformer, load, sgen and storage names are unique; every element names
buses that exist; nothing an engine could silently ignore is left in (a tap without a changer
type, an open switch, an element kind that is not described here is an error or a stated repair).

Known gaps: balanced three-phase networks only; shunts, generators with voltage control,
three-winding transformers, phase-shifting taps and line conductance are refused by name.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridrig.errors import GridError


@dataclass(frozen=True, slots=True)
class Source:
    """The main grid: an ideal voltage behind the network's first bus."""

    name: str
    bus: str
    v_pu: float
    angle_deg: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line or cable in positive sequence; values are per parallel system and km."""

    name: str
    from_bus: str
    to_bus: str
    length_km: float
    r_ohm_per_km: float
    x_ohm_per_km: float
    c_nf_per_km: float
    parallel: int
    max_i_a: float
    """Rating of all parallel systems together. [A]"""
    in_service: bool


@dataclass(frozen=True, slots=True)
class Transformer:
    """A two-winding transformer; a tap of +1 step on the HV side lowers the LV voltage."""

    name: str
    hv_bus: str
    lv_bus: str
    s_va: float
    """Nameplate of all parallel units together. [VA]"""
    derating: float
    """What 100 % loading is, over the nameplate. [1]"""
    v_hv_v: float
    v_lv_v: float
    vk_percent: float
    vkr_percent: float
    iron_loss_w: float
    """All parallel units together. [W]"""
    i0_percent: float
    shift_deg: float
    """By how much the LV side lags; 150 is vector group 5. [deg]"""
    tap_side: str
    """`hv` or `lv`."""
    tap_steps: float
    """Steps away from neutral. [1]"""
    tap_step_percent: float
    in_service: bool

    @property
    def tap_ratio(self) -> float:
        """Voltage of the tapped winding over its nominal. [1]"""
        return 1.0 + self.tap_steps * self.tap_step_percent / 100.0


@dataclass(frozen=True, slots=True)
class Load:
    """A load: what it draws at its rating, and the name of its profile if it has one."""

    name: str
    bus: str
    draw_w: float
    """Consumption at rating, positive. [W]"""
    draw_var: float
    """Reactive consumption at rating, positive inductive. [var]"""
    profile: str | None


@dataclass(frozen=True, slots=True)
class Sgen:
    """A static generator (PV here): its rating and the name of its profile."""

    name: str
    bus: str
    rating_w: float
    kind: str
    profile: str | None


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage's place and size. It has no profile: what it does is its BMS's business."""

    name: str
    bus: str
    rating_w: float
    energy_wh: float


@dataclass(frozen=True)
class Network:
    """A network as data, and the pandapower net it came from.

    `repairs` states in words each thing that was put right while loading; a report shows it.
    """

    name: str
    f_hz: float
    buses: tuple[str, ...]
    v_nominal_v: tuple[float, ...]
    """Line-to-line nominal of each bus. [V]"""
    source: Source
    lines: tuple[Line, ...]
    transformers: tuple[Transformer, ...]
    loads: tuple[Load, ...]
    sgens: tuple[Sgen, ...]
    storages: tuple[Storage, ...]
    repairs: tuple[str, ...]
    profile_code: str | None
    """Simbench code whose profile folder belongs to this network."""
    net: Any = field(repr=False, compare=False)
    """The pandapower net, as repaired; engines copy it before they change it."""

    def bus_index(self, bus: str) -> int:
        """Return the position of a bus, or refuse a bus the network lacks."""
        try:
            return self.buses.index(bus)
        except ValueError:
            raise unknown_bus(bus, self.buses) from None

    def loads_by_bus(self) -> dict[str, tuple[Load, ...]]:
        """Group the loads by bus, in bus order; buses without a load are absent."""
        grouped = {bus: tuple(x for x in self.loads if x.bus == bus) for bus in self.buses}
        return {bus: loads for bus, loads in grouped.items() if loads}

    def reachable(
        self, starts: Iterable[str], *, without: str | None = None, without_line: str | None = None
    ) -> frozenset[str]:
        """Return the buses connected to any start through branches in service.

        Parameters
        ----------
        starts : iterable of str
            Bus names.
        without, without_line : str, optional
            Name of a transformer, and of a line, that is taken as open.
        """
        joined: dict[str, list[str]] = {bus: [] for bus in self.buses}
        ends = [
            (x.from_bus, x.to_bus) for x in self.lines if x.in_service and x.name != without_line
        ]
        ends += [
            (x.hv_bus, x.lv_bus) for x in self.transformers if x.in_service and x.name != without
        ]
        for one, other in ends:
            joined[one].append(other)
            joined[other].append(one)
        seen = set(starts)
        waiting = deque(seen)
        while waiting:
            for bus in joined[waiting.popleft()]:
                if bus not in seen:
                    seen.add(bus)
                    waiting.append(bus)
        return frozenset(seen)


def unknown_bus(bus: str, buses: Iterable[str]) -> GridError:
    """Return the error for a bus that is not there, with the near miss."""
    from difflib import get_close_matches

    near = get_close_matches(bus, list(buses), n=1)
    return GridError(
        "grid.bus_unknown",
        "the feeder has no bus {bus!r}{hint}",
        bus=bus,
        hint=f" (did you mean {near[0]!r}?)" if near else "",
    )


def load_network(name: str, *, folder: Path | None = None) -> Network:
    """Load a network by name.

    Parameters
    ----------
    name : str
        `simbench:<code>`, `cigre_lv`, or the path of a pandapower `.json` file.
    folder : Path, optional
        Where a relative path starts; the rig file's folder.

    Returns
    -------
    Network

    Raises
    ------
    GridError
        `grid.network_unknown`, or the first thing in it that no engine here models.
    """
    from gridrig.grid.pandapower_net import describe

    if name.startswith("simbench:"):
        from gridrig.grid.simbench_grid import read_simbench_net

        code = name.removeprefix("simbench:")
        # Simbench marks its transformer types as tapable but leaves the changer type empty.
        return describe(read_simbench_net(code), name=name, profile_code=code, tap_changer="Ratio")
    if name == "cigre_lv":
        from pandapower.networks import create_cigre_network_lv

        return describe(create_cigre_network_lv(), name=name)
    path = (folder or Path()) / name
    if path.suffix != ".json" or not path.is_file():
        raise GridError(
            "grid.network_unknown",
            "no network {name!r}: expected simbench:<code>, cigre_lv or an existing "
            "pandapower .json file",
            name=name,
        )
    import pandapower

    return describe(pandapower.from_json(str(path)), name=name)
