"""Row M30, guarded minds: what asks too much is cut to its rights, and a hand wins.

Stimulus: two minds ask for fifty times what they would, one of a roof and one of a battery; then a
person holds that battery at a power of its own choice, and gives it back.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.deliveries import traded_beyond_milliwh

SCENARIO = load_scenario(SCENARIOS / "promise-m30-guarded-minds.toml", units(CATALOGUE))
TAKEN = ("orders_clamped", "override_response_periods")
RATED_W = {"solar-3": 8_050.0, "battery-12": 6_000.0}  # as the rig declares them


@procedure(
    claim="a mind cannot trade more than its devices allow, and a person takes over at once",
    clause="promise M30",
    hazards="a battery is driven by hand, within its limits",
    rig="emulated-street",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("orders_clamped", "1", min=2, source="two minds ask too much"),
        Criterion(
            "traded_beyond_rights_milliwh",
            "mWh",
            max=0,
            source="declared limit of the inverter over a period, rounded to a lot",
        ),
        Criterion("override_response_periods", "1", max=1, source="one control period"),
    ),
    mutants=(
        Mutant("the pack gives a trickle", "battery-b", {"discharge_a_max": 10}, TAKEN[1]),
        Mutant("the inverter is smaller than it says", "storage-b", {"s_va": 900}, TAKEN[1]),
    ),
)
async def test_guarded_minds(lab: Lab) -> None:
    """Run three quarters of an hour and look at what was traded and driven."""
    loop = await lab.run_loop(SCENARIO)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    beyond = 0
    for participant, rated_w in RATED_W.items():
        most_wh = rated_w * SCENARIO.period_s / 3600
        beyond = max(beyond, traded_beyond_milliwh(loop, participant, round(most_wh) * 1000))
    lab.record("traded_beyond_rights_milliwh", "mWh", beyond)
