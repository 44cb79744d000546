"""SQLite files that survive a crash and say whose they are.

What a process has committed is there after the process, or the machine, dies (write-ahead log,
synchronous). A file of another application, or of another version, is refused.
"""

import sqlite3
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
        Just opened, in autocommit mode.
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
    db.execute(f"PRAGMA page_size = {kind.page_bytes}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    application, version = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    empty = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if empty and (application, version) == (0, 0):
        db.executescript(
            f"BEGIN IMMEDIATE; {kind.schema} PRAGMA application_id = {kind.application_id};"
            f"PRAGMA user_version = {kind.version}; COMMIT;"
        )
    elif (application, version) != (kind.application_id, kind.version):
        db.close()
        return Foreign(application, version)
    return None
