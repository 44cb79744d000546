"""Folding a journal's log into its file, behind the posts.

A post is durable when it is in the log; that it is copied into the file as well can wait until
nobody does. SQLite's own way is to copy inside the commit that finds the log long, which doubles
what a large post writes before it is acknowledged.

Invariants: whatever the log holds, a reader sees; a fold that fails or is cut off leaves the log,
and the next one does its work.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

LOG_BYTES_MAX = 64 << 20
"""How long a log becomes before it is folded in, unless stated: 64 MiB."""


class Fold:
    """Folds the log of one journal, one time after the other.

    Parameters
    ----------
    db : sqlite3.Connection
        Its writer, whose commits then fold nothing.
    log_bytes_max : int
        How long its log becomes before it is folded in. [bytes]
    """

    def __init__(self, db: sqlite3.Connection, log_bytes_max: int) -> None:
        # As SQLite names it: links are followed, and a journal in memory has none.
        self._path: str = db.execute("PRAGMA database_list").fetchone()[2]
        self._log_bytes_max = log_bytes_max
        self._worker: ThreadPoolExecutor | None = None
        self._folding: Future[None] | None = None
        db.execute("PRAGMA wal_autocheckpoint = 0")
        # A log that was folded becomes short again.
        db.execute(f"PRAGMA journal_size_limit = {log_bytes_max}")

    def after_post(self) -> None:
        """Begin to fold if the log is long and no fold is going on."""
        if not self._path or (self._folding is not None and not self._folding.done()):
            return
        if Path(f"{self._path}-wal").stat().st_size > self._log_bytes_max:
            if self._worker is None:
                self._worker = ThreadPoolExecutor(1, "journal-fold")
            self._folding = self._worker.submit(_fold, self._path)

    def wait(self) -> None:
        """Wait until nothing is being folded; what failed is left in the log."""
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None


def _fold(path: str) -> None:
    """Copy what no reader needs in the log any more, and let the writer write meanwhile."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        db.close()
