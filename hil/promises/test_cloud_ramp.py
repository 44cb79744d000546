"""Campaign 8, stressed feeder: row M15, the feeder is back on its plan after a cloud's ramp.

Stimulus: at noon a cloud takes 80 % of the sun from every roof within 60 s. What was traded is the
plan; the battery is told, over its wire and by what the meter at the head reads, to make good what
is missing. How long that took is counted in control periods of 5 s from the end of the ramp.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.recovery import recovery

SCENARIO = load_scenario(SCENARIOS / "promise-8-cloud.toml", units(CATALOGUE))
CLOUDS_S = [event.at_s for event in SCENARIO.events if event.do == "cloud"]
TAKEN = ("payments_unbacked", "bms_limit_response_s")


@procedure(
    claim="a cloud that takes 80 % of the sun within 60 s is made good within a minute",
    clause="promise M15",
    hazards="the battery turns from charging to discharging within a minute",
    rig="stressed-feeder",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("sun_lost_w", "W", min=100_000, source="80 % of 186 kW, most of it"),
        Criterion("plan_w_min", "W", min=10_000, source="5 % of it must mean something"),
        Criterion(
            "recovered_periods", "1", max=12, source="ours: within 5 % of the plan in a minute"
        ),
        Criterion("bms_limit_response_s", "s", max=5, source="one control period"),
        Criterion("payments_unbacked", "1", max=0, source="no payment without two readings"),
    ),
    mutants=(
        Mutant("a pack that gives a trickle", "battery-1", {"discharge_a_max": 20},
               "recovered_periods"),
        Mutant("a storage that takes no set-points", "storage-1", {"ignores_setpoint": True},
               "recovered_periods"),
        Mutant("a head meter that reads reversed", "meter-head", {"sign": -1},
               "recovered_periods"),
        Mutant("a storage that takes its time", "storage-1", {"ramp_w_per_s": 800},
               "recovered_periods"),
    ),
)  # fmt: skip
async def test_cloud_ramp(lab: Lab) -> None:
    """Run ten minutes of noon and count the periods."""
    loop = await lab.run_loop(SCENARIO)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    found = recovery(loop, min(CLOUDS_S), max(CLOUDS_S))
    lab.record("sun_lost_w", "W", found.lost_w)
    lab.record("plan_w_min", "W", found.plan_w)
    note = f"periods of {found.period_s:g} s; {found.worst_w / 1000:.1f} kW off at worst"
    lab.record("recovered_periods", "1", found.periods, note=note)
