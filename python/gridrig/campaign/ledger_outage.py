"""An outage of the ledger's database: another connection holds its file, and nobody can write.

It is no model of one: what a post meets is SQLite's own refusal.
"""

import sqlite3
from pathlib import Path

from gridrig.errors import CampaignError


class LedgerOutage:
    """Takes the ledger down and gives it back.

    Parameters
    ----------
    journal : Path
        The file.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._holder: sqlite3.Connection | None = None

    def begin(self) -> None:
        """Lock the file; a second time changes nothing.

        Raises
        ------
        CampaignError
            `campaign.ledger_in_memory` if there is no file that could be held.
        """
        if self._holder is not None:
            return
        if not self._journal.is_file():
            raise CampaignError(
                "campaign.ledger_in_memory",
                "{path} is no file: expected a journal on disk to take down",
                path=str(self._journal),
            )
        holder = sqlite3.connect(self._journal, timeout=0, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        self._holder = holder

    def end(self) -> None:
        """Let the file go; without an outage nothing happens."""
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.execute("ROLLBACK")
            holder.close()
