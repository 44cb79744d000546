"""Who may read what a home used: consents, given and taken back by the home, and every asking.

    consent   an owner lets a reader read for a purpose, from a moment until another
    revoked   from that moment on; what was read before cannot be taken back, and is in the list
    asked     every asking is kept, with its answer, before anything is read

The book is SQLite, and rows are only added: who asked what, and when, is for the owner to see.

Limits: 5 s of waiting for another process's lock.

Known gap: it guards what is read through it. Whoever has the run's directory needs no consent.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from gridrig.durable_file import FileKind, prepare
from gridrig.errors import SettlementError

LOCK_WAIT_S_MAX = 5.0
_TABLES = ("consent", "revocation", "asking")
_KIND = FileKind(
    0x6772636F,  # "grco"
    1,
    4096,
    """CREATE TABLE consent (
        number INTEGER PRIMARY KEY, owner TEXT NOT NULL, reader TEXT NOT NULL,
        purpose TEXT NOT NULL, from_s INTEGER NOT NULL, until_s INTEGER NOT NULL,
        CHECK (until_s > from_s)
    ) STRICT;
    CREATE TABLE revocation (
        consent INTEGER NOT NULL REFERENCES consent (number), at_s INTEGER NOT NULL,
        PRIMARY KEY (consent, at_s)
    ) STRICT;
    CREATE TABLE asking (
        number INTEGER PRIMARY KEY, owner TEXT NOT NULL, reader TEXT NOT NULL,
        at_s INTEGER NOT NULL, what TEXT NOT NULL, consent INTEGER REFERENCES consent (number)
    ) STRICT;
    """
    + "\n".join(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END;"
        for table in _TABLES
        for verb in ("UPDATE", "DELETE")
    ),
)


class Asking(NamedTuple):
    """One asking; `consent` is the number of what allowed it, None if nothing did. [s]"""

    reader: str
    at_s: int
    what: str
    consent: int | None


class ConsentBook:
    """The consents of some homes, in a file.

    Parameters
    ----------
    path : Path or str
        The file; made if there is none.

    Raises
    ------
    SettlementError
        `settlement.consent_file`.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        try:
            self._db = sqlite3.connect(path, timeout=LOCK_WAIT_S_MAX, isolation_level=None)
            foreign = prepare(self._db, _KIND)
        except sqlite3.Error as fault:
            raise self._unusable(str(fault)) from fault
        if foreign:
            raise self._unusable("it is another kind of file")

    def give(self, owner: str, reader: str, *, purpose: str, from_s: int, until_s: int) -> int:
        """Let a reader read; return the number of the consent.

        Raises
        ------
        SettlementError
            `settlement.consent_span` unless it ends after it begins and has a purpose.
        """
        if until_s <= from_s or not purpose:
            raise SettlementError(
                "settlement.consent_span",
                "consent of {owner!r} from {from_s} s until {until_s} s for {purpose!r}: expected "
                "an end after its beginning, and a purpose",
                owner=owner,
                from_s=from_s,
                until_s=until_s,
                purpose=purpose,
            )
        row = (owner, reader, purpose, from_s, until_s)
        return self._insert("consent (owner, reader, purpose, from_s, until_s)", row)

    def revoke(self, number: int, *, owner: str, at_s: int) -> None:
        """Take a consent back from a moment on; of several moments the earliest counts.

        Raises
        ------
        SettlementError
            `settlement.consent_unknown` if the owner gave none of that number.
        """
        query = "SELECT 1 FROM consent WHERE number = ? AND owner = ?"
        if not self._rows(query, number, owner):
            raise SettlementError(
                "settlement.consent_unknown",
                "{owner!r} gave no consent {number}",
                owner=owner,
                number=number,
            )
        said = "SELECT 1 FROM revocation WHERE consent = ? AND at_s = ?"
        with self._alone():
            if not self._rows(said, number, at_s):
                self._insert("revocation", (number, at_s))

    def require(self, owner: str, reader: str, *, at_s: int, what: str) -> int:
        """Note an asking and return the consent that allows it.

        Parameters
        ----------
        owner, reader : str
            Whose, and who asks.
        at_s : int
            Now. [s since 1970]
        what : str
            What is read.

        Raises
        ------
        SettlementError
            `settlement.consent_refused` if no consent of the owner holds now; the asking is kept.
        """
        with self._alone():  # no revocation comes between the answer and its note
            found = self._rows(
                "SELECT number FROM consent WHERE owner = ? AND reader = ? "
                "AND from_s <= ? AND ? < until_s AND NOT EXISTS "
                "(SELECT 1 FROM revocation WHERE consent = number AND at_s <= ?) "
                "ORDER BY number LIMIT 1",
                *(owner, reader, at_s, at_s, at_s),
            )
            consent = found[0][0] if found else None
            self._insert(
                "asking (owner, reader, at_s, what, consent)", (owner, reader, at_s, what, consent)
            )
        if consent is None:
            raise SettlementError(
                "settlement.consent_refused",
                "{owner!r} lets {reader!r} read no {what} at {at_s} s",
                owner=owner,
                reader=reader,
                what=what,
                at_s=at_s,
            )
        return int(consent)

    def askings(self, owner: str) -> list[Asking]:
        """Return who asked for what of an owner, in order."""
        query = "SELECT reader, at_s, what, consent FROM asking WHERE owner = ? ORDER BY number"
        return [Asking(*row) for row in self._rows(query, owner)]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else write until the block ends; undo what a failed one wrote."""
        self._rows("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._rows("ROLLBACK")
            raise
        self._rows("COMMIT")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as fault:
            raise self._unusable(str(fault)) from fault

    def _insert(self, table: str, row: tuple[object, ...]) -> int:
        places = ", ".join("?" * len(row))
        try:
            return int(
                self._db.execute(f"INSERT INTO {table} VALUES ({places})", row).lastrowid or 0
            )
        except (sqlite3.Error, OverflowError) as fault:
            raise self._unusable(str(fault)) from fault

    def _unusable(self, cause: str) -> SettlementError:
        return SettlementError(
            "settlement.consent_file", "{path}: {cause}", path=self._path, cause=cause
        )

    def __enter__(self) -> Self:
        """Return the book itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._db.close()
