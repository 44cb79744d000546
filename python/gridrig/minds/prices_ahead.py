"""What a home expects energy to cost: as a day ago where that was seen, else as posted."""

import numpy as np

from gridrig.market.agents import View
from gridrig.minds.horizon import means
from gridrig.minds.schedule import Supply
from gridrig.minds.series import FloatArray
from gridrig.quantity import DAY_S


def supply(view: View, step_s: FloatArray) -> Supply:
    """Return what energy is expected to cost: as a day ago where that was seen, else as posted.

    By the hour, nothing costs more or less than what is posted for it, whatever it did a day ago.
    """
    ends_s = view.period.start_s + np.cumsum(step_s)
    day_steps = DAY_S // view.period.duration_s
    buys, sells = _posted(view, step_s)
    for step, end_s in enumerate(ends_s):
        before = int(end_s // view.period.duration_s) - 1 - day_steps
        price = view.prices_micro[before] if 0 <= before < len(view.prices_micro) else None
        if price is not None:
            low, high = float(sells[step]), float(buys[step])
            buys[step] = sells[step] = _held(price, low, high) if view.tariff_ahead else price
    # Sold at the end it brings a feed-in, bought again it costs the cheapest hour: in between.
    leftover = (float(sells.min()) + float(buys.min())) / 2
    block_w = np.full((len(step_s), 1), max(view.link_wh / view.period.hours, 1e6))
    return Supply(block_w, buys[:, None], sells, leftover_micro_per_kwh=leftover)


def _posted(view: View, step_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what the main grid asks and pays in each step, the mean of its periods."""
    if not view.tariff_ahead:
        retail, feed_in = float(view.tariff.retail), float(view.tariff.feed_in)
        return np.full(len(step_s), retail), np.full(len(step_s), feed_in)
    retail_ahead = np.array([float(one.retail) for one in view.tariff_ahead])
    feed_in_ahead = np.array([float(one.feed_in) for one in view.tariff_ahead])
    length_s = view.period.duration_s
    return means(retail_ahead, step_s, length_s), means(feed_in_ahead, step_s, length_s)


def price_expected(view: View) -> int:
    """Return the price to reckon with: of a day ago, else the last one, else the middle.

    By the hour, neither may be that of an hour which this one is not: it is held to what is posted.
    """
    day_steps = DAY_S // view.period.duration_s
    known, posted = view.prices_micro, view.tariff
    before = view.period.index - day_steps
    day_ago = known[before] if 0 <= before < len(known) else None
    seen = [price for price in (*known, day_ago) if price is not None]
    if not seen:
        return (posted.feed_in + posted.retail) // 2
    return int(_held(seen[-1], posted.feed_in, posted.retail)) if view.tariff_ahead else seen[-1]


def _held(price: float, low: float, high: float) -> float:
    return min(max(price, low), high)
