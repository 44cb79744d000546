"""`gridrig payouts`: what the holders of an asset are paid out of what it earned in a run."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gridrig.campaign.shares_file import Shares, read_shares
from gridrig.settlement.journal_commands import journal_at
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.payouts import (
    Payout,
    equal_spans,
    journal_time,
    months,
    payouts,
    revenue,
)

MICRO = 1_000_000
FILE_WIDTH = 240  # of what is no terminal


def payouts_of(journal: JournalReader, shares: Shares) -> list[Payout]:
    """Return what the holders are paid out of a journal, span by span."""
    from_ms, to_ms = journal_time(journal)
    if shares.span_s is None:
        spans = months(from_ms, to_ms, shares.zone)
    else:
        spans = equal_spans(from_ms, to_ms, shares.span_s)
    earned = revenue(journal, shares.participant, spans)
    return payouts(shares.founders, shares.transfers, spans, earned, shares.cost_micro)


def payouts_command(run: Path, shares: Path, *, as_json: bool) -> int:
    """Print the payouts of a run or a journal.

    Raises
    ------
    RigError
        `settlement.shares_file`, with every issue of the file.
    SettlementError
        `settlement.journal_*`, `.payouts_*`, `.share_*`.
    """
    read = read_shares(shares)
    with JournalReader(journal_at(run)) as journal, journal.snapshot():
        made = payouts_of(journal, read)
    if as_json:
        document = [asdict(one) | {"paid": dict(one.paid)} for one in made]
        print(json.dumps({"asset": read.participant, "spans": document}, indent=1))
    else:
        _print(made, read)
    return 0


def _print(made: list[Payout], read: Shares) -> None:
    names = sorted({name for one in made for name, _ in one.paid})
    table = Table(box=None, pad_edge=False)
    table.add_column("from")
    for title in ("revenue", "cost", "made good", "carried", *names):
        table.add_column(title, justify="right")
    for one in made:
        paid = dict(one.paid)
        amounts = (
            *(one.revenue_micro, one.cost_micro, one.made_good_micro, one.carried_micro),
            *(paid.get(name, 0) for name in names),
        )
        begin = datetime.fromtimestamp(one.from_ms / 1000, UTC).astimezone(read.zone)
        table.add_row(begin.isoformat(timespec="minutes"), *map(_amount, amounts))
    console = Console(soft_wrap=True, highlight=False)
    if not console.is_terminal:
        console = Console(width=FILE_WIDTH, highlight=False)
    console.print(table)
    earned, total = (
        sum(getattr(one, name) for one in made) for name in ("revenue_micro", "paid_micro")
    )
    console.print(
        f"\n{read.participant} earned {_amount(earned)}, its holders are paid {_amount(total)}; "
        "largest remainder, of equal ones the first by name"
    )


def _amount(micro: int) -> str:
    """Return an amount to the last millionth, without a float."""
    sign = "-" if micro < 0 else ""
    return f"{sign}{abs(micro) // MICRO}.{abs(micro) % MICRO:06d}"
