"""The mind of a home: what it expects, what its battery should do, and the orders that follow.

A home has one or more connections, each behind a meter and an account of its own: what it uses,
what its roof makes, what its battery stores. At each gate closure it forecasts the period from what
its own signed meters have counted so far, plans its battery over the day ahead (a receding horizon:
only the first step is ever acted on), and says in its orders how much, at which limit price and
why.

How much. Between what a surplus is paid and what a shortfall costs, the volume that costs least is
a quantile of the forecast: who sells at price p offers what is exceeded with probability
1 - (p - long) / (short - long); who buys bids what is not exceeded with probability
(short - p) / (short - long). An unsure sun is therefore offered short, not sold twice.

What is missing is replaced and said (`Decision.flags`). Known gaps: models are trained once, on
what was before the run; a battery follows its trades, not what the home's forecast missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from gridrig.market.agents import Intent, Tariff, View
from gridrig.minds.forecasting import QUANTILES, TRAINING_DAYS_MIN, Forecast, Forecaster
from gridrig.minds.horizon import means, steps_s
from gridrig.minds.inputs import Kind
from gridrig.minds.orders import Battery, home_orders
from gridrig.minds.schedule import Schedule, Store, Supply, plan
from gridrig.minds.series import FloatArray, Series
from gridrig.quantity import DAY_S, whole_lots

Part = Literal["use", "sun", "store"]
EFFICIENCY = 0.95
KINDS: Mapping[Part, Kind] = {"use": "load", "sun": "sun"}


@dataclass(frozen=True)
class Connection:
    """One meter of a home.

    Parameters
    ----------
    participant : str
        Whose account it is.
    part : {"use", "sun", "store"}
        What is behind it.
    history : Series or None
        Mean power used or made in the periods before the run; None of a store. [W]
    power_w : float
        Of a store: what its inverter is rated for. [W]
    """

    participant: str
    part: Part
    history: Series | None = None
    power_w: float = 0.0


@dataclass(frozen=True)
class Decision:
    """What a home orders for one period, by participant, and what it did without."""

    orders: Mapping[str, Sequence[Intent]]
    flags: tuple[str, ...] = ()
    schedule: Schedule | None = None


@dataclass(frozen=True)
class _Expected:
    """What is behind one meter in the periods from the one that is traded on. [W]"""

    mean_w: FloatArray
    quantiles_w: FloatArray  # of the period that is traded


@dataclass
class HomeMind:
    """Decides for all connections of one home.

    Parameters
    ----------
    name : str
    connections : sequence of Connection
    long_micro, short_micro : int
        What is paid for a surplus, and asked for a shortfall. [millionths/kWh]
    zone : str
        Time zone the household lives by.
    """

    name: str
    connections: Sequence[Connection]
    long_micro: int
    short_micro: int
    zone: str = "Europe/Berlin"
    _models: dict[str, Forecaster] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.connections:
            past = one.history
            if past is not None and len(past.values) >= TRAINING_DAYS_MIN * past.steps_a_day:
                model = Forecaster.fit(past, kind=KINDS[one.part], zone=self.zone)
                self._models[one.participant] = model

    def decide(self, views: Mapping[str, View]) -> Decision:
        """Return the orders for one period.

        Parameters
        ----------
        views : mapping of participant to View
            Of each connection, all of one period.

        Raises
        ------
        MindError
            As `plan`.
        """
        flags: list[str] = []
        expected = {
            one.participant: self._expect(one, views[one.participant], flags)
            for one in self.connections
            if one.part != "store"
        }
        orders: dict[str, Sequence[Intent]] = {}
        schedule = None
        for one in self.connections:
            view = views[one.participant]
            match one.part:
                case "use":
                    made = self._buy(expected[one.participant], view)
                case "sun":
                    made = self._sell(expected[one.participant], view)
                case "store" if view.battery is None:
                    flags.append(
                        f"{one.participant}: battery not read, or under manual control: no orders"
                    )
                    made = []
                case "store":
                    schedule = self._plan(one, view, expected)
                    made = self._trade(schedule, view)
            orders[one.participant] = made
        return Decision(orders, tuple(flags), schedule)

    def _expect(self, one: Connection, view: View, flags: list[str]) -> _Expected:
        """Forecast one connection, from the period that is traded to a day past what is known."""
        past = one.history
        assert past is not None, "only a store has no history"
        sign = -1.0 if one.part == "use" else 1.0
        counted_w = sign * np.array(view.counted_wh) / view.period.hours
        seen = replace(past, values=np.concatenate([past.values, counted_w]))
        known = len(seen.values)
        ahead = len(past.values) + view.period.index - known
        if one.participant in self._models:
            found = self._models[one.participant].forecast(seen, known)
        else:
            found = _as_yesterday(seen)
        flags += [f"{one.participant}: {flag}" for flag in found.flags]
        return _Expected(found.mean[ahead:], found.quantiles[ahead])

    def _buy(self, expected: _Expected, view: View) -> list[Intent]:
        price = _price_expected(view)
        share = _between(self.short_micro - price, self.short_micro - self.long_micro)
        tick = view.tariff.tick
        limit = self.short_micro // tick * tick
        why = f"{_said(expected, view)} used; {share:.0%} of cases need no more than the bid"
        return _orders("bid", _energy_wh(expected, share, view), limit, why, view.tariff)

    def _sell(self, expected: _Expected, view: View) -> list[Intent]:
        price = _price_expected(view)
        share = _between(price - self.long_micro, self.short_micro - self.long_micro)
        tick = view.tariff.tick
        limit = -(-self.long_micro // tick) * tick
        why = f"{_said(expected, view)} made; {1 - share:.0%} of cases deliver the offer"
        return _orders("offer", _energy_wh(expected, share, view), limit, why, view.tariff)

    def _trade(self, schedule: Schedule, view: View) -> list[Intent]:
        """Return the battery's orders, at what the plan says stored energy is worth."""
        battery, hours = view.battery, view.period.hours
        assert battery is not None
        can = Battery(
            charge_wh=min(battery.charge_w * hours, battery.room_wh / EFFICIENCY),
            discharge_wh=min(battery.discharge_w * hours, battery.stored_wh * EFFICIENCY),
            value_micro_per_kwh=float(schedule.value_micro_per_kwh[0, 0]),
            efficiency=EFFICIENCY,
        )
        tick = view.tariff.tick
        return home_orders(
            0.0,
            can,
            view.tariff,
            must_buy_micro=self.short_micro // tick * tick,
            must_sell_micro=-(-self.long_micro // tick) * tick,
        )

    def _plan(self, one: Connection, view: View, expected: Mapping[str, _Expected]) -> Schedule:
        """Plan the battery over what is forecast of the home."""
        battery = view.battery
        assert battery is not None
        parts = {other.participant: other.part for other in self.connections}
        steps = min((len(e.mean_w) for e in expected.values()), default=1)
        needed_w = np.zeros(steps)
        for name, what in expected.items():
            sign = 1.0 if parts[name] == "use" else -1.0
            needed_w += sign * what.mean_w[:steps]
        step_s = steps_s(steps, view.period.duration_s)
        needed_w = means(needed_w, step_s, view.period.duration_s)
        charge_w, discharge_w = np.full((2, len(step_s)), one.power_w)
        charge_w[0], discharge_w[0] = battery.charge_w, battery.discharge_w
        store = Store(
            one.participant,
            battery.stored_wh,
            charge_w,
            discharge_w,
            np.zeros(len(step_s)),  # what may be traded is counted from the reserve on
            battery.stored_wh + battery.room_wh,
            EFFICIENCY,
        )
        return plan(needed_w, [store], _supply(view, step_s), step_s=step_s)


def _supply(view: View, step_s: FloatArray) -> Supply:
    """Return what energy is expected to cost: as a day ago where that was seen, else as posted."""
    ends_s = view.period.start_s + np.cumsum(step_s)
    day_steps = DAY_S // view.period.duration_s
    buys = np.full(len(step_s), float(view.tariff.retail))
    sells = np.full(len(step_s), float(view.tariff.feed_in))
    for step, end_s in enumerate(ends_s):
        before = int(end_s // view.period.duration_s) - 1 - day_steps
        price = view.prices_micro[before] if 0 <= before < len(view.prices_micro) else None
        if price is not None:
            buys[step] = sells[step] = float(price)
    # Sold at the end it brings a feed-in, bought again it costs the cheapest hour: in between.
    leftover = (float(sells.min()) + float(buys.min())) / 2
    block_w = np.full((len(step_s), 1), max(view.link_wh / view.period.hours, 1e6))
    return Supply(block_w, buys[:, None], sells, leftover_micro_per_kwh=leftover)


def _as_yesterday(seen: Series) -> Forecast:
    """Return a day as the last one was, or nothing, where there is too little to train on."""
    day, found = seen.steps_a_day, np.zeros(seen.steps_a_day)
    last = seen.values[-day:]
    found[: len(last)] = np.nan_to_num(last)
    flags = [f"{len(seen.values) / day:.1f} days of history, too few to train on: as yesterday"]
    if len(last) < day or not np.isfinite(last).all():
        flags.append("yesterday is not known whole: nothing expected where it is not")
    return Forecast(found, np.repeat(found[:, None], len(QUANTILES), axis=1), tuple(flags))


def _price_expected(view: View) -> int:
    """Return the price to reckon with: of a day ago, else the last one, else the middle."""
    day_steps = DAY_S // view.period.duration_s
    known = view.prices_micro
    before = view.period.index - day_steps
    if 0 <= before < len(known) and known[before] is not None:
        return int(known[before] or 0)
    seen = [price for price in known if price is not None]
    return seen[-1] if seen else (view.tariff.feed_in + view.tariff.retail) // 2


def _between(part: float, whole: float) -> float:
    """Return a share as far as it lies between the outer quantiles: none beyond is forecast."""
    return min(max(part / whole, QUANTILES[0]), QUANTILES[-1]) if whole > 0 else 0.5


def _energy_wh(expected: _Expected, share: float, view: View) -> float:
    """Return a quantile of the period's energy. [Wh]"""
    return float(np.interp(share, QUANTILES, expected.quantiles_w)) * view.period.hours


def _said(expected: _Expected, view: View) -> str:
    low, middle, high = expected.quantiles_w * view.period.hours
    return f"{middle:.0f} Wh ({low:.0f} to {high:.0f} in 8 of 10 cases) will be"


def _orders(
    side: Literal["bid", "offer"], energy_wh: float, price: int, why: str, tariff: Tariff
) -> list[Intent]:
    energy = whole_lots(energy_wh, tariff.lot_milliwh)
    return [Intent(side, energy, price, why)] if energy > 0 else []
