"""Campaign 4, a virtual power plant: row M9, a thousand homes and two batteries as one plant.

Stimulus: a winter afternoon on an urban feeder. An aggregator is ordered a step that takes every
heat pump and the batteries, a ramp in which every tenth home falls silent, a hold of four hours,
and a slow return. What was given is measured at the feeder head, against the same afternoon without
an order.
"""

from gridrig.campaign.aggregating import EVERYTHING
from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.fleet_response import response, without_orders

SCENARIO = load_scenario(SCENARIOS / "promise-4-tracking.toml", units(CATALOGUE))
DEVICES = 1000
TRACKING = "ours: RMS of what was not followed, of the RMS of the order"


@procedure(
    claim="a fleet of a thousand devices follows a step, a ramp and a hold like one power plant",
    clause="promise M9",
    hazards="pumps are held back for hours, within their comfort bands; batteries discharge",
    rig="emulated-power-plant",
    needs=("fleet", "storage", "bms", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("devices", "1", min=DEVICES, source="a thousand, two of them on real wires"),
        Criterion("silent_percent", "%", min=10, source="drop-outs from the ramp on"),
        Criterion("response_s", "s", max=60, source="ours: 90 % of the step at the feeder head"),
        Criterion("step_error_percent", "%", max=5, source=TRACKING),
        Criterion("ramp_error_percent", "%", max=5, source=TRACKING),
        Criterion("hold_error_percent", "%", max=5, source=TRACKING),
        Criterion(
            "rebound_of_allowed",
            "1",
            max=1.05,
            source="ours: what comes back, of what the recovery order allows",
        ),
    ),
    mutants=(
        Mutant("half only say they follow", "homes", {"follows": 0.5}, "hold_error_percent"),
        Mutant("they give up in the hold", "homes", {"follows_s": 9000}, "hold_error_percent"),
        Mutant("they follow late", "homes", {"response_s": 600}, "response_s"),
        Mutant("a trickle", "battery-a", {"discharge_a_max": 20}, "step_error_percent"),
        Mutant("all come back at once", "homes", {"follows_s": 18900}, "rebound_of_allowed"),
    ),
)
async def test_fleet_tracking(lab: Lab) -> None:
    """Run the afternoon without orders and with them."""
    reference = await without_orders(lab, SCENARIO)
    loop = await lab.run_loop(SCENARIO)
    orders = loop.aggregating.orders(EVERYTHING)
    step, ramp, hold, recovery = orders
    fleets = lab.street.fleets.values()
    count = sum(fleet.count for fleet in fleets)
    storages = len(lab.rig.aggregator.storages) if lab.rig.aggregator else 0
    lab.record("devices", "1", count + storages)
    lab.record("silent_percent", "%", 100 * sum((~f.online).sum() for f in fleets) / count)
    found = response(reference, loop, orders)
    lab.record("response_s", "s", found.answered_s(step), found.tick_s(step.from_s))
    for name, order, to_s in (
        ("step", step, step.to_s),
        ("ramp", ramp, hold.from_s),
        ("hold", hold, hold.to_s),
    ):
        lab.record(f"{name}_error_percent", "%", found.error_percent(order.from_s, to_s))
    back_w = found.most_back_w(hold.to_s)
    lab.record("rebound_of_allowed", "1", back_w / -recovery.p_w, note=f"{back_w:.0f} W")
