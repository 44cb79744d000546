"""The posts of a run, in their order: a journal that cannot be written holds nothing up.

The ledger is not in the control loop. While its disk is full or somebody has it locked, what is to
be posted waits in memory and the run goes on; it is posted before the next period, as it would have
been: the same readings in the same post, so roots and head are those of a run without an outage.

Known gap: what waits is lost with the process; the readings in the run directory settle it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gridrig._core import Correction, Settled, Verifier
from gridrig.errors import SettlementError
from gridrig.events import EventLog
from gridrig.settlement.journal import Journal
from gridrig.settlement.journal_reader import LedgerRow

UNUSABLE = "settlement.journal_unusable"


class _Post(NamedTuple):
    settled: Settled
    corrections: Sequence[Correction]
    accepted: list[LedgerRow]


@dataclass
class DelayedPosts:
    """Posts periods, each as soon as the journal can be written.

    Parameters
    ----------
    journal : Journal
        Where they go.
    verifier : Verifier
        Whose ledger holds the readings accepted so far.
    events : EventLog
        Takes `journal_down` and `journal_recovered`.
    """

    journal: Journal
    verifier: Verifier
    events: EventLog
    _waiting: list[_Post] = field(default_factory=list)
    _is_down: bool = False

    def post(self, settled: Settled, corrections: Sequence[Correction]) -> None:
        """Post a period after those that wait, or let it wait with them."""
        self._waiting.append(_Post(settled, corrections, self.verifier.ledger_rows()))
        try:
            self._post_all()
        except SettlementError as fault:
            if fault.code != UNUSABLE:
                raise
            self._is_down = True
            self.events.record(
                "journal_down",
                period=settled.period,
                waiting=len(self._waiting),
                cause=str(fault),
            )

    def finish(self) -> None:
        """Post what still waits.

        Raises
        ------
        SettlementError
            `settlement.journal_unusable` if the journal still cannot be written.
        """
        self._post_all()

    def _post_all(self) -> None:
        posted = 0
        while self._waiting:
            one = self._waiting[0]
            accepted = self.journal.unposted(one.accepted)
            self.journal.post(one.settled, corrections=one.corrections, accepted=accepted)
            del self._waiting[0]
            posted += 1
        if self._is_down:
            self._is_down = False
            self.events.record("journal_recovered", posts=posted)
