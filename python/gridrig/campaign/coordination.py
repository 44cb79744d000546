"""The coordinator of a run's cars: reads chargers and the feeder's head, plans, and limits.

At every tick it looks; it plans anew when a slot begins, when a car came or left, when a charger
refused what it was told, and when more is drawn than was planned for. Who has no car, or has not
been planned for yet, may take nothing. What is told at a tick acts from the next one on, so plans
begin there.

Events
    `charging_decided`: what one charger may take or shall give from now on, and why.
    `car_infeasible`: which car cannot have what it needs, and how much it will miss.
    `charger_follows_not`: a charger refused, takes more than it may, or is held by hand; the others
    make room.
While the connection to the main grid is open nothing is planned (`island_cars.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from gridrig.campaign.car_stays import CarStays, make_stays
from gridrig.campaign.charging import Charging
from gridrig.campaign.charging_room import ChargingRoom
from gridrig.campaign.charging_rules import ChargingRules
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.street import Street
from gridrig.campaign.untraded import UntradedForecast
from gridrig.devices.capabilities import MeterReading
from gridrig.devices.charger_capability import EvChargerReading
from gridrig.events import EventLog
from gridrig.grid.feeder import Feeder
from gridrig.minds.car_park import Car, Decision, coordinate, steps_until
from gridrig.quantity import SECONDS_PER_HOUR, delivery_periods
from gridrig.rig.description import Rig

OVER_W = 200.0  # a charger takes so much more than it may before it counts as not following
BEYOND_W = 2_000.0  # the feeder takes so much more than was planned for before plans are made anew


@dataclass
class Coordination:
    """Coordinates the chargers of a run.

    Parameters
    ----------
    rules : ChargingRules
    cars : CarStays
        Who is there.
    room : ChargingRoom
    charging : Charging
        Where chargers are told.
    events : EventLog
    """

    rules: ChargingRules
    cars: CarStays
    room: ChargingRoom
    charging: Charging
    events: EventLog
    _decided: dict[str, Decision] = field(default_factory=dict)
    _allowed_w: dict[str, float] = field(default_factory=dict)  # as of the look before
    _stuck: dict[str, float] = field(default_factory=dict)
    _because: tuple[object, ...] = ()
    _beyond_w: float = 0.0
    _planned_beyond_w: float = 0.0

    def look(
        self,
        t_s: float,
        dt_s: float,
        telemetry: Telemetry,
        head: MeterReading | None,
        *,
        islanded: bool,
    ) -> None:
        """Look at this tick's readings, and plan if there is a reason to.

        Parameters
        ----------
        t_s, dt_s : float
            Begin and length of the tick. [s]
        telemetry : Telemetry
        head : MeterReading or None
            Of the feeder's head; None leaves what was known of it.
        islanded : bool
            Whether the connection to the main grid is open.
        """
        self.cars.look(t_s, telemetry)
        if head is not None:
            cars_w = sum(reading.p_w for reading in telemetry.chargers.values())
            self._beyond_w = head.p_w + cars_w - self.room.forecast_w(t_s)
        self._stuck = {} if islanded else self._who_follows_not(telemetry)
        allowed = {name: self.charging.allowed_w(name) for name in self.cars.present}
        self._allowed_w = {name: p_w for name, p_w in allowed.items() if p_w is not None}
        acts_s = t_s + dt_s
        slot, calls = acts_s // self.rules.slot_s, self._called_w(acts_s, 1.0)
        groups = (
            frozenset(self.cars.present),
            frozenset(self._stuck),
            self.cars.at_reserve(telemetry),
        )
        because = (islanded, slot, calls, *groups)
        if because == self._because and self._beyond_w < self._planned_beyond_w + BEYOND_W:
            return
        self._because, self._planned_beyond_w = because, self._beyond_w
        staying = [n for n, there in self.cars.present.items() if there.stay.departs_s > acts_s]
        decided = {} if islanded or not staying else self._plan(staying, acts_s, dt_s, telemetry)
        why = "the connection to the main grid is open" if islanded else "no car"
        for name in self.cars.most_w:
            if name not in self._stuck:
                self._tell(name, decided.get(name, Decision(0, why)))

    def _who_follows_not(self, telemetry: Telemetry) -> dict[str, float]:
        """Return who does not follow, and what it is taken to draw. [W]"""
        found = {}
        for name in self.cars.present:
            reading = telemetry.chargers.get(name)
            allowed_w = self.charging.allowed_w(name)
            takes_w = -reading.p_w if reading is not None else 0.0
            if name in self.charging.overrides_w:
                found[name] = -self.charging.overrides_w[name]
            elif reading is None or name in self.charging.unheard():
                known_w = self.cars.most_w[name] if allowed_w is None else allowed_w
                found[name] = takes_w if takes_w < 0 else max(takes_w, known_w)
            elif allowed_w is not None:
                # What was told last does not show in a reading yet.
                most_w = max(allowed_w, self._allowed_w.get(name, allowed_w))
                if takes_w > most_w + OVER_W:
                    found[name] = takes_w
        for name in found.keys() - self._stuck.keys():
            self.events.record("charger_follows_not", name, takes_w=round(found[name]))
        return found

    def _plan(
        self, names: Sequence[str], acts_s: float, dt_s: float, telemetry: Telemetry
    ) -> Mapping[str, Decision]:
        cars = [self._car(name, acts_s, dt_s, telemetry.chargers.get(name)) for name in names]
        passed_s = acts_s % self.rules.slot_s
        last_s = max(car.leaves_s for car in cars)
        step_s = steps_until(last_s, self.rules.slot_s, from_s=passed_s)
        edges = acts_s + np.concatenate([[0.0], np.cumsum(step_s)])
        called_w = np.array([self._called_w(a, b - a) for a, b in pairwise(edges.tolist())])
        room = self.room.of(names, acts_s, step_s, self._beyond_w)
        return coordinate(cars, room, step_s, called_w=called_w)

    def _car(self, name: str, acts_s: float, dt_s: float, reading: EvChargerReading | None) -> Car:
        """Return a car as it will be when what is decided now acts."""
        before_w = self._decided[name].p_w if name in self._decided else 0
        if name in self._stuck:
            before_w = -round(self._stuck[name])
        return self.cars.car(
            name,
            acts_s,
            reading,
            before_wh=before_w * dt_s / SECONDS_PER_HOUR,
            least_w=self.rules.least_w,
            fixed_w=self._stuck.get(name),
        )

    def _called_w(self, from_s: float, length_s: float) -> float:
        """Return what the grid calls for in a stretch of time, as its mean. [W]"""
        total = 0.0
        for call in self.rules.calls:
            both_s = min(from_s + length_s, call.to_s) - max(from_s, call.from_s)
            total += call.p_w * max(0.0, both_s) / length_s
        return total

    def _tell(self, name: str, decision: Decision) -> None:
        there = self.cars.present.get(name)
        if there is not None and decision.short_wh != there.said_short_wh:
            there.said_short_wh = decision.short_wh
            if decision.short_wh:
                self.events.record(
                    "car_infeasible",
                    name,
                    short_wh=decision.short_wh,
                    departs_s=there.stay.departs_s,
                    why=decision.why,
                )
        before = self._decided.get(name)
        if before is None or before.p_w != decision.p_w:
            self.events.record("charging_decided", name, p_w=decision.p_w, why=decision.why)
        self._decided[name] = decision
        gives = self.cars.can_give(name)
        most_w = self.cars.most_w[name]
        self.charging.drive(name, float(decision.p_w), most_w=most_w, gives=gives)


def make_coordination(
    rig: Rig,
    scenario: Scenario,
    street: Street,
    feeder: Feeder,
    charging: Charging,
    events: EventLog,
) -> Coordination | None:
    """Make the coordinator that a scenario asks for, None if it asks for none.

    `feeder` is not the one of the run.
    """
    rules = scenario.charging
    if rules is None or not rules.coordinated:
        return None
    chargers = rig.of("ev_charger")
    cars = make_stays(chargers, rules.stays)
    gives_w = dict.fromkeys(cars.most_w, 0.0)
    for stay in rules.stays:
        gives_w[stay.charger] = max(gives_w[stay.charger], stay.gives_w)
    room = ChargingRoom(
        feeder,
        rules.limits,
        rules.margin_percent,
        cars.most_w,
        gives_w,
        {device.name: str(device.bus) for device in chargers},
        UntradedForecast(feeder.buses, street, {}, scenario.start_utc_s),
        delivery_periods(scenario.duration_s + rules.slot_s - 1, rules.slot_s),
    )
    return Coordination(rules, cars, room, charging, events)
