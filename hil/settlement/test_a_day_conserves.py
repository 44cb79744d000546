"""A day of settlement conserves: what meters signed is all there is, and each unit is paid once.

Stimulus: the emulated street lives a summer day, 96 delivery periods, connected to the main grid.
The losses that follow from the signed registers must be the losses of the solved feeder: a meter
that counts wrongly breaks that identity, whoever's meter it is, and one that signs with a key that
nobody enrolled is estimated all day.

That the ledger's sum is nothing, that no payment lacks its readings and that every period settles
is no device's merit, and no wrong device can break it: the scenarios judge that of gridrig itself.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario

JUDGED = ("losses_difference_of_allowed", "meter_periods_estimated")


@procedure(
    claim="what signed readings say of a day of trading is what flowed",
    clause="gridrig: conservation of energy and money",
    hazards="none: nothing is switched",
    rig="emulated-street",
    needs=("inverter", "storage", "bms", "meter", "model"),
    criteria=(
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="(meters + 1) x 1 mWh, the resolution of the registers",
        ),
        Criterion(
            "meter_periods_estimated", "1", max=0, source="every meter signed at every period end"
        ),
    ),
    mutants=(
        Mutant("counts export as import", "meter-pv-1", {"sign": -1}, JUDGED[0]),
        Mutant("reads two per cent high", "meter-head", {"scale": 1.02}, JUDGED[0]),
        Mutant("signs with a foreign key", "meter-pv-2", {"seed": 999}, JUDGED[1]),
    ),
)
async def test_a_day_conserves(lab: Lab) -> None:
    """Run the day and record what the catalogue measures."""
    units = {name: known.unit for name, known in CATALOGUE.items()}
    day = load_scenario(SCENARIOS / "summer-day.toml", units)
    for measurement in await lab.run_scenario(day):
        if measurement.name in JUDGED:
            lab.recorded.append(measurement)
