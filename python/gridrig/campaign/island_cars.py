"""What cars do while the feeder is alone: take what no battery can take, give what is permitted.

Nobody plans an island's energy, so what is done follows from what devices tell at each tick:

* A car that holds less than it must have takes only surplus: PV tells that it is throttled, and the
  battery of whoever forms the island gives nothing and may take no more.
* A car gives only if its rig permits it (`limits.gives_in_island`), its driver lets it (`gives_w`)
  and it holds more than its driver's reserve; and only while the island's battery gives and is
  nearly empty. Before that the island lives on its own battery.

Less is given at once, and taken when the battery gives in two readings in a row; more of either
only when the chargers do what they were told, so that what is read is the answer to it. More is
taken `STEP_W` at a time, because how much surplus there is shows only by trying. More is given at
once, all that the former was read to give: to step there would drain a nearly empty battery, on
which the island lives, for many ticks more. It is no step of the island's balance: the former
gives that much less and is not turned round, and its empty battery takes what was too much. A
charger offers nothing below its least power: whether there is so much surplus shows when it takes
it, and where there is not it waits before it tries again.

Event
    `island_car_decided`: what a car does from now on, and why, whenever that becomes another thing.

Known gaps: other storages than the former do what they are scheduled to do; a try costs the battery
the least power for a tick or two; no car is spared for a longer island.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridrig.campaign.car_stays import CarStays
from gridrig.campaign.charging import Charging
from gridrig.campaign.sensing import Telemetry
from gridrig.devices.charger_capability import EvChargerReading
from gridrig.events import EventLog
from gridrig.quantity import SECONDS_PER_HOUR
from gridrig.rig.description import Rig
from gridrig.rig.instruments import EvChargerLimits

STEP_W = 500.0  # more to take at a time
SETTLED_W = 100.0  # what a charger does is what it was told
TOLERANCE_W = 200.0  # of the former's power and of what its battery may take
RETRY_S = 300.0  # after a try that found no surplus
FULL_SOC = 0.99
NEAR_EMPTY = 0.1  # of its charge above its least: from there on cars help it


@dataclass
class IslandCars:
    """Looks after cars in an island.

    Parameters
    ----------
    cars : CarStays
        Who is there.
    charging : Charging
        Where chargers are told.
    events : EventLog
    pv : sequence of str
        Inverters that are throttled where there is too much.
    former, battery : str
        Who forms the island, and its pack.
    most_w, least_soc : float
        The most that the former takes, and what its pack keeps. [W, 1]
    permitted : frozenset of str
        Chargers whose cars may give in an island.
    least_w : float
        The least power that a charger offers. [W]
    """

    cars: CarStays
    charging: Charging
    events: EventLog
    pv: Sequence[str]
    former: str
    battery: str
    most_w: float
    least_soc: float
    permitted: frozenset[str]
    least_w: float
    _told_w: dict[str, float] = field(default_factory=dict)  # into the grid; empty if connected
    _does: dict[str, str] = field(default_factory=dict)
    _lacks: bool = False
    _tries_from_s: float = 0.0

    def step(self, acts_s: float, dt_s: float, telemetry: Telemetry, *, islanded: bool) -> None:
        """Tell every charger what its car does from a moment on, by readings a tick before. [s]"""
        if not islanded:
            self._told_w, self._does = {}, {}
            self._lacks, self._tries_from_s = False, 0.0
            return
        for name in self.charging.overrides_w:  # who is held by a person has no part in it
            self._told_w.pop(name, None)
            self._does.pop(name, None)
        total_w = sum(self._told_w.values())
        takes_w, gives_w = max(0.0, -total_w), max(0.0, total_w)
        needy, giving = self._needy(acts_s, telemetry), self._giving(telemetry)
        takes_w = self._taken(takes_w, telemetry, acts_s) if needy and gives_w == 0 else 0.0
        gives_w = self._given(gives_w, telemetry) if giving and takes_w == 0 else 0.0
        # Whose car has gone is told once; what a scenario tells a charger without a stay stands.
        there = self.cars.present.keys() - self.charging.overrides_w.keys()
        told = {name: 0.0 for name in self.cars.most_w if name in there or name in self._told_w}
        for name in needy:
            offered_w = min(takes_w, self.cars.most_w[name])
            if offered_w >= self.least_w:
                told[name] = -offered_w
                takes_w -= offered_w
        for name in giving if gives_w > 0 else ():
            told[name] = min(gives_w, self._can_give_w(name, dt_s, telemetry))
            gives_w -= told[name]
        for name, p_w in told.items():
            self._tell(name, p_w)
            if name not in there:
                del self._told_w[name]

    def _taken(self, takes_w: float, telemetry: Telemetry, acts_s: float) -> float:
        """Return what all cars together may take. [W]"""
        lacking_w = self._lacking_w(telemetry)
        if lacking_w is None:
            return 0.0  # who forms the island does not tell what it gives
        lacked, self._lacks = self._lacks, lacking_w > TOLERANCE_W
        if self._lacks:
            if not lacked:
                return takes_w  # PV that is let go takes a moment to follow
            less_w = takes_w - lacking_w
            if takes_w > 0 and less_w < self.least_w:
                self._tries_from_s = acts_s + RETRY_S
            return less_w if less_w >= self.least_w else 0.0
        throttled = any(
            reading.state == "throttled"
            for name in self.pv
            if (reading := telemetry.inverters.get(name)) is not None
        )
        if not throttled or acts_s < self._tries_from_s or not self._settled(telemetry):
            return takes_w
        return max(self.least_w, takes_w + STEP_W)

    def _lacking_w(self, telemetry: Telemetry) -> float | None:
        """Return what the former gives, or could still take; None if that is not told. [W]"""
        former = telemetry.inverters.get(self.former)
        battery = telemetry.batteries.get(self.battery)
        if former is None or battery is None:
            return None
        full = battery.soc >= FULL_SOC  # some packs tell their current limit even then
        accepts_w = 0.0 if full else min(self.most_w, battery.charge_limit_a * battery.v_v)
        return max(0.0, former.p_w) + max(0.0, accepts_w + min(0.0, former.p_w))

    def _given(self, gives_w: float, telemetry: Telemetry) -> float:
        """Return what all cars together shall give. [W]"""
        former = telemetry.inverters.get(self.former)
        battery = telemetry.batteries.get(self.battery)
        if former is None or battery is None or battery.soc > self.least_soc + NEAR_EMPTY:
            return 0.0
        if former.p_w > TOLERANCE_W:
            # All of it at once: the battery is nearly empty.
            return gives_w + former.p_w if self._settled(telemetry) else gives_w
        return max(0.0, gives_w + min(0.0, former.p_w))

    def _settled(self, telemetry: Telemetry) -> bool:
        """Return whether every charger does what it was told."""
        readings = ((name, telemetry.chargers.get(name)) for name in self._told_w)
        return all(
            reading is not None and abs(reading.p_w - self._told_w[name]) <= SETTLED_W
            for name, reading in readings
        )

    def _needy(self, acts_s: float, telemetry: Telemetry) -> list[str]:
        """Return the chargers whose cars hold less than they must have; who leaves first, first."""
        found = []
        for name, there in self.cars.present.items():
            reading = telemetry.chargers.get(name)
            if reading is None or there.stay.departs_s <= acts_s or self._is_held(name):
                continue
            car = self.cars.car(name, acts_s, reading, before_wh=0.0, least_w=self.least_w)
            if car.needs_wh > 0 or (car.gives_w > 0 and car.stored_wh < car.reserve_wh):
                found.append((there.stay.departs_s, name))
        return [name for _, name in sorted(found)]

    def _giving(self, telemetry: Telemetry) -> list[str]:
        """Return the chargers whose cars may give now, in rig order."""
        return [
            name
            for name in self.cars.most_w
            if name in self.permitted
            and self.cars.can_give(name)
            and not self._is_held(name)
            and _above(telemetry.chargers.get(name), self.cars.present[name].stay.reserve_soc)
        ]

    def _is_held(self, name: str) -> bool:
        """Return whether a person holds a charger."""
        return name in self.charging.overrides_w

    def _can_give_w(self, name: str, dt_s: float, telemetry: Telemetry) -> float:
        """Return what a car can give until it is told anew, and stay above its reserve. [W]"""
        stay, reading = self.cars.present[name].stay, telemetry.chargers[name]
        spare_wh = ((reading.soc or 0.0) - stay.reserve_soc) * (stay.capacity_wh or 0)
        # What was told before is given during this tick, and what is told now during the next.
        before_wh = max(0.0, self._told_w.get(name, 0.0)) * dt_s / SECONDS_PER_HOUR
        lasting_w = max(0.0, spare_wh - before_wh) * SECONDS_PER_HOUR / dt_s
        return min(stay.gives_w, self.cars.most_w[name], lasting_w)

    def _tell(self, name: str, p_w: float) -> None:
        does = "waits" if p_w == 0 else "takes" if p_w < 0 else "gives"
        why = {
            "waits": "the feeder is alone",
            "takes": "PV is throttled and the island's battery takes no more",
            "gives": "the island's battery is nearly empty",
        }[does]
        if name in self.cars.present and self._does.get(name) != does:
            self.events.record("island_car_decided", name, p_w=round(p_w), does=does, why=why)
            self._does[name] = does
        self._told_w[name] = p_w
        gives = self.cars.can_give(name)
        self.charging.drive(name, p_w, most_w=self.cars.most_w[name], gives=gives)


def _above(reading: EvChargerReading | None, reserve_soc: float) -> bool:
    return reading is not None and reading.soc is not None and reading.soc > reserve_soc


def make_island_cars(
    rig: Rig,
    cars: CarStays | None,
    charging: Charging,
    events: EventLog,
    *,
    least_w: float,
) -> IslandCars | None:
    """Return what looks after a run's cars in an island; None without cars, or without islands."""
    if cars is None or rig.island is None:
        return None
    former = rig.device(rig.island.former)
    if former.bms is None:
        return None
    return IslandCars(
        cars,
        charging,
        events,
        [device.name for device in rig.of("inverter")],
        former.name,
        former.bms,
        float(getattr(former.limits, "p_w_max", 0.0)),
        float(getattr(rig.device(former.bms).limits, "soc_min", 0.0)),
        permitted_in_islands(rig),
        least_w,
    )


def permitted_in_islands(rig: Rig) -> frozenset[str]:
    """Return the chargers whose cars may give in an island, by their rig."""
    limits: Mapping[str, object] = {d.name: d.limits for d in rig.of("ev_charger")}
    return frozenset(
        name
        for name, one in limits.items()
        if isinstance(one, EvChargerLimits) and one.gives_in_island
    )
