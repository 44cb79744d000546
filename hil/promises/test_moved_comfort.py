"""Campaign 4, a virtual power plant: row M32, comfort is kept while load is moved.

Stimulus: on a winter evening eight hundred homes are asked for two hours for more than their rooms
can spare, and then left to their thermostats. Room temperatures are the rooms' own; what was moved
and what came back is compared with the same evening without the event.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.comfort import comfort_excess_k, moved
from gridrig.promises.fleet_response import without_orders

SCENARIO = load_scenario(SCENARIOS / "promise-4-comfort.toml", units(CATALOGUE))
FLEET = "homes"


@procedure(
    claim="homes give up half of their heating for two hours and nobody's room leaves its band",
    clause="promise M32",
    hazards="pumps are held back, within their comfort bands",
    rig="emulated-power-plant",
    needs=("fleet", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("comfort_excess_k", "K", max=0, source="the comfort band of the rig file"),
        Criterion("moved_percent", "%", min=50, source="ours: of what the pumps would have taken"),
        Criterion(
            "rebound_percent",
            "%",
            min=20,
            max=100,
            source="ours: of what was held back; less heat is lost, so not all comes back",
        ),
        Criterion("heat_unbalanced_percent", "%", max=1, source="heat withheld is heat missing"),
    ),
    mutants=(
        Mutant("leaves its band", FLEET, {"guards_comfort": False}, "comfort_excess_k"),
        Mutant("they only say that they follow", FLEET, {"follows": 0.2}, "moved_percent"),
        Mutant("they do not hear the end", FLEET, {"lets_go": False}, "rebound_percent"),
    ),
)
async def test_moved_comfort(lab: Lab) -> None:
    """Run the evening without the event and with it."""
    reference = await without_orders(lab, SCENARIO)
    loop = await lab.run_loop(SCENARIO)
    columns, homes = loop.trace.columns(), {FLEET: lab.street.fleets[FLEET]}
    (order,) = loop.aggregating.orders(FLEET)
    found = moved(reference, columns, homes, from_s=order.from_s, to_s=order.to_s)
    lab.record("comfort_excess_k", "K", comfort_excess_k(columns, homes))
    lab.record("moved_percent", "%", found.of_load_percent)
    rebound = 100 * found.came_back_wh / found.held_back_wh if found.held_back_wh else None
    note = f"{found.held_back_wh:.0f} Wh held back, peak {found.peak_back_w:.0f} W"
    lab.record("rebound_percent", "%", rebound, note=note)
    lab.record("heat_unbalanced_percent", "%", found.unbalanced_percent)
