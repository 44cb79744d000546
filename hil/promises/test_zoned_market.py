"""Row N5, two networks with a price each.

Stimulus: a day in June of five participants on two networks, which a contract of 2 kWh an hour
joins, and a main grid that both buy from for a fee. In the middle of the day the contract is full,
and the networks have two prices. Every clearing is done again as a linear programme, money is
summed from trades and flows, and what the bills call financial only from what the meters signed.
"""

import tempfile
from pathlib import Path

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.zonal_market import (
    bills_unlike_signed_milliwh,
    zonal_checked,
    zoned_bills,
)

SCENARIO = load_scenario(SCENARIOS / "promise-1-zones.toml", units(CATALOGUE))
TAKEN = ("ledger_sum_micro", "losses_difference_of_allowed", "meter_periods_estimated")


@procedure(
    claim="networks that a full link parts have a price each, and fees and rent are accounted for",
    clause="promise N5",
    hazards="none: nothing is switched",
    rig="region-50hz",
    needs=("inverter", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("periods_with_full_link", "1", min=1, source="the day must try it"),
        Criterion(
            "welfare_unlike_optimum_pico", "pico", max=0, source="HiGHS, each period, in lots"
        ),
        Criterion(
            "prices_unlike_optimum_micro",
            "micro",
            max=0,
            source="what a lot more and a lot less in the zone are worth to HiGHS",
        ),
        Criterion("prices_unique", "1", min=24, source="else no price would be wrong; 24 h"),
        Criterion(
            "flows_unlike_zones_milliwh", "mWh", max=0, source="balance of a zone, limit of a link"
        ),
        Criterion("trades_unlike_zone_micro", "micro", max=0, source="one price a zone"),
        Criterion(
            "link_fees_unlike_flows_micro", "micro", max=0, source="energy x fee, each account"
        ),
        Criterion("rent_unlike_trades_micro", "micro", max=0, source="bids less offers less fees"),
        Criterion("financial_only_wh", "Wh", min=1, source="the day must try it"),
        Criterion(
            "marks_unlike_zones_milliwh",
            "mWh",
            max=0,
            source="what zones have left after themselves and the main grid, each period",
        ),
        Criterion(
            "bills_unlike_signed_milliwh", "mWh", max=0, source="the same of what meters signed"
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
        Mutant("reads two per cent high", "meter-head", {"scale": 1.02}, TAKEN[1]),
        Mutant("signs with a foreign key", "meter-shop", {"seed": 999}, TAKEN[2]),
        Mutant("its registers stand still", "meter-roof-2", {"telemetry": "frozen"}, TAKEN[1]),
    ),
)
async def test_zoned_market(lab: Lab) -> None:
    """Run the day, and do again what market, books and bills say of it."""
    assert SCENARIO.market is not None
    tables = SCENARIO.market.network
    assert tables is not None
    with tempfile.TemporaryDirectory() as folder:
        loop = await lab.run_loop(SCENARIO, Path(folder) / "journal.sqlite")
        found = zonal_checked(loop, tables)
        unlike = bills_unlike_signed_milliwh(loop, tables, zoned_bills(loop, tables))
        measured = measure(loop.observed(loop.trace.columns()))
        loop.account.journal.close()
    lab.recorded += [one for one in measured if one.name in TAKEN]
    lab.record("periods_with_full_link", "1", found.links_full)
    lab.record("welfare_unlike_optimum_pico", "pico", found.welfare_unlike_pico)
    lab.record("prices_unlike_optimum_micro", "micro", found.prices_unlike_micro)
    lab.record("prices_unique", "1", found.prices_unique)
    lab.record("flows_unlike_zones_milliwh", "mWh", found.flows_unlike_milliwh)
    lab.record("trades_unlike_zone_micro", "micro", found.trades_unlike_micro)
    lab.record("link_fees_unlike_flows_micro", "micro", found.fees_unlike_micro)
    lab.record("rent_unlike_trades_micro", "micro", found.rent_unlike_micro)
    lab.record("financial_only_wh", "Wh", found.financial_only_milliwh / 1_000)
    lab.record("marks_unlike_zones_milliwh", "mWh", found.marks_unlike_milliwh)
    lab.record("bills_unlike_signed_milliwh", "mWh", unlike)
