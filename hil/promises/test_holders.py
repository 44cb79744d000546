"""Campaign 10, what holders are paid and what a pool can pay: rows M20 and M25.

Stimulus: a day of the first region, whose larger roof belongs to seven holders with odd shares, two
of whom transfer some. Twelve spans of two hours stand for twelve months; at night its costs are
more than its revenue. Payouts are compared with exact fractions. Then five assumptions on rewards
beside fees are added up, and compared with geometric series; that is arithmetic on what the file
says, and measures nothing.
"""

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.shares_file import read_shares
from gridrig.campaign.stress_command import read_assumptions
from gridrig.promises.deliveries import payment_unlike_delivery_milliwh
from gridrig.promises.holders import (
    furthest_from_share_micro,
    paid_of,
    paid_unlike_revenue_micro,
    payouts_unlike_fractions,
    revenue_unlike_balance_micro,
    spans_unlike_meters,
    worst_stress,
)

SCENARIO = load_scenario(SCENARIOS / "promise-10-region-50hz.toml", units(CATALOGUE))
SHARES = read_shares(RIGS / "economics" / "village-roof.toml")
ASSUMPTIONS = read_assumptions(RIGS / "economics" / "reward-assumptions.toml")
TAKEN = ("losses_difference_of_allowed", "meter_periods_estimated", "ledger_sum_micro")


@procedure(
    claim="holders share what an asset earned to the last unit, and nobody pays for a bad month",
    clause="promises M20, M25",
    hazards="none: nothing is switched",
    rig="region-50hz",
    needs=("inverter", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion(
            "paid_unlike_revenue_micro",
            "micro",
            max=0,
            source="payouts against revenue less costs, with the loss that is left",
        ),
        Criterion(
            "payouts_unlike_fractions",
            "1",
            max=0,
            source="twelve spans in exact fractions, transfers by their time, losses carried",
        ),
        Criterion(
            "furthest_from_share_micro", "micro", max=1, source="largest remainder: within a unit"
        ),
        Criterion("negative_payouts", "1", max=0, source="a loss is carried, nobody pays"),
        Criterion("negative_spans", "1", min=1, source="else no loss was tried"),
        Criterion("holders", "1", min=7, max=7, source="seven holders, each paid something"),
        Criterion("spans", "1", min=12, max=12, source="twelve spans"),
        Criterion(
            "revenue_unlike_balance_micro", "micro", max=0, source="the asset's balance at the end"
        ),
        Criterion(
            "spans_unlike_meters", "1", max=0, source="the entries of the periods of each span"
        ),
        Criterion("roof_revenue_micro", "micro", min=1, source="else there is nothing to share"),
        Criterion(
            "payment_unlike_delivery_milliwh",
            "mWh",
            max=0,
            source="the lesser of traded and metered, period by period",
        ),
        Criterion(
            "stress_off_series_of_allowed",
            "1",
            max=1.0,
            source="five assumptions, each a geometric series; rounding of each week",
        ),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
        Criterion("meter_periods_estimated", "1", max=0, source="every meter signs every period"),
    ),
    mutants=(
        Mutant("the roof's meter is reversed", "meter-roof-1", {"sign": -1}, "roof_revenue_micro"),
        Mutant("it reads half a per cent high", "meter-roof-1", {"scale": 1.005}, TAKEN[0]),
        Mutant("it signs with a foreign key", "meter-roof-1", {"seed": 999}, TAKEN[1]),
    ),
)
async def test_holders(lab: Lab) -> None:
    """Run the day, pay the holders, and add up the assumptions."""
    loop = await lab.run_loop(SCENARIO)
    lab.recorded += [m for m in measure(loop.observed(loop.trace.columns())) if m.name in TAKEN]
    paid = paid_of(loop, SHARES)
    amounts = [(name, amount) for one in paid for name, amount in one.paid]
    lab.record("paid_unlike_revenue_micro", "micro", paid_unlike_revenue_micro(SHARES, paid))
    lab.record("payouts_unlike_fractions", "1", payouts_unlike_fractions(SHARES, paid))
    lab.record("furthest_from_share_micro", "micro", furthest_from_share_micro(SHARES, paid))
    lab.record("negative_payouts", "1", sum(amount < 0 for _, amount in amounts))
    lab.record("negative_spans", "1", sum(one.revenue_micro < one.cost_micro for one in paid))
    lab.record("holders", "1", len({name for name, amount in amounts if amount > 0}))
    lab.record("spans", "1", len(paid))
    unlike = revenue_unlike_balance_micro(loop, SHARES, paid)
    lab.record("revenue_unlike_balance_micro", "micro", unlike)
    lab.record("spans_unlike_meters", "1", spans_unlike_meters(loop, SHARES, paid))
    lab.record("roof_revenue_micro", "micro", sum(one.revenue_micro for one in paid))
    error = payment_unlike_delivery_milliwh(loop) if loop.account.settled else None
    lab.record("payment_unlike_delivery_milliwh", "mWh", error)
    worst = worst_stress(ASSUMPTIONS) if len(ASSUMPTIONS) == 5 else None
    lab.record("stress_off_series_of_allowed", "1", worst)
