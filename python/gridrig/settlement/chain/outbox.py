"""The outbox: signed transactions, written in the same commit as what they report.

Whoever posts a period adds its transaction inside the same SQLite transaction: either both are
there after a crash or neither is. Nothing here asks a node; the nonce is the next one of the
account in this file.

Invariants: rows are only added; an account's nonces are consecutive from the one it was enrolled
with; one row per account, subject and attempt. The same call again is no second row.

Limits: the account belongs to this file alone. A nonce that another program uses is reported by
the sender as `chain.nonce_taken`.
"""

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Self

from gridrig.errors import SettlementError
from gridrig.settlement.chain.calls import Call
from gridrig.settlement.chain.signer import Signer
from gridrig.settlement.chain.terms import Terms

_COLUMNS = "chain_id, sender, nonce, subject, attempt, written_ms, matched_ms, hash, raw"

_TABLES = (
    """CREATE TABLE IF NOT EXISTS chain_account (
        chain_id INTEGER NOT NULL CHECK (chain_id > 0),
        sender BLOB NOT NULL CHECK (length(sender) = 20),
        nonce_first INTEGER NOT NULL CHECK (nonce_first >= 0),
        PRIMARY KEY (chain_id, sender)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS chain_outbox (
        chain_id INTEGER NOT NULL,
        sender BLOB NOT NULL,
        nonce INTEGER NOT NULL,
        subject TEXT NOT NULL,
        attempt INTEGER NOT NULL CHECK (attempt >= 0),
        call_digest BLOB NOT NULL CHECK (length(call_digest) = 32),
        written_ms INTEGER NOT NULL,
        matched_ms INTEGER CHECK (matched_ms <= written_ms),
        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
        raw BLOB NOT NULL,
        PRIMARY KEY (chain_id, sender, nonce),
        UNIQUE (chain_id, sender, subject, attempt),
        FOREIGN KEY (chain_id, sender) REFERENCES chain_account (chain_id, sender)
    ) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS chain_outbox_nonce BEFORE INSERT ON chain_outbox
    WHEN NEW.nonce IS NOT (
        SELECT coalesce(
            (SELECT max(nonce) + 1 FROM chain_outbox
             WHERE chain_id = a.chain_id AND sender = a.sender), a.nonce_first)
        FROM chain_account a WHERE a.chain_id = NEW.chain_id AND a.sender = NEW.sender)
    BEGIN SELECT RAISE(ABORT, 'settlement.chain_nonce'); END""",
    *(
        f"""CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END"""
        for table in ("chain_account", "chain_outbox")
        for verb in ("UPDATE", "DELETE")
    ),
)


@dataclass(frozen=True)
class OutboxRow:
    """A signed transaction as it is kept.

    Parameters
    ----------
    written_ms, matched_ms : int
        When it was written, and when the market had matched what it reports, where it reports a
        match. [UTC ms]
    """

    chain_id: int
    sender: bytes
    nonce: int
    subject: str
    attempt: int
    written_ms: int
    matched_ms: int | None
    hash: bytes
    raw: bytes

    @classmethod
    def last_of(
        cls, db: sqlite3.Connection, sender: bytes, chain_id: int, subject: str
    ) -> Self | None:
        """Return the last attempt at a subject."""
        row = db.execute(
            f"SELECT {_COLUMNS} FROM chain_outbox WHERE chain_id = ? AND sender = ? AND "
            "subject = ? ORDER BY attempt DESC LIMIT 1",
            (chain_id, sender, subject),
        ).fetchone()
        return None if row is None else cls(*row)


def enrol(db: sqlite3.Connection, sender: bytes, chain_id: int, *, nonce_first: int) -> None:
    """Make the tables where they are missing, and say from which nonce an account goes on.

    Enrolling again with the same nonce does nothing.

    Raises
    ------
    SettlementError
        `settlement.chain_account_taken` if the account was enrolled with another nonce,
        `settlement.chain_no_transaction` outside a transaction.
    """
    _inside(db)
    for statement in _TABLES:
        db.execute(statement)
    known = db.execute(
        "SELECT nonce_first FROM chain_account WHERE chain_id = ? AND sender = ?",
        (chain_id, sender),
    ).fetchone()
    if known is None:
        db.execute("INSERT INTO chain_account VALUES (?, ?, ?)", (chain_id, sender, nonce_first))
    elif known[0] != nonce_first:
        raise SettlementError(
            "settlement.chain_account_taken",
            "account 0x{sender} on chain {chain_id} began at nonce {known}, not {found}",
            sender=sender.hex(),
            chain_id=chain_id,
            known=known[0],
            found=nonce_first,
        )


def add(
    db: sqlite3.Connection,
    call: Call,
    signer: Signer,
    terms: Terms,
    *,
    written_ms: int,
    matched_ms: int | None = None,
    attempt: int = 0,
) -> OutboxRow:
    """Sign a call and write it, inside the transaction that the caller has open.

    Parameters
    ----------
    db : sqlite3.Connection
        The journal's database, with a transaction begun and not yet committed.
    call : Call
        What is asked of the chain. The same call again returns the row it has.
    written_ms, matched_ms : int
        Now, and when the market had matched. [UTC ms]
    attempt : int
        Counted from 0; a further one when `ChainClocks.failure` of the last says why.

    Raises
    ------
    SettlementError
        `settlement.chain_no_transaction`, `settlement.chain_account_unknown`,
        `settlement.chain_subject_taken` if the subject stands for another call,
        `settlement.chain_attempt` if attempts are left out. Nothing is written then.
    """
    _inside(db)
    digest = hashlib.sha256((call.target or b"").ljust(20, b"\0") + call.data).digest()
    last = OutboxRow.last_of(db, signer.address, terms.chain_id, call.subject)
    if last is not None and last.attempt == attempt:
        _same_call(db, last, digest)
        return last
    if attempt != (0 if last is None else last.attempt + 1):
        raise SettlementError(
            "settlement.chain_attempt",
            "attempt {attempt} at {subject} does not follow {last}",
            attempt=attempt,
            subject=call.subject,
            last="none" if last is None else last.attempt,
        )
    nonce = _next_nonce(db, signer.address, terms.chain_id)
    raw, hash_ = signer.sign(call, terms, nonce)
    row = OutboxRow(
        terms.chain_id,
        signer.address,
        nonce,
        call.subject,
        attempt,
        written_ms,
        matched_ms,
        hash_,
        raw,
    )
    db.execute(
        f"INSERT INTO chain_outbox ({_COLUMNS}, call_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*vars(row).values(), digest),
    )
    return row


def rows(
    db: sqlite3.Connection, sender: bytes, chain_id: int, *, nonce_from: int = 0
) -> list[OutboxRow]:
    """Return the transactions of an account from a nonce on; none before it is enrolled."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'chain_outbox'").fetchone():
        return []
    found = db.execute(
        f"SELECT {_COLUMNS} FROM chain_outbox WHERE chain_id = ? AND sender = ? AND nonce >= ? "
        "ORDER BY nonce",
        (chain_id, sender, nonce_from),
    )
    return [OutboxRow(*row) for row in found]


def _inside(db: sqlite3.Connection) -> None:
    if not db.in_transaction:
        raise SettlementError(
            "settlement.chain_no_transaction",
            "a transaction is added inside the commit of what it reports: begin one first",
        )


def _next_nonce(db: sqlite3.Connection, sender: bytes, chain_id: int) -> int:
    found = db.execute(
        "SELECT coalesce((SELECT max(nonce) + 1 FROM chain_outbox WHERE chain_id = a.chain_id AND "
        "sender = a.sender), a.nonce_first) FROM chain_account a WHERE chain_id = ? AND sender = ?",
        (chain_id, sender),
    ).fetchone()
    if found is None:
        raise SettlementError(
            "settlement.chain_account_unknown",
            "account 0x{sender} is not enrolled on chain {chain_id}",
            sender=sender.hex(),
            chain_id=chain_id,
        )
    return int(found[0])


def _same_call(db: sqlite3.Connection, row: OutboxRow, digest: bytes) -> None:
    kept = db.execute("SELECT call_digest FROM chain_outbox WHERE hash = ?", (row.hash,)).fetchone()
    if kept[0] != digest:
        raise SettlementError(
            "settlement.chain_subject_taken",
            "{subject} was signed with another content, as nonce {nonce} of 0x{sender}",
            subject=row.subject,
            nonce=row.nonce,
            sender=row.sender.hex(),
        )
