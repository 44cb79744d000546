"""The mind of a home: what it expects, what battery, car and heat pump should do, and the orders.

A home has one or more connections, each behind a meter and an account of its own: what it uses,
what its roof makes, what its battery stores, what its car takes (`home_car.py`), what keeps it warm
(`home_room.py`). At each gate closure it forecasts the period from what its own signed meters have
counted so far, plans battery, car and warmth together over the day ahead (a receding horizon: only
the first step is ever acted on), and says in its orders how much, at which limit price and why.

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

from gridrig.market.agents import CarView, Intent, View
from gridrig.minds.expected import Expected, as_yesterday, between, energy_wh, said
from gridrig.minds.forecasting import TRAINING_DAYS_MIN, Forecaster
from gridrig.minds.home_car import News, car_orders, car_plan, car_store, infeasible, shared_out
from gridrig.minds.home_room import cold_news, own_orders, room_orders, room_plan
from gridrig.minds.horizon import means, steps_s
from gridrig.minds.inputs import Kind
from gridrig.minds.orders import UNIT, Battery, home_orders, one_order
from gridrig.minds.prices_ahead import price_expected, supply
from gridrig.minds.rooms import Room, is_known, room_ahead, thermostat_w
from gridrig.minds.schedule import Schedule, Shared, plan
from gridrig.minds.series import FloatArray, Series
from gridrig.minds.stores import Store
from gridrig.quantity import DAY_S

Part = Literal["use", "sun", "store", "car", "room"]
EFFICIENCY = 0.95
# An hour as cheap as any later one is used, not put off until it is the last.
TIE_MICRO_PER_KWH = 0.5
EDGE_WH = 1.0
KINDS: Mapping[Part, Kind] = {"use": "load", "sun": "sun"}
FIRST = ("car", "room")  # who has first what a connection leaves


@dataclass(frozen=True)
class Connection:
    """One meter of a home.

    Parameters
    ----------
    participant : str
        Whose account it is.
    part : {"use", "sun", "store", "car", "room"}
        What is behind it.
    history : Series or None
        Mean power used or made in the periods before the run; None of what is planned. [W]
    power_w : float
        Of a store: what its inverter is rated for. [W]
    charger : str
        Of a car: where it is charged.
    room : Room or None
        Of a heat pump: what it warms.
    """

    participant: str
    part: Part
    history: Series | None = None
    power_w: float = 0.0
    charger: str = ""
    room: Room | None = None


@dataclass(frozen=True)
class Decision:
    """What a home orders for one period, by participant, what it did without, and its events."""

    orders: Mapping[str, Sequence[Intent]]
    flags: tuple[str, ...] = ()
    schedule: Schedule | None = None
    news: tuple[News, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """What is planned for the stores of a home, cars first, then rooms."""

    stores: Sequence[Connection]
    schedule: Schedule
    step_s: FloatArray
    price_micro: int  # reckoned with in the first step
    left_w: FloatArray  # by the connection, to all of them
    most_w: FloatArray  # of that each one's, in the first step

    def besides(self, hours: float) -> str:
        """Return what is planned of the home's cars and rooms for the period, for a reason."""
        said = ""
        for part, name in (("car", "car"), ("room", "heat pump")):
            rows = [row for row, one in enumerate(self.stores) if one.part == part]
            energy_wh = -float(self.schedule.power_w[rows, 0].sum()) * hours
            takes = "takes" if energy_wh > 0 else "gives"
            if round(energy_wh):
                said += f"; the {name} {takes} {abs(energy_wh):.0f} Wh besides"
        return said


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
    _said_short_k: dict[str, float] = field(default_factory=dict, init=False)

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
        stores = [one for one in self.connections if _is_planned(one, views[one.participant])]
        stores.sort(key=lambda one: [*FIRST, one.part].index(one.part))
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
                case "room":
                    made = self._warm(one, view, planned, news, flags)
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

    def _expect(self, one: Connection, view: View, flags: list[str]) -> Expected:
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
            found = as_yesterday(seen)
        flags += [f"{one.participant}: {flag}" for flag in found.flags]
        return Expected(found.mean[ahead:], found.quantiles[ahead])

    def _buy(self, expected: Expected, view: View) -> list[Intent]:
        price, posted = price_expected(view), view.tariff
        share = between(posted.short - price, posted.short - posted.long)
        limit = posted.short // posted.tick * posted.tick
        why = f"{said(expected, view)} used; {share:.0%} of cases need no more than the bid"
        return one_order("bid", energy_wh(expected, share, view), limit, why, view.tariff)

    def _sell(self, expected: Expected, view: View) -> list[Intent]:
        price, posted = price_expected(view), view.tariff
        share = between(price - posted.long, posted.short - posted.long)
        limit = -(-posted.long // posted.tick) * posted.tick
        why = f"{said(expected, view)} made; {1 - share:.0%} of cases deliver the offer"
        return one_order("offer", energy_wh(expected, share, view), limit, why, view.tariff)

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

    def _warm(
        self,
        one: Connection,
        view: View,
        planned: _Plan | None,
        news: list[News],
        flags: list[str],
    ) -> list[Intent]:
        """Return the orders for a room's warmth, and name it if it will be too cold."""
        assert one.room is not None, "a heat pump has a room"
        must = view.tariff.short // view.tariff.tick * view.tariff.tick
        flags += [f"{one.participant}: {flag}" for flag in (view.room.flags if view.room else ())]
        if planned is None or one not in planned.stores:
            orders, flag = own_orders(one.participant, one.room, view, must)
            flags.append(flag)
            return orders
        row, step_s = planned.stores.index(one), planned.step_s
        ahead = room_ahead(one.participant, one.room, view, step_s)
        most_w = float(planned.most_w[row])
        left_w = planned.left_w
        found = room_plan(ahead, planned.schedule, row, step_s, left_w=left_w, most_w=most_w)
        if found.short_k != self._said_short_k.get(one.participant, 0.0):
            self._said_short_k[one.participant] = found.short_k
            if found.short_k:
                news.append(cold_news(one.room, found, view))
        return room_orders(found, view, expected_micro=planned.price_micro, must_buy_micro=must)

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
        if planned.stores[0].part in FIRST and planned.schedule.power_w[row, 0] > 0.0:
            # Another's plan reckons with this, so it must not rest at the price of its worth.
            given_wh = min(float(planned.schedule.power_w[row, 0]) * hours, can.discharge_wh)
            price = planned.price_micro // posted.tick * posted.tick
            why = f"planned for now; below {price} {UNIT} it is bought instead"
            orders = one_order("offer", given_wh, price - posted.tick, why, posted)
            can = replace(can, discharge_wh=can.discharge_wh - given_wh)
        orders += home_orders(
            0.0,
            can,
            posted,
            must_buy_micro=posted.short // posted.tick * posted.tick,
            must_sell_micro=-(-posted.long // posted.tick) * posted.tick,
        )
        beside = planned.besides(hours)
        return [replace(order, why=f"{order.why}{beside}") for order in orders]

    def _plan(
        self,
        stores: Sequence[Connection],
        views: Mapping[str, View],
        expected: Mapping[str, Expected],
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
        for one in self.connections:
            if one.room is not None and one not in stores:
                own_w = thermostat_w(one.room, views[one.participant], steps)
                if own_w is not None:
                    needed_w += own_w
                    most_w += float(own_w[0])
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
        if one.room is not None:
            return room_ahead(one.participant, one.room, view, step_s).store
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


def _is_planned(one: Connection, view: View) -> bool:
    """Return whether enough is known of a store, a car or a room to plan with it."""
    return view.battery is not None if one.room is None else is_known(view.room)
