"""Set-points of SunSpec model 704: value first, then its enable, held by the reversion timer.

A set-point goes out with what it falls back to and when, before it is enabled; then the model is
read again, and what is in force, scale factor and all, must be what was asked for.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from gridrig.devices.drivers.reversion import ReversionTime
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.errors import DriverError

CONTROL = 704


@dataclass(frozen=True)
class SetPoint:
    """One set-point's points.

    Parameters
    ----------
    stem : str
        What the names of its enable and timer begin with.
    value, fallback : str
        The set-point, and the one it reverts to.
    mode : mapping of str to int
        What must be written beside it.
    """

    stem: str
    value: str
    fallback: str
    mode: Mapping[str, int]

    @property
    def enable(self) -> str:
        """Name of the enable."""
        return f"{self.stem}Ena"

    @property
    def timer(self) -> str:
        """Name of the reversion time."""
        return f"{self.stem}RvrtTms"

    @property
    def points(self) -> tuple[str, ...]:
        """Every point that may be written."""
        return (
            self.enable,
            self.value,
            self.fallback,
            f"{self.stem}EnaRvrt",
            self.timer,
            *self.mode,
        )


LIMIT = SetPoint("WMaxLimPct", "WMaxLimPct", "WMaxLimPctRvrt", {})
POWER = SetPoint("WSet", "WSet", "WSetRvrt", {"WSetMod": 1})  # in watts
REACTIVE = SetPoint("VarSet", "VarSet", "VarSetRvrt", {"VarSetMod": 4})  # in vars
SET_POINTS = (LIMIT, POWER, REACTIVE)


class SetPoints:
    """The set-points of one device.

    Parameters
    ----------
    device : SunSpecDevice
        Where model 704 is.
    revert_s : int or None
        Time after which a set-point that was not renewed falls back to zero, where the device has
        a timer; see `ReversionTime`. [s]
    """

    def __init__(self, device: SunSpecDevice, revert_s: int | None) -> None:
        self._device = device
        self.reversion = ReversionTime(revert_s)
        self._held: dict[str, tuple[SetPoint, dict[str, int]]] = {}
        self._renewed_s: dict[str, float] = {}
        # A set-point is several requests: one that came between would be read back as the other's.
        self._one_at_a_time = asyncio.Lock()

    async def hold(
        self, point: SetPoint, raw: int, control: ModelRegisters, *, reverts: bool = True
    ) -> ModelRegisters:
        """Put a set-point in force and return model 704 as it is then.

        Parameters
        ----------
        point : SetPoint
            Which.
        raw : int
            Its raw value, by the scale factor in `control`.
        control : ModelRegisters
            Model 704 as just read.
        reverts : bool
            Whether it shall fall back if it is not renewed.

        Raises
        ------
        DriverError
            Kind "readback" if anything else is in force afterwards, `driver.no_reversion` if the
            rig says that it falls back and the device has no timer, or what the wire said.
        """
        async with self._one_at_a_time:
            return await self._hold(point, raw, control, reverts)

    async def _hold(
        self, point: SetPoint, raw: int, control: ModelRegisters, reverts: bool
    ) -> ModelRegisters:
        values = {point.value: raw, **point.mode, **self._reversion(point, control, reverts)}
        await self._device.write(CONTROL, values)
        if control.raw(point.enable) != 1:
            await self._device.write(CONTROL, {point.enable: 1})
        after = await self._device.read(CONTROL)
        expected = {**values, point.enable: 1}
        found = {name: after.raw(name) for name in expected}
        if found != expected or after.scale_factor(point.value) != control.scale_factor(
            point.value
        ):
            raise DriverError(
                "driver.readback",
                "{device}: {point} should be {expected}, it is {found} by scale factor {scale}",
                kind="readback",
                device=self._device.name,
                point=point.value,
                expected=expected,
                found=found,
                scale=after.scale_factor(point.value),
            )
        if reverts and self.reversion.seconds and point.timer in values:
            self._held[point.stem] = (point, values)
        else:
            self._held.pop(point.stem, None)
        self._renewed_s[point.stem] = asyncio.get_running_loop().time()
        return after

    async def release(self, point: SetPoint) -> None:
        """Take a set-point out of force."""
        async with self._one_at_a_time:
            self._held.pop(point.stem, None)
            await self._device.write(CONTROL, {point.enable: 0})

    def forget(self) -> None:
        """Renew nothing any more."""
        self._held.clear()

    async def renew(self) -> None:
        """Write again what would soon fall back.

        Raises
        ------
        DriverError
            `driver.reverted`, if one has fallen back already: the device was not where it was put.
        """
        if self._held:
            async with self._one_at_a_time:
                await self._renew()

    async def _renew(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for stem, (point, values) in list(self._held.items()):
            if not self.reversion.is_due(now_s - self._renewed_s[stem]):
                continue
            control = await self._device.read(CONTROL)
            if control.raw(point.value) != values[point.value] or control.raw(point.enable) != 1:
                del self._held[stem]
                raise DriverError(
                    "driver.reverted",
                    "{device}: {point} was not renewed in time and is no longer in force",
                    kind="readback",
                    device=self._device.name,
                    point=point.value,
                )
            await self._device.write(CONTROL, values)
            self._renewed_s[stem] = asyncio.get_running_loop().time()

    def _reversion(self, point: SetPoint, control: ModelRegisters, reverts: bool) -> dict[str, int]:
        """Return what makes the device's timer be what it should be; nothing if it has none."""
        found_s = control.number(point.timer)
        if found_s is None and reverts and self.reversion.seconds and self.reversion.stated:
            raise DriverError(
                "driver.no_reversion",
                "{device}: {point} has no reversion timer ({timer} is not implemented), expected "
                "one to set to {revert_s} s",
                device=self._device.name,
                point=point.value,
                timer=point.timer,
                revert_s=self.reversion.seconds,
            )
        if found_s is None:
            return {}
        if not (reverts and self.reversion.seconds):
            # A timer somebody left running would take the set-point back unseen.
            return {point.timer: 0} if found_s else {}
        fallback = {} if control.raw(point.fallback) is None else {point.fallback: 0}
        enable = f"{point.stem}EnaRvrt"
        enabled = {} if control.raw(enable) is None else {enable: 1}
        return {**fallback, **enabled, point.timer: self.reversion.seconds}
