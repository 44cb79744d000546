"""What each participant counted, traded, paid and was paid, and that it all closes to the unit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gridrig.settlement.journal_reader import JournalReader, MeteredRow

SOLD, BOUGHT = ("delivered", "shortfall"), ("taken", "untaken")
EXPORTED, IMPORTED = ("delivered", "surplus"), ("taken", "excess")


@dataclass
class Sheet:
    """The balance sheet of one account.

    Parameters
    ----------
    account : str
        The participant, or an account of the house.
    exported_milliwh, imported_milliwh : int
        What its meters counted, as it stands after all corrections. [mWh]
    energy_milliwh, amount_micro : dict of kind to int
        Its entries by kind: their energy, and what it was paid less what it paid. [mWh, millionths]
    """

    account: str
    exported_milliwh: int = 0
    imported_milliwh: int = 0
    energy_milliwh: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    amount_micro: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def balance_micro(self) -> int:
        """What it was paid less what it paid. [millionths]"""
        return sum(self.amount_micro.values())

    @property
    def sold_milliwh(self) -> int:
        """What it sold in trades. [mWh]"""
        return sum(self.energy_milliwh.get(kind, 0) for kind in SOLD)

    @property
    def bought_milliwh(self) -> int:
        """What it bought in trades. [mWh]"""
        return sum(self.energy_milliwh.get(kind, 0) for kind in BOUGHT)

    def to_json(self) -> dict[str, Any]:
        """Return the sheet as plain values."""
        return {
            "account": self.account,
            "exported_milliwh": self.exported_milliwh,
            "imported_milliwh": self.imported_milliwh,
            "sold_milliwh": self.sold_milliwh,
            "bought_milliwh": self.bought_milliwh,
            "energy_milliwh": dict(sorted(self.energy_milliwh.items())),
            "amount_micro": dict(sorted(self.amount_micro.items())),
            "balance_micro": self.balance_micro,
        }


def sheets_of(journal: JournalReader) -> dict[str, Sheet]:
    """Return the balance sheet of every account, by name."""
    sheets: dict[str, Sheet] = {}

    def of(account: str) -> Sheet:
        return sheets.setdefault(account, Sheet(account))

    # An account of the house is on the other side of every line, so energy is told of the one that
    # settles with it.
    for entry in journal.entries():
        of(entry.credit).amount_micro[entry.kind] += entry.amount_micro
        of(entry.debit).amount_micro[entry.kind] -= entry.amount_micro
    for account, kind, energy in journal.energy_by_account():
        of(account).energy_milliwh[kind] += energy
    in_force: dict[tuple[int, str], MeteredRow] = {
        (row.period, row.meter): row for row in journal.metered()
    }
    for row in in_force.values():
        of(row.participant).exported_milliwh += row.export_milliwh
        of(row.participant).imported_milliwh += row.import_milliwh
    return dict(sorted(sheets.items()))


def unreconciled(
    sheets: dict[str, Sheet], traded: Iterable[tuple[str, str, int]] | None = None
) -> Iterator[str]:
    """Yield what does not close; nothing if all does.

    Parameters
    ----------
    sheets : dict of account to Sheet
        As `sheets_of` makes them.
    traded : iterable of (participant, side, energy_milliwh), optional
        The trades of the market, if they are at hand.
    """
    for sheet in sheets.values():
        for word, counted, kinds in (
            ("exported", sheet.exported_milliwh, EXPORTED),
            ("imported", sheet.imported_milliwh, IMPORTED),
        ):
            settled = sum(sheet.energy_milliwh.get(kind, 0) for kind in kinds)
            if counted != settled:
                yield f"{sheet.account}: {counted} mWh {word}, {settled} mWh settled"
    total = sum(sheet.balance_micro for sheet in sheets.values())
    if total:
        yield f"all accounts sum to {total} millionths, not to nothing"
    if traded is None:
        return
    by_side: dict[tuple[str, str], int] = defaultdict(int)
    for participant, side, energy in traded:
        by_side[participant, side] += energy
    for participant in sorted({name for name, _ in by_side} | sheets.keys()):
        found = sheets.get(participant, Sheet(participant))
        for side, settled in (("offer", found.sold_milliwh), ("bid", found.bought_milliwh)):
            if by_side[participant, side] != settled:
                yield (
                    f"{participant}: {side}s traded {by_side[participant, side]} mWh, "
                    f"{settled} mWh settled"
                )
