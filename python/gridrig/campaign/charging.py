"""What a run asks of its EV chargers: limits and set-points, sent again until they have them."""

from collections.abc import Mapping
from typing import Any

from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.wishes import Wishes
from gridrig.events import EventLog
from gridrig.rig.description import Device, Rig
from gridrig.rig.instruments import EvChargerLimits


class Charging:
    """Keeps each charger at the limit and the power wanted of it; what nobody wants is left alone.

    Parameters
    ----------
    rig : Rig
        Whose chargers are kept.
    drivers : mapping of name to driver
        Guarded by the bench.
    """

    def __init__(self, rig: Rig, drivers: Mapping[str, Any], events: EventLog) -> None:
        self._drivers = {device.name: drivers[device.name] for device in rig.of("ev_charger")}
        self._most_w = {device.name: most_w_of(device) for device in rig.of("ev_charger")}
        self._events = events
        self._limits_w = Wishes(lambda driver, p_w: driver.set_limit_w(p_w))
        self._powers_w = Wishes(lambda driver, p_w: driver.set_power_w(p_w))
        self.overrides_w: dict[str, float] = {}

    def limit(self, name: str, p_w: float) -> None:
        """Want a charger to take no more than this from the next control step on. [W]"""
        self._limits_w.wanted[name] = p_w

    def power(self, name: str, p_w: float) -> None:
        """Want a charger's vehicle to give this, or to take it if negative, likewise. [W]"""
        self._powers_w.wanted[name] = p_w

    def let_power_be(self, name: str) -> None:
        """Want no set-point of a charger any more; one that it has ends with its transaction."""
        self._powers_w.wanted.pop(name, None)
        self._powers_w.sent.pop(name, None)

    def drive(self, name: str, p_w: float, *, most_w: float, gives: bool) -> None:
        """Want what a plan says of a charger, unless a person holds it.

        Parameters
        ----------
        name : str
        p_w : float
            Positive into the grid: what it may take is negative. [W]
        most_w : float
            The most it may take, by the rig. [W]
        gives : bool
            Whether it is told a set-point and so may give, or a limit.
        """
        if name in self.overrides_w:
            return
        if gives:
            self.limit(name, most_w)
            self.power(name, p_w)
        else:
            self.limit(name, max(0.0, -p_w))
            self.let_power_be(name)

    def override(self, name: str, p_w: float) -> None:
        """Let a person hold a charger at a power, from the next control step on. [W]

        Its vehicle may take less than that.
        """
        self.release(name)
        self._tell(name, p_w)
        self.overrides_w[name] = p_w

    def release(self, name: str) -> None:
        """Give a charger back to its plan, or to its vehicle if there is none."""
        self.overrides_w.pop(name, None)
        self._tell(name, -self._most_w[name])

    def _tell(self, name: str, p_w: float) -> None:
        # Below a set-point that it has, a limit would change nothing.
        gives = p_w > 0 or name in self._powers_w.wanted
        self.drive(name, p_w, most_w=self._most_w[name], gives=gives)

    def allowed_w(self, name: str) -> float | None:
        """Return what a charger is known to be told that it may take, None if nothing. [W]"""
        set_w = self._powers_w.sent.get(name)
        return self._limits_w.sent.get(name) if set_w is None else max(0.0, -set_w)

    def unheard(self) -> set[str]:
        """Return the chargers that did not take what was wanted of them last."""
        return self._limits_w.unsent().keys() | self._powers_w.unsent().keys()

    async def step(self, telemetry: Telemetry) -> None:
        """Send what a charger is not known to have, limits first."""
        for wishes in (self._limits_w, self._powers_w):
            wishes.forget(self._drivers.keys() - telemetry.chargers.keys())
            await wishes.send(self._drivers, self._events)


def most_w_of(device: Device) -> float:
    """Return the most that a charger may take or give, by the rig. [W]"""
    assert isinstance(device.limits, EvChargerLimits)
    return device.limits.p_w_max
