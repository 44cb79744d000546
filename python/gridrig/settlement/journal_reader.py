"""A journal opened to be read: by anybody, as often as one likes, while it is being written.

Each answer is of one state of the file; `snapshot` holds one state over several questions. A reader
changes nothing, waits for nobody, and keeps no writer waiting.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

from gridrig.errors import SettlementError
from gridrig.settlement.journal_head import GENESIS, Head
from gridrig.settlement.journal_schema import APPLICATION_ID, SCHEMA_VERSION

LedgerRow: TypeAlias = tuple[
    bytes, str, int, int, str, int | None, int | None, int | None, int | None, int | None, bytes
]
"""As `Verifier.ledger_rows` lists them."""

LOCK_WAIT_S_MAX = 5.0


class EntryRow(NamedTuple):
    """A payment: the debited account pays, the credited one is paid.

    Parameters
    ----------
    period, revision, booked_in : int
        Which settlement of which period, and the period of the post that holds it.
    line : int
        Number within that settlement, from 1.
    """

    period: int
    revision: int
    booked_in: int
    line: int
    kind: str
    debit: str
    credit: str
    amount_micro: int
    energy_milliwh: int
    price_micro_per_kwh: int
    trade_id: int | None
    meter: str | None


class MeteredRow(NamedTuple):
    """What a meter counted in a period; `readings` are the digests behind it, 32 bytes each."""

    period: int
    revision: int
    booked_in: int
    meter: str
    participant: str
    from_ms: int
    to_ms: int
    import_milliwh: int
    export_milliwh: int
    quality: str
    readings: bytes


class ReadingRow(NamedTuple):
    """What the journal keeps of a reading."""

    arrival: int
    posted_in: int
    digest: bytes
    time_ms: int
    start_ms: int | None
    import_milliwh: int | None
    export_milliwh: int | None


class PostRow(NamedTuple):
    """A post: a period settled for the first time, with the corrections booked in it."""

    period: int
    from_ms: int
    to_ms: int
    arrival_last: int
    trade_last: int
    leaf_count: int
    root: bytes
    link: bytes


class JournalReader:
    """A journal, read only.

    Parameters
    ----------
    path : Path or str
        The file.

    Raises
    ------
    SettlementError
        `settlement.journal_unusable` if it cannot be read, `settlement.journal_foreign` if it is no
        journal of this version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._arrivals: dict[bytes, int] | None = None
        with self._telling():
            self._db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=LOCK_WAIT_S_MAX,
                isolation_level=None,
            )
            try:
                self._check_kind()
            except BaseException:
                self._db.close()
                raise

    def _check_kind(self) -> None:
        found = [
            int(self._db.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("application_id", "user_version")
        ]
        if found != [APPLICATION_ID, SCHEMA_VERSION]:
            raise self._foreign(*found)

    def _foreign(self, application: int, version: int) -> SettlementError:
        return SettlementError(
            "settlement.journal_foreign",
            "{path} is not a journal of version {expected}, found application {application}, "
            "version {version}",
            path=str(self.path),
            expected=SCHEMA_VERSION,
            application=application,
            version=version,
        )

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell of what SQLite refuses by our own name."""
        try:
            yield
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault

    def _unusable(self, fault: sqlite3.Error) -> SettlementError:
        return SettlementError(
            "settlement.journal_unusable", "{path}: {fault}", path=str(self.path), fault=str(fault)
        )

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold one state of the file: whatever is posted meanwhile is not seen."""
        with self._telling():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def _rows(
        self, select: str, parameters: tuple[int | str, ...] = ()
    ) -> Iterator[tuple[Any, ...]]:
        with self._telling():
            yield from self._db.execute(select, parameters)

    def periods(self) -> list[int]:
        """Return the numbers of the periods posted, rising."""
        return [row[0] for row in self._rows("SELECT period FROM period ORDER BY period")]

    def posts(self) -> list[PostRow]:
        """Return every post, in order."""
        columns = ", ".join(PostRow._fields)
        return [PostRow(*row) for row in self._rows(f"SELECT {columns} FROM period ORDER BY 1")]

    def head(self) -> Head:
        """Return the head as the file states it; `Head.is_signed` tells whether to believe it."""
        for row in self._rows("SELECT posts, link, public_key, signature FROM head"):
            return Head(*row)
        return Head(0, GENESIS)

    def entries(self) -> Iterator[EntryRow]:
        """Yield every entry in canonical order: by period, revision and line."""
        for period, revision, *_ in self.settlements():
            yield from self.entries_of(period, revision)

    def entries_of(self, period: int, revision: int = 0) -> Iterator[EntryRow]:
        """Yield the entries of one settlement, by line."""
        yield from map(EntryRow._make, self._of("named_entry", EntryRow, "line", period, revision))

    def metered(self) -> Iterator[MeteredRow]:
        """Yield what every meter counted, by period, revision, participant and name."""
        for period, revision, *_ in self.settlements():
            yield from self.metered_of(period, revision)

    def metered_of(self, period: int, revision: int = 0) -> Iterator[MeteredRow]:
        """Yield what the meters of one settlement counted, by participant and name."""
        order = "participant, meter"
        found = self._of("named_metered", MeteredRow, order, period, revision)
        yield from map(MeteredRow._make, found)

    def _of(
        self, view: str, row: type[EntryRow | MeteredRow], order: str, period: int, revision: int
    ) -> Iterator[tuple[Any, ...]]:
        yield from self._rows(
            f"SELECT {', '.join(row._fields)} FROM {view} WHERE period = ? AND revision = ? "
            f"ORDER BY {order}",
            (period, revision),
        )

    def settlements(self, booked_in: int | None = None) -> list[tuple[Any, ...]]:
        """Return rows of the table `settlement`, of one post or all, by period and revision."""
        if booked_in is None:
            return list(self._rows("SELECT * FROM settlement ORDER BY 1, 2"))
        select = "SELECT * FROM settlement WHERE booked_in = ? ORDER BY 1, 2"
        return list(self._rows(select, (booked_in,)))

    def ledger_rows(self) -> list[LedgerRow]:
        """Return what the metering ledger accepted, for `Verifier.restore`, by key and counter."""
        return list(
            self._rows(
                "SELECT key_id, context, counter, time_ms, clock_status, start_ms, import_milliwh, "
                "export_milliwh, operating_s, power_milliwatt, digest FROM reading JOIN key "
                "USING (key) ORDER BY key_id, context, counter"
            )
        )

    def trades_of(self, period: int, revision: int) -> list[int]:
        """Return the trades that entries of a settlement are for, rising."""
        select = (
            "SELECT DISTINCT trade_id FROM entry WHERE period = ? AND revision = ? "
            "AND trade_id >= 0 ORDER BY trade_id"
        )
        return [int(row[0]) for row in self._rows(select, (period, revision))]

    def arrival_last(self) -> int:
        """Return up to which arrival in the metering ledger readings are posted; 0 if none is."""
        return int(next(self._rows("SELECT coalesce(max(arrival), 0) FROM reading"))[0])

    def readings_of(self, period: int) -> Iterator[bytes]:
        """Yield the digests of the readings posted in a period, by arrival."""
        select = (
            "SELECT digest FROM reading WHERE arrival <= (SELECT arrival_last FROM period WHERE "
            "period = ?1) AND arrival > (SELECT coalesce(max(arrival_last), 0) FROM period WHERE "
            "period < ?1) ORDER BY arrival"
        )
        for (digest,) in self._rows(select, (period,)):
            yield digest

    def reading(self, digest: bytes) -> ReadingRow | None:
        """Return a reading by the digest of its signed bytes; None if it is not posted."""
        if self._arrivals is None:
            self._arrivals = dict(self._rows("SELECT digest, arrival FROM reading"))
        arrival = self._arrivals.get(digest)
        if arrival is None:
            return None
        return next(self.reading_rows("WHERE arrival = ?", arrival))

    def reading_rows(self, where: str = "", *parameters: int) -> Iterator[ReadingRow]:
        """Yield the readings that are posted, by arrival."""
        columns = ", ".join(ReadingRow._fields)
        select = f"SELECT {columns} FROM reading {where} ORDER BY arrival"
        yield from map(ReadingRow._make, self._rows(select, parameters))

    def booked_in(self, period: int, revision: int) -> int | None:
        """Return the period of the post that holds a settlement; None if no post does."""
        select = "SELECT booked_in FROM settlement WHERE period = ? AND revision = ?"
        return next((row[0] for row in self._rows(select, (period, revision))), None)

    def energy_by_account(self) -> Iterator[tuple[str, str, int]]:
        """Yield account, kind and energy of every line, of the one who settles with the house."""
        yield from self._rows(
            "SELECT a.name, k.word, e.energy_milliwh FROM entry e "
            "JOIN account a USING (account) JOIN kind k USING (kind)"
        )

    def rows_by_post(self) -> list[tuple[str, int, int]]:
        """Return table, period posted in and count of whatever belongs to a post."""
        return list(
            self._rows(
                "SELECT 'reading', posted_in, count(*) FROM reading GROUP BY 2 UNION ALL "
                "SELECT 'settlement', booked_in, count(*) FROM settlement GROUP BY 2 UNION ALL "
                "SELECT 'entry', coalesce(booked_in, -1), count(*) FROM entry LEFT JOIN settlement "
                "USING (period, revision) GROUP BY 2 UNION ALL "
                "SELECT 'metered', coalesce(booked_in, -1), count(*) FROM metered LEFT JOIN "
                "settlement USING (period, revision) GROUP BY 2"
            )
        )

    def page_faults(self) -> Iterator[str]:
        """Yield what SQLite finds wrong with the file itself."""
        for (text,) in self._rows("PRAGMA integrity_check(10)"):
            if text != "ok":
                yield f"file: {text}"

    def balances(self) -> dict[str, int]:
        """Return what each account was paid less what it paid, by name. [millionths]"""
        sums: dict[int, int] = {}
        # Summed here and not in SQL, whose sums stop at 64 bits.
        for debit, credit, amount in self._rows("SELECT debit, credit, amount_micro FROM entry"):
            sums[debit] = sums.get(debit, 0) - amount
            sums[credit] = sums.get(credit, 0) + amount
        names = dict(self._rows("SELECT account, name FROM account"))
        return dict(sorted((names[account], amount) for account, amount in sums.items()))

    def sum_of_all_micro(self) -> int:
        """Return the sum over all accounts, which is 0. [millionths]"""
        return sum(self.balances().values())

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._db.close()

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the journal."""
        self.close()
