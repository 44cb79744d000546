"""How an island gets rid of a surplus: PV is limited over the wire until frequency is back.

The droop of the inverters acts at once, but it needs a frequency above nominal, and an island above
nominal cannot be closed onto the grid. So the inverters are told to give less, step by step, while
frequency is high, and more while it is low; connected again, up to their declared limits.
"""

import asyncio
from collections.abc import Mapping, Set
from statistics import median
from typing import Any

from gridrig.campaign.sensing import Telemetry
from gridrig.errors import DriverError
from gridrig.events import EventLog

DEADBAND_HZ = 0.02
GAIN_PER_HZ_S = 0.15  # share of the rating taken away for each hertz and second
STEP_MAX = 0.2  # share of the rating, in one tick
RESEND = 0.01  # share of the rating


class Curtailment:
    """One share of the rating for all PV inverters.

    Parameters
    ----------
    ratings_w : mapping of inverter to float
        Declared limit of each. [W]
    drivers : mapping of name to driver
        Guarded by the bench.
    nominal_hz : float
        [Hz]
    """

    def __init__(
        self,
        ratings_w: Mapping[str, float],
        drivers: Mapping[str, Any],
        events: EventLog,
        nominal_hz: float,
    ) -> None:
        self._ratings_w = ratings_w
        self._drivers = drivers
        self._events = events
        self._nominal_hz = nominal_hz
        self.share = 1.0
        self._sent = 1.0
        self._untold: frozenset[str] = frozenset()  # lost when the others were told last

    async def step(self, telemetry: Telemetry, dt_s: float, *, islanded: bool) -> None:
        """Move the limit by what the inverters measure, and send it when it moved enough."""
        self.share = self._next(telemetry, dt_s) if islanded else 1.0
        names: Set[str] = self._untold - telemetry.lost
        self._untold -= names
        if abs(self.share - self._sent) >= RESEND or (self.share == 1.0 and self._sent != 1.0):
            self._sent = self.share
            names = self._ratings_w.keys() - telemetry.lost
            self._untold = frozenset(self._ratings_w.keys() & telemetry.lost)
        # In rig order, and to those at once who are back.
        limits = {n: self.share * rated_w for n, rated_w in self._ratings_w.items() if n in names}
        if not limits:
            return
        results = await asyncio.gather(
            *(self._drivers[name].set_limit_w(p_w) for name, p_w in limits.items()),
            return_exceptions=True,
        )
        for name, result in zip(limits, results, strict=True):
            if isinstance(result, DriverError):
                # The others are limited further while frequency stays high.
                self._events.record("write_failed", name, code=result.code, failure=result.kind)
                self._sent = -1.0
            elif isinstance(result, BaseException):
                raise result

    def _next(self, telemetry: Telemetry, dt_s: float) -> float:
        measured = [
            reading.f_hz
            for name, reading in telemetry.inverters.items()
            if name in self._ratings_w and reading.connected
        ]
        if not measured:
            return self.share
        error_hz = median(measured) - self._nominal_hz
        if abs(error_hz) <= DEADBAND_HZ:
            return self.share
        step = min(max(GAIN_PER_HZ_S * error_hz * dt_s, -STEP_MAX), STEP_MAX)
        return min(max(self.share - step, 0.0), 1.0)
