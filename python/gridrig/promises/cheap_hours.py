"""Row M5: whether a battery charged in cheap hours, within its limits, and what that saved.

Worked out from signed registers, terminals, what the battery's manager told, and prices stated by
hand: nothing is taken from the plan, the rule book or the settlement that are judged.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gridrig.campaign.loop import Loop
from gridrig.quantity import SECONDS_PER_HOUR

STANDS_STILL_W = 50.0  # a terminal below it does not charge: a control step that is not resent
CELL_V_MAX = 3.65  # to which an LFP cell is charged at most
AT_EDGE_MS = 60_000  # so far from the end of a period a reading is still that of it
IMBALANCE = {"short": ("excess", "losses"), "long": ("surplus",)}
"""Entries outside trades, by the price that each settles at."""


@dataclass(frozen=True)
class Posted:
    """What has to be posted for an hour. [millionths/kWh]"""

    retail: int
    feed_in: int
    long: int
    short: int


PostedAt = Callable[[int], Posted]
"""What has to be posted at a time. [s since 1970-01-01 UTC]"""


@dataclass(frozen=True)
class Charged:
    """What a battery's meter counted as taken, by the price of the hour. [mWh]"""

    cheap_milliwh: int
    dear_milliwh: int

    @property
    def cheap_percent(self) -> float | None:
        """Share taken in the cheapest hours; None if nothing was taken. [%]"""
        whole = self.cheap_milliwh + self.dear_milliwh
        return 100 * self.cheap_milliwh / whole if whole else None


def periods_not_signed(loop: Loop, home: Collection[str]) -> int:
    """Return in how many periods a meter of a home did not sign at both ends.

    What its registers counted in them is of other hours, or of none.
    """
    signed = 0
    for settled in loop.account.settled:
        ends_ms = (settled.from_ms, settled.to_ms)
        there = set()
        for meter in settled.meters:
            edges = zip((meter.opening, meter.closing), ends_ms, strict=True)
            if all(one is not None and abs(one.time_ms - ms) <= AT_EDGE_MS for one, ms in edges):
                there.add(meter.participant)
        signed += there.issuperset(home)
    return len(loop.periods) - signed


def charged(loop: Loop, battery: str, posted_at: PostedAt) -> Charged:
    """Return what the meter of a participant counted as taken, in the cheapest hours and else."""
    taken: defaultdict[int, int] = defaultdict(int)
    for utc_s, counted in _counted(loop, {battery}):
        taken[posted_at(utc_s).retail] += counted[battery][0]
    cheapest = min(taken, default=0)
    return Charged(taken[cheapest], sum(taken.values()) - taken[cheapest])


def cost_micro(loop: Loop, home: Collection[str], posted_at: PostedAt) -> float:
    """Return what a home's energy costs at the prices posted for each period. [millionths]

    Its meters are netted: what its battery gives to its house is bought from nobody.
    """
    cost = 0.0
    for utc_s, counted in _counted(loop, home):
        net = sum(taken - given for taken, given in counted.values())
        posted = posted_at(utc_s)
        cost += net * (posted.retail if net > 0 else posted.feed_in) / 1e6
    return cost


def paid_micro(loop: Loop, home: Collection[str]) -> int:
    """Return what a home paid, less what it was paid, by every entry of the books. [millionths]"""
    paid = 0
    for entry in loop.account.entries():
        paid += entry.amount_micro * ((entry.debit in home) - (entry.credit in home))
    return paid


def periods_priced_otherwise(loop: Loop, posted_at: PostedAt) -> int:
    """Return in how many periods something is not priced as it has to be.

    Looked at are the orders of the main grid, the price of every trade, what the energy outside
    trades is settled at, the rules that the journal keeps with the period, and what was told.
    """
    kept = {row[0]: json.loads(row[9]) for row in loop.account.journal.settlements() if row[9]}
    told = {e.data["period"]: e.data for e in loop.events.ordered() if e.kind == "tariff_posted"}
    priced: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for entry in loop.account.entries():
        priced[entry.period].append((entry.kind, entry.price_micro_per_kwh))
    wrong = 0
    for cleared in loop.trading.cleared:
        index = cleared.period.index
        must = posted_at(loop.account.start_utc_s + cleared.period.start_s)
        grid = {
            one.side: one.price_micro_per_kwh
            for one in cleared.orders
            if one.participant == loop.account.head
        }
        wrong += not (
            grid == {"bid": must.feed_in, "offer": must.retail}
            and all(must.feed_in <= t.price_micro_per_kwh <= must.retail for t in cleared.trades)
            and all(
                price == getattr(must, name)
                for name, kinds in IMBALANCE.items()
                for kind, price in priced[index]
                if kind in kinds
            )
            and all(
                kept.get(index, {}).get(f"{name}_price_micro_per_kwh") == getattr(must, name)
                for name in IMBALANCE
            )
            and _told(told.get(index, {})) == must
        )
    return wrong + len(loop.periods) - len(loop.trading.cleared)


def _told(event: Mapping[str, int]) -> Posted | None:
    names = ("retail", "feed_in", "long_price", "short_price")
    keys = [f"{name}_micro_per_kwh" for name in names]
    return Posted(*(event[key] for key in keys)) if set(keys) <= event.keys() else None


def current_over_limit_a(columns: Mapping[str, Sequence[float]], pack: str) -> float:
    """Return by how much a pack's charging current was above its limit, by its own manager. [A]

    The current read at a poll is that of a set-point sent two polls before at the earliest, or one;
    the larger of the limits told then holds. Not positive if it was never above.
    """
    charging_a = [0.0 - i_a for i_a in columns[f"pack.{pack}.i_a"]]
    limit_a = columns[f"pack.{pack}.charge_limit_a"]
    over = [
        i_a - max(before, earlier)
        for i_a, (earlier, before) in zip(charging_a[2:], pairwise(limit_a[:-1]), strict=True)
        if not math.isnan(i_a)
    ]
    return max(over, default=math.inf)


def charged_beyond_limit_wh(
    loop: Loop, columns: Mapping[str, Sequence[float]], battery: str, pack: str, cells: int
) -> float:
    """Return the most that a meter counted in a period beyond what its pack accepted. [Wh]

    A pack accepts its limit at the voltage to which its cells are charged at most; that of a poll
    holds until the next one.
    """
    allowed_wh: defaultdict[int, float] = defaultdict(float)
    length_s = loop.scenario.period_s
    limit_a = columns[f"pack.{pack}.charge_limit_a"]
    told = [limit_a[0], *limit_a[:-1]]
    for t_s, dt_s, amperes in zip(columns["t_s"], columns["dt_s"], told, strict=True):
        volts = cells * CELL_V_MAX
        allowed_wh[int(t_s // length_s)] += amperes * volts * dt_s / SECONDS_PER_HOUR
    first_s = loop.account.start_utc_s
    beyond_wh = (
        counted[battery][0] / 1000 - allowed_wh[(utc_s - first_s) // length_s]
        for utc_s, counted in _counted(loop, {battery})
    )
    return max(beyond_wh, default=math.inf)


def polls_until_still(t_s: Sequence[float], driven_w: Sequence[float], at_s: float) -> float | None:
    """Return with which poll from a time on a storage is no longer driven to charge.

    Parameters
    ----------
    t_s : sequence of float
        When each control period began. [s]
    driven_w : sequence of float
        Its set-point, or the power of its terminal, in each; + is discharge. [W]
    at_s : float
        From when on. [s]

    Returns
    -------
    float or None
        1 is the poll of that time itself; None if it did not charge before. [1]
    """
    seen = list(zip(t_s, driven_w, strict=True))
    before = [p_w for begun_s, p_w in seen if begun_s < at_s]
    if not before or before[-1] > -STANDS_STILL_W:
        return None
    after = [p_w for begun_s, p_w in seen if begun_s >= at_s]
    still = (number for number, p_w in enumerate(after, 1) if p_w > -STANDS_STILL_W)
    return float(next(still, math.inf))


def _counted(loop: Loop, names: Collection[str]) -> list[tuple[int, dict[str, tuple[int, int]]]]:
    """Return what meters took and gave in each period, by their signed registers. [s, mWh]"""
    found = []
    for settled in loop.account.settled:
        counted = {}
        for meter in settled.meters:
            first, last = meter.opening, meter.closing
            if meter.participant in names and first is not None and last is not None:
                taken = (last.import_milliwh or 0) - (first.import_milliwh or 0)
                given = (last.export_milliwh or 0) - (first.export_milliwh or 0)
                counted[meter.participant] = (taken, given)
        if len(counted) == len(names):
            found.append((settled.from_ms // 1000, counted))
    return found
