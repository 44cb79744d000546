"""Constant power factor over SunSpec model 704: value and excitation, then enable.

The value and its excitation are one group, which goes out in one request.
"""

from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.grid_support import FunctionState, PowerFactorSettings
from gridrig.devices.wire.sunspec import to_raw
from gridrig.errors import DriverError

INJECTING, ABSORBING = "power_factor", "power_factor_absorbing"
STEMS = {INJECTING: "PFWInj", ABSORBING: "PFWAbs"}
CONTROL = 704
OVER_EXCITED, UNDER_EXCITED = 0, 1


class PowerFactor:
    """The constant power factor of one device, while active power goes one way.

    Parameters
    ----------
    device : SunSpecDevice
        Where model 704 is.
    name : str
        `INJECTING` or `ABSORBING` active power.
    """

    def __init__(self, device: SunSpecDevice, name: str) -> None:
        self._device = device
        stem = STEMS[name]
        self._factor, self._excitation = f"{stem}.PF", f"{stem}.Ext"
        self._enable = f"{stem}Ena"

    async def read(self) -> FunctionState:
        """Return it as it is in force."""
        control = await self._device.read(CONTROL)
        factor, excitation = control.value(self._factor), control.raw(self._excitation)
        if factor is None or excitation is None or control.raw(self._enable) is None:
            raise self._unsupported()
        settings = PowerFactorSettings(factor, injects=excitation == OVER_EXCITED)
        return FunctionState(control.raw(self._enable) == 1, settings)

    async def write(self, settings: PowerFactorSettings, *, on: bool) -> None:
        """Put a power factor in force and enable or disable it, each read back.

        Raises
        ------
        DriverError
            `driver.limit` for what is no power factor, before anything is sent; kind "readback".
        """
        if not 0.0 < settings.factor <= 1.0:
            raise DriverError(
                "driver.limit",
                "{device}: power factor {found} is not above 0, at most 1",
                kind="limit",
                device=self._device.name,
                found=settings.factor,
            )
        scale = (await self._device.read(CONTROL)).scale_factor(self._factor)
        if scale is None:
            raise self._unsupported()
        excitation = OVER_EXCITED if settings.injects else UNDER_EXCITED
        values = {self._factor: to_raw(settings.factor, scale), self._excitation: excitation}
        await self._device.write(CONTROL, values)
        await self._device.write(CONTROL, {self._enable: int(on)})

    def _unsupported(self) -> DriverError:
        return DriverError(
            "driver.unsupported",
            "{device} does not implement {point}",
            device=self._device.name,
            point=self._factor,
        )
