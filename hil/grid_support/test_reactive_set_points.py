"""Constant power factor and constant reactive power: kept at any power and voltage, within 10 s.

Stimulus: each setting in turn, injecting and absorbing, at its limit and in the middle; then the DC
source steps the power, the AC source the voltage, balanced and unbalanced; last the setting is
taken back, and reactive power must be gone. Judged by the analyser: see
`gridrig.campaign.function_walk`. Steps that are commands begin when the command is answered, or
before; that is in the uncertainty.

Known gaps: DC input voltages other than one; 5 % of rated power, where no reactive power is
required.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from gridrig.campaign.acceptance import Characteristic
from gridrig.campaign.function_bench import V_HIGH_PU, V_LOW_PU, V_REACH_PU, at_power
from gridrig.campaign.function_walk import Step, Walk, walk_criteria
from gridrig.campaign.grid_bench import GridBench
from gridrig.campaign.procedures import Lab, Mutant, procedure
from gridrig.devices.grid_support import PowerFactorSettings

RESPONSE_S = 10.0  # IEEE 1547-2018 5.3.2 and 5.3.5: at most
LOW_PU = 0.2
# Signed: reactive power that is absorbed is negative, and so is its power factor here.
FACTORS: Mapping[str, tuple[float, ...]] = {
    "A": (0.90, -0.97, 0.95, -0.98),
    "B": (0.90, -0.90, 0.95, -0.95),
}
REACTIVE_PU: Mapping[str, tuple[float, ...]] = {
    "A": (0.44, -0.25, 0.22, -0.125),
    "B": (0.44, -0.44, 0.22, -0.22),
}
# Table 24 of IEEE 1547.1-2020, as pyUL1741SB (cpf.py) restates it: no zero sequence.
UNBALANCED = (
    ("unbalanced, case A", (1.08, 0.91, 0.91), (0.0, -6.59, 6.59)),
    ("unbalanced, case B", (0.90, 1.08, 1.08), (0.0, 5.5, -5.5)),
)
NEEDS = ("inverter", "ac_source", "dc_source", "switch", "analyser")
TELEMETRY_MUTANTS = (
    Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, "telemetry_error_pu"),
    Mutant("telemetry of the wrong sign", "inverter", {"sign": -1}, "telemetry_error_pu"),
)


@procedure(
    claim="keeps a power factor at any power and voltage, within 10 s",
    clause="IEEE 1547-2018 5.3.2; IEEE 1547.1-2020 5.14.3",
    hazards="full apparent power at 0.895 to 1.085 of nominal voltage, and unbalanced",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=walk_criteria("5.14.3", is_limit=True),
    mutants=(
        Mutant(
            "wrong factor",
            "inverter",
            {"keeps": ["power_factor"], "power_factor": 0.99},
            "settled_outside_pu",
        ),
        Mutant(
            "absorbs what it should inject",
            "inverter",
            {"keeps": ["power_factor_excitation"], "power_factor_excitation": "absorbing"},
            "settled_outside_pu",
        ),
        Mutant("inverted sign", "inverter", {"q_sign": -1.0}, "settled_outside_pu"),
        Mutant("does nothing", "inverter", {"ignores_functions": True}, "settled_outside_pu"),
        Mutant("slow response", "inverter", {"reactive_response_s": 30.0}, "response_outside_pu"),
        *TELEMETRY_MUTANTS,
    ),
)
async def test_power_factor(lab: Lab) -> None:
    """Set each power factor and step power and voltage."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    walk = Walk(bench, "P", "Q", RESPONSE_S, is_limit=True)
    for signed in FACTORS[bench.categories.normal]:
        factor = abs(signed)
        settings = PowerFactorSettings(factor, injects=signed > 0)
        slope = math.copysign(math.sqrt(1.0 / factor**2 - 1.0), signed)
        expected = Characteristic(((0.0, 0.0), (1.2, 1.2 * slope)))
        put = partial(inverter.write_function, "power_factor", settings)
        steps = steps_of(bench, f"power factor {signed:+g}", expected, put)
        if not await walk.go(steps):
            break
    walk.record()


@procedure(
    claim="keeps a reactive power at any power and voltage, within 10 s",
    clause="IEEE 1547-2018 5.3.5; IEEE 1547.1-2020 5.14.8",
    hazards="full apparent power at 0.895 to 1.085 of nominal voltage, and unbalanced",
    rig="emulated-bench",
    needs=NEEDS,
    criteria=walk_criteria("5.14.8", is_limit=True),
    mutants=(
        Mutant("does nothing", "inverter", {"ignores_setpoint": True}, "settled_outside_pu"),
        Mutant("inverted sign", "inverter", {"q_sign": -1.0}, "settled_outside_pu"),
        Mutant("too weak", "inverter", {"q_inject_max_pu": 0.3}, "settled_outside_pu"),
        Mutant("gives way to power", "inverter", {"priority": "active"}, "settled_outside_pu"),
        Mutant("slow response", "inverter", {"reactive_response_s": 30.0}, "response_outside_pu"),
        *TELEMETRY_MUTANTS,
    ),
)
async def test_reactive_power(lab: Lab) -> None:
    """Set each reactive power and step power and voltage."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    walk = Walk(bench, "P", "Q", RESPONSE_S, is_limit=True)
    for q_pu in REACTIVE_PU[bench.categories.normal]:
        q_var = q_pu * bench.rated_w

        async def put(*, on: bool, q_var: float = q_var) -> None:
            await inverter.set_q_var(q_var if on else None)

        expected = Characteristic(((0.0, q_pu), (1.2, q_pu)))
        if not await walk.go(steps_of(bench, f"{q_pu:+g} pu", expected, put)):
            break
    walk.record()


def steps_of(
    bench: GridBench,
    name: str,
    expected: Characteristic,
    put: Callable[..., Awaitable[None]],
) -> list[Step]:
    """Return the steps of one setting, from putting it in force to taking it back."""
    low_pu, high_pu = V_LOW_PU + V_REACH_PU, V_HIGH_PU - V_REACH_PU
    none = Characteristic(((0.0, 0.0), (1.2, 0.0)))
    return [
        Step(f"{name}, set", expected, act=partial(put, on=True)),
        Step(f"{name}, {LOW_PU:g} pu of power", expected, act=partial(bench.feed, LOW_PU)),
        Step(f"{name}, full power", expected, act=partial(bench.feed, 1.0)),
        *(Step(f"{name}, {v:g} pu", expected, v_pu=v) for v in (low_pu, high_pu, low_pu)),
        *(Step(f"{name}, {case}", expected, v_pu=v, angle_deg=a) for case, v, a in UNBALANCED),
        Step(f"{name}, 1 pu", expected),
        Step(f"{name}, taken back", none, act=partial(put, on=False)),
    ]
