"""Agents: what each kind of participant bids and offers for a delivery period.

An agent sees its own forecast, its own battery and the posted tariff; never another's orders.
Prices carry a small seeded spread of the participant's own, so that a merit order exists.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from gridrig.errors import MarketError
from gridrig.quantity import DeliveryPeriod, whole_lots

Side = Literal["bid", "offer"]


@dataclass(frozen=True)
class Tariff:
    """Prices posted before the auction. [millionths of the currency per kWh]

    A trade inside the neighbourhood is worth something to both sides between `feed_in` (what the
    main grid pays) and `retail` (what it asks). Outside trades, `long` is what is paid for a
    surplus, `short` what is asked for a shortfall.
    """

    feed_in: int
    retail: int
    tick: int
    lot_milliwh: int
    long: int
    short: int


@dataclass(frozen=True)
class BatteryView:
    """What a storage operator knows of its battery.

    Parameters
    ----------
    stored_wh, room_wh : float
        Energy above the reserve, and room up to the top. [Wh]
    charge_w, discharge_w : float
        What the battery management system allows now, as positive powers. [W]
    """

    stored_wh: float
    room_wh: float
    charge_w: float
    discharge_w: float


@dataclass(frozen=True)
class CarView(BatteryView):
    """What a home knows of its car: a battery that leaves.

    Of a car that only charges, `stored_wh` is 0 and `room_wh` what it still needs.

    Parameters
    ----------
    needs_wh : float
        What it still has to have when it leaves, at the charger's meter; of a car that gives, what
        it may give for good is negative. [Wh]
    leaves_s : float
        From the beginning of the period until it leaves. [s]
    below_wh : float
        What it holds less than its driver's reserve. [Wh]
    least_w : float
        The least that flows if anything does. [W]
    """

    needs_wh: float
    leaves_s: float
    below_wh: float = 0.0
    least_w: float = 0.0


@dataclass(frozen=True)
class RoomView:
    """What a home knows of its room and of the heat pump that warms it.

    Parameters
    ----------
    room_c : float or None
        As it was read last; None if its sensor told nothing. [deg C]
    read_s : float
        From then until the period begins. [s]
    takes_w, most_w : float
        What the pump takes until then, and what it may take at most. [W]
    outdoor_c : tuple of float
        What is expected of each period from this one on; empty if nothing is known. [deg C]
    set_point_c : float or None
        What its own thermostat holds. [deg C]
    flags : tuple of str
        What was replaced in this.
    left : str
        Why the pump is left to its own thermostat in the period, nothing if it is not.
    """

    room_c: float | None
    read_s: float
    takes_w: float
    most_w: float
    outdoor_c: tuple[float, ...]
    set_point_c: float | None = None
    flags: tuple[str, ...] = ()
    left: str = ""


@dataclass(frozen=True)
class View:
    """What an agent may look at when it decides.

    `counted_wh` is what its own signed meter has counted in each period that is over, + is
    delivery, NaN where no reading was verified; `prices_micro` what each period cleared at in its
    own zone, None if nothing was traded; `missing` why a car or a heat pump that is there cannot
    be traded for, if it cannot. [Wh, millionths/kWh] `tariff_ahead` are the prices posted for the
    periods of a day from this one on, by the rules in force now; empty if `tariff` holds all day.
    """

    period: DeliveryPeriod
    tariff: Tariff
    forecast_import_wh: float = 0.0
    forecast_export_wh: float = 0.0
    battery: BatteryView | None = None
    islanded: bool = False
    link_wh: float = 0.0
    counted_wh: tuple[float, ...] = ()
    prices_micro: tuple[int | None, ...] = ()
    missing: str = ""
    tariff_ahead: tuple[Tariff, ...] = ()
    room: RoomView | None = None


@dataclass(frozen=True)
class Intent:
    """One order before it has a number, and why it is made if its agent says so."""

    side: Side
    energy_milliwh: int
    price_micro_per_kwh: int
    why: str = ""


@dataclass(frozen=True)
class Agent:
    """A participant's trading mind.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    random : Random
        The participant's own random stream.
    bid_micro, offer_micro : int or None
        Prices it holds to; None takes them from the posted tariff. [millionths/kWh]
    spread_micro : int
        Largest personal deviation from them. [millionths/kWh]
    """

    kind: str
    random: Random
    bid_micro: int | None = None
    offer_micro: int | None = None
    spread_micro: int = 20_000

    def intents(self, view: View) -> list[Intent]:
        """Return the orders for one period; energies are whole lots, prices whole ticks."""
        return [order for order in KINDS[self.kind](self, view) if order.energy_milliwh > 0]

    def priced(self, view: View, base_micro: int) -> int:
        """Return the base price moved by the participant's own spread, on a tick."""
        price = base_micro + self.random.randint(-self.spread_micro, self.spread_micro)
        return price // view.tariff.tick * view.tariff.tick


def _or(price: int | None, otherwise: int) -> int:
    return otherwise if price is None else price


def _consumer(agent: Agent, view: View) -> list[Intent]:
    # Being short costs more than retail, so a consumer bids above it to be served.
    price = agent.priced(view, _or(agent.bid_micro, view.tariff.retail + 40_000))
    energy = whole_lots(view.forecast_import_wh, view.tariff.lot_milliwh)
    return [Intent("bid", energy, price)]


def _producer(agent: Agent, view: View) -> list[Intent]:
    price = agent.priced(view, _or(agent.offer_micro, view.tariff.feed_in - 30_000))
    energy = whole_lots(view.forecast_export_wh, view.tariff.lot_milliwh)
    return [Intent("offer", energy, price)]


def _storage(agent: Agent, view: View) -> list[Intent]:
    if view.battery is None:
        return []
    hours = view.period.hours
    bid = _or(agent.bid_micro, view.tariff.feed_in + 50_000)
    ask = _or(agent.offer_micro, view.tariff.retail - 50_000)
    charge_wh = min(view.battery.charge_w * hours, view.battery.room_wh)
    discharge_wh = min(view.battery.discharge_w * hours, view.battery.stored_wh)
    spread = agent.random.randint(-agent.spread_micro, agent.spread_micro)
    tick, lot = view.tariff.tick, view.tariff.lot_milliwh
    return [
        Intent("bid", whole_lots(charge_wh, lot), (bid + spread) // tick * tick),
        Intent("offer", whole_lots(discharge_wh, lot), (ask + spread) // tick * tick),
    ]


def _grid(_: Agent, view: View) -> list[Intent]:
    if view.islanded:
        return []
    energy = whole_lots(view.link_wh, view.tariff.lot_milliwh)
    return [
        Intent("bid", energy, view.tariff.feed_in),
        Intent("offer", energy, view.tariff.retail),
    ]


KINDS: Mapping[str, Callable[[Agent, View], list[Intent]]] = {
    "consumer": _consumer,
    "producer": _producer,
    "storage": _storage,
    "grid": _grid,
    "compute": lambda _agent, _view: [],  # it runs by its jobs, and pays for what it took
}


def make_agent(
    kind: str,
    random: Random,
    *,
    bid_micro: int | None = None,
    offer_micro: int | None = None,
    spread_micro: int | None = None,
) -> Agent:
    """Return the agent of a kind, or say which kinds there are."""
    if kind not in KINDS:
        raise MarketError(
            "market.agent_unknown",
            "no agent {kind!r}; there are {known}",
            kind=kind,
            known=", ".join(KINDS),
        )
    return Agent(
        kind, random, bid_micro, offer_micro, 20_000 if spread_micro is None else spread_micro
    )
