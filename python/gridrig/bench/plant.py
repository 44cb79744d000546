"""The plant's benchmark: devices, islands and maps at a millisecond a step, beside OpenDER.

Rates are simulated over real time on one core, and the map on two as well; the best of some
repetitions counts, as the one least disturbed. The peer, EPRI's OpenDER, models the functions of
IEEE 1547-2018 only: no loop, no current, no island. It is compared on those, one device and one
step at a time, from Python.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from gridrig.bench.cores import OnCores
from gridrig.bench.peers import peer
from gridrig.bench.plant_worlds import (
    MapLoad,
    closed_form_zone,
    following_devices,
    functions_device,
    map_loads,
    map_world,
    ten_device_island,
)
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.clock.stopwatch import now_ns
from gridrig.plant import Segment, World

__all__ = ["WORKLOADS", "measure"]

WORKLOADS = ("devices", "island", "map", "source", "functions")
NS_PER_S = 1e9
DEVICES = 1_000
MAP_SIDE = 61
MAP_CORES = 2
REAL_TIME = "x real time"


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen workloads, in the order asked for."""
    measured = Measured()
    for workload in workloads:
        match workload:
            case "devices":
                measured.rows += _devices(quick)
            case "island":
                measured.rows += _island(quick)
            case "map":
                measured.rows += _map(measured, quick)
            case "source":
                measured.rows += _source(quick)
            case _:
                measured.rows += _functions(measured, quick)
    return measured


def _best_s(work: Callable[[], object], quick: bool) -> float:
    """Return the shortest time that some work took. [s]"""
    times = []
    for _ in range(1 if quick else 5):
        began = now_ns()
        work()
        times.append(now_ns() - began)
    return min(times) / NS_PER_S


def _run_island(world: World, seconds: int, record_every: int) -> None:
    for second in range(seconds):
        world.island_tick(float(second), 1.0, record_every=record_every)


def _devices(quick: bool) -> Iterator[Row]:
    count, seconds = (50, 1) if quick else (DEVICES, 2)
    for functions, goal in (("defaults", Goal(ours=25.0)), ("volt-var and volt-watt", None)):
        world = following_devices(count, volt_var=functions != "defaults")
        world.open_pcc(0.0)
        yield Row(
            task="grid-following devices",
            workload=f"{count:,} in one island, 1 ms, {functions}",
            ours=seconds / _best_s(partial(_run_island, world, seconds, 0), quick),
            unit=REAL_TIME,
            goal=goal,
        )


def _island(quick: bool) -> Iterator[Row]:
    seconds = 1 if quick else 20
    for record_every, kept in ((0, "extremes and means"), (1, "every step kept")):
        world = ten_device_island()
        world.open_pcc(0.0)
        yield Row(
            task="ten-device island",
            workload=f"grid former, battery, 4 PV, 4 loads, 1 ms, {kept}",
            ours=seconds / _best_s(partial(_run_island, world, seconds, record_every), quick),
            unit=REAL_TIME,
            goal=Goal(ours=1_000.0) if record_every == 0 else None,
            note=(
                "ten-device island, the floor: five solutions of the bus in a Runge-Kutta step, "
                "five inverters with loop, relays, detector and functions"
            ),
        )


def _map(measured: Measured, quick: bool) -> Iterator[Row]:
    side = 5 if quick else MAP_SIDE
    world = map_world()
    loads, dp, dq = map_loads(side)
    found: list[np.ndarray] = []
    work = partial(_try_loads, found, world, loads)
    one_s = _best_s(work, quick)
    with OnCores(MAP_CORES) as cores:
        all_s = _best_s(work, quick) if cores > 1 else one_s
    blind = np.isnan(found[-1]).reshape(side, side)
    agreed = float((blind == closed_form_zone(dp, dq)).mean())
    measured.remarks.append(
        f"map: {agreed:.1%} of its {side * side:,} cells are as the closed form says "
        f"({int(blind.sum())} blind); the others lie on the edge, where a relay's time decides"
    )
    for used, took_s in {1: one_s, cores: all_s}.items():
        yield Row(
            task="non-detection zone",
            workload=f"map of {side} x {side} islands, to a trip or 0.5 s, 1 ms; cores: {used}",
            ours=took_s,
            unit="s",
            goal=Goal(ours=0.15) if used == cores else None,
            less_is_better=True,
        )


def _try_loads(found: list[np.ndarray], world: World, loads: list[MapLoad]) -> None:
    found.append(world.run_on_times(loads, 0.5))


def _source(quick: bool) -> Iterator[Row]:
    seconds = 1.0 if quick else 60.0
    world = following_devices(1, volt_var=True)
    segments = [Segment.hold(seconds, f_hz=60.0, v_pu=(1.0, 0.98, 1.02))]
    yield Row(
        task="behind an AC source",
        workload="one inverter, three phases, 1 ms, every step sampled",
        ours=seconds / _best_s(lambda: world.source_tick([0], 0.0, segments), quick),
        unit=REAL_TIME,
    )


def _functions(measured: Measured, quick: bool) -> Iterator[Row]:
    steps = 100 if quick else 5_000
    world = functions_device()
    ours = steps / _best_s(partial(_step_ours, world, steps), quick) / 1e3
    module = peer("opender", "opender", measured, requirement="gridrig[test]")
    theirs = None
    if module is not None:
        module.DER.t_s = 0.1
        der = module.DER_PV()
        der.der_file.QV_MODE_ENABLE = "ENABLED"
        der.der_file.PV_MODE_ENABLE = "ENABLED"
        theirs = steps / _best_s(partial(_step_theirs, der, steps), quick) / 1e3
    yield Row(
        task="functions of IEEE 1547-2018",
        workload="one inverter, one step a call from Python: volt-var, volt-watt, droop, relays",
        ours=ours,
        unit="K steps/s",
        peer="opender" if theirs is not None else None,
        peer_figure=theirs,
        goal=Goal(ratio=10.0) if theirs is not None else None,
        note="ours also counts energy into the registers of its meter, in four calls a step",
    )


def _step_ours(world: World, steps: int) -> None:
    for step in range(steps):
        world.held()
        world.impose([1.0 + 0.05 * (step % 2)], 60.0)
        world.integrate(0.1)
        world.advance(0.1)


def _step_theirs(der: object, steps: int) -> None:
    for step in range(steps):
        der.update_der_input(v_pu=1.0 + 0.05 * (step % 2), f=60.0, p_dc_pu=0.8)  # type: ignore[attr-defined]
        der.run()  # type: ignore[attr-defined]
