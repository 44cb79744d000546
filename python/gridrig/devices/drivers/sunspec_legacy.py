"""SunSpec inverters of the generation before 701: 101 to 103 or 111 to 113, 120 to 124.

Measurement is 103, 102, 101 or their float siblings; the nameplate is 121, where the device has it,
and 120; limit, connection and reactive power are shares in model 123; a storage's power is the
window between `InWRte` and `OutWRte` of model 124, closed to one value.

The timers of these models end a set-point: a limit that falls back is no limit. So they are left
off, and a rig that states `revert_s` is refused with `driver.no_reversion`. Windows and ramp times
of a control are set to 0 before it is used, so that what is read back is in force.

References
----------
.. [1] SunSpec Alliance, "Information Model Specification" and models 101-124, sunspec/models.
"""

import math
from collections.abc import Mapping

from gridrig.devices.drivers.sunspec_generation import (
    ON_THE_GRID,
    Measured,
    Nameplate,
    missing,
    needed,
)
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.errors import DriverError

MEASUREMENTS = (103, 102, 101, 113, 112, 111)
SINGLE_PHASE = (101, 111)
NAMEPLATE, SETTINGS, STATUS, CONTROL, STORAGE = 120, 121, 122, 123, 124
STATES = {
    1: "off",
    2: "sleeping",
    3: "starting",
    4: "running",
    5: "throttled",
    6: "shutting_down",
    7: "tripped",
    8: "standby",
}
OF_W_MAX, OF_VAR_MAX = 1, 2  # VArPct_Mod
BOTH_WAYS = 0b11  # StorCtl_Mod
LIMIT_TIMES = ("WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms")
REACTIVE_TIMES = ("VArPct_WinTms", "VArPct_RvrtTms", "VArPct_RmpTms")
CONNECT_TIMES = ("Conn_WinTms", "Conn_RvrtTms")
STORAGE_TIMES = ("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms")


def measurement_of(device: SunSpecDevice) -> int | None:
    """Return the model by which such a device is driven, None if it cannot be."""
    rated = device.has(NAMEPLATE) or device.has(SETTINGS)
    if not (rated and device.has(CONTROL)):
        return None
    return next((model for model in MEASUREMENTS if device.has(model)), None)


class LegacyModels:
    """One device by models 101 to 124; see `Generation`.

    Parameters
    ----------
    device : SunSpecDevice
        Whose map has been walked.
    measurement : int
        Its measurement model.
    revert_s : int or None
        What the rig states; these models have nothing that falls to zero.
    """

    settings: Mapping[str, tuple[int, tuple[str, ...]]] = {
        "power_w": (STORAGE, ("OutWRte", "InWRte", "StorCtl_Mod", *STORAGE_TIMES)),
        "limit_w": (CONTROL, ("WMaxLimPct", "WMaxLim_Ena", *LIMIT_TIMES)),
        "connect": (CONTROL, ("Conn", *CONNECT_TIMES)),
    }

    def __init__(self, device: SunSpecDevice, measurement: int, revert_s: int | None) -> None:
        self._device, self._measurement = device, measurement
        self._revert_s = revert_s or 0
        self._w_max = self._var_max = 0.0
        self._charge_w = self._discharge_w = 0.0

    async def nameplate(self) -> Nameplate:
        """Read models 121 and 120: settings, else ratings."""
        name, device = self._device.name, self._device
        rated = await device.read(NAMEPLATE) if device.has(NAMEPLATE) else None
        chosen = await device.read(SETTINGS) if device.has(SETTINGS) else None

        def found(setting: str, rating: str) -> float | None:
            value = None if chosen is None else chosen.value(setting)
            return rated.value(rating) if value is None and rated is not None else value

        w_max = found("WMax", "WRtg")
        if not w_max:
            raise missing(name, "WMax")
        inject = abs(found("VArMaxQ1", "VArRtgQ1") or 0.0)
        absorb = abs(found("VArMaxQ4", "VArRtgQ4") or inject)
        self._w_max, self._var_max = w_max, inject
        if device.has(STORAGE):
            self._charge_w = (await device.read(STORAGE)).value("WChaMax") or 0.0
            rate = None if rated is None else rated.value("MaxDisChaRte")
            self._discharge_w = self._charge_w if rate is None else rate
        # A window is closed to one value only within what both ways have.
        both_w = min(self._charge_w, self._discharge_w)
        return Nameplate(w_max, inject, min(absorb, inject), both_w, both_w)

    async def measure(self) -> Measured:
        """Read the measurement model and, where there is one, the status."""
        name, measured = self._device.name, await self._device.read(self._measurement)
        number = measured.number("St")
        state = "unknown" if number is None else STATES.get(number, "unknown")
        return Measured(
            p_w=needed(name, measured, "W"),
            q_var=measured.value("VAr") or 0.0,
            v_v=self._voltage(measured),
            f_hz=needed(name, measured, "Hz"),
            connected=await self._connected(state),
            state=state,
        )

    def _voltage(self, measured: ModelRegisters) -> float:
        name = self._device.name
        if self._measurement in SINGLE_PHASE:
            return needed(name, measured, "PhVphA", "PPVphAB")
        line_v = measured.value("PPVphAB")
        phases = 2.0 if self._measurement in (102, 112) else math.sqrt(3)
        return phases * needed(name, measured, "PhVphA") if line_v is None else line_v

    async def _connected(self, state: str) -> bool:
        if self._device.has(STATUS):
            status = (await self._device.read(STATUS)).number("ECPConn")
            if status is not None:
                return bool(status & 1)
        if state == "unknown":
            raise missing(self._device.name, "ECPConn")
        return state in ON_THE_GRID

    async def read_limit(self) -> float | None:
        """Return what model 123 says."""
        return self._limit_of(await self._device.read(CONTROL))

    def _limit_of(self, control: ModelRegisters) -> float | None:
        share = control.value("WMaxLimPct")
        if control.raw("WMaxLim_Ena") != 1 or share is None:
            return None
        return share / 100 * self._w_max

    async def read_soc(self) -> float | None:
        """Return what model 124 says."""
        if not self._device.has(STORAGE):
            return None
        charge = (await self._device.read(STORAGE)).value("ChaState")
        return None if charge is None else charge / 100

    async def read_connect(self) -> bool:
        """Return what Conn of model 123 says."""
        return (await self._device.read(CONTROL)).raw("Conn") == 1

    async def set_connect(self, on: bool) -> None:
        """Write Conn, at once and for good."""
        control = await self._device.read(CONTROL)
        await self._device.write(CONTROL, {**_stopped(control, CONNECT_TIMES), "Conn": int(on)})

    async def hold_limit(self, p_w: float, *, reverts: bool) -> tuple[float | None, float]:
        """Write WMaxLimPct and its enable."""
        self._refuse_reversion(reverts, "WMaxLimPct")
        control = await self._device.read(CONTROL)
        step_w = self._w_max / 100 * 10.0 ** self._scale_factor(control, "WMaxLimPct")
        share = math.floor(p_w / step_w + 1e-9)
        await self._device.write(CONTROL, {**_stopped(control, LIMIT_TIMES), "WMaxLimPct": share})
        await self._device.write(CONTROL, {"WMaxLim_Ena": 1})
        return await self.read_limit(), step_w

    async def release_limit(self) -> None:
        """Disable WMaxLimPct."""
        await self._device.write(CONTROL, {"WMaxLim_Ena": 0})

    async def hold_power(self, p_w: float, *, reverts: bool) -> None:
        """Close the window of model 124 to one power."""
        self._refuse_reversion(reverts, "InWRte")
        self._device.require(STORAGE)
        storage = await self._device.read(STORAGE)
        unit = 10.0 ** self._scale_factor(storage, "OutWRte") / 100
        out = math.trunc(p_w / (self._discharge_w * unit) + math.copysign(1e-9, p_w))
        into = math.trunc(-p_w / (self._charge_w * unit) + math.copysign(1e-9, -p_w))
        if -into * self._charge_w > out * self._discharge_w + 1e-6:
            # The two shares are rounded apart: the end that asks for more gives way.
            into, out = (into + 1, out) if p_w > 0 else (into, out + 1)
        rates = {**_stopped(storage, STORAGE_TIMES), "OutWRte": out, "InWRte": into}
        await self._device.write(STORAGE, rates)
        await self._device.write(STORAGE, {"StorCtl_Mod": BOTH_WAYS})

    async def hold_reactive(self, q_var: float, *, reverts: bool) -> None:
        """Write a share of VArMax, or of WMax on a device that knows no other."""
        self._refuse_reversion(reverts, "VArMaxPct")
        control = await self._device.read(CONTROL)
        of_var_max = control.number("VArMaxPct") is not None
        point, whole = ("VArMaxPct", self._var_max) if of_var_max else ("VArWMaxPct", self._w_max)
        step_var = whole / 100 * 10.0 ** self._scale_factor(control, point)
        share = math.trunc(q_var / step_var + math.copysign(1e-9, q_var))
        mode = OF_VAR_MAX if of_var_max else OF_W_MAX
        values = {**_stopped(control, REACTIVE_TIMES), point: share, "VArPct_Mod": mode}
        await self._device.write(CONTROL, values)
        await self._device.write(CONTROL, {"VArPct_Ena": 1})

    async def release_reactive(self) -> None:
        """Disable it."""
        await self._device.write(CONTROL, {"VArPct_Ena": 0})

    async def renew(self) -> None:
        """Do nothing: nothing falls back."""

    def forget(self) -> None:
        """Do nothing: nothing is renewed."""

    async def use_control_period(self, control_period_s: float) -> Mapping[str, object]:
        """Use no timer: what ends a limit is no fall to safety."""
        return {"revert_s": self._revert_s, "stated": bool(self._revert_s), "set_points": []}

    def _refuse_reversion(self, reverts: bool, point: str) -> None:
        if reverts and self._revert_s:
            raise DriverError(
                "driver.no_reversion",
                "{device}: {point} of an older model does not fall to zero, it ends; expected a "
                "device with model 704 for revert_s = {revert_s}",
                device=self._device.name,
                point=point,
                revert_s=self._revert_s,
            )

    def _scale_factor(self, registers: ModelRegisters, point: str) -> int:
        scale = registers.scale_factor(point)
        if scale is None or registers.number(point) is None:
            raise missing(self._device.name, point)
        return scale


def _stopped(registers: ModelRegisters, times: tuple[str, ...]) -> dict[str, int]:
    """Return the times that run now, each as 0: what the device does not have is not written."""
    return {name: 0 for name in times if registers.number(name)}
