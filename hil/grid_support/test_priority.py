"""Priority: limit, frequency droop, volt-watt and reactive power act together, each in its rank.

Stimulus: with an active power limit of 50 %, volt-watt and frequency droop at their defaults, the
AC source takes eight steps of voltage and frequency, once with each reactive power function. Judged
by the analyser after the slowest response: active and reactive power beside the table of IEEE
1547.1.

The band is 1.5 times the accuracy of power around the table's value at the nominal of the step. The
accuracy of the device's own voltage is not in it: by the slope of volt-watt that would be 0.3 pu,
and no order of ranks would show. A device whose voltage errs by 0.4 % may therefore fail here.

Frequencies are for 60 Hz and scale by the ratio. Known gaps: the rating is never reached here, so
which of active and reactive power gives way at it is `test_reactive_power`'s.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from gridrig.campaign.acceptance import Characteristic
from gridrig.campaign.function_bench import all_off, at_power
from gridrig.campaign.function_walk import Step, Walk, walk_criteria
from gridrig.campaign.grid_bench import MRA_P_PU, GridBench
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.devices.grid_support import CurveSettings, DroopSettings, PowerFactorSettings

LIMIT_PU, FACTOR = 0.5, 0.90
SLOWEST_S = 10.0
BAND = "IEEE 1547.1-2020 5.16: 1.5 times 5 % around the table"
# Tables 38 and 39 of IEEE 1547.1-2020 as svp_1547.1 and pyUL1741SB restate them: voltage [pu],
# frequency [Hz of 60], active power [pu].
STEPS = (
    (1.00, 60.00, 0.5),
    (1.09, 60.00, 0.4),
    (1.09, 60.33, 0.3),
    (1.09, 60.00, 0.4),
    (1.09, 59.36, 0.4),
    (1.00, 59.36, 0.6),
    (1.00, 60.00, 0.5),
    (1.00, 59.36, 0.7),
)
# Reactive power in each of the steps; a power factor of 0.9 is its share of the active power.
Q_PU: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "A": {
        "volt_var": (0.0, -0.25, -0.25, -0.25, -0.25, 0.0, 0.0, 0.0),
        "constant": (0.44,) * 8,
        "watt_var": (0.0, 0.0, 0.0, 0.0, 0.0, -0.05, 0.0, -0.10),
    },
    "B": {
        "volt_var": (0.0, -0.44, -0.44, -0.44, -0.44, 0.0, 0.0, 0.0),
        "constant": (0.44,) * 8,
        "watt_var": (0.0, 0.0, 0.0, 0.0, 0.0, -0.09, 0.0, -0.18),
    },
}
VOLT_WATT = CurveSettings(((1.06, 1.0), (1.10, 0.2)), "w_max", 10.0)
VOLT_VAR = {
    "A": CurveSettings(((0.9, 0.25), (1.0, 0.0), (1.0, 0.0), (1.1, -0.25)), "va_max", 10.0),
    "B": CurveSettings(((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)), "va_max", 5.0),
}
WATT_VAR_END = {"A": -0.25, "B": -0.44}


@procedure(
    claim="lets limit, droop, volt-watt and reactive power act together in their ranks",
    clause="IEEE 1547-2018 4.7; IEEE 1547.1-2020 5.16, tables 38 and 39",
    hazards="1.09 of nominal voltage for minutes; more power than the limit at low frequency",
    rig="emulated-bench",
    needs=("inverter", "ac_source", "dc_source", "switch", "analyser"),
    criteria=(
        Criterion("active_outside_pu", "pu", max=0.0, source=BAND),
        Criterion("reactive_outside_pu", "pu", max=0.0, source=BAND),
        walk_criteria("5.16")[-1],
    ),
    mutants=(
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "active_outside_pu"),
        Mutant("no droop", "inverter", {"keeps": ["droop"], "droop": False}, "active_outside_pu"),
        Mutant("no volt-watt", "inverter", {"keeps": ["volt_watt"]}, "active_outside_pu"),
        Mutant("inverted reactive sign", "inverter", {"q_sign": -1.0}, "reactive_outside_pu"),
        Mutant(
            "reactive power of category A",
            "inverter",
            {"keeps": ["volt_var_q_pu"], "volt_var_q_pu": [0.25, 0.0, 0.0, -0.25]},
            "reactive_outside_pu",
        ),
        Mutant(
            "keeps one reactive function",
            "inverter",
            {"keeps": ["reactive_mode"], "reactive_mode": "volt_var"},
            "reactive_outside_pu",
        ),
        Mutant("frozen telemetry", "inverter", {"telemetry": "frozen"}, "telemetry_error_pu"),
    ),
)
async def test_priority(lab: Lab) -> None:
    """Take the eight steps with each reactive power function."""
    bench = await at_power(lab)
    inverter = lab.driver(bench.name)
    await inverter.set_limit_w(LIMIT_PU * bench.rated_w)
    await inverter.write_function("volt_watt", VOLT_WATT, on=True)
    band_hz = round(bench.hz(0.036), 3)
    droop = DroopSettings(band_hz, band_hz, 0.05, 0.05, 5.0)
    await inverter.write_function("frequency_droop", droop, on=True)
    active = Walk(bench, "F", "P", SLOWEST_S, x_required=0.0)
    reactive = Walk(bench, "F", "Q", SLOWEST_S, x_required=0.0)
    for name, put in reactive_functions(bench).items():
        await put()
        if not await take_steps(bench, name, active, reactive):
            break
        await inverter.set_q_var(None)
        await all_off(bench)
        await inverter.write_function("volt_watt", VOLT_WATT, on=True)
    active.record({"settled": "active_outside_pu", "telemetry": "telemetry_error_pu"})
    reactive.record({"settled": "reactive_outside_pu"})


def reactive_functions(bench: GridBench) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return how each reactive power function is put in force."""
    inverter, category = bench.lab.driver(bench.name), bench.categories.normal
    watt_var = CurveSettings(((0.2, 0.0), (0.5, 0.0), (1.0, WATT_VAR_END[category])), "va_max")
    write = inverter.write_function
    return {
        "volt_var": partial(write, "volt_var", VOLT_VAR[category], on=True),
        "constant": partial(inverter.set_q_var, 0.44 * bench.rated_w),
        "power_factor": partial(write, "power_factor", PowerFactorSettings(FACTOR), on=True),
        "watt_var": partial(write, "watt_var", watt_var, on=True),
    }


async def take_steps(bench: GridBench, name: str, active: Walk, reactive: Walk) -> bool:
    """Take the eight steps and judge both powers; return whether nothing has failed."""
    share = math.sqrt(1.0 / FACTOR**2 - 1.0)
    expected_q = Q_PU[bench.categories.normal].get(name) or [share * p for *_, p in STEPS]
    for number, ((v_pu, at_60_hz, p_pu), q_pu) in enumerate(zip(STEPS, expected_q, strict=True), 1):
        said = f"{name}, step {number}"
        f_hz = round(bench.hz(at_60_hz), 4)
        step = Step(said, level(p_pu), v_pu=v_pu, f_hz=f_hz)
        recorded = await active.recorded(step)
        active.judge(step, recorded)
        reactive.judge(Step(said, level(q_pu), v_pu=v_pu, f_hz=f_hz), recorded)
        await active.compare_telemetry(step)
        if any(judged.failed for judged in [*active.settled, *reactive.settled]):
            return False
        if max(error for error, _, _ in active.telemetry) > MRA_P_PU:
            return False
    return True


def level(y: float) -> Characteristic:
    """Return a characteristic that is y everywhere."""
    return Characteristic(((0.0, y), (1.0, y)))
