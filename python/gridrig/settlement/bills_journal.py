"""What bills need of a journal: energy by participant and period, and balances."""

from pathlib import Path

from gridrig.settlement.balance_sheet import sheets_of
from gridrig.settlement.bills import Metered
from gridrig.settlement.journal_reader import JournalReader

# What a participant is lent and gives back is no price of energy.
CREDIT_KINDS = frozenset({"deposit", "receivable", "recovered"})


def billed(path: Path) -> tuple[list[Metered], dict[str, int]]:
    """Return what every meter counted, as it stands after all corrections, and every balance.

    Returns
    -------
    tuple
        Metered periods, and by account what it was paid for energy less what it paid. [millionths]

    Raises
    ------
    SettlementError
        `settlement.journal_unusable`, `settlement.journal_foreign`.
    """
    with JournalReader(path) as journal, journal.snapshot():
        # A later revision of a meter's period stands in place of the earlier ones.
        in_force = {(row.period, row.meter): row for row in journal.metered()}
        balances = {
            name: sum(n for kind, n in sheet.amount_micro.items() if kind not in CREDIT_KINDS)
            for name, sheet in sheets_of(journal).items()
        }
    rows = [
        Metered(
            row.participant,
            row.from_ms // 1000,
            (row.to_ms - row.from_ms) // 1000,
            row.import_milliwh,
            row.export_milliwh,
        )
        for row in in_force.values()
    ]
    return rows, balances
