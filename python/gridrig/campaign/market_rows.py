"""What a run records of its trades, and of the zones and links of its market."""

from collections.abc import Iterator, Sequence

from gridrig.campaign.records import LinkRow, TradeRow, ZoneRow
from gridrig.campaign.trading import Cleared
from gridrig.market.counterparties import Mark
from gridrig.market.outcome import LinkOutcome, ZoneOutcome
from gridrig.market.zones import Network


def trade_rows(cleared: Cleared) -> Iterator[TradeRow]:
    """Yield the trades of a period, with their zones if there are any."""
    for trade in cleared.trades:
        mark = None if cleared.marks is None else cleared.marks[trade.trade_id]
        yield TradeRow(
            cleared.period.index,
            trade.trade_id,
            trade.order_id,
            trade.participant,
            trade.side,
            trade.energy_milliwh,
            trade.price_micro_per_kwh,
            *mark_cells(mark),
        )


def mark_cells(mark: Mark | None) -> tuple[str, int | None]:
    """Return the last two cells of a trade's row."""
    return ("", None) if mark is None else (mark.zone or "", mark.financial_only_milliwh)


def zone_rows(period: int, zones: Sequence[ZoneOutcome]) -> Iterator[ZoneRow]:
    """Yield the zones of a period."""
    for zone in zones:
        yield ZoneRow(
            period, zone.name, zone.price_micro_per_kwh, zone.bought_milliwh, zone.sold_milliwh
        )


def link_rows(
    period: int, links: Sequence[LinkOutcome], network: Network, lot_milliwh: int
) -> Iterator[LinkRow]:
    """Yield the links of a period; they are those of the network, in its order."""
    for link, limits in zip(links, network.links, strict=False):  # none where trading is stopped
        forward = link.net_milliwh >= 0
        most = limits.forward_milliwh_max if forward else limits.backward_milliwh_max
        full = bool(link.net_milliwh) and abs(link.net_milliwh) + lot_milliwh > most
        fee = link.fee_micro_per_kwh if link.net_milliwh else 0
        yield LinkRow(period, link.name, link.net_milliwh, fee, link.fee_micro, full)
