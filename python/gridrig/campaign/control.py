"""One control step: schedules become set-points within what each battery allows, and are sent."""

import asyncio
from collections.abc import Mapping
from typing import Any

from gridrig.campaign.dispatch import NOTHING, Bounds, battery_bounds, next_set_point
from gridrig.campaign.sensing import Telemetry
from gridrig.errors import DriverError
from gridrig.events import EventLog
from gridrig.rig.description import Rig
from gridrig.rig.device import BmsLimits, InverterLimits

RESEND_W = 50.0  # a set-point is sent when it moves by more than this


class Control:
    """Keeps each storage inverter on its schedule, inside its battery's limits.

    Parameters
    ----------
    rig : Rig
        Whose storages are kept.
    drivers : mapping of name to driver
        Guarded by the bench.
    """

    def __init__(self, rig: Rig, drivers: Mapping[str, Any], events: EventLog) -> None:
        self._storages = {device.name: device for device in rig.of("storage")}
        self._limits: dict[str, tuple[InverterLimits, BmsLimits]] = {}
        for name, device in self._storages.items():
            pack = rig.device(str(device.bms)).limits
            assert isinstance(device.limits, InverterLimits)
            assert isinstance(pack, BmsLimits)
            self._limits[name] = (device.limits, pack)
        self._drivers = drivers
        self._events = events
        self.set_points: dict[str, float] = dict.fromkeys(self._storages, 0.0)
        self._sent: dict[str, float | None] = dict.fromkeys(self._storages, None)
        self.bounds: dict[str, Bounds] = dict.fromkeys(self._storages, NOTHING)
        self.overrides_w: dict[str, float] = {}
        self._lost: frozenset[str] = frozenset()

    def override(self, name: str, p_w: float) -> None:
        """Let a person hold a storage at a power, from the next control step on. [W]

        It takes the place of the schedule and of its ramp; the battery's limits still win.
        """
        self.overrides_w[name] = p_w

    def release(self, name: str) -> None:
        """Give a storage back to its schedule."""
        self.overrides_w.pop(name, None)

    def look(self, telemetry: Telemetry) -> None:
        """Take from this tick's readings what each battery allows, and who is to be told again."""
        self._lost = telemetry.lost
        for name, device in self._storages.items():
            if name not in telemetry.inverters:
                # It may have let its set-point fall meanwhile (`driver.reverted`).
                self._sent[name] = None
            inverter, pack = self._limits[name]
            self.bounds[name] = battery_bounds(
                telemetry.batteries.get(str(device.bms)), p_w_max=inverter.p_w_max, limits=pack
            )
            if name in self._lost:
                self.bounds[name] = NOTHING  # nobody counts on it

    async def step(self, wanted_w: Mapping[str, float], dt_s: float) -> None:
        """Send every storage its next set-point.

        Parameters
        ----------
        wanted_w : mapping
            Scheduled power by storage, + is discharge. [W]
        dt_s : float
            Length of the tick. [s]
        """
        sending = {}
        for name, bounds in self.bounds.items():
            p_w_max = self._limits[name][0].p_w_max
            if name in self.overrides_w:
                self.set_points[name] = bounds.clamp(self.overrides_w[name])
            else:
                self.set_points[name] = next_set_point(
                    wanted_w.get(name, 0.0),
                    self.set_points[name],
                    bounds,
                    p_w_max=p_w_max,
                    dt_s=dt_s,
                )
            if name in self._lost:
                continue
            last = self._sent[name]
            moved = last is None or abs(self.set_points[name] - last) > RESEND_W
            if moved or (self.set_points[name] == 0.0 and last != 0.0):
                sending[name] = self.set_points[name]
        results = await asyncio.gather(
            *(self._drivers[name].set_power_w(p_w) for name, p_w in sending.items()),
            return_exceptions=True,
        )
        for (name, p_w), result in zip(sending.items(), results, strict=True):
            if isinstance(result, DriverError):
                # Not remembered as sent: the next tick tries again, and a lost device ends the run.
                self._events.record("write_failed", name, code=result.code, failure=result.kind)
                self._sent[name] = None
            elif isinstance(result, BaseException):
                raise result
            else:
                self._sent[name] = p_w
