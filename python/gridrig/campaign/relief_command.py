"""`gridrig relief`: what stayed within each zone as a table, who delivered to whom as a file."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from gridrig.campaign.records import RIG
from gridrig.campaign.relief import (
    ZoneRelief,
    settled_matches,
    settled_trades,
    zone_reliefs,
    zones_of_run,
)
from gridrig.errors import SettlementError
from gridrig.market.counterparties import Match
from gridrig.market.zones import Network
from gridrig.quantity import MILLIWH_PER_WH
from gridrig.rig.zone_file import place_of_zones, read_zones
from gridrig.settlement.journal_commands import journal_at, unwritable
from gridrig.settlement.journal_reader import JournalReader


def relief_command(path: Path, network: Path | None, *, out: Path | None, as_json: bool) -> int:
    """Print what stayed within each zone; write who delivered to whom into a file if asked to.

    Parameters
    ----------
    path : Path
        A journal, or a run directory.
    network : Path or None
        A file of zones that names the participants of each; None for the zones of the run's rig.
    out : Path or None
        CSV with one row a match, by period.
    as_json : bool

    Raises
    ------
    SettlementError
        `settlement.journal_missing`, `settlement.participant_without_zone`,
        `settlement.output_unwritable`, `settlement.zones_missing`.
    RigError
        `market.zone_file`.
    """
    found = journal_at(path)
    zones = _zones(path, network)
    place = str(path / RIG) if network is None else place_of_zones(network)
    with JournalReader(found) as journal, journal.snapshot():
        trades = settled_trades(journal)
    matches = settled_matches(trades, zones, place)
    reliefs = zone_reliefs(trades, matches, zones)
    if out is not None:
        try:
            _write(out, matches)
        except OSError as fault:
            raise unwritable(out, fault) from fault
    if as_json:
        print(json.dumps({"zones": [asdict(one) for one in reliefs]}, indent=1))
    else:
        Console(file=sys.stdout, width=120).print(_table(reliefs))
    return 0


def _zones(path: Path, network: Path | None) -> Network:
    found = zones_of_run(path) if network is None else read_zones(network)
    if found is None:
        raise SettlementError(
            "settlement.zones_missing",
            "no rig at {path} names the zones of its participants, expected --network with a "
            "file of zones",
            path=str(path),
        )
    return found


def _write(path: Path, matches: Mapping[int, Sequence[Match]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("period", *(field.name for field in fields(Match))))
        writer.writerows(_rows(matches))


def _rows(matches: Mapping[int, Sequence[Match]]) -> Iterator[tuple[object, ...]]:
    for period, matched in sorted(matches.items()):
        for match in matched:
            yield (period, *astuple(match))


def _table(reliefs: Sequence[ZoneRelief]) -> Table:
    table = Table(box=box.SIMPLE, caption="kWh as metered; out of the zone is positive")
    table.add_column("zone")
    for head in ("sold", "bought", "local", "carried", "main grid", "financial only", "imbalance"):
        table.add_column(head, justify="right")
    for one in reliefs:
        zone, *energies = astuple(one)
        table.add_row(zone, *(f"{energy / (1_000 * MILLIWH_PER_WH):.3f}" for energy in energies))
    return table
