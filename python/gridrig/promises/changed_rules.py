"""Which rules a run's periods really kept, by what was traded, booked and told: not by the book."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from gridrig.campaign.loop import Loop

FEES = ("grid_fee", "operator_fee")


@dataclass(frozen=True)
class Expected:
    """What a period must keep, worked out by hand from the scenario.

    Parameters
    ----------
    grid_fee, operator_fee, feed_in : int
        [millionths/kWh]
    gate_s : int
        How long before the period its orders were collected. [s]
    trades : bool
        Whether anybody may trade.
    """

    grid_fee: int
    operator_fee: int
    feed_in: int
    gate_s: int
    trades: bool = True


def periods_unlike_rules(loop: Loop, expected: Mapping[int, Expected]) -> int:
    """Return how many periods kept other rules than they had to.

    Looked at are what each fee was per kilowatt-hour and what it came to, what the main grid bid,
    when the market was cleared, whether it traded, and the rules that the journal keeps with the
    period.
    """
    charged: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    wrong = set()
    for entry in loop.account.entries():
        if entry.kind in FEES:
            charged[entry.period, entry.kind].add(entry.price_micro_per_kwh)
            due = (entry.energy_milliwh * entry.price_micro_per_kwh + 500_000) // 1_000_000
            if entry.amount_micro != due:
                wrong.add(entry.period)
    kept = {row[0]: json.loads(row[9]) for row in loop.account.journal.settlements()}
    told_s = {e.data["period"]: e.t_s for e in loop.events.ordered() if e.kind == "cleared"}
    for cleared in loop.trading.cleared:
        period, must = cleared.period, expected[cleared.period.index]
        bids = {
            order.price_micro_per_kwh
            for order in cleared.orders
            if order.participant == loop.account.head and order.side == "bid"
        }
        fees = {name: charged[period.index, name] for name in FEES}
        rules = kept.get(period.index, {})
        if (
            bids != {must.feed_in}
            or bool(cleared.trades) != must.trades
            or fees["grid_fee"] != {must.grid_fee}
            or fees["operator_fee"] != ({must.operator_fee} if must.trades else set())
            or any(rules.get(f"{name}_micro_per_kwh") != getattr(must, name) for name in FEES)
            # The first period is cleared as the run begins.
            or (period.index > 0 and told_s[period.index] != period.start_s - must.gate_s)
        ):
            wrong.add(period.index)
    return len(wrong) + len(expected.keys() ^ {c.period.index for c in loop.trading.cleared})


def decisions_unlike(loop: Loop, expected: Mapping[str, str]) -> int:
    """Return how many changes and stops were told to have ended otherwise than expected.

    `expected` gives for each change by name, and for each stop by who ordered it, the kind of event
    or the code of the refusal.
    """
    told: dict[str, str] = {}
    for event in loop.events.ordered():
        if event.kind in ("rule_change_enacted", "rule_change_refused"):
            told[event.data["change"]] = event.data.get("code", event.kind)
        elif event.kind in ("emergency_stop", "emergency_stop_refused"):
            told[event.data["by"]] = event.kind
    return sum(told.get(name) != expected.get(name) for name in told.keys() | expected.keys())


def rules_untold(loop: Loop) -> int:
    """Return how many periods are settled without an event that names what governed them."""
    told = {e.data["period"] for e in loop.events.ordered() if e.kind == "rules_in_force"}
    return len({settled.period for settled in loop.account.settled} ^ told)
