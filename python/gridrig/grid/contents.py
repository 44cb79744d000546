"""What a network holds, in words: for whoever writes a rig or a scenario for it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridrig.grid.loading import load_network
from gridrig.grid.network import Network, line_key, regulator_key, trafo_key


def contents(network: Network) -> Iterator[str]:
    """Yield lines: how many there are of each kind, then each by the name a file gives it."""
    differ = "phase by phase" if network.phases_differ else "balanced"
    yield f"{network.name}: {network.f_hz:g} Hz, {differ}"
    yield (
        f"{len(network.buses)} buses, {len(network.lines)} lines, "
        f"{len(network.transformers)} transformers, {len(network.regulators)} regulators, "
        f"{len(network.loads)} loads, {len(network.sgens)} generators, "
        f"{len(network.storages)} storages"
    )
    for source in network.sources:
        yield f"source {source.name} at {source.bus}, {source.v_pu:g} pu"
    out = network.out_of_service
    for trafo in network.transformers:
        key = trafo_key(trafo.name)
        yield (
            f"{key}  {trafo.hv_bus} - {trafo.lv_bus}  "
            f"{trafo.v_hv_v / 1e3:g}/{trafo.v_lv_v / 1e3:g} kV {trafo.s_va / 1e3:g} kVA  "
            f"tap {trafo.tap_steps:+g} x {trafo.tap_step_percent:g} %{_state(key in out)}"
        )
    for regulator in network.regulators:
        moved = trafo_key(regulator.transformer)
        yield f"{regulator_key(regulator.name)}  moves the tap of {moved}"
    for line in network.lines:
        key = line_key(line.name)
        yield (
            f"{key}  {line.from_bus} - {line.to_bus}  {line.length_km:.4g} km {line.max_i_a:.4g} A"
            f"{_state(key in out)}"
        )
    drawn: dict[str, float] = {}
    for load in network.loads:
        drawn[load.bus] = drawn.get(load.bus, 0.0) + load.draw_w
    for point in network.points:
        phases = "" if point.phases == (1, 2, 3) else f" phases {point.phases}"
        draws = f"  draws {drawn[point.name] / 1e3:.4g} kW" if point.name in drawn else ""
        yield f"bus {point.name}{phases}{draws}"
    for sgen in network.sgens:
        yield f"generator {sgen.name} at {sgen.bus}  {sgen.rating_w / 1e3:.4g} kW {sgen.kind}"
    for storage in network.storages:
        yield (
            f"storage {storage.name} at {storage.bus}  {storage.rating_w / 1e3:.4g} kW "
            f"{storage.energy_wh / 1e3:.4g} kWh"
        )
    for repair in network.repairs:
        yield f"put right: {repair}"


def as_json(network: Network) -> dict[str, Any]:
    """Return what a network holds as a program reads it, units in the names."""
    kinds = ("sources", "lines", "transformers", "regulators", "loads", "sgens", "storages")
    return {
        "name": network.name,
        "f_hz": network.f_hz,
        "phases_differ": network.phases_differ,
        "buses": [
            {"name": bus, "v_nominal_v": v_v}
            for bus, v_v in zip(network.buses, network.v_nominal_v, strict=True)
        ],
        "points": [asdict(point) for point in network.points],
        **{kind: [asdict(one) for one in getattr(network, kind)] for kind in kinds},
        "out_of_service": sorted(network.out_of_service),
        "repairs": list(network.repairs),
    }


def contents_command(
    name: str, print_line: Callable[[str], object], *, to_program: bool = False
) -> int:
    """Load a network and print what it holds; return the exit code.

    Raises
    ------
    GridError
        As `load_network`.
    """
    network = load_network(name, folder=Path())
    lines = [json.dumps(as_json(network), indent=1)] if to_program else contents(network)
    for line in lines:
        print_line(line)
    return 0


def _state(is_out: bool) -> str:
    return "  out of service" if is_out else ""
