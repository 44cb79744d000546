"""Drivers that do what they were not asked, or do not what they were."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace

from gridrig.devices.capabilities import Identity
from gridrig.devices.drivers.jbd import JbdDriver
from gridrig.devices.drivers.signed_meter import SignedMeter
from gridrig.devices.drivers.sunspec import SunSpecInverter, SunSpecStorageInverter
from gridrig.devices.drivers.sunspec_enter_service import SERVICE
from gridrig.devices.drivers.sunspec_parameters import SunSpecParameters
from gridrig.devices.drivers.sunspec_setpoints import CONTROL
from gridrig.devices.links import ModbusLink
from gridrig.errors import DriverError


class NoReadBack(SunSpecInverter):
    """Believes every acknowledgement of a write."""

    async def set_limit_w(self, p_w: float | None) -> None:
        try:
            await super().set_limit_w(p_w)
        except DriverError as error:
            if error.kind != "readback":
                raise


class BelievesRefusals(SunSpecInverter):
    """Takes a setting that cannot be written for one that is written."""

    async def set_limit_w(self, p_w: float | None) -> None:
        try:
            await super().set_limit_w(p_w)
        except DriverError as error:
            if error.kind != "refused":
                raise


class RefusedIsLost(SunSpecInverter):
    """Calls a device that refuses one that is gone."""

    async def set_limit_w(self, p_w: float | None) -> None:
        try:
            await super().set_limit_w(p_w)
        except DriverError as error:
            raise DriverError("acme.lost", "no device", kind="unavailable") from error


class RoundsUp(SunSpecInverter):
    """Allows a little more than asked."""

    async def set_limit_w(self, p_w: float | None) -> None:
        w_max = self._nameplate.w_max
        more = None if p_w is None else min(w_max, math.ceil(p_w + w_max * 0.003))
        await super().set_limit_w(more)


class NoRangeCheck(SunSpecInverter):
    """Cuts a limit to what the device can, and says it is done."""

    async def set_limit_w(self, p_w: float | None) -> None:
        w_max = self._nameplate.w_max
        inside = None if p_w is None or math.isnan(p_w) else min(max(p_w, 0.0), w_max)
        await super().set_limit_w(inside)


class WrongDirection(SunSpecStorageInverter):
    """Turns the set-point round, and again when it reads."""

    async def set_power_w(self, p_w: float) -> None:
        await super().set_power_w(-p_w)


class WritesWhenOpened(SunSpecInverter):
    """Takes the limit away as it comes."""

    async def identify(self) -> Identity:
        await self.set_limit_w(self._nameplate.w_max)
        return await super().identify()


class RestoresDefaults(SunSpecInverter):
    """Restores what a device has when it leaves the factory."""

    async def restore(self) -> None:
        await self.set_limit_w(None)
        await self.set_connect(True)


class MakesNothingSafe(SunSpecInverter):
    """Says that it is done."""

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        if set(safe_state) - {"connect", "limit_w"}:
            raise DriverError("bad.unknown", "unknown key", kind="other")


class AnySafeState(SunSpecInverter):
    """Ignores what it does not know."""

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        known = {k: v for k, v in safe_state.items() if k in {"connect", "limit_w"}}
        await super().make_safe(known)


class ConnectOnly(SunSpecInverter):
    """Ignores a withdrawal."""

    async def set_connect(self, on: bool) -> None:
        await self._device.write(SERVICE, {"ES": 1})


class NeverReverts(SunSpecInverter):
    """Takes `revert_s` and leaves the timer off."""

    PARAMETERS = SunSpecParameters

    def __init__(self, name: str, link: ModbusLink, parameters: SunSpecParameters) -> None:
        super().__init__(name, link, replace(parameters, revert_s=0))


class BothSwitches(JbdDriver):
    """Sets both switches to what is asked of the first."""

    async def set_fets(self, charge: bool, discharge: bool) -> None:
        await super().set_fets(charge, charge)


class ClockInMinutes(SignedMeter):
    """Sets the clock to the minute."""

    async def sync_clock(self, utc_s: int) -> None:
        await super().sync_clock(utc_s // 60 * 60)


class WritesAgain(SignedMeter):
    """Decodes a record and writes it anew."""

    async def sign(self, time_s: int | None = None) -> bytes:
        record = await super().sign(time_s)
        return record.decode("utf-8", "replace").strip().encode()


class TrimsZeroes(SignedMeter):
    """Takes NUL for the end of a text."""

    async def sign(self, time_s: int | None = None) -> bytes:
        return (await super().sign(time_s)).rstrip(b"\0")


class LastRecord(SignedMeter):
    """Returns the first record it ever got."""

    _kept: bytes = b""

    async def sign(self, time_s: int | None = None) -> bytes:
        self._kept = self._kept or await super().sign(time_s)
        return self._kept


class WaitsForMore(SignedMeter):
    """Waits for a pagination that is larger."""

    _page = -1

    async def sign(self, time_s: int | None = None) -> bytes:
        for _ in range(20):
            record = await super().sign(time_s)
            page = int(record.partition(b'"PG":"T')[2].partition(b'"')[0] or 0)
            if page > self._page:
                self._page = page
                return record
            await asyncio.sleep(0.1)
        raise DriverError("bad.page", "no newer record", kind="timeout")


class ForgetsConnection(SunSpecInverter):
    """Writes the limit without saving what was there."""

    async def set_limit_w(self, p_w: float | None) -> None:
        await super().set_limit_w(p_w)
        self._device.forget(CONTROL, ("WMaxLimPct", "WMaxLimPctEna"))
