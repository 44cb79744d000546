"""What a mechanism answers, and what the market checks of it before anybody relies on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gridrig._core import Order, Trade
from gridrig.errors import MarketError


@dataclass(frozen=True)
class Refused:
    """An order that a mechanism did not take: the rule as a stable code, and as a sentence."""

    order_id: int
    code: str
    message: str


@dataclass(frozen=True)
class ZoneOutcome:
    """One zone of an outcome; no price if nothing was traded in it. [millionths/kWh, mWh]."""

    name: str
    price_micro_per_kwh: int | None
    bought_milliwh: int
    sold_milliwh: int


@dataclass(frozen=True)
class LinkOutcome:
    """Net energy of one link, forward positive, and what was charged for it. [mWh, millionths].

    `fee_micro_per_kwh` is the fee of the way it flowed. [millionths/kWh]
    """

    name: str
    net_milliwh: int
    fee_micro: int
    fee_micro_per_kwh: int = 0


@dataclass(frozen=True)
class Outcome:
    """Trades against the clearing house, and what was refused.

    Parameters
    ----------
    trades : tuple of Trade
        Numbered from 1.
    refused : tuple of Refused
        Orders not taken.
    price_micro_per_kwh : int or None
        The one price; None if nothing was traded or if there is more than one. [millionths/kWh]
    volume_milliwh : int
        Energy bought, which is the energy sold. [mWh]
    zones, links : tuple
        Of a clearing in zones, else empty.
    fees_micro, rent_micro : int
        What links charge, and what the buyers pay beyond that and what the sellers receive:
        congestion rent. [millionths]
    """

    trades: tuple[Trade, ...]
    refused: tuple[Refused, ...] = ()
    price_micro_per_kwh: int | None = None
    volume_milliwh: int = 0
    zones: tuple[ZoneOutcome, ...] = ()
    links: tuple[LinkOutcome, ...] = ()
    fees_micro: int = 0
    rent_micro: int = 0


class _Rejected(Protocol):
    @property
    def order_id(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...


def refused(rejections: Sequence[_Rejected]) -> tuple[Refused, ...]:
    """Return the core's rejections as values that a mechanism of others can make as well."""
    return tuple(Refused(each.order_id, each.code, each.message) for each in rejections)


def check_outcome(
    mechanism: str, orders: Sequence[Order], outcome: Outcome, *, lot_milliwh: int
) -> None:
    """Check that an outcome keeps to the orders: a mechanism proposes, the market believes nobody.

    Raises
    ------
    MarketError
        `market.outcome_false`, with the first rule broken: it is an `Outcome`; trades are numbered
        from 1, each fills an order that there is, of its participant and side, with whole lots, at
        a price no worse than its limit; no order is filled beyond its energy, or filled and
        refused; the energy bought is the energy sold and the volume, and no less is paid than
        received.
    """
    if isinstance(outcome, Outcome):
        fault = _fault(orders, outcome, lot_milliwh)
    else:  # what a stranger's code may answer all the same
        fault = f"it answers {type(outcome).__name__}, no Outcome"
    if fault:
        raise MarketError(
            "market.outcome_false",
            "mechanism {mechanism} cleared what nobody ordered: {fault}",
            mechanism=mechanism,
            fault=fault,
        )


def _fault(orders: Sequence[Order], outcome: Outcome, lot_milliwh: int) -> str:
    by_number = {order.order_id: order for order in orders}
    refused_numbers = {one.order_id for one in outcome.refused}
    left = {number: order.energy_milliwh for number, order in by_number.items()}
    bought = sold = worth = 0
    for number, trade in enumerate(outcome.trades, start=1):
        order = by_number.get(trade.order_id)
        what = f"trade {trade.trade_id}"
        if trade.trade_id != number:
            return f"{what} comes as number {number}"
        if order is None or trade.order_id in refused_numbers:
            return f"{what} fills order {trade.order_id}, which was not taken"
        if (trade.participant, trade.side) != (order.participant, order.side):
            return f"{what} is not of order {trade.order_id}"
        energy, price, limit = (
            trade.energy_milliwh,
            trade.price_micro_per_kwh,
            order.price_micro_per_kwh,
        )
        if energy <= 0 or energy % lot_milliwh:
            return f"{what} of {energy} mWh is no whole number of lots of {lot_milliwh} mWh"
        left[trade.order_id] -= energy
        if left[trade.order_id] < 0:
            return f"{what} fills order {trade.order_id} beyond its energy"
        buys = trade.side == "bid"
        if (price > limit) if buys else (price < limit):
            return f"{what} at {price} micro/kWh is worse than the limit {limit}"
        bought, sold = bought + energy * buys, sold + energy * (not buys)
        worth += energy * price * (1 if buys else -1)
    if not bought == sold == outcome.volume_milliwh:
        return f"{bought} mWh bought, {sold} mWh sold, volume {outcome.volume_milliwh} mWh"
    return "less is paid than received" if worth < 0 else ""
