"""The file of a replay ledger: every reading admitted, with the record it came from, in SQLite.

Invariants: a batch is in the file whole or not at all; no row changes or goes; when an answer has
been given, what it rests on survives the process and the machine (write-ahead log, synchronous).
Two payloads under one counter are both kept: the first as a reading, the other as a fork.

Limits: integers of 64 bits; one writer, a second one is refused; 5 s of waiting for a lock.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from gridrig._core import StagedBatch, Verifier
from gridrig.durable_file import FileKind, prepare
from gridrig.errors import MeteringError
from gridrig.metering.ledger_schema import (
    APPLICATION_ID,
    PAGE_BYTES,
    SCHEMA_VERSION,
    schema_sql,
)

LOCK_WAIT_S_MAX = 5.0
WAL_PAGES = 8192
"""Pages of the log that are folded into the file at once: 64 MiB, a dozen batches."""

LedgerKey: TypeAlias = tuple[bytes, str, int]

_INSERT_READING = f"INSERT INTO reading VALUES (NULL, {', '.join('?' * 12)})"
_ROW_COLUMNS = (
    "key_id, context, counter, time_ms, clock_status, start_ms, import_milliwh, export_milliwh, "
    "operating_s, power_milliwatt, digest"
)


class Fork(NamedTuple):
    """Two records that one key signed under one counter: proof of equivocation."""

    meter: str
    public_key: bytes
    context: str
    counter: int
    first: bytes
    second: bytes


class LedgerStore:
    """The file of a replay ledger.

    Parameters
    ----------
    path : Path or str
        The file; made if there is none.

    Raises
    ------
    MeteringError
        `metering.ledger_unusable` if it cannot be opened, `metering.ledger_foreign` if it is no
        ledger of this version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._numbers: list[int] = []
        try:
            self._db = sqlite3.connect(
                self.path,
                timeout=LOCK_WAIT_S_MAX,
                isolation_level=None,
                check_same_thread=False,
            )
            self._prepare()
            self._arrival = self._last_arrival()
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault

    def _prepare(self) -> None:
        kind = FileKind(APPLICATION_ID, SCHEMA_VERSION, PAGE_BYTES, schema_sql())
        if foreign := prepare(self._db, kind):
            raise MeteringError(
                "metering.ledger_foreign",
                "{path} is not a replay ledger of version {expected}, found application "
                "{application}, version {version}",
                path=str(self.path),
                expected=SCHEMA_VERSION,
                application=foreign.application,
                version=foreign.version,
            )
        self._db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")

    def _last_arrival(self) -> int:
        return int(self._db.execute("SELECT coalesce(max(arrival), 0) FROM reading").fetchone()[0])

    def restore(self, verifier: Verifier, *, history: int) -> None:
        """Fill a verifier whose keys are enrolled with what the file remembers.

        Parameters
        ----------
        verifier : Verifier
            Its ledger has to be empty.
        history : int
            Most rows per key and counter; what is older is asked for when it is needed.

        Raises
        ------
        MeteringError
            `metering.ledger_*`: a key of the file that is not enrolled, or is another meter's; rows
            that contradict each other.
        """
        try:
            self._register_keys(verifier)
            chains = self._db.execute("SELECT DISTINCT key, context FROM reading").fetchall()
            select = (
                f"SELECT {_ROW_COLUMNS} FROM reading JOIN key USING (key) "
                "WHERE key = ? AND context = ? ORDER BY counter DESC LIMIT ?"
            )
            rows = [row for chain in chains for row in self._db.execute(select, (*chain, history))]
            forked = self._db.execute(
                "SELECT DISTINCT key_id FROM fork JOIN key USING (key)"
            ).fetchall()
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault
        verifier.restore(rows, forked=[key_id for (key_id,) in forked])

    def _register_keys(self, verifier: Verifier) -> None:
        """Give each enrolled key its number in the file, in one transaction."""
        stored = {
            key_id: (number, meter)
            for number, key_id, meter in self._db.execute("SELECT key, key_id, meter FROM key")
        }
        meters = dict(zip(verifier.key_ids(), verifier.key_meters(), strict=True))
        for key_id, (_, meter) in stored.items():
            if meters.get(key_id, meter) != meter:
                raise MeteringError(
                    "metering.ledger_meter_other",
                    "{path} holds readings of meter {stored!r} under a key enrolled for {found!r}",
                    path=str(self.path),
                    stored=meter,
                    found=meters[key_id],
                )
        new = [key_id for key_id in meters if key_id not in stored]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            "INSERT INTO key (key_id, meter, public_key) VALUES (?, ?, ?)",
            ((key_id, meters[key_id], verifier.public_key_der(key_id)) for key_id in new),
        )
        self._db.execute("COMMIT")
        numbers = dict(self._db.execute("SELECT key_id, key FROM key").fetchall())
        self._numbers = [numbers[key_id] for key_id in meters]

    def recall(self, keys: Sequence[LedgerKey]) -> list[tuple[bytes, str, int, bytes]]:
        """Return key, context, counter and digest of those of `keys` that the file holds."""
        select = (
            "SELECT digest FROM reading JOIN key USING (key) "
            "WHERE key_id = ? AND context = ? AND counter = ?"
        )
        found = ((key, self._db.execute(select, key).fetchone()) for key in keys)
        return [(*key, row[0]) for key, row in found if row is not None]

    def append(self, staged: StagedBatch, received_s: int | None) -> None:
        """Write what a batch adds, in one transaction; it is durable when this returns.

        Raises
        ------
        MeteringError
            `metering.ledger_two_writers` if another process wrote since; `metering.ledger_unusable`
            for anything SQLite refuses. Nothing is written then.
        """
        rows = staged.rows(self._numbers)
        forks = staged.forks(self._numbers, received_s)
        if not rows and not forks:
            return
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            found = self._last_arrival()
            if found != self._arrival:
                raise MeteringError(
                    "metering.ledger_two_writers",
                    "{path} holds {found} readings, this process knows of {expected}",
                    path=str(self.path),
                    found=found,
                    expected=self._arrival,
                )
            if rows:
                db.execute("INSERT INTO batch VALUES (?, ?)", (found + 1, received_s))
                db.executemany(_INSERT_READING, rows)
            db.executemany("INSERT OR IGNORE INTO fork VALUES (?, ?, ?, ?, ?, ?)", forks)
            db.execute("COMMIT")
        except sqlite3.Error as fault:
            self._roll_back()
            raise self._unusable(fault) from fault
        except BaseException:
            self._roll_back()
            raise
        self._arrival += len(rows)

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _unusable(self, fault: sqlite3.Error) -> MeteringError:
        return MeteringError(
            "metering.ledger_unusable", "{path}: {fault}", path=str(self.path), fault=str(fault)
        )

    def forks(self) -> Iterator[Fork]:
        """Yield every pair of records that one key signed under one counter, in arrival order."""
        yield from (
            Fork(*row)
            for row in self._db.execute(
                "SELECT meter, public_key, context, counter, reading.record, fork.record FROM fork "
                "JOIN reading USING (key, context, counter) JOIN key USING (key) "
                "ORDER BY reading.arrival, fork.digest"
            )
        )

    def counts(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        return {
            table: self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("key", "reading", "batch", "fork")
        }

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield every reading as a ledger row, in the order of arrival."""
        yield from self._db.execute(
            f"SELECT {_ROW_COLUMNS} FROM reading JOIN key USING (key) ORDER BY arrival"
        )

    def rows_after(self, arrival: int) -> Iterator[tuple[Any, ...]]:
        """Yield the readings that arrived after one, each as its arrival and its ledger row."""
        yield from self._db.execute(
            f"SELECT arrival, {_ROW_COLUMNS} FROM reading JOIN key USING (key) WHERE arrival > ? "
            "ORDER BY arrival",
            (arrival,),
        )

    def records_after(self, arrival: int) -> Iterator[tuple[int | None, bytes]]:
        """Yield receipt time [UTC s] and record of the readings that arrived after one."""
        yield from self._db.execute(
            "SELECT (SELECT received_s FROM batch WHERE first_arrival <= arrival "
            "ORDER BY first_arrival DESC LIMIT 1), record FROM reading WHERE arrival > ? "
            "ORDER BY arrival",
            (arrival,),
        )

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it; closing twice does nothing."""
        self._db.close()
