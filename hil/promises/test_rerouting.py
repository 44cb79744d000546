"""Campaign 8, stressed feeder: row M13, an overload that is foreseen is switched around.

Stimulus: an evening on which a street draws a quarter more than the day before, so that its first
cable would be overloaded an hour and a half later. The operator forecasts from signed meters,
plans, and moves two switches over their wires. Every tick is solved again by the other engine, as
it was and as it would have been.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.rerouting import rerouted

SCENARIO = load_scenario(SCENARIOS / "promise-8-rerouting.toml", units(CATALOGUE))
TAKEN = ("line_loading_max_percent", "trafo_loading_max_percent", "buses_dead_max")


@procedure(
    claim="an overload that is foreseen is switched around in time, and nobody is dark",
    clause="promise M13",
    hazards="switches of the feeder move under load, and a ring is closed for a moment",
    rig="stressed-feeder",
    needs=("inverter", "storage", "bms", "meter", "switch", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "loading_without_operator_percent", "%", min=110, source="the evening must stress it"
        ),
        Criterion("line_loading_max_percent", "%", max=100, source="ratings of the cables"),
        Criterion("trafo_loading_max_percent", "%", max=100, source="rating of the station"),
        Criterion("switched_ahead_s", "s", min=900, source="ours: a delivery period ahead"),
        Criterion("rings_max", "1", max=0, source="the feeder stays radial"),
        Criterion("buses_dead_max", "1", max=0, source="nobody is interrupted"),
        Criterion("unserved_wh", "Wh", max=0, source="a way round exists, so nothing is shed"),
        Criterion(
            "engines_differ_v_pu", "pu", max=0.005, source="ours: the other engine within 0.5 %"
        ),
    ),
    mutants=(
        Mutant("a meter that counts a fifth", "meter-a3", {"scale": 0.2}, TAKEN[0]),
        Mutant("a tie that does not close", "tie-1", {"jams": True}, "unserved_wh"),
        Mutant("a switch that does not open", "switch-a4", {"jams": True}, "unserved_wh"),
        Mutant("a contact that lies", "tie-1", {"status": "stuck_open"}, "unserved_wh"),
    ),
)
async def test_rerouting(lab: Lab) -> None:
    """Run the evening and solve it again."""
    loop = await lab.run_loop(SCENARIO)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    assert SCENARIO.operator is not None
    found = rerouted(loop, SCENARIO.operator.limits.line_loading_percent_max)
    lab.record("loading_without_operator_percent", "%", found.without_percent)
    lab.record("switched_ahead_s", "s", found.ahead_s)
    lab.record("rings_max", "1", found.rings)
    lab.record("unserved_wh", "Wh", found.unserved_wh)
    lab.record("engines_differ_v_pu", "pu", found.engines_differ_pu)
