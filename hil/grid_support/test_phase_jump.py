"""Change of phase angle: an inverter stays when the voltage jumps, and feeds again at once.

Stimulus: one phase jumps by 60 degrees for 0.4 s, each phase in turn and both ways; then all phases
by 20 degrees for a minute, both ways; at rest between. The inverter may hesitate: what counts is
for how long its power stays below 80 % of that before. Judged from recordings of the analyser; the
inverter's telemetry is not asked.

Known gap: at full power only.
"""

import math
from collections.abc import Sequence

import numpy as np

from gridrig.campaign.abnormal_limits import (
    ALL_PHASES_DEG,
    ALL_PHASES_S,
    ONE_PHASE_DEG,
    ONE_PHASE_S,
    PHASE_REST_S,
    PHASE_RESTORED_S,
    PHASE_SOURCE,
    RESTORED_SHARE,
)
from gridrig.campaign.grid_bench import MRA_CYCLES, MRA_P_PU, RATE_HZ, GridBench, open_grid_bench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.devices.bench_capabilities import SequenceStep

WATCHED_S = 3.0
HELD_S = ALL_PHASES_S - WATCHED_S  # by the host
SIGNS = (1.0, -1.0)


@procedure(
    claim="stays and feeds on through jumps of the phase angle",
    clause="IEEE 1547-2018 6.5.2.6; IEEE 1547.1-2020 5.5",
    hazards="currents of a jump: nothing with a rotating machine may be on the bus",
    rig="emulated-bench",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser"),
    criteria=(
        Criterion("one_phase_interrupted_s", "s", max=PHASE_RESTORED_S, source=PHASE_SOURCE),
        Criterion("all_phases_interrupted_s", "s", max=PHASE_RESTORED_S, source=PHASE_SOURCE),
    ),
    mutants=(
        Mutant(
            "takes a jump for an island",
            "inverter",
            {"vector_shift_deg": 10.0},
            "one_phase_interrupted_s",
        ),
        Mutant(
            "trips and comes back after a second",
            "inverter",
            {
                "vector_shift_deg": 10.0,
                "enter_service_delay_s": 1.0,
                "enter_service_ramp_s": 0.5,
            },
            "one_phase_interrupted_s",
        ),
        Mutant(
            "takes a jump of all phases for an island",
            "inverter",
            {"vector_shift_deg": 19.5},
            "all_phases_interrupted_s",
        ),
    ),
)
async def test_phase_jump(lab: Lab) -> None:
    """Let each phase jump, then all."""
    bench = await open_grid_bench(lab)
    bench.require(p_pu=MRA_P_PU, time_s=MRA_CYCLES / bench.f_n)
    await bench.connect()
    await bench.ready()
    longest_s = 0.0
    for phase in range(bench.phases):
        for sign in SIGNS:
            angles = [sign * ONE_PHASE_DEG * (k == phase) for k in range(bench.phases)]
            away = bench.step(ONE_PHASE_S, angle_deg=angles)
            longest_s = max(longest_s, await interrupted_s(bench, [away, bench.step(WATCHED_S)]))
            await bench.hold(PHASE_REST_S)
    lab.record("one_phase_interrupted_s", "s", longest_s, 1 / RATE_HZ)
    if longest_s > PHASE_RESTORED_S:
        return
    longest_s = 0.0
    for sign in SIGNS:
        away = bench.step(WATCHED_S, angle_deg=sign * ALL_PHASES_DEG)
        longest_s = max(longest_s, await interrupted_s(bench, [away]))
        await bench.hold(HELD_S)
        longest_s = max(longest_s, await interrupted_s(bench, [bench.step(WATCHED_S)]))
        await bench.hold(PHASE_REST_S)
    lab.record("all_phases_interrupted_s", "s", longest_s, 1 / RATE_HZ)


async def interrupted_s(bench: GridBench, steps: Sequence[SequenceStep]) -> float:
    """Return for how long at most power stayed below 80 %; infinite if it never came back. [s]"""
    trace = await bench.record(steps, tracks="P")
    p_pu = trace.p_pu.sum(axis=1)
    before_pu = p_pu[trace.t_s < -0.5 * trace.step_s].mean()
    low = p_pu < RESTORED_SHARE * before_pu
    if low[-1] or before_pu < RESTORED_SHARE:
        return math.inf
    edges = np.flatnonzero(np.diff(np.concatenate([[False], low]).astype(int)))
    if len(edges) == 0:
        return 0.0
    return float(np.max(edges[1::2] - edges[0::2]) * trace.step_s)
