"""SunSpec inverters by the DER models: 701 to 704, and 713 for the state of charge.

Signs are those of model 701: power is positive into the grid. One reading costs one FC3 of 123
registers.

References
----------
.. [1] SunSpec Alliance, "DER Information Model Specification V1.0" (models 701-715), 2021.
"""

import math
from collections.abc import Mapping

from gridrig.devices.drivers.sunspec_generation import (
    ON_THE_GRID,
    Measured,
    Nameplate,
    first,
    missing,
    needed,
)
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.drivers.sunspec_setpoints import (
    LIMIT,
    POWER,
    REACTIVE,
    SET_POINTS,
    SetPoint,
    SetPoints,
)
from gridrig.devices.wire.sunspec import ModelRegisters

MEASUREMENT, CAPACITY, SERVICE, CONTROL, STORAGE = 701, 702, 703, 704, 713
MEASURED_REGISTERS = 123  # model 701 up to and with its scale factors
MODELS = (1, MEASUREMENT, CAPACITY, SERVICE, CONTROL)
STATES = {
    0: "off",
    1: "sleeping",
    2: "starting",
    3: "running",
    4: "throttled",
    5: "shutting_down",
    6: "tripped",
    7: "standby",
}


class DerModels:
    """One device by models 701 to 704; see `Generation`.

    Parameters
    ----------
    device : SunSpecDevice
        Whose map has been walked.
    revert_s : int or None
        See `SetPoints`.
    """

    settings: Mapping[str, tuple[int, tuple[str, ...]]] = {
        "power_w": (CONTROL, POWER.points),
        "limit_w": (CONTROL, LIMIT.points),
        "connect": (SERVICE, ("ES",)),
    }

    def __init__(self, device: SunSpecDevice, revert_s: int | None) -> None:
        self._device = device
        self._set_points = SetPoints(device, revert_s)
        self._w_max = 0.0

    async def nameplate(self) -> Nameplate:
        """Read model 702: its settings, else its ratings."""
        capacity = await self._device.read(CAPACITY)
        self._w_max = needed(self._device.name, capacity, "WMax", "WMaxRtg")
        if not self._w_max:
            raise missing(self._device.name, "WMax")

        def rate(*points: str) -> float:
            # 0 means none, only an absent one is the nameplate.
            found = first(capacity, *points)
            return self._w_max if found is None else found

        return Nameplate(
            self._w_max,
            first(capacity, "VarMaxInj", "VarMaxInjRtg") or 0.0,
            first(capacity, "VarMaxAbs", "VarMaxAbsRtg") or 0.0,
            rate("WChaRteMax", "WChaRteMaxRtg"),
            rate("WDisChaRteMax", "WDisChaRteMaxRtg"),
        )

    async def measure(self) -> Measured:
        """Read model 701."""
        name, measured = (
            self._device.name,
            await self._device.read(MEASUREMENT, 0, MEASURED_REGISTERS),
        )
        line_v = measured.value("LLV")
        return Measured(
            p_w=needed(name, measured, "W"),
            q_var=measured.value("Var") or 0.0,
            v_v=math.sqrt(3) * needed(name, measured, "LNV") if line_v is None else line_v,
            f_hz=needed(name, measured, "Hz"),
            connected=self._connected(measured),
            state=_state(measured),
        )

    def _connected(self, measured: ModelRegisters) -> bool:
        """Return what ConnSt says or, since a device need not have it, what InvSt says."""
        connection = measured.raw("ConnSt")
        if connection is not None:
            return connection == 1
        state = _state(measured)
        if state == "unknown":
            raise missing(self._device.name, "ConnSt")
        return state in ON_THE_GRID

    async def read_limit(self) -> float | None:
        """Return what model 704 says."""
        return self._limit_of(await self._device.read(CONTROL))

    def _limit_of(self, control: ModelRegisters) -> float | None:
        share = control.value("WMaxLimPct")
        if control.raw("WMaxLimPctEna") != 1 or share is None:
            return None
        return share / 100 * self._w_max

    async def read_soc(self) -> float | None:
        """Return what model 713 says."""
        if not self._device.has(STORAGE):
            return None
        soc = (await self._device.read(STORAGE)).value("SoC")
        return None if soc is None else soc / 100

    async def read_connect(self) -> bool:
        """Return what ES of model 703 says."""
        return (await self._device.read(SERVICE)).raw("ES") == 1

    async def set_connect(self, on: bool) -> None:
        """Write ES of model 703."""
        await self._device.write(SERVICE, {"ES": int(on)})

    async def hold_limit(self, p_w: float, *, reverts: bool) -> tuple[float | None, float]:
        """Write WMaxLimPct and its enable."""
        control = await self._device.read(CONTROL)
        step_w = self._w_max / 100 * 10.0 ** self._scale_factor(control, LIMIT)
        share = math.floor(p_w / step_w + 1e-9)
        control = await self._set_points.hold(LIMIT, share, control, reverts=reverts)
        return self._limit_of(control), step_w

    async def release_limit(self) -> None:
        """Disable WMaxLimPct."""
        await self._set_points.release(LIMIT)

    async def hold_power(self, p_w: float, *, reverts: bool) -> None:
        """Write WSet in watts and its enable."""
        await self._hold(POWER, p_w, reverts=reverts)

    async def hold_reactive(self, q_var: float, *, reverts: bool) -> None:
        """Write VarSet in vars and its enable."""
        await self._hold(REACTIVE, q_var, reverts=reverts)

    async def release_reactive(self) -> None:
        """Disable VarSet."""
        await self._set_points.release(REACTIVE)

    async def renew(self) -> None:
        """See `SetPoints.renew`."""
        await self._set_points.renew()

    def forget(self) -> None:
        """Renew nothing any more."""
        self._set_points.forget()

    async def use_control_period(self, control_period_s: float) -> Mapping[str, object]:
        """Let the timers of model 704 follow the control, where it has them."""
        reversion = self._set_points.reversion
        reversion.follow(control_period_s)
        control = await self._device.read(CONTROL)
        timed = [p.value for p in SET_POINTS if control.number(p.timer) is not None]
        return {
            "revert_s": reversion.seconds,
            "stated": reversion.stated,
            "set_points": timed,
        }

    async def _hold(self, point: SetPoint, value: float, *, reverts: bool) -> None:
        control = await self._device.read(CONTROL)
        scale = self._scale_factor(control, point)
        raw = math.trunc(value / 10.0**scale + math.copysign(1e-9, value))
        await self._set_points.hold(point, raw, control, reverts=reverts)

    def _scale_factor(self, control: ModelRegisters, point: SetPoint) -> int:
        """Return a set-point's scale factor as it is now: some devices change theirs."""
        scale = control.scale_factor(point.value)
        if scale is None:
            raise missing(self._device.name, point.value)
        return scale


def _state(measured: ModelRegisters) -> str:
    number = measured.number("InvSt")
    return "unknown" if number is None else STATES.get(number, "unknown")
