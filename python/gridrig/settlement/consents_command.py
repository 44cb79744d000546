"""`gridrig consent`: let somebody read, take it back, read under it, see who asked."""

import json
from datetime import datetime
from pathlib import Path

from gridrig.clock.wall_time import utc_now
from gridrig.errors import SettlementError
from gridrig.settlement.consents import ConsentBook
from gridrig.settlement.privacy_command import leaves_command


def give_command(book: Path, owner: str, reader: str, *, purpose: str, until: str) -> int:
    """Let a reader read from now on; print the number of the consent."""
    with ConsentBook(book) as consents:
        number = consents.give(
            owner, reader, purpose=purpose, from_s=_now_s(), until_s=_seconds(until)
        )
    print(f"consent {number}: {owner} lets {reader} read for {purpose} until {until}")
    return 0


def revoke_command(book: Path, owner: str, number: int) -> int:
    """Take a consent back from now on."""
    with ConsentBook(book) as consents:
        consents.revoke(number, owner=owner, at_s=_now_s())
    print(f"consent {number} of {owner} is taken back")
    return 0


def read_command(book: Path, run: Path, owner: str, reader: str, *, period: int) -> int:
    """Print what an owner has in a period of a run, if it lets the reader."""
    with ConsentBook(book) as consents:
        consents.require(owner, reader, at_s=_now_s(), what=f"period {period} of {run.name}")
    return leaves_command(run, owner, period)


def asked_command(book: Path, owner: str) -> int:
    """Print who asked for what of an owner, a JSON object a line."""
    with ConsentBook(book) as consents:
        for asking in consents.askings(owner):
            print(json.dumps(asking._asdict()))
    return 0


def _now_s() -> int:
    return _seconds(utc_now())


def _seconds(text: str) -> int:
    """Return a moment. [s since 1970]"""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("it has no zone")
    except ValueError as fault:
        raise SettlementError(
            "settlement.consent_time",
            "found {text!r} ({fault}), expected a time with its zone, such as "
            "2026-06-30T00:00:00+02:00",
            text=text,
            fault=str(fault),
        ) from fault
    return int(moment.timestamp())
