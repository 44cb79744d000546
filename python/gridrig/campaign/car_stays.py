"""Which car is at which charger now, what it has had since it came, and what it still needs.

What a car needs and when it leaves is told by the scenario, in a lab by the driver; what it has had
since it came, by the charger's register.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridrig.campaign.charging import most_w_of
from gridrig.campaign.charging_rules import Stay
from gridrig.campaign.sensing import Telemetry
from gridrig.devices.charger_capability import EvChargerReading
from gridrig.devices.links import OcppLink
from gridrig.minds.car_park import Car
from gridrig.quantity import MILLIWH_PER_WH
from gridrig.rig.description import Device
from gridrig.rig.emulated import driver_link


@dataclass
class CarThere:
    """A car that is there."""

    stay: Stay
    register_milliwh: int  # import less export when it came
    said_short_wh: int = 0


@dataclass
class CarStays:
    """The cars of some chargers.

    Parameters
    ----------
    stays : sequence of Stay
    most_w : mapping of charger to float
        The most each may take or give, by the rig. [W]
    sets_power : frozenset of str
        Chargers that can be told a set-point, and so to give.
    """

    stays: Sequence[Stay]
    most_w: Mapping[str, float]
    sets_power: frozenset[str]
    present: dict[str, CarThere] = field(default_factory=dict)

    def look(self, t_s: float, telemetry: Telemetry) -> None:
        """See who has come and who has gone."""
        for stay in self.stays:
            name = stay.charger
            reading = telemetry.chargers.get(name)
            there = self.present.get(name)
            if there is not None and there.stay is stay:
                if t_s >= stay.departs_s or (reading is not None and not reading.plugged):
                    del self.present[name]
            elif stay.arrives_s <= t_s < stay.departs_s and reading and reading.plugged:
                self.present[name] = CarThere(stay, _register(reading))

    def can_give(self, name: str) -> bool:
        """Return whether a car that is there may give, and its charger can be told so."""
        there = self.present.get(name)
        return there is not None and there.stay.gives_w > 0 and name in self.sets_power

    def at_reserve(self, telemetry: Telemetry) -> frozenset[str]:
        """Return the cars that may give no more, whatever their plan reckoned with."""
        readings = {name: telemetry.chargers.get(name) for name in self.present}
        return frozenset(
            name
            for name, reading in readings.items()
            if reading is not None
            and reading.soc is not None
            and self.present[name].stay.gives_w
            and reading.soc <= self.present[name].stay.reserve_soc
        )

    def car(
        self,
        name: str,
        acts_s: float,
        reading: EvChargerReading | None,
        *,
        before_wh: float,
        least_w: float,
        fixed_w: float | None = None,
    ) -> Car:
        """Return a car as it will be when what is decided now acts.

        Parameters
        ----------
        name : str
            Of its charger, where it is.
        acts_s : float
            When that is. [s]
        reading : EvChargerReading or None
            What the charger tells now; None takes it that the car has had nothing.
        before_wh : float
            What it is told to give until then, negative while it takes. [Wh]
        least_w, fixed_w : float, float or None
            As of `Car`. [W]
        """
        there, stay = self.present[name], self.present[name].stay
        had_milliwh = 0 if reading is None else _register(reading) - there.register_milliwh
        will_have_milliwh = had_milliwh - round(before_wh * MILLIWH_PER_WH)
        needs_milliwh = stay.energy_wh * MILLIWH_PER_WH - will_have_milliwh
        soc = None if reading is None else reading.soc
        capacity_wh = float(stay.capacity_wh or 0)
        gives = self.can_give(name) and soc is not None
        stored_wh = (soc or 0.0) * capacity_wh - before_wh
        if not gives:
            needs_milliwh = max(0, needs_milliwh)
        return Car(
            name,
            needs_milliwh / MILLIWH_PER_WH,
            stay.departs_s - acts_s,
            self.most_w[name],
            least_w,
            min(stay.gives_w, self.most_w[name]) if gives else 0.0,
            min(stored_wh, capacity_wh),
            stay.reserve_soc * capacity_wh,
            capacity_wh,
            fixed_w,
        )


def make_stays(chargers: Sequence[Device], stays: Sequence[Stay]) -> CarStays:
    """Return the cars of some chargers."""
    names = {device.name for device in chargers}
    links = {device.name: driver_link(device.link) for device in chargers}
    sets_power = (
        name for name, link in links.items() if not isinstance(link, OcppLink) or link.sets_power
    )
    return CarStays(
        [stay for stay in stays if stay.charger in names],
        {device.name: most_w_of(device) for device in chargers},
        frozenset(sets_power),
    )


def _register(reading: EvChargerReading) -> int:
    return reading.import_milliwh - reading.export_milliwh
