"""What a ledger that was away came to, against one that never was."""

from pathlib import Path

from gridrig._core import Verifier
from gridrig.campaign.account import Account
from gridrig.campaign.loop import Loop
from gridrig.events import EventLog
from gridrig.metering.keys import enrol_all
from gridrig.rig.description import Rig
from gridrig.settlement.journal import Journal


def differs(rig: Rig, loop: Loop) -> bool:
    """Settle a run again from its received bytes, at the times they came, and compare the heads.

    Everything is new: keys enrolled again, each record verified again, a journal of its own.
    """
    verifier, run = Verifier(), loop.account
    enrol_all(verifier, rig.keys)
    again = Account(
        run.meter_of, run.head, run.terms, run.start_utc_s, Journal(Path(":memory:")), verifier,
        EventLog(loop.clock, []),
    )  # fmt: skip
    by_period: dict[int, list[tuple[str, bytes]]] = {}
    for row in loop.rounds.received:
        if row.outcome == "verified":
            by_period.setdefault(row.period, []).append((row.meter, row.record))
    for index, records in by_period.items():
        at_s = run.start_utc_s
        cleared = None
        if index >= 0:
            cleared = loop.trading.of_period(index)
            at_s += cleared.period.end_s
        readings = {name: verifier.verify(data, at_s=at_s, meter=name) for name, data in records}
        if cleared is None:
            again.take(readings.values())
        else:
            again.settle(cleared, readings, 0.0)
    return again.journal.head() != run.journal.head()


def settled_late(loop: Loop) -> int:
    """Return how many periods had to wait for the ledger."""
    waits = [e.data["period"] for e in loop.events.ordered() if e.kind == "journal_down"]
    return len(set(waits))
