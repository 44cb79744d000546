"""Campaign 3, vehicle to grid: row M8.

Stimulus: four cars give power over OCPP 2.1 while the grid calls for 12 kW on a winter evening. One
of them refuses its first set-points, and some come down to what their drivers keep. At three at
night they give as much as the street uses when the connection to the main grid opens, and nobody
forms an island.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.vehicle_to_grid import (
    call_met_after_slots,
    export_after_loss_s,
    given_of_spare_percent,
    refused,
    reserve_kept_percent,
)

SCENARIO = load_scenario(SCENARIOS / "promise-3-vehicle-to-grid.toml", units(CATALOGUE))
assert SCENARIO.charging is not None
EVENING = SCENARIO.charging.calls[0]
RESERVE, SPARE = "reserve_kept_percent", "given_of_spare_percent"
MET, EXPORT = "call_met_after_slots", "export_after_loss_s"
TICK_S = 0.5  # around the opening


@procedure(
    claim="cars give power back above their driver's reserve, and cease when the grid is lost",
    clause="promise M8",
    hazards="cars feed a street that is cut off from the main grid",
    rig="emulated-vehicle-to-grid",
    needs=("ev_charger", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(RESERVE, "%", min=0, source="the driver's reserve, by what the car tells"),
        Criterion(SPARE, "%", max=100, source="what the car came with above it, at its terminal"),
        Criterion("orders_refused", "1", min=1, source="a charger must have refused"),
        Criterion(MET, "1", max=1, source="the others stand in within a slot"),
        Criterion(EXPORT, "s", max=2.0, source="IEEE 1547-2018, 8.1.1"),
    ),
    mutants=(
        Mutant("holds a third of what was said", "charger-1", {"capacity_wh": 20000}, RESERVE),
        Mutant("follows half an hour late", "charger-3", {"follows_after_s": 1800}, MET),
    ),
)
async def test_vehicle_to_grid(lab: Lab) -> None:
    """Run the evening and the night, and look at reserves, call and loss."""
    loop = await lab.run_loop(SCENARIO)
    columns = loop.trace.columns()
    lab.record(RESERVE, "%", reserve_kept_percent(loop, columns))
    lab.record(SPARE, "%", given_of_spare_percent(loop, columns))
    lab.record("orders_refused", "1", refused(loop))
    lab.record(MET, "1", call_met_after_slots(loop, columns, EVENING))
    lab.record(EXPORT, "s", export_after_loss_s(loop, columns), TICK_S)
