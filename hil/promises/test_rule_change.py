"""Campaign 10, a rule change: row M24.

Stimulus: a day in which four changes of a market's rules are tried. One has its votes and its time;
one is vetoed, one lacks votes (one twice, one late, one of nobody who may vote), one comes too
soon. Trading is stopped twice, once by somebody who may not. What each period must keep was worked
out by hand and stands below; it is compared with fees, bids, gate closures, trades and journal.
Then everything is said again, at the same times of its own clock, to a contract on a local node,
which has to decide the same.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.changed_rules import (
    Expected,
    decisions_unlike,
    periods_unlike_rules,
    rules_untold,
)
from gridrig.promises.deliveries import payment_unlike_delivery_milliwh
from gridrig.promises.rules_on_chain import decided_on_chain

SCENARIO = load_scenario(SCENARIOS / "promise-10-rule-change.toml", units(CATALOGUE))
TAKEN = (
    "ledger_sum_micro",
    "periods_not_settled",
    "payments_unbacked",
    "losses_difference_of_allowed",
    "meter_periods_estimated",
)
OLD = Expected(grid_fee=50_000, operator_fee=4_000, feed_in=80_000, gate_s=900)
NEW = Expected(grid_fee=50_000, operator_fee=6_000, feed_in=90_000, gate_s=1_800)
STOPPED = Expected(grid_fee=50_000, operator_fee=6_000, feed_in=90_000, gate_s=1_800, trades=False)
# In force from 06:00. Period 6 begins then, but traded before. Period 18 closes at 17:30, stopped.
EXPECTED = {k: OLD for k in range(7)} | {k: NEW for k in range(7, 24)} | {18: STOPPED}
DECIDED = {
    "dearer operator, later gate": "rule_change_enacted",
    "free network": "governance.vetoed",
    "double feed-in": "governance.quorum_short",
    "overnight": "governance.delay_short",
    "council": "emergency_stop_refused",
    "safety-officer": "emergency_stop",
}

EFFECTIVE = ("rule_change_enacted", "emergency_stop")


@procedure(
    claim="a rule changes after its delay and its vote, and never in running trades",
    clause="promise M24",
    hazards="none: nothing is switched",
    rig="region-50hz",
    needs=("inverter", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "periods_unlike_rules",
            "1",
            max=0,
            source="fees, feed-in bid, gate closure and trade of each period, by hand",
        ),
        Criterion("decisions_unlike_expected", "1", max=0, source="four changes and two stops"),
        Criterion(
            "chain_decides_otherwise",
            "1",
            max=0,
            source="the same said to a contract at the same times",
        ),
        Criterion(
            "rules_untold",
            "1",
            max=0,
            source="an event names the rules of each settled period",
        ),
        Criterion(
            "payment_unlike_delivery_milliwh",
            "mWh",
            max=0,
            source="the lesser of traded and metered, period by period",
        ),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
        Criterion("periods_not_settled", "1", max=0, source="24 delivery periods"),
        Criterion("payments_unbacked", "1", max=0, source="no payment without two readings"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
        Criterion("meter_periods_estimated", "1", max=0, source="every meter signs every period"),
    ),
    mutants=(
        Mutant("counts export as import", "meter-roof-1", {"sign": -1}, TAKEN[3]),
        Mutant("signs with a foreign key", "meter-shop", {"seed": 999}, TAKEN[4]),
        Mutant("its clock runs away", "meter-house-1", {"clock_drift_ppm": 5000}, TAKEN[4]),
    ),
)
async def test_rule_change(lab: Lab) -> None:
    """Run the day and see which rules each period kept."""
    loop = await lab.run_loop(SCENARIO)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    lab.record("periods_unlike_rules", "1", periods_unlike_rules(loop, EXPECTED))
    lab.record("decisions_unlike_expected", "1", decisions_unlike(loop, DECIDED))
    on_chain = await decided_on_chain(SCENARIO.rules, lab.clock)
    effective = {name: word in EFFECTIVE for name, word in DECIDED.items()}
    unlike = sum(on_chain.get(name) != effect for name, effect in effective.items())
    lab.record("chain_decides_otherwise", "1", unlike)
    lab.record("rules_untold", "1", rules_untold(loop) if loop.account.settled else None)
    error = payment_unlike_delivery_milliwh(loop) if loop.account.settled else None
    lab.record("payment_unlike_delivery_milliwh", "mWh", error)
