"""A verifier with a durable ledger: records in, verdicts out, nothing told before it is written."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from gridrig._core import Authenticated, StagedBatch, VerifiedReading, Verifier
from gridrig.errors import MeteringError
from gridrig.metering.batch import Verdicts
from gridrig.metering.keys import EnrolledKey, enrol_all
from gridrig.metering.ledger_store import Fork, LedgerStore

Records: TypeAlias = Sequence[bytes] | tuple[bytes, npt.NDArray[np.int64]]
"""One object a record, or one buffer with the n + 1 offsets at which n records begin and end."""

HISTORY = 256
"""Rows per key and counter held in memory where a file holds the rest."""

BATCH_MAX = 65_536
"""Most records of one batch."""

AT_ANY_TIME_S = 2**63 - 1
"""Receipt time of a record of which nobody knows when it was received. [UTC s]"""


class ReadingLedger:
    """Verifies batches of records against enrolled keys and a replay ledger.

    Parameters
    ----------
    keys : iterable of EnrolledKey
        Who is believed.
    path : Path or str, optional
        File of the ledger; in memory only if left out.
    threads : int
        Threads that verify signatures. The ledger is applied on one, in the order of the records,
        so the verdicts are the same on any number.

    Raises
    ------
    RigError
        If a key cannot be enrolled.
    MeteringError
        `metering.ledger_*` if the file cannot be used with these keys.
    """

    def __init__(
        self, keys: Iterable[EnrolledKey], path: Path | str | None = None, *, threads: int = 1
    ) -> None:
        self._keys = tuple(keys)
        self.verifier = Verifier() if path is None else Verifier(history=HISTORY)
        enrol_all(self.verifier, self._keys)
        self.threads = threads
        self.meters = tuple(self.verifier.meter_names())
        self.store: LedgerStore | None = None
        if path is not None:
            self.store = LedgerStore(path)
            try:
                self.store.restore(self.verifier, history=HISTORY)
            except BaseException:
                self.store.close()
                raise

    def verify(
        self, records: Records, *, at_s: int | None = None, format: str | None = None
    ) -> Verdicts:
        """Verify one batch; its readings are in the ledger's file when this returns.

        Parameters
        ----------
        records : sequence of bytes, or (bytes, array of int64)
            At most 65,536 records.
        at_s : int, optional
            When they were received. [UTC s]
        format : str, optional
            The wire format they are of; detected for each if left out.

        Returns
        -------
        Verdicts
            One verdict a record.

        Raises
        ------
        MeteringError
            `metering.batch_*` for what is no batch, `metering.ledger_*` if the file could not be
            written. The batch is not admitted then.
        """
        staged = self._stage(self._authenticate(records, at_s, format))
        self._keep(staged, at_s)
        return Verdicts.of(staged, self.meters)

    def verify_all(
        self,
        batches: Iterable[Records],
        *,
        at_s: int | None = None,
        format: str | None = None,
    ) -> Iterator[Verdicts]:
        """Verify batches one after the other, each as `verify` does.

        While a batch is being written, the signatures of the next one are verified; its verdicts
        are yielded once it is durable.
        """
        with ThreadPoolExecutor(1, "ledger-writer") as writer:
            written: tuple[StagedBatch, Future[None]] | None = None
            try:
                for records in batches:
                    authenticated = self._authenticate(records, at_s, format)
                    if written is not None:
                        done, written = written, None
                        yield self._settled(*done)
                    staged = self._stage(authenticated)
                    written = staged, writer.submit(self._append, staged, at_s)
                if written is not None:
                    done, written = written, None
                    yield self._settled(*done)
            finally:
                if written is not None:
                    self._settled(*written)

    def _authenticate(
        self, records: Records, at_s: int | None, format: str | None
    ) -> Authenticated:
        received_s = AT_ANY_TIME_S if at_s is None else at_s
        return self.verifier.authenticate(
            records, at_s=received_s, format=format, threads=self.threads
        )

    def _stage(self, authenticated: Authenticated) -> StagedBatch:
        forgotten = self.verifier.forgotten(authenticated)
        recalled = self.store.recall(forgotten) if self.store and forgotten else []
        return self.verifier.stage(authenticated, recalled=recalled)

    def _append(self, staged: StagedBatch, at_s: int | None) -> None:
        if self.store is not None:
            self.store.append(staged, at_s)

    def _keep(self, staged: StagedBatch, at_s: int | None) -> None:
        try:
            self._append(staged, at_s)
        except BaseException:
            self.verifier.roll_back()
            raise
        self.verifier.commit()

    def _settled(self, staged: StagedBatch, written: "Future[None]") -> Verdicts:
        """Wait until a batch is written, and commit it."""
        try:
            written.result()
        except BaseException:
            self.verifier.roll_back()
            raise
        self.verifier.commit()
        return Verdicts.of(staged, self.meters)

    def readings_after(self, arrival: int) -> list[VerifiedReading]:
        """Return the readings in the file that arrived after one, each proven anew.

        This is what settlement goes on from: whatever was accepted, also by a process that ended
        before it could settle it.

        Parameters
        ----------
        arrival : int
            The last one that is not asked for; 0 for none.

        Raises
        ------
        MeteringError
            `metering.ledger_record_refused` if a record of the file is no longer believed: its key
            is not enrolled any more, or the file was changed.
        """
        if self.store is None:
            return []
        fresh = Verifier()
        enrol_all(fresh, self._keys)
        readings: list[VerifiedReading] = []
        by_receipt = groupby(self.store.records_after(arrival), key=lambda row: row[0])
        for received_s, rows in by_receipt:
            at_s = AT_ANY_TIME_S if received_s is None else received_s
            while records := [record for _, record in islice(rows, BATCH_MAX)]:
                for outcome in fresh.verify_batch(records, at_s=at_s):
                    if not isinstance(outcome, VerifiedReading):
                        raise MeteringError(
                            "metering.ledger_record_refused",
                            "{path}: reading {arrival} is refused now: {reason}",
                            path=str(self.store.path),
                            arrival=arrival + len(readings) + 1,
                            reason=outcome.message,
                        )
                    readings.append(outcome)
        return readings

    def forks(self) -> Iterator[Fork]:
        """Yield the proofs of equivocation in the file, none without one."""
        if self.store is not None:
            yield from self.store.forks()

    def close(self) -> None:
        """Close the file, if there is one."""
        if self.store is not None:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
