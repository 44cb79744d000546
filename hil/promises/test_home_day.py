"""Campaign 3, a day at home with a car: row M7.

Stimulus: a summer's day of one home with a roof, a battery and a car that may give back over OCPP
2.1. The car comes in the morning and leaves in the afternoon with 16 kWh more, and comes again for
the night. Its home plans it together with the battery, behind a connection that is smaller than the
charger. A person charges the battery by hand in the early morning, and the car at noon.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.car_park import named_although_possible, short_untold
from gridrig.promises.computing import Registers
from gridrig.promises.home_day import (
    connection_w,
    cost_of_uncontrolled_percent,
    served_by_meter,
)
from gridrig.promises.vehicle_to_grid import reserve_kept_percent

SCENARIO = load_scenario(SCENARIOS / "promise-3-home-day.toml", units(CATALOGUE))
TAKEN = ("override_response_periods", "losses_difference_of_allowed")
COST, CONNECTION, RESERVE = "cost_of_uncontrolled_percent", "connection_w", "reserve_kept_percent"
CAR = "charger-1"


@procedure(
    claim="a home has its car ready, keeps its connection, and pays less than without a mind",
    clause="promise M7",
    hazards="a car and a battery are charged and discharged for a day",
    rig="emulated-home",
    needs=("ev_charger", "inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(COST, "%", max=75, source="ours: the same day, charged at arrival"),
        Criterion("cars_short_untold", "1", max=0, source="signed: ready, or told an hour before"),
        Criterion("named_although_possible", "1", max=0, source="rating times the stay"),
        Criterion(RESERVE, "%", min=0, source="no car below its driver's reserve"),
        Criterion(CONNECTION, "W", max=6060, source="the connection and 1 %, mean of a period"),
        Criterion(TAKEN[0], "1", max=1, source="a hand wins within one control period"),
        Criterion(
            TAKEN[1],
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
    ),
    mutants=(
        Mutant("follows half an hour late", CAR, {"follows_after_s": 1800}, TAKEN[0]),
        Mutant("takes what it likes", CAR, {"honours_profiles": False}, CONNECTION),
        Mutant("the car takes little", CAR, {"vehicle_w_max": 1500}, "named_although_possible"),
        Mutant("the car is full too early", CAR, {"target_soc": 0.6}, "cars_short_untold"),
        Mutant("the car holds a third", CAR, {"capacity_wh": 20000}, RESERVE),
        Mutant("counts a thousandth high", "meter-car", {"scale": 1.001}, TAKEN[1]),
    ),
)
async def test_home_day(lab: Lab) -> None:
    """Run a day from six in the morning, and reckon it again from what was signed."""
    loop = await lab.run_loop(SCENARIO)
    columns, registers = loop.trace.columns(), Registers.of(lab.rig, loop)
    lab.recorded += [m for m in measure(loop.observed(columns)) if m.name in TAKEN]
    lab.record(COST, "%", cost_of_uncontrolled_percent(lab.rig, loop, registers))
    cars = served_by_meter(lab.rig, loop, registers)
    lab.record("cars_short_untold", "1", short_untold(cars))
    lab.record("named_although_possible", "1", named_although_possible(cars))
    lab.record(RESERVE, "%", reserve_kept_percent(loop, columns))
    lab.record(CONNECTION, "W", connection_w(lab.rig, registers))
