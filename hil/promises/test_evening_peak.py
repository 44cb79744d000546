"""Campaign 3, evening EV peak: row M7.

Stimulus: at six on a winter evening 39 cars of 7 kW come to a street with a transformer of 250 kVA;
seven leave at eight, the others at seven in the morning. A fortieth comes at five and wants more
than it can have by seven. All are coordinated over OCPP 1.6, 2.0.1 and 2.1. What happens
without is `test_evening_uncoordinated`.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.car_park import (
    named_although_possible,
    over_allowed_w,
    percent_of_deliverable,
    served,
    short_untold,
    told_unlike_taken_percent,
)

SCENARIO = load_scenario(SCENARIOS / "promise-3-evening-peak.toml", units(CATALOGUE))
TAKEN = ("trafo_loading_max_percent", "bus_v_min_pu", "bus_v_max_pu")
OVER, TOLD = "over_allowed_w", "told_unlike_taken_percent"


@procedure(
    claim="forty cars are charged by seven through a transformer that cannot feed them at once",
    clause="promise M7",
    hazards="a transformer near its rating for hours",
    rig="emulated-car-park",
    needs=("ev_charger", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(TAKEN[0], "%", max=100, source="nameplate of the transformer, 250 kVA"),
        Criterion(TAKEN[1], "pu", min=0.95, source="proposed with promise M7"),
        Criterion(TAKEN[2], "pu", max=1.05, source="proposed with promise M7"),
        Criterion(
            "cars_short_untold", "1", max=0, source="ready by departure, or told an hour before"
        ),
        Criterion(
            "named_although_possible", "1", max=0, source="rating of the charger times the stay"
        ),
        Criterion(
            "percent_of_deliverable", "%", min=99, source="maximum flow through the transformer"
        ),
        Criterion(OVER, "W", max=50, source="the limit it was sent, and the meter's accuracy"),
        Criterion(TOLD, "%", max=2, source="charger's telemetry against its terminal"),
    ),
    mutants=(
        Mutant("takes what it likes", "charger-5", {"honours_profiles": False}, OVER),
        Mutant("tells half of it", "charger-9", {"tells_share": 0.5}, TOLD),
        Mutant("the car is full too early", "charger-1", {"target_soc": 0.45}, "cars_short_untold"),
        Mutant(
            "the car takes little", "charger-3", {"vehicle_w_max": 2500}, "named_although_possible"
        ),
        Mutant("the head's meter shows half", "meter-head", {"scale": 0.5}, TAKEN[0]),
    ),
)
async def test_evening_peak(lab: Lab) -> None:
    """Run from half past four to seven in the morning, and count."""
    loop = await lab.run_loop(SCENARIO)
    columns = loop.trace.columns()
    lab.recorded += [m for m in measure(loop.observed(columns)) if m.name in TAKEN]
    cars = served(loop, columns)
    lab.record("cars_short_untold", "1", short_untold(cars))
    lab.record("named_although_possible", "1", named_although_possible(cars))
    deliverable = percent_of_deliverable(loop, columns, cars, loop.physics.feeder.link_va)
    lab.record("percent_of_deliverable", "%", deliverable)
    lab.record(OVER, "W", over_allowed_w(loop, columns))
    lab.record(TOLD, "%", told_unlike_taken_percent(loop, columns))
