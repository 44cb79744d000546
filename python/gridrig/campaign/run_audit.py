"""`gridrig audit RUN`: the journal of a run against its signed readings and its trades.

What no journal holds is in the run directory: the records as they were received, the keys of the
rig, the trades of the market. Every reading is verified anew, with its place in the history of its
meter; every reading behind the journal has to be among them, with the same values; every trade has
to be settled with its energy, at its price, and nothing else may be.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gridrig.campaign import records
from gridrig.errors import MeteringError
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


def _reading_faults(run: Path, verified: dict[bytes, VerifiedReading]) -> Iterator[str]:
    verifier = Verifier()
    enrol_all(verifier, load_keys(run / records.RIG))
    path = run / records.READINGS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        row: dict[str, Any] = json.loads(line)
        record = row["record"].encode("utf-8", "surrogateescape")
        if row["outcome"] == "metering.other_time":
            continue  # a true reading that nobody asked for
        try:
            reading = verifier.verify(record, at_s=AT_ANY_TIME_S, meter=row["meter"])
        except MeteringError as error:
            if row["outcome"] == "verified":
                yield f"{records.READINGS} line {number}: {error}"
            continue
        verified[reading.digest] = reading
        if row["outcome"] == "verified" and row["digest"] != reading.digest.hex():
            yield f"{records.READINGS} line {number}: digest {row['digest']} is not its own"


def _trade_faults(run: Path, journal: JournalReader) -> Iterator[str]:
    path = run / records.TRADES
    if not path.is_file():
        return
    traded: dict[tuple[int, int], tuple[_Trade, int]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            trade = _Trade(row["participant"], row["side"], int(row["energy_milliwh"]))
            key = int(row["period"]), int(row["trade_id"])
            traded[key] = trade, int(row["price_micro_per_kwh"])
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
