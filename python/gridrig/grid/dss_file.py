"""Describe the circuit of an OpenDSS file: its buses, branches, loads, and what stands for them.

The circuit stays what the file says, solved by OpenDSS itself (`opendss_file_engine.py`); this is
how rigs, profiles and findings speak of it, by OpenDSS's own names in lower case.

What of the file is put aside, and stated: generators, photovoltaics and storages with their
controllers. In a run they are devices of the rig; here they are places with a rating. Loads stay;
a run says what each draws, at the point `load.<name>`. Regulators, capacitors and their
controllers stay and act.

Known gaps: elements that feed power in by laws of their own (`_STRANGE`) are refused by name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

from gridrig.errors import GridError
from gridrig.grid.dss_context import DssContext
from gridrig.grid.network import (
    Coupling,
    Line,
    Load,
    Network,
    Regulator,
    Sgen,
    Source,
    Storage,
    Transformer,
)
from gridrig.grid.points import Point

_STRANGE = (
    "isource", "vccs", "indmach012", "gicsource", "gicline", "gictransformer", "upfc",
    "vsconverter", "fault", "autotrans",
)  # fmt: skip
_DEVICES = ("generator", "pvsystem", "storage")
_CONTROLLERS = ("invcontrol", "expcontrol", "storagecontroller", "gendispatcher", "espvlcontrol")
_KM = {
    0: 1.0,
    1: 1.609344,
    2: 0.3048,
    3: 1.0,
    4: 1e-3,
    5: 0.3048e-3,
    6: 0.0254e-3,
    7: 1e-5,
    8: 1e-6,
}
"""Kilometres in OpenDSS's units of length, by number; none counts as kilometres."""


def open_file(path: Path) -> DssContext:
    """Run a file in a context of its own.

    Raises
    ------
    GridError
        `grid.network_unreadable`, with the file, the line and OpenDSS's words.
    """
    context = DssContext()
    try:
        context.command(f'redirect "{path.resolve()}"')
    except GridError as error:
        raise GridError(
            "grid.network_unreadable",
            "{file}: {reason}",
            file=str(path),
            reason=error.facts["reason"],
        ) from error
    if not context.dss.NumCircuits:
        raise GridError("grid.network_unreadable", "{file} makes no circuit", file=str(path))
    context.command("makebuslist")
    return context


def put_devices_aside(context: DssContext) -> None:
    """Take out of a circuit what devices of a rig stand for, and set loads to their rating."""
    for name in _names(context.circuit, (*_DEVICES, *_CONTROLLERS)):
        context.circuit.Disable(name)
    context.command("set mode=snapshot loadmult=1")


def read_dss_file(path: Path, *, name: str) -> Network:
    """Describe the circuit of a file.

    Parameters
    ----------
    path : Path
        The file that makes the circuit; those it names are found from where it is.
    name : str
        What the rig file calls it.

    Raises
    ------
    GridError
        `grid.network_unreadable`, `grid.element_unsupported`, `grid.voltage_base`,
        `grid.source_count`.
    """
    context = open_file(path)
    circuit = context.circuit
    for strange in _names(circuit, _STRANGE):
        raise GridError(
            "grid.element_unsupported",
            "{network}: {element} feeds in or joins by a law of its own, which is not modelled",
            network=name,
            element=strange,
        )
    volts, phases = _buses(circuit, name)
    regulators, tapped = _regulators(circuit)
    transformers, couplings, earthing = _transformers(circuit, tapped)
    lines = tuple(_lines(circuit))
    sources = tuple(_sources(context, circuit))
    if not sources:
        raise GridError("grid.source_count", "{network} has no Vsource", network=name)
    couplings += _couplings(circuit)
    network = Network(
        name=name,
        f_hz=float(circuit.Solution.Frequency),
        buses=tuple(volts),
        v_nominal_v=tuple(volts.values()),
        sources=sources,
        lines=lines,
        transformers=tuple(transformers),
        loads=(),
        sgens=tuple(_sgens(circuit)),
        storages=tuple(_storages(circuit)),
        repairs=tuple(
            f"{element}: put aside, a device of the rig takes its place"
            for element in _names(circuit, (*_DEVICES, *_CONTROLLERS))
        ),
        profile_code=None,
        net=None,
        dss_file=path.resolve(),
        couplings=tuple(couplings),
        regulators=tuple(regulators),
        phases_differ=True,
    )
    earthed = _earthed(network, {*earthing, *(source.bus for source in sources)})
    points = [
        Point(bus, bus, phases[bus], between=bus not in earthed and len(phases[bus]) > 1)
        for bus in network.buses
    ]
    loads, at = _loads(circuit)
    return replace(network, points=(*points, *at), loads=tuple(loads))


def _names(circuit: Any, classes: Sequence[str]) -> list[str]:
    """Return the full names of all elements of some classes, enabled or not."""
    return [
        str(name).lower()
        for name in circuit.AllElementNames
        if str(name).split(".", 1)[0].lower() in classes
    ]


def _buses(circuit: Any, network: str) -> tuple[dict[str, float], dict[str, tuple[int, ...]]]:
    """Return nominal line-to-line voltages [V] and phases of all buses."""
    volts: dict[str, float] = {}
    phases: dict[str, tuple[int, ...]] = {}
    for name in map(str, circuit.AllBusNames):
        circuit.SetActiveBus(name)
        bus = circuit.ActiveBus
        if bus.kVBase <= 0.0:
            raise GridError(
                "grid.voltage_base",
                "{network}: bus {bus!r} has no nominal voltage: the file needs `set voltagebases` "
                "with every level, then `calcvoltagebases`",
                network=network,
                bus=name,
            )
        volts[name.lower()] = round(1e3 * sqrt(3.0) * float(bus.kVBase), 3)
        phases[name.lower()] = tuple(sorted(int(node) for node in bus.Nodes if 1 <= node <= 3))
    return volts, phases


def _home(text: Any) -> str:
    return str(text).split(".", 1)[0].lower()


def _sources(context: DssContext, circuit: Any) -> Iterator[Source]:
    sources = circuit.Vsources
    for name in map(str, sources.AllNames):
        sources.Name = name
        element = circuit.ActiveCktElement
        if element.Enabled:
            yield Source(
                name, _home(element.BusNames[0]), float(sources.pu), float(sources.AngleDeg)
            )


def _lines(circuit: Any) -> Iterator[Line]:
    for line in circuit.Lines:
        element = circuit.ActiveCktElement
        one, other = (_home(bus) for bus in element.BusNames)
        km = _KM[int(line.Units)]
        yield Line(
            name=str(line.Name).lower(),
            from_bus=one,
            to_bus=other,
            length_km=float(line.Length) * km,
            r_ohm_per_km=float(line.R1) / km,
            x_ohm_per_km=float(line.X1) / km,
            c_nf_per_km=float(line.C1) / km,
            parallel=1,
            max_i_a=float(line.NormAmps),
            in_service=bool(element.Enabled) and not _is_open(element),
        )


def _is_open(element: Any) -> bool:
    """Return whether a whole terminal is open, as `open` and a switch control leave it."""
    return any(bool(element.IsOpen(terminal, 0)) for terminal in range(1, element.NumTerminals + 1))


def _regulators(circuit: Any) -> tuple[list[Regulator], dict[str, int]]:
    """Return the regulators that act, and which winding's tap they move, by transformer."""
    found, tapped = [], {}
    for control in circuit.RegControls:
        if circuit.ActiveCktElement.Enabled:
            moved = str(control.Transformer).lower()
            found.append(Regulator(str(control.Name).lower(), moved))
            tapped[moved] = int(control.TapWinding)
    return found, tapped


def _transformers(
    circuit: Any, tapped: Mapping[str, int]
) -> tuple[list[Transformer], list[Coupling], set[str]]:
    """Return the transformers, what third windings join, and the buses that a winding earths."""
    found: list[Transformer] = []
    couplings: list[Coupling] = []
    earthed: set[str] = set()
    for trafo in circuit.Transformers:
        element = circuit.ActiveCktElement
        name = str(trafo.Name).lower()
        homes = [_home(bus) for bus in element.BusNames]
        kv, kva, tap, earths = [], [], [], []
        conductors = element.NumConductors
        for winding in range(1, trafo.NumWindings + 1):
            trafo.Wdg = winding
            kv.append(1e3 * float(trafo.kV))
            kva.append(1e3 * float(trafo.kVA))
            tap.append(float(trafo.Tap))
            step = (float(trafo.MaxTap) - float(trafo.MinTap)) / max(int(trafo.NumTaps), 1)
            neutral = element.NodeOrder[winding * conductors - 1]
            earths.append(not trafo.IsDelta and int(neutral) == 0)
        earthed |= {home for home, earth in zip(homes, earths, strict=True) if earth}
        moved = tapped.get(name, 1 if tap[0] != 1.0 else 2)
        side = "hv" if moved == 1 else "lv"
        off = (tap[0] if side == "hv" else tap[1]) - 1.0
        couplings += [Coupling(name, homes[0], home) for home in homes[2:] if home != homes[1]]
        found.append(
            Transformer(
                name=name,
                hv_bus=homes[0],
                lv_bus=homes[1],
                s_va=kva[0],
                derating=1.0,
                v_hv_v=kv[0],
                v_lv_v=kv[1],
                vk_percent=float(trafo.Xhl),
                vkr_percent=0.0,
                iron_loss_w=0.0,
                i0_percent=0.0,
                shift_deg=0.0,
                tap_side=side,
                tap_steps=off / step if step else 0.0,
                tap_step_percent=100.0 * step,
                in_service=bool(element.Enabled) and not _is_open(element),
            )
        )
    return found, couplings, earthed


def _couplings(circuit: Any) -> list[Coupling]:
    """Return reactors and capacitors in series."""
    found = []
    for name in _names(circuit, ("reactor", "capacitor")):
        circuit.SetActiveElement(name)
        element = circuit.ActiveCktElement
        homes = [_home(bus) for bus in element.BusNames]
        nodes = [int(node) for node in element.NodeOrder]
        joins = len(homes) > 1 and homes[0] != homes[1] and any(nodes[len(nodes) // 2 :])
        if joins and element.Enabled:
            found.append(Coupling(name, homes[0], homes[1]))
    return found


def _earthed(network: Network, starts: set[str]) -> set[str]:
    """Return the buses whose phases stand against earth: joined to an earthed one by lines."""
    trafos = frozenset(f"trafo:{x.name}" for x in network.transformers)
    return set(network.reachable(starts, trafos))


def _loads(circuit: Any) -> tuple[list[Load], list[Point]]:
    multiplier = float(circuit.Solution.LoadMult)
    loads, points = [], []
    for load in circuit.Loads:
        element = circuit.ActiveCktElement
        if not element.Enabled:
            continue
        name = str(load.Name).lower()
        nodes = [int(node) for node in element.NodeOrder]
        phases = tuple(dict.fromkeys(node for node in nodes if node))
        between = bool(load.IsDelta) or (load.Phases == 1 and len(phases) == 2)
        scale = 1e3 * (1.0 if int(load.Status) == 1 else multiplier)
        point = Point(f"load.{name}", _home(element.BusNames[0]), phases, between, load=name)
        points.append(point)
        shape = str(load.Yearly or load.daily or load.duty or "").lower()
        loads.append(
            Load(name, point.name, scale * float(load.kW), scale * float(load.kvar), shape or None)
        )
    return loads, points


def _sgens(circuit: Any) -> Iterator[Sgen]:
    for machine in circuit.Generators:
        home = _home(circuit.ActiveCktElement.BusNames[0])
        shape = str(machine.Yearly or machine.daily or "").lower() or None
        yield Sgen(str(machine.Name).lower(), home, 1e3 * float(machine.kW), "generator", shape)
    for panel in circuit.PVSystems:
        home = _home(circuit.ActiveCktElement.BusNames[0])
        shape = str(panel.yearly or panel.daily or "").lower() or None
        yield Sgen(str(panel.Name).lower(), home, 1e3 * float(panel.Pmpp), "pv", shape)


def _storages(circuit: Any) -> Iterator[Storage]:
    for name in _names(circuit, ("storage",)):
        circuit.SetActiveElement(name)
        element = circuit.ActiveCktElement
        rated = float(element.Properties("kWrated").Val)
        stored = float(element.Properties("kWhrated").Val)
        short = name.split(".", 1)[1]
        yield Storage(short, _home(element.BusNames[0]), 1e3 * rated, 1e3 * stored)
