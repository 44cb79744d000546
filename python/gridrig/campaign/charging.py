"""What a run asks of its EV chargers: a limit each, sent again until the charger has it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from gridrig.campaign.sensing import Telemetry
from gridrig.errors import DriverError
from gridrig.events import EventLog
from gridrig.rig.description import Rig


class Charging:
    """Keeps each charger at the limit that is wanted of it; one nobody limits is left alone.

    Parameters
    ----------
    rig : Rig
        Whose chargers are kept.
    drivers : mapping of name to driver
        Guarded by the bench.
    """

    def __init__(self, rig: Rig, drivers: Mapping[str, Any], events: EventLog) -> None:
        self._drivers = {device.name: drivers[device.name] for device in rig.of("ev_charger")}
        self._events = events
        self._wanted_w: dict[str, float] = {}
        self._sent_w: dict[str, float] = {}

    def limit(self, name: str, p_w: float) -> None:
        """Want a charger to take no more than this from the next control step on. [W]"""
        self._wanted_w[name] = p_w

    async def step(self, telemetry: Telemetry) -> None:
        """Send every limit that a charger is not known to have."""
        for name in self._drivers.keys() - telemetry.chargers.keys():
            # Who did not answer may have let its limit fall meanwhile (`driver.reverted`).
            self._sent_w.pop(name, None)
        sending = {n: w for n, w in self._wanted_w.items() if self._sent_w.get(n) != w}
        results = await asyncio.gather(
            *(self._drivers[name].set_limit_w(p_w) for name, p_w in sending.items()),
            return_exceptions=True,
        )
        for (name, p_w), result in zip(sending.items(), results, strict=True):
            if isinstance(result, DriverError):
                self._events.record("write_failed", name, code=result.code, failure=result.kind)
            elif isinstance(result, BaseException):
                raise result
            else:
                self._sent_w[name] = p_w
