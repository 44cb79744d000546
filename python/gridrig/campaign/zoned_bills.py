"""Bills with the zone of each participant, and what of its metered trades no wire brought."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gridrig.campaign.relief import deliveries_of, settled_matches, settled_trades
from gridrig.market.counterparties import FINANCIAL_ONLY
from gridrig.market.zones import Network
from gridrig.settlement.bills import Bill
from gridrig.settlement.journal_reader import JournalReader


def in_zones(
    made: Sequence[Bill], journal: Path, network: Network, place: str = "zones"
) -> list[Bill]:
    """Return bills with what the zones of their run say of them.

    Parameters
    ----------
    made : sequence of Bill
    journal : Path
        The journal that they were made from.
    network : Network
        Zones, and who is in them.
    place : str
        Where that is said, for who is in none.

    Raises
    ------
    SettlementError
        `settlement.participant_without_zone`.
    """
    with JournalReader(journal) as reader, reader.snapshot():
        matches = settled_matches(settled_trades(reader), network, place)
    zone_of = network.zone_of()
    return [
        replace(
            bill,
            zone=zone_of.get(bill.participant) or "",
            financial_only_milliwh=deliveries_of(bill.participant, matches)[FINANCIAL_ONLY],
        )
        for bill in made
    ]
