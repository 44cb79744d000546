"""What bills need of a journal: energy by participant and period, and balances."""

import sqlite3
from pathlib import Path

from gridrig.settlement.audit import counted
from gridrig.settlement.bills import Metered
from gridrig.settlement.journal import Journal

_SELECT = """SELECT m.participant, m.opening_ms, m.closing_ms, o.time_ms, c.time_ms,
    o.import_milliwh, c.import_milliwh, o.export_milliwh, c.export_milliwh
    FROM metered m JOIN reading o ON o.digest = m.opening_digest
    JOIN reading c ON c.digest = m.closing_digest ORDER BY m.period, m.meter"""


def billed(path: Path) -> tuple[list[Metered], dict[str, int]]:
    """Return every metered period of a journal, and every account's balance. [millionths]

    Raises
    ------
    SettlementError
        `settlement.journal_unusable`, `settlement.journal_foreign`.
    """
    with Journal(path) as journal:
        balances = journal.balances()
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    rows = []
    for row in db.execute(_SELECT):
        name, from_ms, to_ms, opening_ms, closing_ms, import_o, import_c, export_o, export_c = row
        span = (opening_ms, closing_ms, from_ms, to_ms)
        rows.append(
            Metered(
                name,
                from_ms // 1000,
                (to_ms - from_ms) // 1000,
                counted(import_o, import_c, *span),
                counted(export_o, export_c, *span),
            )
        )
    db.close()
    return rows, balances
