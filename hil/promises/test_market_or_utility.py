"""Rows M26 and M27: what a market changes, in losses and on everybody's bill.

Stimulus: an hour of a morning on two streets, once without a market and once with one in which a
battery trades. Losses are those of the power flow, solved again by the other engine; they may grow.
Bills are computed again from the meters' registers and the entries of the books; who loses is
named.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.bills_again import bills_checked, utility_bills
from gridrig.promises.local_trade import losses_compared

SCENARIO = load_scenario(SCENARIOS / "promise-1-market-or-utility.toml", units(CATALOGUE))
TAKEN = ("ledger_sum_micro", "losses_difference_of_allowed")


@procedure(
    claim="what a market changes in losses is measured, and bills are what meters and books say",
    clause="promises M26, M27",
    hazards="none: nothing is switched",
    rig="stressed-feeder",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("traded_kwh", "kWh", min=50, source="there is something to compare"),
        Criterion("use_differs_wh", "Wh", max=0.001, source="the same loads and roofs"),
        Criterion(
            "loss_change_percent", "%", min=-5, max=5, source="a band to report in, either sign"
        ),
        Criterion("losses_engines_differ_percent", "%", max=0.1, source="the other engine"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
        Criterion("bills_missing", "1", max=0, source="everybody but the main grid has a bill"),
        Criterion("bills_unlike_books_micro", "micro", max=0, source="to the last millionth"),
        Criterion("losers_uncounted", "1", max=0, source="who pays more is named"),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
    ),
    mutants=(
        Mutant("reads two per cent high", "meter-head", {"scale": 1.02}, TAKEN[1]),
        Mutant("counts export as import", "meter-pv-b4", {"sign": -1}, TAKEN[1]),
        Mutant("gives less while a battery rests", "pv-b4",
               {"volt_watt": True, "volt_watt_v_pu": [1.0, 1.1]}, "use_differs_wh"),
    ),
)  # fmt: skip
async def test_market_or_utility(lab: Lab) -> None:
    """Run the hour twice, and bill everybody."""
    await _begin(lab)
    without = await lab.run_loop(replace(SCENARIO, market=None))
    await _begin(lab)
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.sqlite"
        loop = await lab.run_loop(SCENARIO, journal)
        made = utility_bills(loop, journal)
        measured = measure(loop.observed(loop.trace.columns()))
        loop.account.journal.close()
    lab.recorded += [m for m in measured if m.name in TAKEN]
    traded = sum(cleared.volume_milliwh for cleared in loop.trading.cleared)
    lab.record("traded_kwh", "kWh", traded / 10**6)
    losses = losses_compared(loop, without)
    lab.record("use_differs_wh", "Wh", losses.use_differs_wh)
    note = f"{losses.change_wh:+.0f} Wh with the market"
    lab.record("loss_change_percent", "%", losses.change_percent, note=note)
    lab.record("losses_engines_differ_percent", "%", losses.engines_differ_percent)
    found = bills_checked(loop, made)
    lab.record("bills_missing", "1", found.missing)
    lab.record("bills_unlike_books_micro", "micro", found.unlike_micro)
    note = f"{len(found.losers)} of {len(made)} pay more: {', '.join(found.losers)}"
    lab.record("losers_uncounted", "1", found.losers_uncounted, note=note)


async def _begin(lab: Lab) -> None:
    """Let the roofs give what the first moment of the hour offers."""
    lab.street.follow_profiles(SCENARIO.start_utc_s)
    await lab.pass_time(60.0, step_s=10.0)
