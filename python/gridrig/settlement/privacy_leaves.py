"""What a participant has in a journal, as leaves to commit to and to open one by one.

A leaf is an entry or what a meter counted, spelled as JSON for an auditor to read. Each belongs to
one account: a meter to its participant, an entry to whoever settles with the house in it, and the
house's own to its accounts. A leaf id is `entry/PERIOD/REVISION/LINE` or `metered/PERIOD/REVISION/
METER`, and names one record for good, as a journal never replaces any.
"""

import json
from collections.abc import Iterator

from gridrig.errors import SettlementError
from gridrig.settlement.journal_reader import EntryRow, JournalReader
from gridrig.settlement.leaves import Record, records_of


def leaves_of(journal: JournalReader, account: str, period: int) -> Iterator[tuple[str, str]]:
    """Yield leaf id and payload of everything of an account that is booked in a post.

    Parameters
    ----------
    journal : JournalReader
        The journal.
    account : str
        A participant, or an account of the house.
    period : int
        The post.

    Raises
    ------
    SettlementError
        `settlement.leaf_account` if the account has nothing there.
    """
    participants = {row.participant for row in journal.metered()}
    found = False
    for record in records_of(journal, period):
        if owner_of(record, participants) == account:
            found = True
            yield leaf_id_of(record), payload_of(record)
    if not found:
        raise SettlementError(
            "settlement.leaf_account",
            "{account!r} has no record in period {period} of {path}",
            account=account,
            period=period,
            path=str(journal.path),
        )


def owner_of(record: Record, participants: set[str]) -> str:
    """Return whose record it is."""
    if not isinstance(record, EntryRow):
        return record.participant
    return record.credit if record.credit in participants else record.debit


def leaf_id_of(record: Record) -> str:
    """Return the id of a record's leaf."""
    if isinstance(record, EntryRow):
        return f"entry/{record.period}/{record.revision}/{record.line}"
    return f"metered/{record.period}/{record.revision}/{record.meter}"


def payload_of(record: Record) -> str:
    """Return a record as one line of JSON; digests are in hex."""
    fields = {k: v.hex() if isinstance(v, bytes) else v for k, v in record._asdict().items()}
    return json.dumps(fields, separators=(",", ":"))
