"""`gridrig bills`: every participant's bill of a run beside that of a utility alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gridrig.campaign import records
from gridrig.campaign.relief import zones_of_run
from gridrig.campaign.tariff_file import read_tariff
from gridrig.campaign.zoned_bills import in_zones
from gridrig.errors import CampaignError
from gridrig.rig.description import load_rig
from gridrig.rig.participants import GridAgent
from gridrig.settlement.bills import Bill, Metered, Tariff, bills, losers
from gridrig.settlement.bills_journal import billed
from gridrig.settlement.journal_commands import journal_at

LINK, RENT = "link:", "congestion-rent"
MICRO = 1_000_000
MILLIWH_PER_KWH = 1_000_000


def bills_command(run: Path, tariff: Path, *, as_json: bool) -> int:
    """Print the bills of a run and how many lose by the market; the main grid gets none.

    Raises
    ------
    CampaignError
        `campaign.bills_nothing_settled`.
    RigError
        `settlement.tariff_file`, with every issue of the tariff.
    SettlementError
        `settlement.journal_*`, `settlement.bill_unmetered`.
    """
    journal = journal_at(run)
    rig = load_rig(run / records.RIG)
    metered, balances = billed(journal)
    grid = {p.name for p in rig.participants if isinstance(p.agent, GridAgent)}
    known = {p.name for p in rig.participants} - grid
    metered = [row for row in metered if row.participant in known]
    read = read_tariff(tariff, duration_s=_duration_s(journal, metered))
    made = bills(metered, {name: n for name, n in balances.items() if name in known}, read)
    if (zones := zones_of_run(run)) is not None:
        made = in_zones(made, journal, zones, str(run / records.RIG))
    network = {name: n for name, n in balances.items() if name == RENT or name.startswith(LINK)}
    if as_json:
        print(json.dumps(_document(made, read, network), indent=1))
    else:
        _print(made, network)
    return 0


def _duration_s(journal: Path, metered: list[Metered]) -> int:
    """How long the periods billed are, from the first to the end of the last."""
    starts = sorted({row.from_s for row in metered})
    if not starts:
        raise CampaignError(
            "campaign.bills_nothing_settled", "{path} has no settled period", path=str(journal)
        )
    return max(row.from_s + row.duration_s for row in metered) - starts[0]


def _document(made: list[Bill], tariff: Tariff, network: Mapping[str, int]) -> dict[str, Any]:
    return {
        "bills": [bill.to_json() for bill in made],
        "participants": len(made),
        "losers": [bill.participant for bill in losers(made)],
        "saved_micro": sum(bill.saved_micro for bill in made),
        "standing_micro": tariff.standing_micro,
        "network_micro": dict(network),
    }


def _print(made: list[Bill], network: Mapping[str, int]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("participant")
    zoned = any(bill.zone for bill in made)
    more = ("financial only kWh",) if zoned else ()
    if zoned:
        table.add_column("zone")
    for title in ("took kWh", "gave kWh", *more, "market", "utility alone", "saved"):
        table.add_column(title, justify="right")
    for bill in made:
        energies = [bill.imported_milliwh, bill.exported_milliwh]
        if zoned:
            energies.append(bill.financial_only_milliwh or 0)
        amounts = (bill.market_micro, bill.utility_micro, bill.saved_micro)
        table.add_row(
            bill.participant,
            *([bill.zone] if zoned else []),
            *(f"{milliwh / MILLIWH_PER_KWH:.3f}" for milliwh in energies),
            *(f"{micro / MICRO:.4f}" for micro in amounts),
        )
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    lost = losers(made)
    total = sum(bill.saved_micro for bill in made)
    console.print(f"\n{len(lost)} of {len(made)} pay more in the market than a utility alone")
    for bill in lost:
        console.print(f"  {bill.participant} loses {-bill.saved_micro / MICRO:.4f}")
    for account, amount in network.items():
        what = "rent of full links" if account == RENT else f"fees of {account.removeprefix(LINK)}"
        console.print(f"{what}: {amount / MICRO:.4f}, to {account}")
    console.print(f"all together save {total / MICRO:.4f}; negative amounts of a bill are earned")
