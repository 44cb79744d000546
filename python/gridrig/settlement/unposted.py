"""What the metering ledger accepted and no post has yet.

Settlement is fed from here and never from the verdicts of a batch: after a crash between the commit
of the ledger and that of the journal the readings come again as `repeated`, and only the ledger
still knows that they were accepted and never posted.
"""

from collections.abc import Iterable
from typing import TypeAlias

from gridrig.errors import SettlementError
from gridrig.settlement.journal_reader import JournalReader, LedgerRow

NumberedRow: TypeAlias = tuple[
    int,
    bytes,
    str,
    int,
    int,
    str,
    int | None,
    int | None,
    int | None,
    int | None,
    int | None,
    bytes,
]
"""A `LedgerRow` with its arrival in front."""


class Unposted:
    """Numbers the rows of a verifier that keeps its ledger in memory, each once.

    A metering ledger with a file numbers its rows itself (`LedgerStore.rows_after`).

    Parameters
    ----------
    journal : JournalReader
        What is posted.
    """

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal
        self._known = {row[:3]: row[10] for row in journal.ledger_rows()}
        # Handed out, and posted only if the journal then reaches as far.
        self._given: list[tuple[int, tuple[bytes, str, int], bytes]] = []

    def of(self, rows: Iterable[LedgerRow]) -> list[NumberedRow]:
        """Return the rows that are not posted, numbered on from those that are.

        Parameters
        ----------
        rows : iterable of LedgerRow
            What `Verifier.ledger_rows` lists.

        Raises
        ------
        SettlementError
            `settlement.already_posted` if a counter is posted with another content.
        """
        last = self._journal.arrival_last()
        self._known.update(
            {counter: digest for number, counter, digest in self._given if number <= last}
        )
        new: list[NumberedRow] = []
        for row in rows:
            held = self._known.get(row[:3])
            if held is None:
                new.append((last + 1 + len(new), *row))
            elif held != row[10]:
                raise SettlementError(
                    "settlement.already_posted",
                    "counter {context}{counter} of key {key} is posted with another content",
                    context=row[1],
                    counter=row[2],
                    key=row[0].hex(),
                )
        self._given = [(row[0], row[1:4], row[11]) for row in new]
        return new
