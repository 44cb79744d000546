"""Campaign 8, stressed feeder: row M17, voltage is held by reactive power first.

Stimulus: noon on two streets whose roofs give more than they use, with the battery full; the sun
comes out from behind a cloud. Every roof is told a volt-var curve that ends below where its
volt-watt curve begins. What the voltage would have been is solved by the other engine.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.devices.grid_support import CurveSettings
from gridrig.promises.deliveries import certified
from gridrig.promises.voltage import held

SCENARIO = load_scenario(SCENARIOS / "promise-8-sunny-street.toml", units(CATALOGUE))
Q_SHARE = 0.44
VOLT_VAR = CurveSettings(
    ((0.92, Q_SHARE), (0.98, 0.0), (1.0, 0.0), (1.03, -Q_SHARE)), "va_max", 10.0, "reactive"
)
VOLT_WATT = CurveSettings(((1.035, 1.0), (1.05, 0.2)), "w_max", 30.0)
KEEPS_VAR = {"keeps": ["reactive_mode", "volt_var_v_pu", "volt_var_q_pu"]}
KEEPS_WATT = {"keeps": ["volt_watt", "volt_watt_v_pu", "volt_watt_p_pu"]}


@procedure(
    claim="voltage is held by reactive power first and active power last, and nothing that was "
    "given up is certified",
    clause="promise M17",
    hazards="voltages up to 1.05 of nominal",
    rig="stressed-feeder",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("v_without_support_pu", "pu", min=1.06, source="the noon must stress it"),
        Criterion("bus_v_max_pu", "pu", max=1.05, source="ours: half of what EN 50160 allows"),
        Criterion("watt_before_var", "1", max=0, source="reactive power left to give"),
        Criterion("curtailed_wh", "Wh", min=1, source="reactive power alone must not do"),
        Criterion(
            "metered_beyond_given_wh", "Wh", max=1, source="three registers of 1 mWh, rounding"
        ),
        Criterion("certificates_unlike_meters_wh", "Wh", max=0, source="one certificate a Wh"),
    ),
    mutants=(
        Mutant("no volt-watt", "pv-b4", {**KEEPS_WATT, "volt_watt": False}, "bus_v_max_pu"),
        Mutant("no volt-var", "pv-b4", KEEPS_VAR, "watt_before_var"),
        Mutant("feeds reactive power in", "pv-b4", {"q_sign": -1}, "watt_before_var"),
        Mutant("certifies what it gave up", "meter-pv-b4", {"scale": 1.1},
               "metered_beyond_given_wh"),
    ),
)  # fmt: skip
async def test_voltage_support(lab: Lab) -> None:
    """Tell every roof its curves, run the noon, and solve it again."""
    roofs = {device.name for device in lab.rig.of("inverter")}
    for name in sorted(roofs):
        await lab.driver(name).write_function("volt_var", VOLT_VAR, on=True)
        await lab.driver(name).write_function("volt_watt", VOLT_WATT, on=True)
    loop = await lab.run_loop(SCENARIO)
    measured = measure(loop.observed(loop.trace.columns()))
    lab.recorded += [m for m in measured if m.name == "bus_v_max_pu"]
    found = held(loop, Q_SHARE)
    lab.record("v_without_support_pu", "pu", found.v_without_pu)
    lab.record("watt_before_var", "1", found.watt_before_var)
    lab.record("curtailed_wh", "Wh", found.curtailed_wh)
    lab.record("metered_beyond_given_wh", "Wh", found.metered_beyond_given_wh)
    meters = {meter.name for meter in lab.rig.signing() if meter.measures in roofs}
    lab.record("certificates_unlike_meters_wh", "Wh", certified(loop, meters).unlike_wh)
