"""`gridrig bills`: every participant's bill of a run beside that of a utility alone."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gridrig.campaign import records
from gridrig.campaign.tariff_file import read_tariff
from gridrig.errors import CampaignError
from gridrig.rig.description import load_rig
from gridrig.rig.participants import GridAgent
from gridrig.settlement.bills import Bill, Metered, Tariff, bills, losers
from gridrig.settlement.bills_journal import billed
from gridrig.settlement.journal_commands import journal_at

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
    if as_json:
        print(json.dumps(_document(made, read), indent=1))
    else:
        _print(made)
    return 0


def _duration_s(journal: Path, metered: list[Metered]) -> int:
    """How long the periods billed are, from the first to the end of the last."""
    starts = sorted({row.from_s for row in metered})
    if not starts:
        raise CampaignError(
            "campaign.bills_nothing_settled", "{path} has no settled period", path=str(journal)
        )
    return max(row.from_s + row.duration_s for row in metered) - starts[0]


def _document(made: list[Bill], tariff: Tariff) -> dict[str, Any]:
    return {
        "bills": [bill.to_json() for bill in made],
        "participants": len(made),
        "losers": [bill.participant for bill in losers(made)],
        "saved_micro": sum(bill.saved_micro for bill in made),
        "standing_micro": tariff.standing_micro,
    }


def _print(made: list[Bill]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("participant")
    for title in ("took kWh", "gave kWh", "market", "utility alone", "saved"):
        table.add_column(title, justify="right")
    for bill in made:
        energies = (bill.imported_milliwh, bill.exported_milliwh)
        amounts = (bill.market_micro, bill.utility_micro, bill.saved_micro)
        table.add_row(
            bill.participant,
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
    console.print(f"all together save {total / MICRO:.4f}; negative amounts of a bill are earned")
