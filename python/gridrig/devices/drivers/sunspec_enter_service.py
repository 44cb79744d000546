"""When an inverter enters service, over SunSpec model 703: window, delay, random delay, ramp."""

from collections.abc import Mapping

from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.grid_support import EnterServiceSettings
from gridrig.devices.wire.sunspec import to_raw
from gridrig.errors import DriverError

SERVICE = 703
# Where each setting is, and what one of it is in the model's units.
POINTS: Mapping[str, tuple[str, float]] = {
    "v_low_pu": ("ESVLo", 100.0),
    "v_high_pu": ("ESVHi", 100.0),
    "f_low_hz": ("ESHzLo", 1.0),
    "f_high_hz": ("ESHzHi", 1.0),
    "delay_s": ("ESDlyTms", 1.0),
    "random_s": ("ESRndTms", 1.0),
    "ramp_s": ("ESRmpTms", 1.0),
}


class EnterServicePoints:
    """The enter-service settings of one device.

    Parameters
    ----------
    device : SunSpecDevice
        Where model 703 is.
    """

    def __init__(self, device: SunSpecDevice) -> None:
        self._device = device

    async def read(self) -> EnterServiceSettings:
        """Return them as they are in force."""
        model = await self._device.read(SERVICE)
        found = {}
        for name, (point, unit) in POINTS.items():
            value = model.value(point)
            if value is None:
                raise self._unsupported(point)
            found[name] = value / unit
        return EnterServiceSettings(**found)

    async def write(self, settings: EnterServiceSettings) -> None:
        """Put them in force, read back; a time is rounded to the model's second."""
        model = await self._device.read(SERVICE)
        raw = {}
        for name, (point, unit) in POINTS.items():
            if model.raw(point) is None:
                raise self._unsupported(point)
            scale = model.scale_factor(point) or 0
            raw[point] = to_raw(getattr(settings, name) * unit, scale)
        await self._device.write(SERVICE, raw)

    def _unsupported(self, point: str) -> DriverError:
        return DriverError(
            "driver.unsupported",
            "{device} does not implement {point}",
            device=self._device.name,
            point=point,
        )
