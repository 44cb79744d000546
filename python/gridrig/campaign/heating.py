"""What a run asks of its heat pumps: a power each, or to be their own; sent until they have it."""

from collections.abc import Mapping
from typing import Any

from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.wishes import Wishes
from gridrig.events import EventLog
from gridrig.rig.description import Rig


class Heating:
    """Keeps each heat pump at the power wanted of it; of whom nothing is wanted is left alone.

    Parameters
    ----------
    rig : Rig
        Whose heat pumps are told.
    drivers : mapping of name to driver
        Guarded by the bench.
    """

    def __init__(self, rig: Rig, drivers: Mapping[str, Any], events: EventLog) -> None:
        self._drivers = {device.name: drivers[device.name] for device in rig.of("heat_pump")}
        self._events = events
        self._powers_w = Wishes(lambda driver, p_w: driver.set_power_w(p_w))
        self.overrides_w: dict[str, float | None] = {}

    def drive(self, name: str, p_w: float | None) -> None:
        """Want what a plan says of a pump, unless a person holds it; None is its thermostat. [W]

        Positive is into the grid, so what it may take is negative.
        """
        if name not in self.overrides_w:
            self._powers_w.wanted[name] = p_w

    def override(self, name: str, p_w: float) -> None:
        """Let a person hold a pump at a power, from the next control step on. [W]

        Its room still wins.
        """
        self._powers_w.wanted[name] = self.overrides_w[name] = p_w

    def leave(self, name: str) -> None:
        """Let a person leave a pump to its own thermostat, from the next control step on."""
        self._powers_w.wanted[name] = self.overrides_w[name] = None

    def release(self, name: str) -> None:
        """Give a pump back to its plan, or to its thermostat if there is none."""
        self.overrides_w.pop(name, None)
        self.drive(name, None)

    async def step(self, telemetry: Telemetry) -> None:
        """Send what a pump is not known to have."""
        self._powers_w.forget(self._drivers.keys() - telemetry.pumps.keys())
        await self._powers_w.send(self._drivers, self._events)
