"""Watt-var: reactive power follows the active power along its curve, within 10 s.

Stimulus: the DC source offers more and less power, beside every corner of the curve, between them
and to both ends, out and back; each is held for four times 10 s. Judged by the analyser, active
power as measured: see `gridrig.campaign.function_walk`. A step is a command to the DC source, so
its beginning is known only to what the command took; that is in the uncertainty.

Known gaps: absorbing. Curves 2 and 3 are walked up only. Model 712 has no register for the response
time (sunspec/models issue 227), so the 10 s of the standard are a limit and nothing is too soon.
"""

from collections.abc import Mapping
from functools import partial

from gridrig.campaign.acceptance import Characteristic
from gridrig.campaign.function_bench import P_REACH_PU, at_power, there_and_back, visited
from gridrig.campaign.function_walk import Step, Walk, walk_criteria
from gridrig.campaign.grid_bench import GridBench
from gridrig.campaign.procedures import Lab, Mutant, procedure
from gridrig.devices.grid_support import CurveSettings, Points

RESPONSE_S = 10.0
# Tables 28 to 30, the injecting side, as pyUL1741SB (wv.py) restates them.
CURVES: Mapping[str, tuple[Points, Points, Points]] = {
    "A": (
        ((0.2, 0.0), (0.5, 0.0), (1.0, -0.25)),
        ((0.2, -0.13), (0.5, -0.13), (1.0, -0.25)),
        ((0.2, 0.0), (0.5, -0.25), (1.0, -0.25)),
    ),
    "B": (
        ((0.2, 0.0), (0.5, 0.0), (1.0, -0.44)),
        ((0.2, -0.22), (0.5, -0.22), (1.0, -0.44)),
        ((0.2, 0.0), (0.5, -0.44), (1.0, -0.44)),
    ),
}
KEEPS = {"keeps": ["watt_var_p_pu", "watt_var_q_pu"], "watt_var_p_pu": [0.2, 0.5, 1.0]}


@procedure(
    claim="gives reactive power by its watt-var curve within 10 s",
    clause="IEEE 1547-2018 5.3.4, table 9; IEEE 1547.1-2020 5.14.7",
    hazards="full power with full reactive power absorbed, for minutes",
    rig="emulated-bench",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser"),
    criteria=walk_criteria("5.14.7", is_limit=True),
    mutants=(
        Mutant(
            "wrong curve",
            "inverter",
            {**KEEPS, "watt_var_q_pu": [0.0, -0.44, -0.44]},
            "settled_outside_pu",
        ),
        Mutant(
            "wrong category",
            "inverter",
            {**KEEPS, "watt_var_q_pu": [0.0, 0.0, -0.25]},
            "settled_outside_pu",
        ),
        Mutant(
            "inverted sign",
            "inverter",
            {**KEEPS, "watt_var_q_pu": [0.0, 0.0, 0.44]},
            "settled_outside_pu",
        ),
        Mutant("does nothing", "inverter", {"ignores_functions": True}, "settled_outside_pu"),
        Mutant("slow response", "inverter", {"response_scale": 3.0}, "response_outside_pu"),
        Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, "telemetry_error_pu"),
        Mutant("telemetry off by 10 %", "inverter", {"scale": 1.1}, "telemetry_error_pu"),
    ),
)
async def test_watt_var(lab: Lab) -> None:
    """Walk every curve by the power that is offered."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    walk = Walk(bench, "P", "Q", RESPONSE_S, is_limit=True)
    for number, points in enumerate(CURVES[bench.categories.normal], 1):
        await inverter.write_function("watt_var", CurveSettings(points, "va_max"), on=True)
        await bench.hold(4 * RESPONSE_S)
        if not await walk.go(steps_of(bench, number, points)):
            break
    walk.record()


def steps_of(bench: GridBench, number: int, points: Points) -> list[Step]:
    """Return the steps along a curve, up, and the first back down too."""
    up = [*visited([p for p, _ in points], P_REACH_PU, 1.0), 1.0]
    return [
        Step(
            f"curve {number}, {power_pu:g} pu",
            Characteristic(points),
            act=partial(bench.feed, power_pu),
        )
        for power_pu in (there_and_back(up, up[0]) if number == 1 else up)
    ]
