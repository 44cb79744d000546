"""Campaign 8, stressed feeder: row M13, the evening on which there is no way round.

Stimulus: both streets are full, so that no switching keeps the limits. The operator says so, sheds
load by the stages of the rig while it must, and gives it back. Every tick is solved again by the
other engine, with each load that was off given back, and with an earlier stage in its place.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.rerouting import rerouted

SCENARIO = load_scenario(SCENARIOS / "promise-8-shedding.toml", units(CATALOGUE))
TAKEN = ("line_loading_max_percent", "trafo_loading_max_percent")


@procedure(
    claim="where no switching helps the operator says so, and sheds by stage no more than it must",
    clause="promise M13",
    hazards="load is switched off",
    rig="stressed-feeder",
    needs=("inverter", "storage", "bms", "meter", "switch", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "loading_without_operator_percent", "%", min=110, source="the evening must stress it"
        ),
        Criterion("line_loading_max_percent", "%", max=100, source="ratings of the cables"),
        Criterion("trafo_loading_max_percent", "%", max=100, source="rating of the station"),
        Criterion("said_before_s", "s", min=900, source="ours: a delivery period ahead"),
        Criterion("unserved_wh", "Wh", min=1, source="there is no way round"),
        Criterion("protected_unserved_wh", "Wh", max=0, source="what has no stage is never shed"),
        Criterion("shed_out_of_order", "1", max=0, source="the rig's shed stages"),
        Criterion("shed_needlessly", "1", max=0, source="given back, a line would be overloaded"),
        Criterion("shed_at_end", "1", max=0, source="given back when the peak is over"),
    ),
    mutants=(
        Mutant("a meter that counts a fifth", "meter-a3", {"scale": 0.2}, TAKEN[0]),
        Mutant("a meter that counts half more", "meter-a1", {"scale": 1.5}, "shed_needlessly"),
    ),
)
async def test_shedding(lab: Lab) -> None:
    """Run the evening and solve it again."""
    loop = await lab.run_loop(SCENARIO)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    assert SCENARIO.operator is not None
    found = rerouted(loop, SCENARIO.operator.limits.line_loading_percent_max)
    lab.record("loading_without_operator_percent", "%", found.without_percent)
    lab.record("said_before_s", "s", found.said_s)
    lab.record("unserved_wh", "Wh", found.unserved_wh)
    lab.record("protected_unserved_wh", "Wh", found.protected_unserved_wh)
    lab.record("shed_out_of_order", "1", found.out_of_order)
    lab.record("shed_needlessly", "1", found.needless)
    lab.record("shed_at_end", "1", found.off_at_end)
