"""The mind of a home: what it expects, what its battery and its car should do, and the orders.

A home has one or more connections, each behind a meter and an account of its own: what it uses,
what its roof makes, what its battery stores, what its car takes (`home_car.py`). At each gate
closure it forecasts the period from what its own signed meters have counted so far, plans battery
and car together over the day ahead (a receding horizon: only the first step is ever acted on), and
says in its orders how much, at which limit price and why.

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

from gridrig.market.agents import CarView, Intent, Tariff, View
from gridrig.minds.forecasting import QUANTILES, TRAINING_DAYS_MIN, Forecast, Forecaster
from gridrig.minds.home_car import News, car_orders, car_plan, car_store, infeasible, shared_out
from gridrig.minds.horizon import means, steps_s
from gridrig.minds.inputs import Kind
from gridrig.minds.orders import Battery, home_orders
from gridrig.minds.prices_ahead import price_expected, supply
from gridrig.minds.schedule import Schedule, Shared, plan
from gridrig.minds.series import FloatArray, Series
from gridrig.minds.stores import Store
from gridrig.quantity import DAY_S, whole_lots

Part = Literal["use", "sun", "store", "car"]
EFFICIENCY = 0.95
# An hour as cheap as any later one is used, not put off until it is the last.
TIE_MICRO_PER_KWH = 0.5
EDGE_WH = 1.0
KINDS: Mapping[Part, Kind] = {"use": "load", "sun": "sun"}


@dataclass(frozen=True)
class Connection:
    """One meter of a home.

    Parameters
    ----------
    participant : str
        Whose account it is.
    part : {"use", "sun", "store", "car"}
        What is behind it.
    history : Series or None
        Mean power used or made in the periods before the run; None of a store or a car. [W]
    power_w : float
        Of a store: what its inverter is rated for. [W]
    charger : str
        Of a car: where it is charged.
    """

    participant: str
    part: Part
    history: Series | None = None
    power_w: float = 0.0
    charger: str = ""


@dataclass(frozen=True)
class Decision:
    """What a home orders for one period, by participant, what it did without, and its events."""

    orders: Mapping[str, Sequence[Intent]]
    flags: tuple[str, ...] = ()
    schedule: Schedule | None = None
    news: tuple[News, ...] = ()


@dataclass(frozen=True)
class _Expected:
    """What is behind one meter in the periods from the one that is traded on. [W]"""

    mean_w: FloatArray
    quantiles_w: FloatArray  # of the period that is traded


@dataclass(frozen=True)
class _Plan:
    """What is planned for the stores of a home, cars first."""

    stores: Sequence[Connection]
    schedule: Schedule
    step_s: FloatArray
    price_micro: int  # reckoned with in the first step
    left_w: FloatArray  # by the connection, to all of them
    most_w: FloatArray  # of that each one's, in the first step

    def cars_said(self, hours: float) -> str:
        """Return what is planned of the home's cars for the period, as part of a reason."""
        cars = sum(one.part == "car" for one in self.stores)
        energy_wh = -float(self.schedule.power_w[:cars, 0].sum()) * hours
        takes = "takes" if energy_wh > 0 else "gives"
        return f"; the car {takes} {abs(energy_wh):.0f} Wh besides" if round(energy_wh) else ""


@dataclass
class HomeMind:
    """Decides for all connections of one home.

    Parameters
    ----------
    name : str
    connections : sequence of Connection
    zone : str
        Time zone the household lives by.
    connection_w : float or None
        What all its meters together may take; None if nothing limits it. [W]
    """

    name: str
    connections: Sequence[Connection]
    zone: str = "Europe/Berlin"
    connection_w: float | None = None
    _models: dict[str, Forecaster] = field(default_factory=dict, init=False)
    _said_short_wh: dict[str, int] = field(default_factory=dict, init=False)

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
            if one.history is not None
        }
        stores = [one for one in self.connections if views[one.participant].battery is not None]
        stores.sort(key=lambda one: one.part != "car")
        planned = self._plan(stores, views, expected) if stores else None
        orders: dict[str, Sequence[Intent]] = {}
        news: list[News] = []
        for one in self.connections:
            view = views[one.participant]
            match one.part:
                case "use":
                    made = self._buy(expected[one.participant], view)
                case "sun":
                    made = self._sell(expected[one.participant], view)
                case "car":
                    made = self._charge(one, view, planned, news, flags)
                case "store" if view.battery is None:
                    flags.append(
                        f"{one.participant}: battery not read, or under manual control: no orders"
                    )
                    made = []
                case "store":
                    made = self._trade(one, view, planned)
            orders[one.participant] = made
        schedule = None if planned is None else planned.schedule
        return Decision(orders, tuple(flags), schedule, tuple(news))

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
        price, posted = price_expected(view), view.tariff
        share = _between(posted.short - price, posted.short - posted.long)
        limit = posted.short // posted.tick * posted.tick
        why = f"{_said(expected, view)} used; {share:.0%} of cases need no more than the bid"
        return _orders("bid", _energy_wh(expected, share, view), limit, why, view.tariff)

    def _sell(self, expected: _Expected, view: View) -> list[Intent]:
        price, posted = price_expected(view), view.tariff
        share = _between(price - posted.long, posted.short - posted.long)
        limit = -(-posted.long // posted.tick) * posted.tick
        why = f"{_said(expected, view)} made; {1 - share:.0%} of cases deliver the offer"
        return _orders("offer", _energy_wh(expected, share, view), limit, why, view.tariff)

    def _charge(
        self,
        one: Connection,
        view: View,
        planned: _Plan | None,
        news: list[News],
        flags: list[str],
    ) -> list[Intent]:
        """Return the orders of a car, and name it if it will miss something."""
        car = view.battery
        if planned is None or not isinstance(car, CarView):
            if view.missing:
                flags.append(f"{one.participant}: car {view.missing}: no orders")
            return []
        row = planned.stores.index(one)
        found = car_plan(
            one.participant,
            car,
            planned.schedule,
            row,
            planned.step_s,
            left_w=planned.left_w,
            most_w=float(planned.most_w[row]),
        )
        if found.short_wh != self._said_short_wh.get(one.participant, 0):
            self._said_short_wh[one.participant] = found.short_wh
            if found.short_wh:
                news.append(infeasible(one.charger, car, found, view))
        return car_orders(
            car,
            found,
            view,
            expected_micro=planned.price_micro,
            must_buy_micro=view.tariff.short // view.tariff.tick * view.tariff.tick,
        )

    def _trade(self, one: Connection, view: View, planned: _Plan | None) -> list[Intent]:
        """Return the battery's orders, at what the plan says stored energy is worth."""
        battery, hours = view.battery, view.period.hours
        assert battery is not None
        assert planned is not None
        row = planned.stores.index(one)
        charge_w = min(battery.charge_w, float(planned.most_w[row]))
        can = Battery(
            charge_wh=min(charge_w * hours, battery.room_wh / EFFICIENCY),
            discharge_wh=min(battery.discharge_w * hours, battery.stored_wh * EFFICIENCY),
            value_micro_per_kwh=float(planned.schedule.value_micro_per_kwh[row, 0])
            + TIE_MICRO_PER_KWH,
            efficiency=EFFICIENCY,
        )
        posted = view.tariff
        orders = []
        if planned.stores[0].part == "car" and planned.schedule.power_w[row, 0] > 0.0:
            # The car's plan reckons with this, so it must not rest at the price of its worth.
            given_wh = min(float(planned.schedule.power_w[row, 0]) * hours, can.discharge_wh)
            price = planned.price_micro // posted.tick * posted.tick
            why = f"planned for now; below {price} it is bought instead"
            orders = _orders("offer", given_wh, price - posted.tick, why, posted)
            can = replace(can, discharge_wh=can.discharge_wh - given_wh)
        orders += home_orders(
            0.0,
            can,
            posted,
            must_buy_micro=posted.short // posted.tick * posted.tick,
            must_sell_micro=-(-posted.long // posted.tick) * posted.tick,
        )
        beside = planned.cars_said(hours)
        return [replace(order, why=f"{order.why}{beside}") for order in orders]

    def _plan(
        self,
        stores: Sequence[Connection],
        views: Mapping[str, View],
        expected: Mapping[str, _Expected],
    ) -> _Plan:
        """Plan battery and cars over what is forecast of the home."""
        view = views[stores[0].participant]
        parts = {other.participant: other.part for other in self.connections}
        day_steps = DAY_S // view.period.duration_s
        steps = min((len(e.mean_w) for e in expected.values()), default=day_steps)
        needed_w, most_w = np.zeros(steps), 0.0
        for name, what in expected.items():
            is_use = parts[name] == "use"
            needed_w += (1.0 if is_use else -1.0) * what.mean_w[:steps]
            most_w += float(what.quantiles_w[-1] if is_use else -what.quantiles_w[0])
        step_s = steps_s(steps, view.period.duration_s)
        needed_w = means(needed_w, step_s, view.period.duration_s)
        made = [self._store(one, views[one.participant], step_s) for one in stores]
        left_w, shared = np.full(len(step_s), np.inf), None
        if self.connection_w is not None:
            # The next period is dearer to be wrong in than those that are planned anew.
            taken_w = np.concatenate([[max(needed_w[0], most_w)], needed_w[1:]])
            left_w = np.maximum(0.0, self.connection_w - taken_w)
            # Nobody need buy what a store is planned to give: no other may count on it.
            shared = Shared(np.ones((1, len(made))), left_w[None, :], relieved=False)
        offered = supply(view, step_s)
        schedule = plan(needed_w, made, offered, step_s=step_s, shared=shared)
        most = shared_out(-schedule.power_w[:, 0], float(left_w[0]))
        price_micro = int(offered.price_micro_per_kwh[0, 0])
        return _Plan(stores, schedule, step_s, price_micro, left_w, most)

    def _store(self, one: Connection, view: View, step_s: FloatArray) -> Store:
        battery = view.battery
        assert battery is not None
        if isinstance(battery, CarView):
            return car_store(one.participant, battery, step_s)
        charge_w, discharge_w = np.full((2, len(step_s)), one.power_w)
        charge_w[0], discharge_w[0] = battery.charge_w, battery.discharge_w
        # Empty, the worth of one more counts, full, that of one less: the others cannot be traded.
        most_wh = battery.stored_wh + battery.room_wh
        edge_wh = min(EDGE_WH, most_wh / 2)
        return Store(
            one.participant,
            min(max(battery.stored_wh, edge_wh), most_wh - edge_wh),
            charge_w,
            discharge_w,
            np.zeros(len(step_s)),  # what may be traded is counted from the reserve on
            most_wh,
            EFFICIENCY,
        )


def _as_yesterday(seen: Series) -> Forecast:
    """Return a day as the last one was, or nothing, where there is too little to train on."""
    day, found = seen.steps_a_day, np.zeros(seen.steps_a_day)
    last = seen.values[-day:]
    found[: len(last)] = np.nan_to_num(last)
    flags = [f"{len(seen.values) / day:.1f} days of history, too few to train on: as yesterday"]
    if len(last) < day or not np.isfinite(last).all():
        flags.append("yesterday is not known whole: nothing expected where it is not")
    return Forecast(found, np.repeat(found[:, None], len(QUANTILES), axis=1), tuple(flags))


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
