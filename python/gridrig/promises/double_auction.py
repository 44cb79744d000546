"""A double auction at one price in plain Python, beside which a clearing is judged."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridrig._core import Order, Trade


@dataclass(frozen=True)
class Auction:
    """What the rule gives: energy, and the lowest and highest price that supports it.

    Without energy there are no prices. [mWh, millionths/kWh]
    """

    energy_milliwh: int
    lowest_micro_per_kwh: int = 0
    highest_micro_per_kwh: int = 0

    def middle(self, tick: int) -> int:
        """Return the middle of the prices, floored to a tick. [millionths/kWh]"""
        return (self.lowest_micro_per_kwh + self.highest_micro_per_kwh) // 2 // tick * tick


def auction(orders: Sequence[Order]) -> Auction:
    """Merge bids by falling and offers by rising price until they no longer meet."""
    bids = sorted((o for o in orders if o.side == "bid"), key=lambda o: -o.price_micro_per_kwh)
    offers = sorted((o for o in orders if o.side == "offer"), key=lambda o: o.price_micro_per_kwh)
    energy = bid = offer = bid_left = offer_left = 0
    low: list[int] = []
    high: list[int] = []
    while True:
        if not bid_left:
            bid_left = bids[bid].energy_milliwh if bid < len(bids) else 0
        if not offer_left:
            offer_left = offers[offer].energy_milliwh if offer < len(offers) else 0
        met = min(bid_left, offer_left)
        if not met or bids[bid].price_micro_per_kwh < offers[offer].price_micro_per_kwh:
            break
        low, high = [offers[offer].price_micro_per_kwh], [bids[bid].price_micro_per_kwh]
        energy, bid_left, offer_left = energy + met, bid_left - met, offer_left - met
        bid += not bid_left
        offer += not offer_left
    if not energy:
        return Auction(0)
    # What is left over wants the price on its own side of its limit; partly filled orders are both.
    low += [order.price_micro_per_kwh for order in bids[bid : bid + 1]]
    high += [order.price_micro_per_kwh for order in offers[offer : offer + 1]]
    return Auction(energy, max(low), min(high))


def is_unlike_auction(orders: Sequence[Order], trades: Sequence[Trade], tick: int) -> bool:
    """Tell whether trades are not those of a double auction at one price, the middle one.

    Kept must be: bought is sold and is what the rule gives, at its price; nobody beyond its limit
    or its energy; who is better than the price has everything, who is worse has nothing; and what
    buyers pay is what sellers are paid.
    """
    rule, by_number = auction(orders), {order.order_id: order for order in orders}
    filled = dict.fromkeys(by_number, 0)
    moved, cash = {"bid": 0, "offer": 0}, 0
    for trade in trades:
        order = by_number.get(trade.order_id)
        if order is None or (order.participant, order.side) != (trade.participant, trade.side):
            return True
        filled[order.order_id] += trade.energy_milliwh
        moved[trade.side] += trade.energy_milliwh
        worth = trade.energy_milliwh * trade.price_micro_per_kwh
        cash += worth if trade.side == "bid" else -worth
    if moved != dict.fromkeys(("bid", "offer"), rule.energy_milliwh) or cash:
        return True
    price = rule.middle(tick)
    if any(trade.price_micro_per_kwh != price for trade in trades):
        return True
    return any(_wrongly_filled(order, filled[order.order_id], price) for order in orders if trades)


def _wrongly_filled(order: Order, filled: int, price: int) -> bool:
    better = order.price_micro_per_kwh - price
    if order.side == "offer":
        better = -better
    if better > 0:
        return filled != order.energy_milliwh
    return bool(filled) if better < 0 else filled > order.energy_milliwh
