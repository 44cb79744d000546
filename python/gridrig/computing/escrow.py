"""Money of computing jobs: held when a job is taken, paid or given back when it ends.

Every movement is one entry with a debit and a credit account, so that all accounts together are
always at zero. An escrow is opened once, and closed once by one or two entries that empty it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gridrig.errors import GridrigError


@dataclass(frozen=True)
class EscrowEntry:
    """One movement of money, "held", "paid" or "refunded". [millionths]"""

    number: int
    job: str
    kind: str
    debit: str
    credit: str
    amount_micro: int


@dataclass
class Escrow:
    """The entries of all jobs, in the order in which they were made."""

    entries: list[EscrowEntry] = field(default_factory=list)
    _open: dict[str, tuple[str, int]] = field(default_factory=dict)

    def hold(self, job: str, buyer: str, amount_micro: int) -> None:
        """Take a buyer's deposit.

        Raises
        ------
        GridrigError
            `computing.escrow` if the job has had one, or the amount is negative.
        """
        if amount_micro < 0 or any(entry.job == job for entry in self.entries):
            raise self._error(job, f"a deposit of {amount_micro}", "one deposit, not negative")
        self._open[job] = buyer, amount_micro
        self._enter(job, "held", f"buyer/{buyer}", f"escrow/{job}", amount_micro)

    def close(self, job: str, to: str, paid_micro: int) -> int:
        """Pay from a deposit and give the rest back; return the rest.

        Raises
        ------
        GridrigError
            `computing.escrow` if the job has no open deposit, or it does not suffice.
        """
        if job not in self._open:
            raise self._error(job, "no open deposit", "one that was held and not closed")
        buyer, held_micro = self._open[job]
        if not 0 <= paid_micro <= held_micro:
            raise self._error(job, f"a payment of {paid_micro}", f"0 to {held_micro}")
        del self._open[job]
        if paid_micro:
            self._enter(job, "paid", f"escrow/{job}", f"node/{to}", paid_micro)
        if held_micro > paid_micro:
            rest_micro = held_micro - paid_micro
            self._enter(job, "refunded", f"escrow/{job}", f"buyer/{buyer}", rest_micro)
        return held_micro - paid_micro

    def balances(self) -> Mapping[str, int]:
        """Return what each account has received less what it gave. [millionths]"""
        found: Counter[str] = Counter()
        for entry in self.entries:
            found[entry.debit] -= entry.amount_micro
            found[entry.credit] += entry.amount_micro
        return dict(found)

    def _enter(self, job: str, kind: str, debit: str, credit: str, amount_micro: int) -> None:
        number = len(self.entries) + 1
        self.entries.append(EscrowEntry(number, job, kind, debit, credit, amount_micro))

    @staticmethod
    def _error(job: str, found: str, expected: str) -> GridrigError:
        return GridrigError(
            "computing.escrow",
            "escrow of job {job}: {found}, expected {expected}",
            job=job,
            found=found,
            expected=expected,
        )
