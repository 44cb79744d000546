"""`gridrig audit RUN`: the journal of a run against its signed readings and its trades.

What no journal holds is in the run directory: the records as they were received, the keys of the
rig, the trades of the market. Every reading is verified anew, with its place in the history of its
meter; every reading behind the journal has to be among them, with the same values; every trade has
to be settled with its energy, at its price, and nothing else may be. The rules of every period have
to be those that the scenario of the run says. Zones, their prices and what links carried have to be
what the orders give. Then every period is settled again by the core, and has to come out as it was
posted.
"""

import csv
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gridrig.campaign import records
from gridrig.campaign.received_readings import received_readings
from gridrig.campaign.run_resettled import Agreed, resettled_faults
from gridrig.campaign.run_rules import rule_faults
from gridrig.campaign.run_zones import Flow, cleared_again, zone_faults
from gridrig.errors import CampaignError, GridrigError, MeteringError
from gridrig.market.auction import Trade
from gridrig.metering import VerifiedReading, Verifier, enrol_all
from gridrig.metering.trust_file import load_keys
from gridrig.rig.device import HEAD
from gridrig.settlement.journal_commands import audit_command, journal_at
from gridrig.settlement.journal_reader import JournalReader

_MET = {"delivered": "offer", "taken": "bid"}
_SIDES = {**_MET, "shortfall": "offer", "untaken": "bid"}


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
        trades: dict[tuple[int, int], Trade] = {}
        rows, again = _trade_rows(run / records.TRADES), cleared_again(run)
        yield from _read_trades(rows, trades)
        yield from zone_faults(run, again, rows, journal.periods())
        yield from _trade_faults(journal, trades)
        yield from rule_faults(run, journal)
        by_period: dict[int, list[Trade]] = defaultdict(list)
        for (period, _), trade in trades.items():
            by_period[period].append(trade)
        yield from resettled_faults(journal, verified, by_period, _agreed(run, again.flows()))


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
                reading = verifier.verify(
                    received.record, at_s=received.received_s, meter=received.meter
                )
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


def _agreed(run: Path, flows: Mapping[int, Sequence[Flow]] | None) -> Agreed:
    """Read who the feeder head is and what is paid in; the files were checked before the run."""
    rig, scenario = (
        tomllib.loads((run / name).read_text(encoding="utf-8"))
        for name in (records.RIG, records.SCENARIO)
    )
    heads = [one["name"] for one in rig.get("device", ()) if one.get("measures") == HEAD]
    table = scenario.get("market", {}).get("settlement", {})
    return Agreed(next(iter(heads), None), table.get("deposit_micro"), flows)


def _read_trades(
    rows: Sequence[Mapping[str, str]], trades: dict[tuple[int, int], Trade]
) -> Iterator[str]:
    """Read the trades of a run by period and number; yield what is none."""
    for number, row in enumerate(rows, 2):
        try:
            period, trade_id, energy, price = (
                int(row[name])
                for name in ("period", "trade_id", "energy_milliwh", "price_micro_per_kwh")
            )
            # Which order it fills has no part in its settlement.
            trade = Trade(trade_id, 0, row["participant"], row["side"], energy, price)
        except (GridrigError, KeyError, ValueError, TypeError, OverflowError):
            yield f"{records.TRADES} line {number}: found {list(row.values())}, expected a trade"
        else:
            trades[period, trade_id] = trade


def _trade_faults(journal: JournalReader, trades: dict[tuple[int, int], Trade]) -> Iterator[str]:
    posted = set(journal.periods())
    settled: dict[tuple[int, int], int] = defaultdict(int)
    for entry in journal.entries():
        if entry.trade_id is None:
            continue
        key = entry.period, entry.trade_id
        where = f"period {entry.period}, line {entry.line}"
        if key not in trades:
            yield f"{where}: trade {entry.trade_id} was never made"
            continue
        trade, price = trades[key], trades[key].price_micro_per_kwh
        settled[key] += entry.energy_milliwh
        account = entry.debit if entry.credit == "clearing" else entry.credit
        if (account, _SIDES.get(entry.kind)) != (trade.participant, trade.side):
            made = f"{trade.side} of {trade.participant}"
            yield f"{where}: {entry.kind} of {account} is not the {made}"
        if entry.kind in _MET and entry.price_micro_per_kwh != price:
            yield f"{where}: price {entry.price_micro_per_kwh}, traded at {price}"
    for (period, number), trade in trades.items():
        found = settled[period, number]
        if period in posted and found != trade.energy_milliwh:
            yield (
                f"period {period}, trade {number}: {trade.energy_milliwh} mWh traded, {found} mWh "
                "settled"
            )
