"""Whether trades keep a table of who may sell to whom, by a theorem and not by the market's parts.

The table is a set of pairs of roles. In an auction nobody has a counterparty; what was traded keeps
the table if it could have been delivered in allowed pairs alone. That is so exactly if no set of
sellers sold more than all whom they may sell to bought (Gale [1]).

References
----------
.. [1] D. Gale, "A theorem on flows in networks," Pacific Journal of Mathematics 7, 1957.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain, combinations

from gridrig.campaign.loop import Loop
from gridrig.campaign.trading import Cleared

Pairs = Collection[tuple[str, str]]
"""(role of the seller, role of the buyer)"""


def traded_by_role(cleared: Cleared, role_of: Mapping[str, str]) -> tuple[Counter[str], ...]:
    """Return what each role sold and bought in a period. [mWh]"""
    sold, bought = Counter[str](), Counter[str]()
    for trade in cleared.trades:
        side = sold if trade.side == "offer" else bought
        side[role_of[trade.participant]] += trade.energy_milliwh
    return sold, bought


def against_table_milliwh(cleared: Cleared, role_of: Mapping[str, str], allowed: Pairs) -> int:
    """Return by how much any set of sellers sold beyond what it may, or buyers bought. [mWh]"""
    sold, bought = traded_by_role(cleared, role_of)
    worst = abs(sold.total() - bought.total())
    for sellers in chain.from_iterable(combinations(sold, k) for k in range(1, len(sold) + 1)):
        may_buy = {buyer for seller, buyer in allowed if seller in sellers}
        least = sum(sold[one] for one in sellers) - sum(bought[one] for one in may_buy)
        worst = max(worst, least)
    return worst


def between_members_milliwh(cleared: Cleared, role_of: Mapping[str, str], supplier: str) -> int:
    """Return what members bought beyond what the supplier sold: each other's energy. [mWh]"""
    sold, bought = traded_by_role(cleared, role_of)
    return max(0, bought.total() - bought[supplier] - sold[supplier])


def refusals_unlike_table(loop: Loop, role_of: Mapping[str, str], allowed: Pairs) -> int:
    """Return how many orders were refused, or let pass, against the table, or without a reason."""
    told = {
        event.data["order_id"]: event.data["reason"]
        for event in loop.events.ordered()
        if event.kind == "order_refused" and event.data["code"] == "market.policy_refused"
    }
    sellers, buyers = ({pair[k] for pair in allowed} for k in (0, 1))
    unlike = 0
    for cleared in loop.trading.cleared:
        refused = {one.order_id for one in cleared.rejections}
        for order in cleared.orders:
            role = role_of[order.participant]
            may = role in (sellers if order.side == "offer" else buyers)
            reason = told.get(order.order_id, "")
            unlike += (order.order_id in refused) == may or bool(reason) == may
    return unlike


def metered_unlike_milliwh(one: Loop, other: Loop) -> int | None:
    """Return the worst difference of what a meter counted in a period of two runs. [mWh]

    None if they have not the same meters and periods.
    """

    def counted(loop: Loop) -> dict[tuple[int, str], tuple[int, int]]:
        return {
            (settled.period, meter.meter): (meter.import_milliwh, meter.export_milliwh)
            for settled in loop.account.settled
            for meter in settled.meters
        }

    first, second = counted(one), counted(other)
    if not first or first.keys() != second.keys():
        return None
    return max(abs(a - b) for key in first for a, b in zip(first[key], second[key], strict=True))
