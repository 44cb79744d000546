"""A hold of minutes, as a procedure has it simulated, against the same in steps of 1 ms."""

from dataclasses import replace
from typing import Any

import numpy as np

from gridrig.campaign.abnormal_limits import FREQUENCY_TRIP
from gridrig.campaign.builtin import RIGS
from gridrig.campaign.grid_bench import MRA_F_HZ, open_grid_bench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, execute, procedure
from gridrig.campaign.trip_times import Attempt, StageResult, try_stage
from gridrig.plant import Segment, World
from gridrig.rig.description import load_rig

RIG = load_rig(RIGS / "emulated-bench.toml")
OF1 = replace(next(s for s in FREQUENCY_TRIP if s.name == "OF1"), threshold=51.0)
CHUNK_S = 10.0


def reference_trip_s(inside_hz: float, held_s: float, beyond_hz: float) -> float:
    """Hold and step in 1 ms steps without the bench; return when the current ceased after it."""
    world = World(f_nominal_hz=50.0, s_base_va=10_000.0, seed=1)
    table = {"s_va": 10_000.0, "category": "II", "sfs_angle_max_deg": 60.0, "droop": False}
    pv = world.add_pv("pv-1", table)
    world.set_available(pv, 10_000.0)
    t_s, end_s = 0.0, held_s + 1.1 * OF1.clearing_s
    while t_s < end_s:
        at_step = t_s < held_s - 1e-9
        f_hz = inside_hz if at_step else beyond_hz
        left_s = (held_s if at_step else end_s) - t_s
        length_s = round(min(CHUNK_S, left_s), 3)
        ones = (1.0, 1.0, 1.0)
        segment = Segment(length_s, (f_hz, f_hz), ones, ones, (0.0, 0.0, 0.0))
        tick = world.source_tick([pv], t_s, [segment])
        world.held()
        world.integrate(length_s)
        world.advance(length_s)
        current = np.abs(tick.i_va[0]).max(axis=1)
        gone = np.flatnonzero(current < 0.05 * 10_000.0 / 3)
        if len(gone):
            return t_s + 0.001 * float(gone[0]) - held_s
        t_s = round(t_s + length_s, 3)
    return float("inf")


def test_a_hold_of_minutes_ends_when_it_does_in_1_ms_steps() -> None:
    found: list[tuple[StageResult, Attempt]] = []

    async def body(lab: Lab) -> None:
        bench = await open_grid_bench(lab)
        await bench.switch_off("frequency_droop")
        await bench.connect()

        def step(f_hz: float, dwell_s: float) -> Any:
            return bench.step(dwell_s, f_hz=f_hz)

        attempt = Attempt(OF1, MRA_F_HZ, step, beyond_share=0.01)
        found.append((await try_stage(bench, attempt), attempt))
        lab.record("tried", "1", 1.0)

    tried = procedure(
        claim="",
        clause="",
        hazards="",
        rig="emulated-bench",
        needs=("inverter",),
        criteria=(Criterion("tried", "1", min=1),),
        mutants=(Mutant("a", "pv-1", {}, "tried"), Mutant("b", "pv-1", {}, "tried")),
    )(body)
    assert execute(tried.procedure, RIG).verdicts.ended == "PASS"  # type: ignore[attr-defined]
    result, attempt = found[0]
    allowed_s = 0.01 * OF1.clearing_s
    assert result.error is not None
    low_s = OF1.clearing_s + (result.error - result.uncertainty) * allowed_s
    high_s = OF1.clearing_s + (result.error + result.uncertainty) * allowed_s
    assert high_s - low_s < allowed_s / 2
    reference_s = reference_trip_s(attempt.inside, OF1.clearing_s + 2 * allowed_s, attempt.beyond)
    assert low_s <= reference_s <= high_s
    assert abs(reference_s - OF1.clearing_s) < 0.1
