"""SQLite files that survive a crash and say whose they are.

What a process has committed is there after the process, or the machine, dies (write-ahead log,
synchronous). A file of another application, or of another version, is refused and stays as it is,
to its last byte and with whatever lies beside it.
"""

import sqlite3
from pathlib import Path
from typing import NamedTuple


class FileKind(NamedTuple):
    """What a file is, as SQLite's header and schema tell."""

    application_id: int
    version: int
    page_bytes: int
    schema: str


class Foreign(NamedTuple):
    """What a file is that is not of the kind asked for."""

    application: int
    version: int


def prepare(db: sqlite3.Connection, kind: FileKind) -> Foreign | None:
    """Make an open file durable, and give an empty one its kind.

    Parameters
    ----------
    db : sqlite3.Connection
        Just opened, in autocommit mode; nothing was asked of it yet.
    kind : FileKind
        What the file has to be.

    Returns
    -------
    Foreign or None
        What it is instead; the connection is closed then.

    Raises
    ------
    sqlite3.Error
        If it cannot be read or written.
    """
    # A file in WAL mode is changed by opening it: its log is folded in when the last one closes it.
    if foreign := _peek(db, kind) or _look(db, kind):
        db.close()
        return foreign
    db.execute(f"PRAGMA page_size = {kind.page_bytes}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    if _is_empty(db):
        db.execute("BEGIN IMMEDIATE")
        if _is_empty(db):  # nobody made it meanwhile
            # `executescript` commits what is open before it begins.
            for statement in _statements(kind.schema):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {kind.application_id}")
            db.execute(f"PRAGMA user_version = {kind.version}")
        db.execute("COMMIT")
    foreign = _look(db, kind)
    if foreign is not None:
        db.close()
    return foreign


def _peek(db: sqlite3.Connection, kind: FileKind) -> Foreign | None:
    """Look at the file alone, without its log and without a lock."""
    name = db.execute("PRAGMA database_list").fetchone()[2]
    path = Path(name)
    if not name or not path.exists() or path.stat().st_size == 0:
        return None
    peek = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return _look(peek, kind)
    except sqlite3.DatabaseError:
        # No database, which opening it tells without a write; or one whose log was being folded in
        # when the power failed, which opening it repairs.
        return None
    finally:
        peek.close()


def _look(db: sqlite3.Connection, kind: FileKind) -> Foreign | None:
    application, version = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("application_id", "user_version")
    )
    if (application, version) == (kind.application_id, kind.version):
        return None
    if (application, version) == (0, 0) and _is_empty(db):
        return None
    return Foreign(application, version)


def _is_empty(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0)


def _statements(script: str) -> list[str]:
    """Part a script into its statements, each with its semicolon."""
    statements, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            statements.append(begun)
            begun = ""
    if begun.strip():
        statements.append(begun)
    return statements
