"""Drivers that tell what is not so."""

import math
from dataclasses import replace

from gridrig.devices.capabilities import BmsReading, Identity, InverterReading, MeterReading
from gridrig.devices.drivers.jbd import JbdDriver
from gridrig.devices.drivers.signed_meter import SignedMeter
from gridrig.devices.drivers.sunspec import SunSpecInverter, SunSpecStorageInverter
from gridrig.errors import DriverError


class WrongSign(SunSpecStorageInverter):
    """Charging is positive."""

    async def read(self) -> InverterReading:
        found = await super().read()
        return replace(found, p_w=-found.p_w)


class OffByOneScale(SunSpecInverter):
    """Takes the scale factor one too high."""

    async def read(self) -> InverterReading:
        found = await super().read()
        return replace(found, p_w=found.p_w * 10)


class ReactiveAsActive(SunSpecInverter):
    """Reads the register beside."""

    async def read(self) -> InverterReading:
        found = await super().read()
        return replace(found, q_var=found.p_w)


class Stale(SunSpecInverter):
    """Answers from a cache, the first time from the device."""

    _kept: InverterReading | None = None

    async def read(self) -> InverterReading:
        if self._kept is None:
            self._kept = await super().read()
        return self._kept


class OneCallLate(SunSpecInverter):
    """Answers with the value before."""

    _kept: InverterReading | None = None

    async def read(self) -> InverterReading:
        now = await super().read()
        self._kept, told = now, self._kept or now
        return told


class SwallowsErrors(SunSpecInverter):
    """Tells the last value when the wire fails."""

    _kept: InverterReading | None = None

    async def read(self) -> InverterReading:
        try:
            self._kept = await super().read()
        except DriverError:
            if self._kept is None:
                raise
        return self._kept


class ErrorsAsZero(SunSpecInverter):
    """Tells zeroes when the wire fails."""

    async def read(self) -> InverterReading:
        try:
            return await super().read()
        except DriverError:
            w_max = self._nameplate.w_max
            return InverterReading(0.0, 0.0, 0.0, 0.0, False, "unknown", None, w_max)


class UnnamedErrors(SunSpecInverter):
    """Lets through what its library raises."""

    async def read(self) -> InverterReading:
        try:
            return await super().read()
        except DriverError as error:
            raise OSError(str(error)) from error


class InventsPower(SunSpecInverter):
    """Tells the raw value of what the device does not implement."""

    async def read(self) -> InverterReading:
        try:
            return await super().read()
        except DriverError as error:
            if error.code != "driver.unsupported":
                raise
            w_max = self._nameplate.w_max
            return InverterReading(-32768.0, 0.0, 400.0, 50.0, True, "running", None, w_max)


class SerialOfTheDay(SunSpecInverter):
    """Makes up a serial number each time."""

    _asked = 0

    async def identify(self) -> Identity:
        self._asked += 1
        return replace(await super().identify(), serial=f"S-{self._asked}")


class ReturnsText(SunSpecInverter):
    """Returns what it read as text."""

    async def read(self) -> InverterReading:
        found = await super().read()
        return replace(found, p_w=str(found.p_w))  # type: ignore[arg-type]


class WordOrder(SignedMeter):
    """Takes the registers of a 64-bit counter in the other order."""

    async def read(self) -> MeterReading:
        found = await super().read()
        words = (found.import_milliwh or 0).to_bytes(8, "big")
        turned = b"".join(words[k : k + 2] for k in (6, 4, 2, 0))
        return replace(found, import_milliwh=int.from_bytes(turned, "big"))


class ImportIsExport(SignedMeter):
    """Exchanges the two registers."""

    async def read(self) -> MeterReading:
        found = await super().read()
        return replace(
            found, import_milliwh=found.export_milliwh, export_milliwh=found.import_milliwh
        )


class CellsSorted(JbdDriver):
    """Tells the cells by voltage."""

    async def read(self) -> BmsReading:
        found = await super().read()
        return replace(found, cells_mv=tuple(sorted(found.cells_mv)))


class ColdIsHot(JbdDriver):
    """Takes a temperature for unsigned."""

    async def read(self) -> BmsReading:
        found = await super().read()
        celsius = found.temperature_c
        return replace(found, temperature_c=celsius if celsius >= 0 else celsius + 6553.6)


class LimitsStay(JbdDriver):
    """Promises the nameplate current whatever the switches do."""

    async def read(self) -> BmsReading:
        found = await super().read()
        return replace(found, charge_limit_a=100.0, discharge_limit_a=100.0)


class SilentProtections(JbdDriver):
    """Tells no protection."""

    async def read(self) -> BmsReading:
        return replace(await super().read(), protections=())


class NotANumber(SunSpecInverter):
    """Tells NaN for a voltage."""

    async def read(self) -> InverterReading:
        return replace(await super().read(), v_v=math.nan)
