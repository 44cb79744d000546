"""What of the metered trades of a journal stayed within its zone, and what is financial only.

Taken is what was settled, not what was traded: of a sale what the seller's meter exported
(`delivered`), of a purchase what the buyer's meter imported (`taken`), after all corrections. What
a seller did not give relieves nobody.
"""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridrig._core import Trade
from gridrig.campaign import records
from gridrig.campaign.market_zones import network_in, tables_of
from gridrig.errors import SettlementError
from gridrig.market.counterparties import DELIVERIES, LOCAL, Delivery, Match, counterparties
from gridrig.market.zones import Network
from gridrig.rig.participant_zones import network_of
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
    trades: Mapping[int, Sequence[Trade]], network: Network, place: str = "zones"
) -> dict[int, list[Match]]:
    """Return who delivered to whom in each period.

    Parameters
    ----------
    trades : mapping of int to sequence of Trade
        As `settled_trades`.
    network : Network
        The zones and who is in them.
    place : str
        Where they are named, for who is not: a file and its line.

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
                    "{place}: {participant!r} traded in period {period} and is in no zone, "
                    "expected it among the participants of one, or as main_grid",
                    place=place,
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
        if match.delivery == LOCAL:
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


def deliveries_of(participant: str, matches: Mapping[int, Sequence[Match]]) -> dict[Delivery, int]:
    """Return what a participant delivered and was delivered, by how. [mWh]"""
    sums = dict.fromkeys(DELIVERIES, 0)
    for match in (one for matched in matches.values() for one in matched):
        sums[match.delivery] += match.energy_milliwh * (participant in (match.seller, match.buyer))
    return sums


def zones_of_run(run: Path) -> Network | None:
    """Return the zones of a run: its market's, or those that its rig names.

    Both files were checked before the run. None if neither names any, and where there is no run.
    """
    path = run / records.RIG
    if not path.is_file():
        return None
    rig, scenario = (
        tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        for file in (path, run / records.SCENARIO)
    )
    tables = rig.get("participant", ())
    members = [(one["name"], one.get("zone"), one["agent"]["kind"]) for one in tables]
    zones = tables_of(scenario)
    return network_of(members) if zones is None else network_in(zones, members)
