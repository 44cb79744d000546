"""A week of the microgrid benchmark: forecasts, plans, orders, auctions, delivery.

What an agent looks at: its own meters up to the gate closure; of the street what everybody can
read, which is its load, its generation, how full its batteries are together and past prices; and
the grid's posted offer. The gate closes five minutes before delivery, when the running
quarter-hour, whose power is held, has been seen.

The grid asks a price for energy and a charge for the street's greatest import of each day. Every
agent plans the street's two days ahead on the forecast (`gridrig.minds.shared_peak`) and takes from
the plan what stored energy is worth; the grid offers up to the peak that the plan finds for today
at its price, and beyond it with the charge. All come to the same plan, which is therefore solved
once. Whose battery is emptier values energy a little more and stores first.

After the auction each battery follows what its home's forecast missed, as far as it can, so that
what was cleared is delivered; for that it keeps back what the forecast's spread says, and nobody
plans with it. And it balances passively: once the street's meter exceeds the day's peak, energy
there is worth the charge, and whoever has some left that is worth less gives it. All that is given
so counts as deviation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridrig.bench.microgrid_optimum import EFFICIENCY, START_SHARE, STEP_H
from gridrig.bench.microgrid_street import Home
from gridrig.grid.simbench_grid import FIRST_ROW_UTC_S, ROW_S
from gridrig.market.agents import Intent, Tariff
from gridrig.market.auction import Order, Trade
from gridrig.market.mechanisms import PayAsClear
from gridrig.minds.forecasting import TRAINING_DAYS_MIN, Forecaster
from gridrig.minds.inputs import Kind
from gridrig.minds.open_series import ZONE
from gridrig.minds.orders import NO_BATTERY, Battery, home_orders
from gridrig.minds.series import FloatArray, Series
from gridrig.minds.shared_peak import Batteries, PeakPlan, PeakTariff, plan_peak
from gridrig.quantity import whole_lots

DAY_STEPS = 96
PLANNED_EVERY = 2  # steps
DAYS_AHEAD = 2
# What the first three weeks learn from: four of the end of the year, on the same days of the week.
WHOLE_WEEKS_STEPS, BORROWED_STEPS = 52 * 7 * DAY_STEPS, 4 * 7 * DAY_STEPS
NO_LIMIT_WH = 1e6  # of one offer
GRID = PeakTariff(energy_micro=100_000, feed_in_micro=60_000, peak_micro=1_000_000)
MUST_BUY_MICRO = 200_000_000
TARIFF = Tariff(
    GRID.feed_in_micro,
    MUST_BUY_MICRO,
    tick=1_000,
    lot_milliwh=1_000,
    long=GRID.feed_in_micro,
    short=MUST_BUY_MICRO,
)
EMPTIER_WORTH_MORE = 0.1  # of the worth, from a full battery to an empty one


@dataclass
class Week:
    """What a week came to, by home and step; a home that takes has a positive energy. [Wh]"""

    cleared_wh: FloatArray
    delivered_wh: FloatArray
    price_micro: FloatArray

    @property
    def import_w(self) -> FloatArray:
        """What the street takes from the grid, - is given back. [W]"""
        total: FloatArray = self.delivered_wh.sum(axis=0) / STEP_H
        return total


class Forecasts:
    """What is known a step ahead of each home, and a day ahead of the street."""

    def __init__(self, homes: Sequence[Home], first: int, steps: int) -> None:
        self.net_wh = np.zeros((len(homes), steps))
        self.margin_wh = np.zeros((len(homes), steps))  # how far the middle may be off
        # The first weeks of the year have too little behind them to learn from.
        self._borrowed = 0 if first >= TRAINING_DAYS_MIN * DAY_STEPS else BORROWED_STEPS
        for place, home in enumerate(homes):
            load = self._next_steps(home.load_w, "load", first, steps)
            sun = self._next_steps(home.pv_w, "sun", first, steps)
            self.net_wh[place] = (load[:, 1] - sun[:, 1]) * STEP_H
            off = np.hypot(load[:, 2] - load[:, 1], sun[:, 1] - sun[:, 0])
            self.margin_wh[place] = off * STEP_H
        self._street = [
            self._trained(np.sum([home.load_w for home in homes], axis=0), "load", first),
            self._trained(np.sum([home.pv_w for home in homes], axis=0), "sun", first),
        ]

    def street_w(self, origin: int) -> FloatArray:
        """Return what the street needs over the days ahead, without storage. [W]"""
        seen = origin + self._borrowed
        load, sun = (model.days_ahead(series, seen, DAYS_AHEAD) for model, series in self._street)
        needed: FloatArray = load - sun
        return needed

    def _trained(self, values_w: FloatArray, kind: Kind, until: int) -> tuple[Forecaster, Series]:
        rows = self._borrowed
        past = values_w[WHOLE_WEEKS_STEPS - rows : WHOLE_WEEKS_STEPS]
        series = Series(
            kind, FIRST_ROW_UTC_S - rows * ROW_S, ROW_S, np.concatenate([past, values_w])
        )
        return Forecaster.fit(series, kind=kind, zone=ZONE, until=rows + until), series

    def _next_steps(self, values_w: FloatArray, kind: Kind, first: int, steps: int) -> FloatArray:
        if not values_w.any():
            return np.zeros((steps, 3))
        model, series = self._trained(values_w, kind, first)
        begin = first + self._borrowed
        return model.next_steps(series, begin, begin + steps)


@dataclass
class Street:
    """Homes that trade, step after step.

    Parameters
    ----------
    homes : sequence of Home
    first, steps : int
        Rows of the year.
    seed : int
        Draws who gets what is left over among equal orders.
    balancing : bool
        Whether batteries give more when the street exceeds its peak.
    forecasts : Forecasts or None
        What is known ahead; what the minds forecast if None.
    """

    homes: Sequence[Home]
    first: int
    steps: int
    seed: int
    balancing: bool = True
    forecasts: Forecasts | None = None
    week: Week = field(init=False)

    def __post_init__(self) -> None:
        self._forecasts = self.forecasts or Forecasts(self.homes, self.first, self.steps)
        self._mechanism = PayAsClear(
            TARIFF.lot_milliwh, TARIFF.tick, ties="pro-rata", seed=self.seed
        )
        self._size_wh = np.array([home.battery_wh for home in self.homes])
        self._power_wh = np.array([home.battery_w for home in self.homes]) * STEP_H
        self._stored_wh = START_SHARE * self._size_wh
        self._rank = {home.name: place for place, home in enumerate(self.homes)}
        self._plan = PeakPlan(0.0, np.zeros(PLANNED_EVERY))
        shape = len(self.homes), self.steps
        self.week = Week(np.zeros(shape), np.zeros(shape), np.zeros(self.steps))

    def run(self) -> Week:
        """Trade and deliver every step."""
        for step in range(self.steps):
            if step % PLANNED_EVERY == 0:
                self._plan = self._planned(step)
            outcome = self._mechanism.clear(list(self._orders(step)))
            self.week.price_micro[step] = outcome.price_micro_per_kwh or 0
            self._deliver(step, outcome.trades)
        return self.week

    def _planned(self, step: int) -> PeakPlan:
        """Plan today's peak from what everybody can read."""
        has = self._size_wh > 0.0
        # What is kept to follow a home's forecast is nobody's to plan with.
        lately = slice(max(0, step - DAY_STEPS + 1), step + 1)
        kept_wh = self._forecasts.margin_wh[has, lately].mean(axis=1)
        low_wh, high_wh = kept_wh / EFFICIENCY, self._size_wh[has] - kept_wh * EFFICIENCY
        batteries = Batteries(
            float(np.clip(self._stored_wh[has] - low_wh, 0.0, high_wh - low_wh).sum()),
            float((high_wh - low_wh).sum()),
            sum(home.battery_w for home in self.homes) - float(kept_wh.sum()) / STEP_H,
            EFFICIENCY,
        )
        return plan_peak(
            self._forecasts.street_w(self.first + step),
            batteries,
            GRID,
            period_s=ROW_S,
            begun_s=step % DAY_STEPS * ROW_S,
            reached_w=self._reached_w(step),
        )

    def _peak_w(self, step: int) -> float:
        """Return the greatest import of the day, of what has been and what is planned. [W]"""
        return max(self._plan.peak_w, self._reached_w(step))

    def _worth(self, step: int) -> FloatArray:
        """Return what stored energy is worth to each home. [millionths/kWh]"""
        # What a tie decides is to store now: later is not known.
        worth = float(self._plan.worth_micro_per_kwh[step % PLANNED_EVERY]) + TARIFF.tick
        size_wh = np.maximum(self._size_wh, 1.0)
        found: FloatArray = worth * (1.0 + EMPTIER_WORTH_MORE * (1.0 - self._stored_wh / size_wh))
        return found

    def _reached_w(self, step: int) -> float:
        """Return the greatest import of the day so far, as delivered. [W]"""
        today = self.week.import_w[step - step % DAY_STEPS : step]
        return float(today.max(initial=0.0))

    def _orders(self, step: int) -> Iterator[Order]:
        number = 0
        for place, home in enumerate(self.homes):
            intents = home_orders(
                float(self._forecasts.net_wh[place, step]),
                self._battery(place, step),
                TARIFF,
                must_buy_micro=MUST_BUY_MICRO,
                must_sell_micro=GRID.feed_in_micro,
            )
            for one in intents:
                number += 1
                yield Order(
                    number, home.name, one.side, one.energy_milliwh, one.price_micro_per_kwh
                )
        for one in _grid_orders(self._peak_w(step) * STEP_H):
            number += 1
            yield Order(number, "grid", one.side, one.energy_milliwh, one.price_micro_per_kwh)

    def _battery(self, place: int, step: int) -> Battery:
        """Return what a battery may trade, less what it keeps to follow its home's forecast."""
        home, stored_wh = self.homes[place], float(self._stored_wh[place])
        if not home.battery_wh:
            return NO_BATTERY
        margin_wh = float(self._forecasts.margin_wh[place, step])
        power_wh = max(0.0, home.battery_w * STEP_H - margin_wh)
        room_wh = (home.battery_wh - stored_wh) / EFFICIENCY
        return Battery(
            charge_wh=min(power_wh, max(0.0, room_wh - margin_wh)),
            discharge_wh=min(power_wh, max(0.0, stored_wh * EFFICIENCY - margin_wh)),
            value_micro_per_kwh=float(self._worth(step)[place]),
            efficiency=EFFICIENCY,
        )

    def _deliver(self, step: int, trades: Sequence[Trade]) -> None:
        """Let each battery make up what its home takes otherwise than cleared, as it can."""
        cleared_wh = self.week.cleared_wh[:, step]
        for trade in trades:
            if trade.participant != "grid":
                sign = 1 if trade.side == "bid" else -1
                cleared_wh[self._rank[trade.participant]] += sign * trade.energy_milliwh / 1000
        row = self.first + step
        needed_wh = np.array([h.load_w[row] - h.pv_w[row] for h in self.homes]) * STEP_H
        most_wh = np.minimum(self._power_wh, self._stored_wh * EFFICIENCY)
        room_wh = (self._size_wh - self._stored_wh) / EFFICIENCY
        least_wh = -np.minimum(self._power_wh, room_wh)
        given_wh = np.clip(needed_wh - cleared_wh, least_wh, most_wh)
        if self.balancing:
            given_wh += self._balanced(step, (needed_wh - given_wh).sum(), most_wh - given_wh)
        drawn_wh = np.where(given_wh > 0.0, given_wh / EFFICIENCY, given_wh * EFFICIENCY)
        self._stored_wh -= drawn_wh
        self.week.delivered_wh[:, step] = needed_wh - given_wh

    def _balanced(self, step: int, import_wh: float, left_wh: FloatArray) -> FloatArray:
        """Return what batteries give besides because the street exceeds its peak. [Wh]"""
        worth = self._worth(step) / EFFICIENCY
        able_wh = np.where(worth < GRID.beyond_micro(ROW_S), left_wh, 0.0)
        wanted_wh = max(0.0, import_wh - self._peak_w(step) * STEP_H)
        total_wh = float(able_wh.sum())
        share = min(1.0, wanted_wh / total_wh) if total_wh > 0.0 else 0.0
        given_wh: FloatArray = able_wh * share
        return given_wh


def _grid_orders(peak_wh: float) -> list[Intent]:
    """Return what the grid buys and sells in a quarter-hour: up to the day's peak, and beyond."""
    below = Intent("offer", whole_lots(peak_wh, TARIFF.lot_milliwh), GRID.energy_micro)
    beyond = Intent("offer", int(NO_LIMIT_WH) * 1000, GRID.beyond_micro(ROW_S))
    bid = Intent("bid", int(NO_LIMIT_WH) * 1000, GRID.feed_in_micro)
    return [bid, below, beyond] if below.energy_milliwh else [bid, beyond]
