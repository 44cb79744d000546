"""Where participants stand: what their accounts hold and what they owe."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gridrig._core import Entry

RECEIVABLE_PREFIX = "receivable:"


@dataclass
class Standings:
    """Sums of accounts, kept up to date as entries are posted. [millionths]"""

    _sums: dict[str, int] = field(default_factory=dict)

    def add(self, posted: Iterable[Sequence[Entry]]) -> None:
        """Add entries that were posted."""
        for entries in posted:
            for entry in entries:
                amount = entry.amount_micro
                self._sums[entry.debit] = self._sums.get(entry.debit, 0) - amount
                self._sums[entry.credit] = self._sums.get(entry.credit, 0) + amount

    def held_micro(self, name: str) -> int:
        """Return what an account holds. [millionths]"""
        return self._sums.get(name, 0)

    def all(self) -> dict[str, tuple[int, int]]:
        """Return what each participant holds and owes, as `Settled.with_receivables` takes it."""
        return {
            name: (balance, -self._sums.get(RECEIVABLE_PREFIX + name, 0))
            for name, balance in self._sums.items()
        }
