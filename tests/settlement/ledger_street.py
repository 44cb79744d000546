"""The street with its metering ledger in a file, able to go on after it was killed anywhere."""

from pathlib import Path
from types import TracebackType

from street import PARTICIPANTS, T0, Street, settled_of

from gridrig.market.auction import Trade
from gridrig.metering import EnrolledKey, ReadingLedger, VerifiedReading
from gridrig.settlement import Journal, MeterPeriod, Settled
from gridrig.settlement.unposted import NumberedRow


class LedgerStreet:
    """Records of every meter go through the ledger; what settles comes out of it."""

    def __init__(self, path: Path, seed: int = 1) -> None:
        self.street = Street(seed)
        keys = [
            EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
            for name, signer in self.street.signers.items()
        ]
        self.ledger = ReadingLedger(keys, path)
        self.made = 0
        self.records = [self.street.record(name, 0) for name in PARTICIPANTS]

    def settle(self, journal: Journal, period: int) -> tuple[Settled, list[NumberedRow]]:
        """Let the meters sign up to the end of a period, as often as need be; settle it."""
        trades: list[Trade] = []
        while self.made <= period:
            self.ledger.verify(self.records, at_s=T0 + 900 * self.made)
            self.street.move()
            trades = self.street.trades()
            self.made += 1
            self.records = [self.street.record(name, self.made) for name in PARTICIPANTS]
        # After a restart this is a repetition; only the ledger knows that it was accepted.
        self.ledger.verify(self.records, at_s=T0 + 900 * self.made)
        store = self.ledger.store
        assert store is not None
        accepted = list(store.rows_after(journal.arrival_last()))
        found: dict[str, dict[int, VerifiedReading]] = {name: {} for name in PARTICIPANTS}
        for reading in self.ledger.readings_after(len(PARTICIPANTS) * max(0, period - 1)):
            found[reading.meter][reading.time_ms] = reading
        edges = [1000 * (T0 + 900 * n) for n in (period, period + 1)]
        pairs = {
            name: MeterPeriod(name, *(found[name][edge] for edge in edges)) for name in PARTICIPANTS
        }
        return settled_of(period, pairs, trades), accepted

    def __enter__(self) -> "LedgerStreet":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ledger.close()
