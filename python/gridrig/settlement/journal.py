"""The journal: settled periods, what backs them, and who owes whom, in one SQLite file.

Invariants
- A post is there whole or not at all, in one transaction: the period, the corrections booked in it,
  the readings that the metering ledger accepted, the signed head, and what the caller adds (the
  transaction of the chain). It is durable when `post` returns.
- No row changes or goes, none is added except by a post. Posts follow each other, in the order of
  their periods.
- What is settled under a key of idempotency (period, revision, account, kind, trade, meter) is
  never settled again; no two periods of a meter overlap in time; a trade is of one period.
- Every post is linked to the one before it, and the head is signed: a change anywhere is found.

The file holds no time of its own: the same posts make the same bytes once it is closed.

Limits: integers of 64 bits, as the core makes them; 5 s of waiting for another process's lock; one
process writes, any number read.

Known gap: whoever holds the signing key can write another history; that is found only by a head
that somebody else kept.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridrig._core import Correction, Settled, posted_image, posted_tree, table_image
from gridrig.durable_file import FileKind, prepare
from gridrig.errors import SettlementError
from gridrig.settlement.journal_fold import LOG_BYTES_MAX, Fold
from gridrig.settlement.journal_head import Head, Post
from gridrig.settlement.journal_names import Names
from gridrig.settlement.journal_reader import LOCK_WAIT_S_MAX, JournalReader, LedgerRow
from gridrig.settlement.journal_refusals import refuse_overlap, refuse_trades_again
from gridrig.settlement.journal_rows import Image, beside
from gridrig.settlement.journal_schema import (
    APPLICATION_ID,
    PAGE_BYTES,
    SCHEMA_VERSION,
    SEALED,
    SETTLEMENT_COLUMNS,
    schema_sql,
    seal_sql,
    unseal_sql,
)
from gridrig.settlement.posted import settlement_row
from gridrig.settlement.unposted import NumberedRow, Unposted

Within: TypeAlias = Callable[[sqlite3.Connection, bytes], object]
"""What is done inside the transaction of a post, with its database and its root."""

CACHE_KIB = 64 * 1024  # pages of a post that need not leave memory before they are in the log
THREADS = min(2, os.cpu_count() or 1)  # that hash the leaves of a post

_KEY_ID: Final = 1  # in a `NumberedRow`; a number in the table
_DIGEST: Final = 11
_READING = (
    "arrival, key_id, context, counter, time_ms, clock_status, start_ms, import_milliwh, "
    "export_milliwh, operating_s, power_milliwatt, digest"
)
_POST_READING = (
    "INSERT INTO reading SELECT " + _READING.replace("key_id", "?, key") + " FROM accepted.reading"
)


class Journal(JournalReader):
    """An append-only journal of settled periods.

    Parameters
    ----------
    path : Path or str
        The file; made if there is none.
    key : Ed25519PrivateKey, optional
        The rig's, which signs the head of every post; without it nobody does.
    lock_wait_s : float
        How long a post waits for another's lock; who must not be held up waits less. [s]
    log_bytes_max : int
        How long the log becomes before it is folded into the file, behind a post. [bytes]

    Raises
    ------
    SettlementError
        `settlement.journal_unusable` if it cannot be opened, `settlement.journal_foreign` if it is
        no journal of this version.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        key: Ed25519PrivateKey | None = None,
        lock_wait_s: float = LOCK_WAIT_S_MAX,
        log_bytes_max: int = LOG_BYTES_MAX,
    ) -> None:
        self.path = Path(path)
        self.key = key
        self._arrivals = None
        with self._telling():
            self._db = sqlite3.connect(self.path, timeout=lock_wait_s, isolation_level=None)
            try:
                kind = FileKind(APPLICATION_ID, SCHEMA_VERSION, PAGE_BYTES, schema_sql())
                if foreign := prepare(self._db, kind):
                    raise self._foreign(*foreign)
                self._db.execute("PRAGMA foreign_keys = ON")
                self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
                self._fold = Fold(self._db, log_bytes_max)
                self._take_up()
            except BaseException:
                self._db.close()
                raise

    def _take_up(self) -> None:
        """Read from where the next post goes on."""
        self._head = self.head()
        self._names = Names.read(self._db)
        self._unposted: Unposted | None = None

    def unposted(self, rows: Iterable[LedgerRow]) -> list[NumberedRow]:
        """Return those rows of a verifier's ledger that no post has yet, numbered for `post`.

        For a verifier that keeps its ledger in memory; see `Unposted`.
        """
        if self._unposted is None:
            self._unposted = Unposted(self)
        return self._unposted.of(rows)

    def enrol(
        self,
        *,
        accounts: Sequence[str] = (),
        meters: Sequence[str] = (),
        keys: Sequence[bytes] = (),
    ) -> None:
        """Number accounts, meters and key ids ahead of the period that first needs them.

        A post numbers whatever is new in it; a large rig does so once, at its enrolment.
        """
        with self._transaction():
            self._names.accounts.numbers([name.encode() for name in accounts])
            self._names.meters.numbers([name.encode() for name in meters])
            self._names.keys.numbers(keys)
            self._names.write(self._db)

    def post(
        self,
        settled: Settled,
        *,
        corrections: Sequence[Correction] = (),
        accepted: Iterable[NumberedRow] = (),
        within: Within | None = None,
    ) -> Head:
        """Post a settled period with what backs it, in one transaction.

        Parameters
        ----------
        settled : Settled
            The period as the core settled it, revision 0.
        corrections : sequence of Correction
            Of earlier periods, booked in this one.
        accepted : iterable of NumberedRow
            What the metering ledger accepted, in the order of its arrival there (`unposted`,
            `LedgerStore.rows_after`); rows that a post has already are passed over.
        within : callable, optional
            Called inside the transaction with its database and the root of the post, to add to it
            what stands or falls with it, as `outbox.add` does.

        Returns
        -------
        Head
            The head after the post.

        Raises
        ------
        SettlementError
            `settlement.already_posted` for a period or a correction that is there with whatever
            content; `settlement.period_order` for one that does not come after the last;
            `settlement.readings_overlap` if a meter's time was settled before;
            `settlement.trade_settled` if a trade was settled in another period;
            `settlement.booked_elsewhere` for a correction that belongs to another post;
            `settlement.journal_two_writers` if another process posted meanwhile;
            `settlement.journal_refused`, `settlement.journal_unusable`. Nothing is posted then.
        """
        period = settled.period
        self._check_booked_in(period, corrections)
        settlements: list[Settled | Correction] = [settled, *corrections]
        known = self._names.meters.last
        last = self.arrival_last()
        new = [row for row in accepted if row[0] > last]
        with (
            ThreadPoolExecutor(1, "post") as worker,
            self._laid_out(settlements, new, worker),
            self._transaction(),
        ):
            self._check_order(period)
            # Rust hashes while SQLite writes: neither needs the interpreter for long.
            hashed = worker.submit(_hashed, settled, corrections)
            self._names.write(self._db)
            rows = map(settlement_row, settlements)
            values = ", ".join("?" * SETTLEMENT_COLUMNS)
            self._db.executemany(f"INSERT INTO settlement VALUES ({values})", rows)
            for table in ("metered", "entry"):
                self._db.execute(f"INSERT INTO {table} SELECT * FROM posted.{table}")
            self._db.execute(_POST_READING, (period,))
            readings_digest = hashlib.sha256(b"".join([row[_DIGEST] for row in new])).digest()
            refuse_overlap(self._db, period, meters_known=known)
            added = [trade for one in corrections for trade in one.trades_added]
            trade_last = refuse_trades_again(self._db, settled, added)
            leaf_count, root = hashed.result()
            post = Post(
                period,
                settled.from_ms,
                settled.to_ms,
                self.arrival_last(),
                trade_last,
                leaf_count,
                root,
                tuple(self.settlements(period)),
                readings_digest,
            )
            head = self._post_head(post)
            if within is not None:
                within(self._db, post.root)
        self._head = head
        self._fold.after_post()
        return head

    def _check_booked_in(self, period: int, corrections: Sequence[Correction]) -> None:
        for one in corrections:
            if one.booked_in != period:
                raise SettlementError(
                    "settlement.booked_elsewhere",
                    "revision {revision} of period {corrected} is booked in period {found}, not "
                    "in {period}",
                    revision=one.revision,
                    corrected=one.period,
                    found=one.booked_in,
                    period=period,
                )

    @contextmanager
    def _laid_out(
        self,
        settlements: Sequence[Settled | Correction],
        readings: Sequence[NumberedRow],
        worker: ThreadPoolExecutor,
    ) -> Iterator[None]:
        """Open the rows of a post beside the file: `posted` and `accepted`."""

        def images() -> Iterator[tuple[str, Image]]:
            names = self._names
            # Rust lays the one out without the interpreter, which the other needs for its cells.
            posted = worker.submit(posted_image, settlements, names.accounts, names.meters)
            try:
                keys = names.keys.numbers([row[_KEY_ID] for row in readings])
                accepted = table_image("reading", f"key, {_READING}", readings, first=keys)
            finally:
                wait([posted])  # so that it numbers nothing after names are settled
            yield "accepted", accepted
            del accepted
            yield "posted", posted.result()

        with ExitStack() as opened:
            opened.callback(self._names.settle, written=False)
            try:
                opened.enter_context(beside(self._db, images()))
            except (OverflowError, ValueError) as fault:  # a number of more than 64 bits
                raise self._refused(fault) from fault
            except sqlite3.Error as fault:
                raise self._unusable(fault) from fault
            yield

    def _check_order(self, period: int) -> None:
        """Refuse a period that is posted, or that comes before one that is."""
        if self._db.execute("SELECT 1 FROM period WHERE period = ?", (period,)).fetchone():
            raise SettlementError(
                "settlement.already_posted", "period {period} is posted already", period=period
            )
        last = self._db.execute("SELECT max(period) FROM period").fetchone()[0]
        if last is not None and period < last:
            raise SettlementError(
                "settlement.period_order",
                "period {period} does not come after the last one posted, {last}",
                period=period,
                last=last,
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Begin and take the seals off; put them on and commit, or undo everything."""
        db, written = self._db, False
        try:
            db.execute("BEGIN IMMEDIATE")
            self._refuse_two_writers()
            for table in SEALED:
                db.execute(unseal_sql(table))
            yield
            for table in SEALED:
                db.execute(seal_sql(table))
            db.execute("COMMIT")
            written = True
        except (sqlite3.IntegrityError, OverflowError) as fault:
            self._roll_back()
            raise self._refused(fault) from fault
        except sqlite3.Error as fault:
            self._roll_back()
            raise self._unusable(fault) from fault
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._names.settle(written=written)

    def _refuse_two_writers(self) -> None:
        found = self.head()
        if found != self._head:
            raise SettlementError(
                "settlement.journal_two_writers",
                "{path} holds {found} posts, this process knows of {expected}",
                path=str(self.path),
                found=found.posts,
                expected=self._head.posts,
            )

    def _post_head(self, post: Post) -> Head:
        link = post.link(self._head.link)
        self._db.execute("INSERT INTO period VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*post[:7], link))
        head = Head(self._head.posts + 1, link).signed(self.key)
        if self._head.posts:
            self._db.execute(
                "UPDATE head SET posts = ?, link = ?, public_key = ?, signature = ?", head
            )
        else:
            self._db.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?)", head)
        return head

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _refused(self, fault: Exception) -> SettlementError:
        text = str(fault)
        # The triggers raise our own codes; anything else broke a constraint of the tables or has
        # more than 64 bits.
        code = text if text.startswith("settlement.") else "settlement.journal_refused"
        if text.startswith("UNIQUE constraint failed"):
            code = "settlement.already_posted"
        message = "the journal refuses what was to be posted: {fault}"
        return SettlementError(code, message, fault=text)

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it; closing twice does nothing.

        The file then needs no log: whoever reads it leaves nothing beside it, and may be without
        the right to write there. While somebody else has it open the log has to stay, and stays
        to be seen.
        """
        self._fold.wait()
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.ProgrammingError:
            return
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise self._unusable(fault) from fault
        finally:
            self._db.close()


def _hashed(settled: Settled, corrections: Sequence[Correction]) -> tuple[int, bytes]:
    """Return leaf count and root of a post."""
    tree = posted_tree(settled, corrections, threads=THREADS)
    return tree.leaf_count, tree.root(threads=THREADS)
