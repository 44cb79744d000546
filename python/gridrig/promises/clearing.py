"""Whether an auction gave what its rule gives, by a second way that shares no code with it."""

from collections import defaultdict

from gridrig.campaign.trading import Cleared


def is_unlike_rule(cleared: Cleared) -> bool:
    """Tell whether a uniform-price auction broke its rule.

    Kept must be: bought is sold; one price; no buyer pays more and no seller gets less than its
    limit; no order is filled beyond its energy; and no price whatever would have moved more energy.
    """
    orders = {order.order_id: order for order in cleared.orders}
    filled: defaultdict[int, int] = defaultdict(int)
    moved = {"bid": 0, "offer": 0}
    for trade in cleared.trades:
        order = orders[trade.order_id]
        price, limit = trade.price_micro_per_kwh, order.price_micro_per_kwh
        beyond = price > limit if order.side == "bid" else price < limit
        if beyond or order.side != trade.side or order.participant != trade.participant:
            return True
        filled[trade.order_id] += trade.energy_milliwh
        moved[trade.side] += trade.energy_milliwh
    prices = {trade.price_micro_per_kwh for trade in cleared.trades}
    overfilled = any(energy > orders[number].energy_milliwh for number, energy in filled.items())
    most = _most_energy(cleared)
    return moved["bid"] != moved["offer"] or len(prices) > 1 or overfilled or moved["bid"] != most


def _most_energy(cleared: Cleared) -> int:
    """Return the most energy that any one price can move, trying every limit. [mWh]"""
    refused = {one.order_id for one in cleared.rejections}
    orders = [order for order in cleared.orders if order.order_id not in refused]
    most = 0
    for price in {order.price_micro_per_kwh for order in orders}:
        wanted = sum(
            o.energy_milliwh for o in orders if o.side == "bid" and o.price_micro_per_kwh >= price
        )
        offered = sum(
            o.energy_milliwh for o in orders if o.side == "offer" and o.price_micro_per_kwh <= price
        )
        most = max(most, min(wanted, offered))
    return most
