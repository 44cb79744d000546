"""The journal: settled periods, what backs them, and who owes whom, in one SQLite file.

Invariants: a period is posted whole or not at all, in one transaction with its readings and the
verifier's ledger rows; no row changes or goes; no two periods of a meter overlap in time. The file
holds no time of its own: the same posts make the same bytes once it is closed.

Limits: integers of 64 bits, as the core makes them; 5 s of waiting for another process's lock.

Known gap: the triggers bind whoever writes through SQLite, not whoever edits the file; that it was
not edited is for the signed manifest of the run to say.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from gridrig._core import Settled, VerifiedReading
from gridrig.durable_file import FileKind, prepare
from gridrig.errors import SettlementError
from gridrig.settlement.journal_schema import (
    APPLICATION_ID,
    PAGE_BYTES,
    SCHEMA_VERSION,
    schema_sql,
)

LedgerRow: TypeAlias = tuple[Any, ...]  # as `Verifier.ledger_rows` lists them

LOCK_WAIT_S_MAX = 5.0

ENTRY_COLUMNS = (
    "period",
    "entry_id",
    "kind",
    "debit",
    "credit",
    "amount_micro",
    "energy_milliwh",
    "price_micro_per_kwh",
    "trade_id",
    "meter",
    "opening_digest",
    "closing_digest",
)
_LEDGER_COLUMNS = (
    "key_id, context, counter, time_ms, clock_status, start_ms, import_milliwh, export_milliwh, "
    "operating_s, power_milliwatt, digest"
)


class Journal:
    """An append-only journal of settled periods.

    Parameters
    ----------
    path : Path or str
        The file; made if there is none.

    Raises
    ------
    SettlementError
        `settlement.journal_unusable` if it cannot be opened, `settlement.journal_foreign` if it is
        no journal of this version.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self._db = sqlite3.connect(self.path, timeout=LOCK_WAIT_S_MAX, isolation_level=None)
            self._prepare()
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault

    def _prepare(self) -> None:
        kind = FileKind(APPLICATION_ID, SCHEMA_VERSION, PAGE_BYTES, schema_sql())
        if foreign := prepare(self._db, kind):
            raise SettlementError(
                "settlement.journal_foreign",
                "{path} is not a journal of version {expected}, found application {application}, "
                "version {version}",
                path=str(self.path),
                expected=SCHEMA_VERSION,
                application=foreign.application,
                version=foreign.version,
            )
        self._db.execute("PRAGMA foreign_keys = ON")

    def post(
        self,
        period: int,
        settled: Settled,
        readings: Iterable[VerifiedReading] = (),
        ledger_rows: Sequence[LedgerRow] = (),
    ) -> None:
        """Post a settled period with what backs it, in one transaction.

        Parameters
        ----------
        period : int
            Number of the delivery period, which has to be that of `settled`.
        settled : Settled
            The period as the core settled it.
        readings : iterable of VerifiedReading
            Readings accepted since the last post; those behind the period are posted anyway.
        ledger_rows : sequence of LedgerRow
            What `Verifier.ledger_rows` lists; rows posted before are passed over.

        Raises
        ------
        SettlementError
            `settlement.already_posted` for a period or a counter with another content,
            `settlement.readings_overlap` if a meter's readings cover time that was settled before,
            `settlement.period_mismatch`, `settlement.journal_refused`,
            `settlement.journal_unusable`. Nothing is posted then.
        """
        if period != settled.period:
            raise SettlementError(
                "settlement.period_mismatch",
                "period {period} is posted with the entries of period {found}",
                period=period,
                found=settled.period,
            )
        pairs = settled.meters
        behind = [reading for pair in pairs for reading in (pair.opening, pair.closing)]
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
            self._post_readings([*behind, *readings])
            self._post_ledger(ledger_rows)
            db.execute(
                "INSERT INTO period VALUES (?, ?, ?, ?, ?, ?)",
                (
                    period,
                    settled.exported_milliwh,
                    settled.imported_milliwh,
                    settled.losses_milliwh,
                    settled.long_price_micro_per_kwh,
                    settled.short_price_micro_per_kwh,
                ),
            )
            db.executemany(
                "INSERT INTO metered VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        period,
                        pair.meter,
                        pair.participant,
                        pair.opening.digest,
                        pair.closing.digest,
                        pair.from_ms,
                        pair.to_ms,
                    )
                    for pair in pairs
                ),
            )
            db.executemany(
                f"INSERT INTO entry VALUES ({', '.join('?' * len(ENTRY_COLUMNS))})",
                ([getattr(entry, name) for name in ENTRY_COLUMNS] for entry in settled.entries),
            )
            db.execute("COMMIT")
        except (sqlite3.IntegrityError, OverflowError) as fault:
            self._roll_back()
            raise self._refused(period, fault) from fault
        except sqlite3.Error as fault:
            self._roll_back()
            raise self._unusable(fault) from fault
        except BaseException:
            self._roll_back()
            raise

    def _post_readings(self, readings: Iterable[VerifiedReading]) -> None:
        rows = (
            (
                r.digest,
                r.meter,
                r.serial,
                r.key_id,
                r.context,
                r.counter,
                r.time_ms,
                r.clock_status,
                r.import_milliwh,
                r.export_milliwh,
            )
            for r in readings
        )
        self._db.executemany(
            "INSERT INTO reading SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 "
            "WHERE NOT EXISTS (SELECT 1 FROM reading WHERE digest = ?1)",
            rows,
        )

    def _post_ledger(self, rows: Sequence[LedgerRow]) -> None:
        # A row already there with another digest is not passed over: it runs into its trigger.
        self._db.executemany(
            "INSERT INTO ledger SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE "
            "NOT EXISTS (SELECT 1 FROM ledger WHERE key_id = ?1 AND context = ?2 "
            "AND counter = ?3 AND digest = ?11)",
            rows,
        )

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _refused(self, period: int, fault: Exception) -> SettlementError:
        text = str(fault)
        # The triggers raise our own codes; anything else broke a constraint of the tables or has
        # more than 64 bits.
        code = text if text.startswith("settlement.") else "settlement.journal_refused"
        message = "the journal refuses period {period}: {fault}"
        return SettlementError(code, message, period=period, fault=text)

    def _unusable(self, fault: sqlite3.Error) -> SettlementError:
        return SettlementError(
            "settlement.journal_unusable", "{path}: {fault}", path=str(self.path), fault=str(fault)
        )

    def ledger_rows(self) -> list[LedgerRow]:
        """Return the verifier's rows, for `Verifier.restore`, by key, context and counter."""
        select = f"SELECT {_LEDGER_COLUMNS} FROM ledger ORDER BY key_id, context, counter"
        return self._db.execute(select).fetchall()

    def periods(self) -> list[int]:
        """Return the numbers of the periods posted, rising."""
        return [row[0] for row in self._db.execute("SELECT period FROM period ORDER BY period")]

    def entries(self) -> Iterator[tuple[int | str | bytes | None, ...]]:
        """Yield every entry as a row of `ENTRY_COLUMNS`, by period and number."""
        columns = ", ".join(ENTRY_COLUMNS)
        yield from self._db.execute(f"SELECT {columns} FROM entry ORDER BY period, entry_id")

    def balances(self) -> dict[str, int]:
        """Return what each account was paid less what it paid, by name. [millionths]"""
        sums: dict[str, int] = {}
        # Summed here and not in SQL, whose sums stop at 64 bits.
        for debit, credit, amount in self._db.execute(
            "SELECT debit, credit, amount_micro FROM entry"
        ):
            sums[debit] = sums.get(debit, 0) - amount
            sums[credit] = sums.get(credit, 0) + amount
        return dict(sorted(sums.items()))

    def sum_of_all_micro(self) -> int:
        """Return the sum over all accounts, which is 0. [millionths]"""
        return sum(self.balances().values())

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it; closing twice does nothing.

        The file then needs no log: whoever reads it leaves nothing beside it, and may be without
        the right to write there. While somebody else has it open the log has to stay, and stays
        to be seen.
        """
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
