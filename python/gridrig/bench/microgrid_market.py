"""A week of the microgrid benchmark: forecasts, plans, orders, auctions, delivery.

What an agent looks at: its own meters up to the gate closure; of the street what everybody can
read, which is its load, its generation, how full its batteries are together and past prices; and
the grid's posted offer. The gate closes five minutes before delivery, when the running
quarter-hour, whose power is held, has been seen.

The grid offers in blocks, each dearer than the one before: this is all that tells anybody of a
peak. Every agent plans the street's day ahead on the forecast and takes from the plan what stored
energy is worth; all come to the same plan, which is therefore solved once. Whoever's battery is
fuller than the street's values it a little less and sells first.

After the auction each battery follows what its home's forecast missed, as far as it can, so that
what was cleared is delivered; for that it keeps back what the forecast's spread says.
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
from gridrig.minds.forecasting import Forecaster
from gridrig.minds.inputs import Kind
from gridrig.minds.open_series import ZONE
from gridrig.minds.orders import NO_BATTERY, Battery, home_orders
from gridrig.minds.schedule import Store, Supply, plan
from gridrig.minds.series import FloatArray, Series

DAY_STEPS = 96
PLANNED_EVERY = 2  # steps
FINE_STEPS, HOUR_STEPS = 8, 4  # a plan looks two hours ahead by steps, then by hours
BLOCKS, BLOCK_W = 60, 500.0
FIRST_BLOCK_MICRO, RISE = 100_000, 1.12  # each block is dearer than the one before by this factor
FEED_IN_MICRO, MUST_BUY_MICRO = 60_000, 200_000_000
TARIFF = Tariff(FEED_IN_MICRO, MUST_BUY_MICRO, 1_000, 1_000, FEED_IN_MICRO, MUST_BUY_MICRO)
FULLER_WORTH_LESS = 0.1  # of the value, from an empty battery to a full one
LEFT_WORTH = 0.95  # of the last day's mean price, for what is left at the end of a plan


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
        for place, home in enumerate(homes):
            load = _next_steps(home.load_w, "load", first, steps)
            sun = _next_steps(home.pv_w, "sun", first, steps)
            self.net_wh[place] = (load[:, 1] - sun[:, 1]) * STEP_H
            off = np.hypot(load[:, 2] - load[:, 1], sun[:, 1] - sun[:, 0])
            self.margin_wh[place] = off * STEP_H
        self._street = [
            _trained(np.sum([home.load_w for home in homes], axis=0), "load", first),
            _trained(np.sum([home.pv_w for home in homes], axis=0), "sun", first),
        ]

    def street_w(self, origin: int) -> FloatArray:
        """Return what the street needs over the day ahead, without storage. [W]"""
        load, sun = (model.forecast(series, origin).mean for model, series in self._street)
        needed: FloatArray = load - sun
        return needed


def _trained(values_w: FloatArray, kind: Kind, until: int) -> tuple[Forecaster, Series]:
    series = Series(kind, FIRST_ROW_UTC_S, ROW_S, values_w)
    return Forecaster.fit(series, kind=kind, zone=ZONE, until=until), series


def _next_steps(values_w: FloatArray, kind: Kind, first: int, steps: int) -> FloatArray:
    if not values_w.any():
        return np.zeros((steps, 3))
    model, series = _trained(values_w, kind, first)
    return model.next_steps(series, first, first + steps)


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
    """

    homes: Sequence[Home]
    first: int
    steps: int
    seed: int
    week: Week = field(init=False)

    def __post_init__(self) -> None:
        self._forecasts = Forecasts(self.homes, self.first, self.steps)
        self._mechanism = PayAsClear(
            TARIFF.lot_milliwh, TARIFF.tick, ties="pro-rata", seed=self.seed
        )
        self._size_wh = np.array([home.battery_wh for home in self.homes])
        self._stored_wh = START_SHARE * self._size_wh
        self._rank = {home.name: place for place, home in enumerate(self.homes)}
        self._values = np.zeros(0)
        shape = len(self.homes), self.steps
        self.week = Week(np.zeros(shape), np.zeros(shape), np.zeros(self.steps))

    def run(self) -> Week:
        """Trade and deliver every step."""
        for step in range(self.steps):
            if step % PLANNED_EVERY == 0:
                self._plan(step)
            outcome = self._mechanism.clear(list(self._orders(step)))
            self.week.price_micro[step] = outcome.price_micro_per_kwh or 0
            self._deliver(step, outcome.trades)
        return self.week

    @property
    def _full(self) -> float:
        return float(self._stored_wh.sum() / self._size_wh.sum())

    def _plan(self, step: int) -> None:
        """Take from a plan of the street what stored energy is worth in the steps ahead."""
        street_w = self._forecasts.street_w(self.first + step)
        hourly = street_w[FINE_STEPS:].reshape(-1, HOUR_STEPS).mean(axis=1)
        needed_w = np.concatenate([street_w[:FINE_STEPS], hourly])
        step_s = np.repeat([ROW_S, HOUR_STEPS * ROW_S], [FINE_STEPS, len(hourly)])
        steps, size_wh = len(needed_w), float(self._size_wh.sum())
        power_w = np.full(steps, sum(home.battery_w for home in self.homes))
        batteries = Store(
            "batteries",
            self._full * size_wh,
            power_w,
            power_w,
            np.zeros(steps),
            size_wh,
            EFFICIENCY,
        )
        lately = self.week.price_micro[max(0, step - DAY_STEPS) : step]
        unknown = DAY_STEPS - len(lately)
        mean_price = (lately.sum() + FIRST_BLOCK_MICRO * unknown) / DAY_STEPS
        supply = Supply(
            np.tile([*[BLOCK_W] * BLOCKS, BLOCKS * BLOCK_W], (steps, 1)),
            np.tile([*map(float, block_prices()), float(MUST_BUY_MICRO)], (steps, 1)),
            np.full(steps, float(FEED_IN_MICRO)),
            # Never less than that of the cheapest block: storing a surplus beats giving it away.
            leftover_micro_per_kwh=max(LEFT_WORTH * mean_price, FIRST_BLOCK_MICRO),
        )
        found = plan(needed_w, [batteries], supply, step_s=step_s)
        self._values = found.value_micro_per_kwh[0]

    def _orders(self, step: int) -> Iterator[Order]:
        number = 0
        for place, home in enumerate(self.homes):
            intents = home_orders(
                float(self._forecasts.net_wh[place, step]),
                self._battery(place, step),
                TARIFF,
                must_buy_micro=MUST_BUY_MICRO,
                must_sell_micro=FEED_IN_MICRO,
            )
            for one in intents:
                number += 1
                yield Order(
                    number, home.name, one.side, one.energy_milliwh, one.price_micro_per_kwh
                )
        for one in _grid_orders():
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
        fuller = stored_wh / home.battery_wh - self._full
        value = float(self._values[step % PLANNED_EVERY])
        return Battery(
            charge_wh=min(power_wh, max(0.0, room_wh - margin_wh)),
            discharge_wh=min(power_wh, max(0.0, stored_wh * EFFICIENCY - margin_wh)),
            value_micro_per_kwh=value * (1.0 - FULLER_WORTH_LESS * fuller),
            efficiency=EFFICIENCY,
        )

    def _deliver(self, step: int, trades: Sequence[Trade]) -> None:
        """Let every battery make up what its home takes otherwise than cleared, as it can."""
        cleared_wh = self.week.cleared_wh[:, step]
        for trade in trades:
            if trade.participant != "grid":
                sign = 1 if trade.side == "bid" else -1
                cleared_wh[self._rank[trade.participant]] += sign * trade.energy_milliwh / 1000
        row = self.first + step
        for place, home in enumerate(self.homes):
            needed_wh = float(home.load_w[row] - home.pv_w[row]) * STEP_H
            power_wh, stored_wh = home.battery_w * STEP_H, float(self._stored_wh[place])
            most = min(power_wh, stored_wh * EFFICIENCY)
            least = -min(power_wh, (home.battery_wh - stored_wh) / EFFICIENCY)
            given = min(max(needed_wh - float(cleared_wh[place]), least), most)
            self._stored_wh[place] -= given / EFFICIENCY if given > 0 else given * EFFICIENCY
            self.week.delivered_wh[place, step] = needed_wh - given


def block_prices() -> list[int]:
    """Return the price of each block of the grid's offer, on ticks. [millionths/kWh]"""
    tick = TARIFF.tick
    return [int(FIRST_BLOCK_MICRO * RISE**block) // tick * tick for block in range(BLOCKS)]


def _grid_orders() -> list[Intent]:
    block = int(BLOCK_W * STEP_H) * 1000
    offers = [Intent("offer", block, price) for price in block_prices()]
    dearest = Intent("offer", BLOCKS * block, MUST_BUY_MICRO)
    return [Intent("bid", 10 * BLOCKS * block, FEED_IN_MICRO), *offers, dearest]
