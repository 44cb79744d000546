"""`gridrig relief`: what of the metered trades of a journal stayed within its zone.

Taken is what was settled, not what was traded: of a sale what the seller's meter exported
(`delivered`), of a purchase what the buyer's meter imported (`taken`), after all corrections. What
a seller did not give relieves nobody.
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from gridrig._core import Trade
from gridrig.campaign import records
from gridrig.errors import SettlementError
from gridrig.market.counterparties import DELIVERIES, Match, counterparties
from gridrig.market.zones import Network
from gridrig.quantity import MILLIWH_PER_WH
from gridrig.rig.description import load_rig
from gridrig.rig.participant_zones import network_of
from gridrig.rig.zone_file import read_zones
from gridrig.settlement.journal_commands import journal_at, unwritable
from gridrig.settlement.journal_reader import JournalReader

SIDE_OF = {"delivered": "offer", "taken": "bid"}


@dataclass(frozen=True)
class ZoneRelief:
    """Metered trades of a zone over all periods. [mWh]

    Parameters
    ----------
    zone : str
    sold_milliwh, bought_milliwh : int
        Traded, and exported or imported by the meters.
    local_milliwh : int
        Of both: sold and bought within the zone in the same period. This alone is local relief.
    carried_milliwh, main_grid_milliwh, financial_only_milliwh : int
        Sold to others less bought from them, over wires, with the main grid, and over nothing.
    imbalance_milliwh : int
        The same without a counterparty: what another had not given or not taken.
    """

    zone: str
    sold_milliwh: int
    bought_milliwh: int
    local_milliwh: int
    carried_milliwh: int
    main_grid_milliwh: int
    financial_only_milliwh: int
    imbalance_milliwh: int


def settled_trades(journal: JournalReader) -> dict[int, list[Trade]]:
    """Return what was metered of each trade, by period, as it stands after all corrections."""
    energy: Counter[tuple[int, int, str, str]] = Counter()
    for entry in journal.entries():
        if entry.trade_id is not None and entry.kind in SIDE_OF:
            # A line below zero is booked the other way round: the house is on one side of each.
            who = entry.credit if entry.debit == "clearing" else entry.debit
            energy[entry.period, entry.trade_id, who, SIDE_OF[entry.kind]] += entry.energy_milliwh
    found: defaultdict[int, list[Trade]] = defaultdict(list)
    for (period, number, who, side), milliwh in energy.items():
        if milliwh:  # prices and orders have no part in who delivers to whom
            found[period].append(Trade(number, 0, who, side, milliwh, 0))
    return dict(found)


def settled_matches(
    trades: Mapping[int, Sequence[Trade]], network: Network
) -> dict[int, list[Match]]:
    """Return who delivered to whom in each period.

    Raises
    ------
    SettlementError
        `settlement.participant_without_zone` for one that the network does not name.
    """
    zone_of = network.zone_of()
    for period, traded in trades.items():
        for trade in traded:
            if trade.participant not in zone_of:
                raise SettlementError(
                    "settlement.participant_without_zone",
                    "{participant!r} traded in period {period} and is in no zone, expected it "
                    "among the participants of one, or as main_grid",
                    participant=trade.participant,
                    period=period,
                )
    return {
        period: counterparties(traded, [zone_of[one.participant] for one in traded], network)
        for period, traded in trades.items()
    }


def zone_reliefs(
    trades: Mapping[int, Sequence[Trade]], matches: Mapping[int, Sequence[Match]], network: Network
) -> list[ZoneRelief]:
    """Return what became of the metered trades of each zone, in the order of the network."""
    zone_of = network.zone_of()
    sums: Counter[tuple[str | None, str]] = Counter()
    for trade in (one for traded in trades.values() for one in traded):
        sums[zone_of[trade.participant], trade.side] += trade.energy_milliwh
    for match in (one for matched in matches.values() for one in matched):
        if match.delivery == "local":
            sums[match.seller_zone, "local"] += match.energy_milliwh
        else:
            sums[match.seller_zone, match.delivery] += match.energy_milliwh
            sums[match.buyer_zone, match.delivery] -= match.energy_milliwh
    found = []
    for zone in (one.name for one in network.zones):
        sold, bought = sums[zone, "offer"], sums[zone, "bid"]
        local, carried, main_grid, financial = (sums[zone, one] for one in DELIVERIES)
        imbalance = sold - bought - carried - main_grid - financial
        found.append(
            ZoneRelief(zone, sold, bought, local, carried, main_grid, financial, imbalance)
        )
    return found


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
    zones = _zones_of(path) if network is None else read_zones(network)
    with JournalReader(journal_at(path)) as journal, journal.snapshot():
        trades = settled_trades(journal)
    matches = settled_matches(trades, zones)
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


def _zones_of(run: Path) -> Network:
    """Return the zones that the rig of a run names."""
    rig = run / records.RIG
    found = network_of(load_rig(rig).participants) if rig.is_file() else None
    if found is None:
        raise SettlementError(
            "settlement.zones_missing",
            "{path} names no zones of its participants, expected --network with a file of zones",
            path=str(rig),
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
