"""The cars of homes in a run: what their minds know of them, and chargers that follow the trades.

A home's car is traded for as its battery is; its charger is told, by the same driver as any, what
was traded for the delivery period, over the part of it in which the car is there. What is told at a
tick acts from the next one on. While the connection to the main grid is open nothing is traded for
cars (`island_cars.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gridrig.campaign.car_stays import CarStays, make_stays
from gridrig.campaign.charging import Charging
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.told_powers import ToldPowers
from gridrig.campaign.trading import Trading
from gridrig.market.agents import CarView
from gridrig.quantity import SECONDS_PER_HOUR, DeliveryPeriod
from gridrig.rig.description import Device, Rig
from gridrig.rig.issues import At, Issues
from gridrig.rig.participants import HomeAgent


@dataclass
class HomeCars:
    """Looks after the chargers of a rig's homes.

    Parameters
    ----------
    charger_of : mapping of participant to charger
    cars : CarStays
        Who is there.
    least_w : float
        The least power that a charger offers. [W]
    charging : Charging
        Where chargers are told.
    """

    charger_of: Mapping[str, str]
    cars: CarStays
    least_w: float
    charging: Charging
    _at_reserve: frozenset[str] = frozenset()
    _told: ToldPowers = field(default_factory=ToldPowers)

    def has(self, device: Device) -> bool:
        """Return whether a device is a charger of a home."""
        return device.name in self.cars.most_w

    def missing(self, charger: str, telemetry: Telemetry) -> str:
        """Return why a car that is there cannot be traded for, nothing if it can."""
        if charger not in self.cars.present:
            return ""
        if charger in self.charging.overrides_w:
            return "under manual control"
        return "" if charger in telemetry.chargers else "not read"

    def look(self, t_s: float, telemetry: Telemetry) -> None:
        """See which cars are there, and which have come to their driver's reserve."""
        self.cars.look(t_s, telemetry)
        self._at_reserve = self.cars.at_reserve(telemetry)

    def view(
        self, charger: str, period: DeliveryPeriod, telemetry: Telemetry, now_s: float
    ) -> CarView | None:
        """Return a car as it will be when a period begins; None if nothing can be traded for it."""
        reading, there = telemetry.chargers.get(charger), self.cars.present.get(charger)
        if reading is None or there is None or self.missing(charger, telemetry):
            return None
        if there.stay.departs_s <= period.start_s:
            return None
        before_wh = (
            (self._told.power_w.get(charger) or 0.0) * (period.start_s - now_s) / SECONDS_PER_HOUR
        )
        car = self.cars.car(
            charger, period.start_s, reading, before_wh=before_wh, least_w=self.least_w
        )
        stored_wh = room_wh = below_wh = 0.0
        if car.gives_w > 0:
            stored_wh = max(0.0, car.stored_wh - car.reserve_wh)
            below_wh = max(0.0, car.reserve_wh - car.stored_wh)
            room_wh = max(0.0, car.capacity_wh - car.stored_wh)
        return CarView(
            stored_wh,
            room_wh if car.gives_w > 0 else car.needs_wh,
            car.most_w,
            car.gives_w,
            car.needs_wh,
            car.leaves_s,
            below_wh,
            car.least_w,
        )

    def step(self, acts_s: float, dt_s: float, trading: Trading, *, islanded: bool) -> None:
        """Tell every charger what was traded for its car from a moment on.

        Parameters
        ----------
        acts_s : float
            When what is told now acts, since the run began. [s]
        dt_s : float
            How long what was told before has acted until then. [s]
        """
        self._told.pass_time(dt_s)
        cleared = trading.cleared_at(acts_s)
        period = None if cleared is None else cleared.period
        if period is not None and period.start_s == acts_s:
            self._told.begin_period()
        for participant, charger in self.charger_of.items():
            p_w = 0.0
            if period is not None and not islanded and charger in self.cars.present:
                p_w = self._traded_w(participant, charger, period, trading)
            self._told.power_w[charger] = p_w
            self.charging.drive(
                charger,
                p_w,
                most_w=self.cars.most_w[charger],
                gives=self.cars.can_give(charger),
            )

    def _traded_w(
        self, participant: str, charger: str, period: DeliveryPeriod, trading: Trading
    ) -> float:
        """Return the power over a car's part of a period that its trades ask for. [W]"""
        stay, most_w = self.cars.present[charger].stay, self.cars.most_w[charger]
        there_s = min(period.end_s, stay.departs_s) - max(period.start_s, stay.arrives_s)
        traded_w = trading.scheduled_w(participant, period)
        p_w = traded_w * period.duration_s / there_s if there_s > 0 else 0.0
        traded_wh = traded_w * period.hours
        p_w = self._told.in_bursts(charger, p_w, least_w=self.least_w, traded_wh=traded_wh)
        return min(max(p_w, -most_w), 0.0 if charger in self._at_reserve else most_w)


def make_home_cars(rig: Rig, scenario: Scenario, charging: Charging) -> HomeCars | None:
    """Return what looks after the chargers of a rig's homes; None if there are none."""
    charger_of = chargers_of_homes(rig)
    rules = scenario.charging
    if not charger_of or rules is None:
        return None
    stays = make_stays([rig.device(name) for name in charger_of.values()], rules.stays)
    return HomeCars(charger_of, stays, rules.least_w, charging)


def chargers_of_homes(rig: Rig) -> dict[str, str]:
    """Return the charger of each participant that is a home's car, in rig order."""
    chargers = {device.name for device in rig.of("ev_charger")}
    measured = {
        participant.name: str(rig.device(participant.meter).measures)
        for participant in rig.participants
        if isinstance(participant.agent, HomeAgent)
    }
    return {name: device for name, device in measured.items() if device in chargers}


def check_home_cars(rig: Rig, scenario: Scenario, at: At, issues: Issues) -> None:
    """Check that whoever trades for a car knows when it leaves, and alone tells its charger."""
    names = ", ".join(chargers_of_homes(rig).values())
    if not names or scenario.market is None:
        return
    if scenario.charging is None:
        issues.add(at, "nothing", f"the stays of cars at {names}, for which homes trade")
    elif scenario.charging.coordinated:
        expected = f"false, since a home of {rig.path} tells {names} what to do"
        issues.add(at.key("coordinated"), "true", expected)
