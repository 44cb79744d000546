"""Who may trade with whom: a table that the market's operator enters, applied before clearing.

A policy parts the market into segments, each with its sellers and its buyers. An order goes into
the first segment that takes its participant on its side, and is cleared against the others there
and nobody else; an order that no segment takes is refused with the policy's reason. The table says
what is allowed in a scenario. It is no statement on what the law allows anywhere.

Limits: an order is in one segment, so a price is formed in each by itself; what one segment leaves
over does not go to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridrig._core import Order, Trade
from gridrig.market.agents import Side
from gridrig.market.mechanisms import Mechanism
from gridrig.market.outcome import Outcome, Refused

POLICY_REFUSED = "market.policy_refused"


@dataclass(frozen=True)
class Segment:
    """Who may sell to whom: roles such as "producer" and "grid", or names of participants."""

    sellers: tuple[str, ...]
    buyers: tuple[str, ...]

    def takes(self, side: Side, names: set[str]) -> bool:
        """Tell whether one who goes by these names may trade on a side here."""
        return not names.isdisjoint(self.buyers if side == "bid" else self.sellers)


@dataclass(frozen=True)
class Policy:
    """A table of segments.

    Parameters
    ----------
    name : str
        What people call it.
    segments : tuple of Segment
        In the order in which they are asked.
    reason : str
        Why an order that none of them takes is refused, as a sentence without a full stop.
    """

    name: str
    segments: tuple[Segment, ...]
    reason: str


def clear_under(
    policy: Policy, orders: Sequence[Order], role_of: Mapping[str, str], mechanism: Mechanism
) -> Outcome:
    """Clear each segment of a policy by itself.

    Parameters
    ----------
    policy : Policy
        The table.
    orders : sequence of Order
        All of an auction.
    role_of : mapping of str to str
        By which role a participant is named in the table, beside its own name.
    mechanism : Mechanism
        What clears a segment.

    Returns
    -------
    Outcome
        Trades of all segments, numbered from 1; the price is None where segments have different
        ones.
    """
    parts: list[list[Order]] = [[] for _ in policy.segments]
    refused: list[Refused] = []
    for order in orders:
        role = role_of.get(order.participant, "")
        names = {order.participant, role}
        for segment, part in zip(policy.segments, parts, strict=True):
            if segment.takes(order.side, names):
                part.append(order)
                break
        else:
            deed = "buy" if order.side == "bid" else "sell"
            message = f"{order.participant} ({role}) may not {deed}: {policy.reason}"
            refused.append(Refused(order.order_id, POLICY_REFUSED, message))
    outcomes = [mechanism.clear(part) for part in parts]
    trades = [trade for outcome in outcomes for trade in outcome.trades]
    prices = {one.price_micro_per_kwh for one in outcomes if one.price_micro_per_kwh is not None}
    return Outcome(
        tuple(
            Trade(
                number,
                trade.order_id,
                trade.participant,
                trade.side,
                trade.energy_milliwh,
                trade.price_micro_per_kwh,
            )
            for number, trade in enumerate(trades, start=1)
        ),
        (*refused, *(one for outcome in outcomes for one in outcome.refused)),
        prices.pop() if len(prices) == 1 else None,
        sum(outcome.volume_milliwh for outcome in outcomes),
    )
