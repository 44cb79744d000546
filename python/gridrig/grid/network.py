"""A network as data, the same for every engine.

Invariants: bus, line, transformer, load, sgen and storage names are unique; every element names
buses that exist; nothing an engine could silently ignore is left in (a tap without a changer
type, an element kind that is not described here is an error or a stated repair).

Power goes in at *points* (`points.py`): every bus is one, and in a network whose phases differ
so are single phases of a bus and the terminals of each load.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gridrig.errors import GridError
from gridrig.grid.points import Point, phase_of


@dataclass(frozen=True, slots=True)
class Source:
    """A main grid: the voltage it holds at a bus, in OpenDSS behind its own impedance."""

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
    r0_ohm_per_km: float = 0.0
    x0_ohm_per_km: float = 0.0
    c0_nf_per_km: float = 0.0
    """Zero sequence, used only where phases differ."""


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
        return self.ratio_at(self.tap_steps)

    def ratio_at(self, steps: float) -> float:
        """Return `tap_ratio` at other steps off neutral. [1]"""
        return 1.0 + steps * self.tap_step_percent / 100.0


@dataclass(frozen=True, slots=True)
class Load:
    """A load: what it draws at its rating, and the name of its profile if it has one."""

    name: str
    bus: str
    """Name of the point it draws from."""
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


@dataclass(frozen=True, slots=True)
class Generator:
    """A machine that holds its bus's voltage: its active power is fixed, its reactive is not."""

    name: str
    bus: str
    p_w: float


@dataclass(frozen=True, slots=True)
class Coupling:
    """What else joins two buses (a series reactor, a third winding): topology only."""

    name: str
    from_bus: str
    to_bus: str


@dataclass(frozen=True, slots=True)
class Regulator:
    """A controller of an OpenDSS file that moves the tap of a transformer."""

    name: str
    transformer: str


@dataclass(frozen=True)
class Network:
    """A network as data, and what it came from.

    `repairs` states in words each thing that was put right while loading; a report shows it.
    """

    name: str
    f_hz: float
    buses: tuple[str, ...]
    v_nominal_v: tuple[float, ...]
    """Line-to-line nominal of each bus. [V]"""
    sources: tuple[Source, ...]
    """At least one; the first is the main grid whose voltage a scenario moves."""
    lines: tuple[Line, ...]
    transformers: tuple[Transformer, ...]
    loads: tuple[Load, ...]
    sgens: tuple[Sgen, ...]
    storages: tuple[Storage, ...]
    repairs: tuple[str, ...]
    profile_code: str | None
    """Simbench code whose profile folder belongs to this network."""
    net: Any = field(repr=False, compare=False)
    """The pandapower net, as repaired; engines copy it before they change it. None for a .dss."""
    dss_file: Path | None = None
    """The OpenDSS script it was read from."""
    generators: tuple[Generator, ...] = ()
    couplings: tuple[Coupling, ...] = ()
    regulators: tuple[Regulator, ...] = ()
    phases_differ: bool = False
    """Whether it is solved phase by phase."""
    points: tuple[Point, ...] = ()
    """Where power goes in; the buses come first, in their order."""
    beyond_opendss: str = ""
    """What in it only pandapower solves; empty if both engines can."""

    def __post_init__(self) -> None:
        if not self.points:
            points = tuple(Point(bus, bus, (1, 2, 3)) for bus in self.buses)
            object.__setattr__(self, "points", points)

    @property
    def source(self) -> Source:
        """The first of the sources."""
        return self.sources[0]

    def bus_index(self, bus: str) -> int:
        """Return the position of a bus, or refuse a bus the network lacks."""
        try:
            return self.buses.index(bus)
        except ValueError:
            raise unknown_bus(bus, self.buses) from None

    def loads_by_bus(self) -> dict[str, tuple[Load, ...]]:
        """Group the loads by point, in the order of the points; those without one are absent."""
        grouped: dict[str, list[Load]] = {point.name: [] for point in self.points}
        for load in self.loads:
            grouped[load.bus].append(load)
        return {point: tuple(loads) for point, loads in grouped.items() if loads}

    def with_points(self, names: Iterable[str]) -> "Network":
        """Return the network with single phases of buses as points, as far as they exist.

        Parameters
        ----------
        names : iterable of str
            What devices name: `671.1` is phase 1 of bus 671 against earth, `671.1.2` between two
            phases. What is no such thing is left out, for whoever checks names to say so.
        """
        if not self.phases_differ:
            return self
        known = {point.name: point for point in self.points}
        for name in names:
            point = phase_of(name, known)
            if name not in known and point is not None:
                known[name] = point
        return replace(self, points=tuple(known.values()))

    @property
    def out_of_service(self) -> frozenset[str]:
        """Branches that are out of service as loaded, `line:<name>` or `trafo:<name>`."""
        out = {line_key(x.name) for x in self.lines if not x.in_service}
        return frozenset(out | {trafo_key(x.name) for x in self.transformers if not x.in_service})

    def reachable(self, starts: Iterable[str], out: Collection[str]) -> frozenset[str]:
        """Return the buses connected to any start.

        Parameters
        ----------
        starts : iterable of str
            Bus names.
        out : collection of str
            Branches that are open, `line:<name>` or `trafo:<name>`: all of them, whatever the
            network says of itself.
        """
        joined: dict[str, list[str]] = {bus: [] for bus in self.buses}
        ends = [(x.from_bus, x.to_bus) for x in self.lines if line_key(x.name) not in out]
        ends += [(x.hv_bus, x.lv_bus) for x in self.transformers if trafo_key(x.name) not in out]
        ends += [(x.from_bus, x.to_bus) for x in self.couplings]
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


def line_key(name: str) -> str:
    """Return how a rig or scenario names a line."""
    return f"line:{name}"


def trafo_key(name: str) -> str:
    """Return how a rig or scenario names a transformer."""
    return f"trafo:{name}"


def regulator_key(name: str) -> str:
    """Return how a scenario names a regulator."""
    return f"regulator:{name}"


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
