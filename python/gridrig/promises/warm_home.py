"""What a day of a planned heat pump came to: comfort, cost, reasons, and what was done unseen.

Comfort is that of the true room, as the plant has it, never of what the pump tells. Cost is that of
signed registers at prices stated by hand, beside the same day with the pump left to its own
thermostat, its expected use bought by the same mind and the battery planned with it.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gridrig.campaign.loop import Loop
from gridrig.promises.cheap_hours import PostedAt, cost_micro, paid_micro
from gridrig.rig.description import Rig
from gridrig.rig.participants import HomeAgent

LEFT = "left to its own thermostat"
NEAR_W = 25.0  # a modulating pump this near to what it is told follows it
Columns = Mapping[str, Sequence[float]]


def comfort_excess_k(columns: Columns, rig: Rig, warmth: str, pump: str, start_utc_s: int) -> float:
    """Return by how much a room ever was beside its household's band, negative if within. [K]"""
    agent = next(p.agent for p in rig.participants if p.name == warmth)
    assert isinstance(agent, HomeAgent)
    zone, worst = ZoneInfo(agent.zone), -math.inf
    for t_s, room_c in zip(columns["t_s"], columns[f"room.{pump}.c"], strict=True):
        hour = datetime.fromtimestamp(start_utc_s + t_s, UTC).astimezone(zone).hour
        low_c, high_c = agent.band_c(hour)
        worst = max(worst, low_c - room_c, room_c - high_c)
    return worst


def cost_percent(
    loops: Sequence[Loop],
    home: Collection[str],
    posted_at: PostedAt,
    missing_micro: float,
    *,
    in_books: bool = False,
) -> float | None:
    """Return what the planned day cost, of what it cost by the thermostat; None if that is none.

    Parameters
    ----------
    loops : sequence of two Loop
        By the thermostat, and planned.
    home : collection of str
        Its participants.
    posted_at : PostedAt
        The prices.
    missing_micro : float
        What is missing at the end of the planned day, at its price. [millionths]
    in_books : bool
        By what was paid, and not by registers at the posted prices.
    """
    if in_books:
        costs = [float(paid_micro(loop, home)) for loop in loops]
    else:
        costs = [cost_micro(loop, home, posted_at) for loop in loops]
    thermostat, planned = costs[0], costs[1] + missing_micro
    return 100.0 * planned / thermostat if thermostat > 0 else None


def missing_kwh(
    thermostat: Columns,
    planned: Columns,
    *,
    pack: str,
    capacity_wh: float,
    pump: str,
    heat_wh_per_k: float,
    cop: float,
) -> float:
    """Return the electricity to make good what a planned day leaves less than the other. [kWh]

    What its battery holds more, or its room is warmer, counts nothing.
    """
    soc, room = f"pack.{pack}.soc", f"room.{pump}.c"
    battery_wh = (thermostat[soc][-1] - planned[soc][-1]) * capacity_wh
    heat_wh = (thermostat[room][-1] - planned[room][-1]) * heat_wh_per_k
    return (max(0.0, battery_wh) + max(0.0, heat_wh) / cop) / 1000


def orders_without_why(loop: Loop, home: Collection[str]) -> int | None:
    """Return how many orders of a home say no reason; None if its pump ordered nothing."""
    orders = [
        (cleared.why.get(order.order_id, ""))
        for cleared in loop.trading.cleared
        for order in cleared.orders
        if order.participant in home
    ]
    return sum(not why for why in orders) if orders else None


def blind_unflagged(loop: Loop, columns: Columns, pump: str, warmth: str) -> int | None:
    """Return how many periods were decided without a room temperature and unsaid, or otherwise.

    A period is decided at its gate closure. One that was decided blind is told by a flag, and its
    orders are for what the thermostat takes; any other is not. None if there was no blind one.
    """
    told_c = dict(zip(columns["t_s"], columns[f"room.{pump}.telemetry_c"], strict=True))
    flagged = {
        event.data["period"]
        for event in loop.events.ordered()
        if event.kind == "mind_flag" and str(event.data["flag"]).startswith(f"{warmth}: room temp")
    }
    blind, wrong = 0, 0
    for cleared in loop.trading.cleared[1:]:
        closes_s = loop.trading.book.closes_s(cleared.period)
        is_blind = math.isnan(told_c[closes_s])
        whys = [cleared.why.get(o.order_id, "") for o in cleared.orders if o.participant == warmth]
        for_thermostat = bool(whys) and all(LEFT in why for why in whys)
        blind += is_blind
        wrong += is_blind != (cleared.period.index in flagged)
        wrong += is_blind != for_thermostat
    return wrong if blind else None


def own_again_s(columns: Columns, pump: str, silent_from_s: float) -> float | None:
    """Return how long after a wire fell silent a pump no longer took what it was told. [s]

    None if it did not take that before.
    """
    rows = zip(
        columns["t_s"], columns[f"device.{pump}.p_w"], columns[f"device.{pump}.told_w"], strict=True
    )
    seen = [(t_s, p_w, told_w) for t_s, p_w, told_w in rows]
    before = [(p_w, told_w) for t_s, p_w, told_w in seen if t_s < silent_from_s]
    if not before or not abs(before[-1][0] - before[-1][1]) <= NEAR_W:
        return None
    told_w = before[-1][1]
    after = ((t_s, p_w) for t_s, p_w, _ in seen if t_s >= silent_from_s)
    return next((t_s - silent_from_s for t_s, p_w in after if abs(p_w - told_w) > NEAR_W), math.inf)
