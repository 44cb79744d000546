"""Who traded with whom, and whether a network carries it or it is financial only.

Trades are made against the clearing house, so that nobody needs to know the other side. Where a
market spans several distribution networks, the sides matter all the same: energy sold to a buyer in
another network, which no wire joins to the seller's, relieves nobody's feeder. It is a contract for
money, *financial only*.

The sides are found in this order, in each step by rising number of trades:

1. `local`: within a zone, as much as both sides of it traded;
2. `carried`: what a zone has left, as far as the links that are wires carry it to others at once;
3. `main-grid`: with the main grid, which is connected to every zone;
4. `financial-only`: all other, across zones.

So what is called financial only is the least that it can be. What one side has more than the other
has no counterpart: of energy that was metered (`gridrig relief`), it came from imbalance.

Limits: fees, links of the main grid, and limits of zones do not say what a wire carries, and are
not looked at here.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from gridrig._core import AuctionRules, Order, Trade, clear_zonal
from gridrig.errors import MarketError
from gridrig.market.zones import Link, Network, Zone

Delivery = Literal["local", "carried", "main-grid", "financial-only"]
LOCAL: Delivery = "local"
FINANCIAL_ONLY: Delivery = "financial-only"
DELIVERIES: tuple[Delivery, ...] = (LOCAL, "carried", "main-grid", FINANCIAL_ONLY)


@dataclass(frozen=True)
class Match:
    """Energy of one trade that sold and one that bought.

    Parameters
    ----------
    seller_trade_id, buyer_trade_id : int
    seller, buyer : str
    seller_zone, buyer_zone : str or None
        None for the main grid.
    energy_milliwh : int
        [mWh]
    delivery : {"local", "carried", "main-grid", "financial-only"}
        What brings it from the one to the other, if anything does.
    """

    seller_trade_id: int
    buyer_trade_id: int
    seller: str
    buyer: str
    seller_zone: str | None
    buyer_zone: str | None
    energy_milliwh: int
    delivery: Delivery


@dataclass
class _Left:
    """A trade and what of it has no counterpart yet. [mWh]"""

    trade: Trade
    zone: str | None
    energy_milliwh: int


class _Book:
    """What has no counterpart yet, by zone and side, each in the order of the trades' numbers."""

    def __init__(self, trades: Sequence[Trade], zones: Sequence[str | None]) -> None:
        self._queues: defaultdict[tuple[str | None, str], deque[_Left]] = defaultdict(deque)
        both = zip(trades, zones, strict=True)
        for trade, zone in sorted(both, key=lambda one: one[0].trade_id):
            self._queues[zone, trade.side].append(_Left(trade, zone, trade.energy_milliwh))

    def left(self, zone: str | None, side: str) -> int:
        return sum(one.energy_milliwh for one in self._queues[zone, side])

    def match(
        self, delivery: Delivery, sold: str | None, bought: str | None, most: int | None = None
    ) -> Iterator[Match]:
        """Yield matches between offers of one zone and bids of another, up to an energy."""
        offers, bids = self._queues[sold, "offer"], self._queues[bought, "bid"]
        while offers and bids and most != 0:
            offer, bid = offers[0], bids[0]
            energy = min(offer.energy_milliwh, bid.energy_milliwh)
            if most is not None:
                energy = min(energy, most)
                most -= energy
            if energy:
                yield Match(
                    offer.trade.trade_id,
                    bid.trade.trade_id,
                    offer.trade.participant,
                    bid.trade.participant,
                    offer.zone,
                    bid.zone,
                    energy,
                    delivery,
                )
            for queue, one in ((offers, offer), (bids, bid)):
                one.energy_milliwh -= energy
                if not one.energy_milliwh:
                    queue.popleft()


def counterparties(
    trades: Sequence[Trade], zones: Sequence[str | None], network: Network
) -> list[Match]:
    """Match the trades of one delivery period, and say what is financial only.

    Parameters
    ----------
    trades : sequence of Trade
        Of one period; their order does not matter, their numbers do.
    zones : sequence of str or None
        The zone of each; None for the main grid.
    network : Network
        Its links say what is carried between zones; the financial ones carry nothing.

    Returns
    -------
    list of Match
        Local ones first, zone by zone in the order of the network.

    Raises
    ------
    MarketError
        `market.zone_unknown` for a zone that the network does not have.

    Examples
    --------
    >>> two = Network((Zone("hill"), Zone("valley")))
    >>> traded = [Trade(1, 1, "roof", "offer", 5_000, 100_000),
    ...           Trade(2, 2, "hut", "bid", 2_000, 100_000),
    ...           Trade(3, 3, "mill", "bid", 3_000, 100_000)]
    >>> for one in counterparties(traded, ["hill", "hill", "valley"], two):
    ...     print(one.buyer, one.energy_milliwh, one.delivery)
    hut 2000 local
    mill 3000 financial-only
    """
    names = [zone.name for zone in network.zones]
    for zone in zones:
        if zone is not None and zone not in names:
            raise MarketError(
                "market.zone_unknown",
                "a trade in zone {zone!r}, expected one of {names}",
                zone=zone,
                names=", ".join(names),
            )
    book = _Book(trades, zones)
    found = [match for name in names for match in book.match(LOCAL, name, name)]
    surplus = {name: book.left(name, "offer") - book.left(name, "bid") for name in names}
    for sold, bought, energy in _carried(surplus, network):
        found += book.match("carried", sold, bought, energy)
    for name in names:
        found += book.match("main-grid", None, name)
        found += book.match("main-grid", name, None)
    for sold in names:
        for bought in names:
            if sold != bought:
                found += book.match(FINANCIAL_ONLY, sold, bought)
    return found


@dataclass(frozen=True)
class Mark:
    """What the zones say of a trade.

    Parameters
    ----------
    zone : str or None
        None for the main grid.
    financial_only_milliwh : int
        What of it no wire brings to its counterparty. [mWh]
    """

    zone: str | None
    financial_only_milliwh: int


def marks(
    trades: Sequence[Trade], zones: Sequence[str | None], network: Network
) -> dict[int, Mark]:
    """Return the mark of each trade of a period, by its number; as `counterparties`."""
    financial: Counter[int] = Counter()
    for match in counterparties(trades, zones, network):
        if match.delivery == FINANCIAL_ONLY:
            financial[match.seller_trade_id] += match.energy_milliwh
            financial[match.buyer_trade_id] += match.energy_milliwh
    both = zip(trades, zones, strict=True)
    return {trade.trade_id: Mark(zone, financial[trade.trade_id]) for trade, zone in both}


def financial_only_milliwh(marked: Iterable[Mark]) -> int:
    """Return what of the trades of a period is financial only, counted once. [mWh]"""
    return sum(mark.financial_only_milliwh for mark in marked) // 2  # it is at either end


def _carried(surplus: dict[str, int], network: Network) -> Iterator[tuple[str, str, int]]:
    """Yield from, to and energy of as much as wires carry at once out of zones that have too much.

    The most that they carry is a clearing in which everybody with a surplus asks nothing and
    everybody without bids one tick; of all such flows it takes the shortest ways.
    """
    wires = tuple(
        link for link in network.links if not (link.financial or network.is_of_main_grid(link))
    )
    if not wires:
        return
    zones = [name for name in surplus if surplus[name]]
    free = Network(
        tuple(Zone(zone.name) for zone in network.zones),
        tuple(
            replace(link, forward_fee_micro_per_kwh=0, backward_fee_micro_per_kwh=0)
            for link in wires
        ),
    )
    orders = [
        Order(number, name, "offer" if surplus[name] > 0 else "bid", abs(surplus[name]),
              0 if surplus[name] > 0 else 1)
        for number, name in enumerate(zones)
    ]  # fmt: skip
    rules = AuctionRules(lot_milliwh=1, tick_micro_per_kwh=1)
    cleared = clear_zonal(orders, [free.number(name) for name in zones], free.native(), rules)
    given = {trade.participant: trade.energy_milliwh for trade in cleared.trades}
    flows = _forward(wires, cleared.columns.net_milliwh)
    for sold in (name for name in zones if surplus[name] > 0):
        while given.get(sold):
            way = _way(sold, flows, {name for name in given if surplus[name] < 0 and given[name]})
            ends = (given[sold], given[way[-1]])
            energy = min(*ends, *(flows[step] for step in pairwise(way)))
            for step in pairwise(way):
                flows[step] -= energy
            given[sold] -= energy
            given[way[-1]] -= energy
            yield sold, way[-1], energy


def _forward(wires: Sequence[Link], net_milliwh: Sequence[int]) -> dict[tuple[str, str], int]:
    """Return what flows from zone to zone, in the direction in which it flows. [mWh]"""
    flows: defaultdict[tuple[str, str], int] = defaultdict(int)
    for link, net in zip(wires, net_milliwh, strict=True):
        ends = (link.first, link.second) if net >= 0 else (link.second, link.first)
        flows[ends] += abs(net)
    return dict(flows)


def _way(start: str, flows: dict[tuple[str, str], int], ends: set[str]) -> list[str]:
    """Follow what flows from a zone to the first that needs it; nothing flows in a circle."""
    way = [start]
    while way[-1] not in ends:
        way.append(next(b for (a, b), flow in flows.items() if a == way[-1] and flow))
    return way
