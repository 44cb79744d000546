"""Campaign 10, who may trade with whom: row M29.

Stimulus: the same day three times, under three tables that somebody entered: neighbours
trade, a supplier is on one side of every sale, only exports are sold. The tables stand here a
second time, as pairs of roles; trades are held against them by a theorem on flows, refusals by
looking each order up. What the meters count must not depend on the table.
"""

from dataclasses import replace

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.loop import Loop
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.policies import (
    against_table_milliwh,
    between_members_milliwh,
    metered_unlike_milliwh,
    refusals_unlike_table,
)

SCENARIO = load_scenario(SCENARIOS / "promise-10-policies.toml", units(CATALOGUE))
TAKEN = ("ledger_sum_micro", "losses_difference_of_allowed", "meter_periods_estimated")
SELLS_TO = {
    "neighbours allowed": {
        ("producer", "consumer"),
        ("producer", "grid"),
        ("grid", "consumer"),
        ("grid", "grid"),
    },
    "supplier in the middle": {("producer", "grid"), ("grid", "consumer")},
    "export only": {("producer", "grid")},
}
NEIGHBOURS = "neighbours allowed"


@procedure(
    claim="who may trade with whom follows a table that is entered, and every refusal has a reason",
    clause="promise M29",
    hazards="none: nothing is switched",
    rig="region-50hz",
    needs=("inverter", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "traded_against_table_milliwh",
            "mWh",
            max=0,
            source="flows in allowed pairs, each period",
        ),
        Criterion(
            "refusals_unlike_table", "1", max=0, source="every order looked up, every refusal told"
        ),
        Criterion(
            "traded_between_members_milliwh",
            "mWh",
            min=1,
            source="where it is allowed, neighbours trade: else there is nothing to block",
        ),
        Criterion(
            "blocked_between_members_milliwh", "mWh", max=0, source="under the other two tables"
        ),
        Criterion(
            "metered_unlike_milliwh",
            "mWh",
            max=1,
            source="any meter and period under each table; resolution of a register",
        ),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry, each of three"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
        Criterion("meter_periods_estimated", "1", max=0, source="every meter signs every period"),
    ),
    mutants=(
        Mutant("reads two per cent high", "meter-head", {"scale": 1.02}, TAKEN[1]),
        Mutant("signs with a foreign key", "meter-shop", {"seed": 999}, TAKEN[2]),
        Mutant("its registers stand still", "meter-roof-2", {"telemetry": "frozen"}, TAKEN[1]),
    ),
)
async def test_trading_policies(lab: Lab) -> None:
    """Run the hours under each table."""
    against = unlike = between = blocked = 0
    loops: list[Loop] = []
    assert SCENARIO.market is not None
    for name, allowed in SELLS_TO.items():
        market = replace(SCENARIO.market, policy=name)
        loop = await lab.run_loop(replace(SCENARIO, market=market))
        loops.append(loop)
        role_of = loop.trading.roles
        unlike += refusals_unlike_table(loop, role_of, allowed)
        for cleared in loop.trading.cleared:
            against += against_table_milliwh(cleared, role_of, allowed)
            energy = between_members_milliwh(cleared, role_of, "grid")
            between += energy if name == NEIGHBOURS else 0
            blocked += energy if name != NEIGHBOURS else 0
    lab.record("traded_against_table_milliwh", "mWh", against)
    lab.record("refusals_unlike_table", "1", unlike)
    lab.record("traded_between_members_milliwh", "mWh", between)
    lab.record("blocked_between_members_milliwh", "mWh", blocked)
    differences = [metered_unlike_milliwh(loops[0], other) for other in loops[1:]]
    known = [one for one in differences if one is not None]
    worst = max(known) if len(known) == len(differences) else None
    lab.record("metered_unlike_milliwh", "mWh", worst)
    of_loops = [measure(loop.observed(loop.trace.columns())) for loop in loops]
    for name in TAKEN:
        of_name = [m for of_loop in of_loops for m in of_loop if m.name == name]
        unset = [m for m in of_name if m.value is None]
        lab.recorded.append(max(unset or of_name, key=lambda m: abs(m.value or 0.0)))
