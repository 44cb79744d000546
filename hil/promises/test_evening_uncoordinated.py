"""Campaign 3, evening EV peak without coordination: the stimulus of row M7 bites.

Stimulus: the cars of `test_evening_peak` come at six and nobody coordinates them, for half an hour.
"""

from dataclasses import replace

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.car_park import least_car_w

EVENING = load_scenario(SCENARIOS / "promise-3-evening-peak.toml", units(CATALOGUE))
assert EVENING.charging is not None
SCENARIO = replace(
    EVENING, duration_s=3600, charging=replace(EVENING.charging, coordinated=False), slice={}
)
LOADING, LEAST = "trafo_loading_max_percent", "least_car_w"
COME_S = 2_400.0  # by then the cars of six o'clock have begun


@procedure(
    claim="without coordination the same cars overload the transformer",
    clause="promise M7",
    hazards="a transformer is overloaded by a third for half an hour",
    rig="emulated-car-park",
    needs=("ev_charger", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(LOADING, "%", min=100, source="nameplate of the transformer, 250 kVA"),
        Criterion(LEAST, "W", min=6900, source="rating of each charger"),
    ),
    mutants=(
        Mutant("the car takes little", "charger-8", {"vehicle_w_max": 2500}, LEAST),
        Mutant("the car does not come to charge", "charger-4", {"target_soc": 0.1}, LEAST),
    ),
)
async def test_evening_uncoordinated(lab: Lab) -> None:
    """Let everybody charge, and look at the transformer."""
    loop = await lab.run_loop(SCENARIO)
    columns = loop.trace.columns()
    lab.recorded += [m for m in measure(loop.observed(columns)) if m.name == LOADING]
    lab.record(LEAST, "W", least_car_w(loop, columns, COME_S))
