"""Reserves: nobody trades what it could not pay for, whatever its meters will count.

At gate closure an order is taken only if its participant holds the most that the order can cost:
the amount with fees, or the worst shortfall the rules allow. What is held for trades that are not
settled yet, and for earlier orders of the same auction, is not free. A trade is never worse than
the limit of its order, and then neither of its ends is dearer: what covers the order covers it.

Limits: an order that is filled by several trades can round more often than was reserved for, by a
millionth or two a trade. Energy outside trades, its grid fees and late corrections are not reserved
for: what they cost beyond a balance becomes a receivable.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gridrig._core import Order, SettlementRules, Trade
from gridrig.market.outcome import Refused

RESERVE_SHORT = "market.reserve_short"


@dataclass(frozen=True)
class Reserves:
    """Takes the orders that are covered.

    Parameters
    ----------
    rules : sequence of SettlementRules
        What a trade can cost at most, by each of the rules that may govern it: it has to be covered
        by all.
    held_micro : callable
        Returns what a participant's account holds; None if it trades without a bound, as the main
        grid does. [millionths]
    is_settled : callable
        Tells whether a delivery period, by its number, is posted: its trades are paid then.
    """

    rules: Sequence[SettlementRules]
    held_micro: Callable[[str], int | None]
    is_settled: Callable[[int], bool]

    def cover(
        self, orders: Sequence[Order], unsettled: Iterable[Trade]
    ) -> tuple[list[Order], list[Refused]]:
        """Part the orders of an auction, in their order of arrival.

        Parameters
        ----------
        orders : sequence of Order
            Of one auction.
        unsettled : iterable of Trade
            Trades of earlier auctions that are not paid.

        Returns
        -------
        covered : list of Order
            What may trade.
        refused : list of Refused
            The others, `market.reserve_short`.
        """
        reserved: defaultdict[str, int] = defaultdict(int)
        for trade in unsettled:
            reserved[trade.participant] += self._reserve_micro(trade)
        covered, refused = [], []
        for order in orders:
            held = self.held_micro(order.participant)
            needed = self._reserve_micro(order)
            if held is not None and needed > (free := held - reserved[order.participant]):
                message = (
                    f"order can cost {order.participant} {needed} millionths, {free} of its "
                    f"{held} are free"
                )
                refused.append(Refused(order.order_id, RESERVE_SHORT, message))
                continue
            reserved[order.participant] += needed
            covered.append(order)
        return covered, refused

    def _reserve_micro(self, one: Order | Trade) -> int:
        return max(
            rules.reserve_micro(one.side, one.energy_milliwh, one.price_micro_per_kwh)
            for rules in self.rules
        )
