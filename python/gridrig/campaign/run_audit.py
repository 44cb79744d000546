"""`gridrig audit RUN`: the journal of a run against its signed readings and its trades.

What no journal holds is in the run directory: the records as they were received, the keys of the
rig, the trades of the market. Every reading is verified anew, with its place in the history of its
meter; every reading behind the journal has to be among them, with the same values; every trade has
to be settled with its energy, at its price, and nothing else may be.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gridrig.campaign import records
from gridrig.campaign.received_readings import received_readings
from gridrig.errors import CampaignError, MeteringError
from gridrig.metering import VerifiedReading, Verifier, enrol_all
from gridrig.metering.keys import load_keys
from gridrig.metering.reading_ledger import AT_ANY_TIME_S
from gridrig.settlement.journal_commands import audit_command, journal_at
from gridrig.settlement.journal_reader import JournalReader

_MET = {"delivered": "offer", "taken": "bid"}
_SIDES = {**_MET, "shortfall": "offer", "untaken": "bid"}


class _Trade(NamedTuple):
    participant: str
    side: str
    energy_milliwh: int


def audit_run_command(run: Path, *, head: str | None, as_json: bool) -> int:
    """Recompute the journal of a run from its readings, trades and rules; return the exit code."""
    journal_at(run)
    return audit_command(run, head=head, as_json=as_json, beside=list(run_faults(run)))


def run_faults(run: Path) -> Iterator[str]:
    """Yield what the journal of a run says that its readings and trades do not.

    Parameters
    ----------
    run : Path
        The run directory.

    Raises
    ------
    GridrigError
        If the journal or the rig's keys cannot be read.
    """
    verified: dict[bytes, VerifiedReading] = {}
    yield from _reading_faults(run, verified)
    with JournalReader(journal_at(run)) as journal, journal.snapshot():
        for row in journal.reading_rows():
            reading = verified.get(row.digest)
            where = f"reading {row.arrival}, {row.digest.hex()}"
            if reading is None:
                yield f"{where}: {records.READINGS} has no such reading that can be verified"
                continue
            for name in ("time_ms", "import_milliwh", "export_milliwh"):
                said, found = getattr(reading, name), getattr(row, name)
                if said != found and reading.start_ms is None:
                    yield f"{where}: {name} {found} in the journal, {said} signed"
        yield from _trade_faults(run, journal)


def _trade_rows(path: Path) -> list[dict[str, str]]:
    """Return the trades of a run; one without a file has none, and then no entry may have one."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        return list(csv.DictReader(file))


def _reading_faults(run: Path, verified: dict[bytes, VerifiedReading]) -> Iterator[str]:
    verifier = Verifier()
    enrol_all(verifier, load_keys(run / records.RIG))
    try:
        for received in received_readings(run):
            if received.outcome == "metering.other_time":
                continue  # a true reading that nobody asked for
            where = f"{records.READINGS} line {received.line}"
            try:
                reading = verifier.verify(received.record, at_s=AT_ANY_TIME_S, meter=received.meter)
            except MeteringError as error:
                if received.outcome == "verified":
                    yield f"{where}: {error}"
                continue
            verified[reading.digest] = reading
            if received.outcome == "verified" and received.digest != reading.digest.hex():
                yield f"{where}: digest {received.digest} is not its own"
    except CampaignError as malformed:
        yield malformed.message
    except FileNotFoundError:
        return  # what the journal names is then missed, reading by reading


def _trade_faults(run: Path, journal: JournalReader) -> Iterator[str]:
    traded: dict[tuple[int, int], tuple[_Trade, int]] = {}
    rows = _trade_rows(run / records.TRADES)
    for number, row in enumerate(rows, 2):
        try:
            trade = _Trade(row["participant"], row["side"], int(row["energy_milliwh"]))
            key = int(row["period"]), int(row["trade_id"])
            traded[key] = trade, int(row["price_micro_per_kwh"])
        except (KeyError, ValueError, TypeError):
            yield f"{records.TRADES} line {number}: found {list(row.values())}, expected a trade"
    posted = set(journal.periods())
    settled: dict[tuple[int, int], int] = defaultdict(int)
    for entry in journal.entries():
        if entry.trade_id is None:
            continue
        key = entry.period, entry.trade_id
        where = f"period {entry.period}, line {entry.line}"
        if key not in traded:
            yield f"{where}: trade {entry.trade_id} was never made"
            continue
        trade, price = traded[key]
        settled[key] += entry.energy_milliwh
        account = entry.debit if entry.credit == "clearing" else entry.credit
        if (account, _SIDES.get(entry.kind)) != trade[:2]:
            yield f"{where}: {entry.kind} of {account} is not the {trade.side} of {trade[0]}"
        if entry.kind in _MET and entry.price_micro_per_kwh != price:
            yield f"{where}: price {entry.price_micro_per_kwh}, traded at {price}"
    for (period, number), (trade, _) in traded.items():
        found = settled[period, number]
        if period in posted and found != trade.energy_milliwh:
            yield (
                f"period {period}, trade {number}: {trade.energy_milliwh} mWh traded, {found} mWh "
                "settled"
            )
