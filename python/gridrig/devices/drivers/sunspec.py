"""Drivers for SunSpec inverters, PV and storage, by the DER models 701 to 704 and 713.

Device: any inverter with models 1, 701, 702, 703 and 704 (713 for the state of charge).
Wiring: Modbus TCP, or RS-485 with Modbus RTU, 8N1.

    [[device]]
    capability = "inverter"                    # or "storage_inverter"
    driver = "sunspec"                         # or "sunspec-storage"
    link = { kind = "modbus-tcp", host = "192.0.2.7", port = 502, unit = 1 }
    parameters = { timeout_s = 1.0, retries = 1 }

A set-point is written before its enable. In a run it is held by the device's own reversion timer,
where it has one, which readings renew: a bench that falls silent leaves no power behind, because
power and limit then go to zero. The timer lasts three control periods, or `revert_s`. Grid-support
functions are `gridrig.devices.grid_support`'s, over models 705 to 712.

Signs are those of model 701: power is positive into the grid. One tick costs one FC3 of 123
registers; the limit in force and the state of charge, which live in other models, are read on every
`settings_every`-th reading and after every change, and repeated in between.

References
----------
.. [1] SunSpec Alliance, "DER Information Model Specification V1.0" (models 701-715), 2021.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.capabilities import Identity, InverterReading
from gridrig.devices.drivers import sunspec_nameplate, sunspec_power_factor
from gridrig.devices.drivers.modbus_line import Patience
from gridrig.devices.drivers.sunspec_curves import Curves
from gridrig.devices.drivers.sunspec_enter_service import EnterServicePoints
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.drivers.sunspec_setpoints import (
    LIMIT,
    POWER,
    REACTIVE,
    SET_POINTS,
    TIMER_S_MAX,
    SetPoint,
    SetPoints,
)
from gridrig.devices.grid_support import (
    EnterServiceSettings,
    FunctionSettings,
    FunctionState,
    PowerFactorSettings,
)
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.nameplate import NameplateReading
from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.errors import DriverError

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
ON_THE_GRID = frozenset({"running", "throttled", "shutting_down"})
# The points behind each key of a safe state.
SETTINGS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "power_w": (CONTROL, POWER.points),
    "limit_w": (CONTROL, LIMIT.points),
    "connect": (SERVICE, ("ES",)),
}


@dataclass(frozen=True, kw_only=True)
class SunSpecParameters:
    """What a rig file may say of a SunSpec driver.

    Parameters
    ----------
    timeout_s : float
        From request to reply. [s]
    retries : int
        Further attempts after the first, 0..5.
    read_count_max : int
        Most registers the device gives in one reply, 2..125.
    settings_every : int
        The limit and the state of charge are read on every n-th reading.
    revert_s : int or None
        Time after which power and limit fall to zero unless `read` renews them; 0 leaves the
        device's timers off, None is what `use_control_period` makes of it. [s]
    adopt_timeout_s : float
        From the request to adopt a curve to its result. [s]
    """

    timeout_s: float = 1.0
    retries: int = 1
    read_count_max: int = 125
    settings_every: int = 10
    revert_s: int | None = None
    adopt_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        wrong = [
            name
            for name, right in (
                ("timeout_s", 0 < self.timeout_s <= 60),
                ("retries", 0 <= self.retries <= 5),
                ("read_count_max", 2 <= self.read_count_max <= 125),
                ("settings_every", self.settings_every >= 1),
                ("revert_s", 0 <= (self.revert_s or 0) <= TIMER_S_MAX),
                ("adopt_timeout_s", 0 < self.adopt_timeout_s <= 600),
            )
            if not right
        ]
        if wrong:
            raise DriverError("driver.parameter", "out of range: {wrong}", wrong=wrong)


class SunSpecInverter:
    """A SunSpec inverter: capability `inverter`.

    Parameters
    ----------
    name : str
        Device name, for errors.
    link : ModbusTcpLink or ModbusRtuLink
        Where it is.
    parameters : SunSpecParameters
        As the rig file has them.
    """

    capability = "inverter"
    PARAMETERS: ClassVar[type[SunSpecParameters]] = SunSpecParameters
    LINKS: ClassVar[tuple[type[ModbusLink], ...]] = (ModbusTcpLink, ModbusTlsLink, ModbusRtuLink)

    def __init__(self, name: str, link: ModbusLink, parameters: SunSpecParameters) -> None:
        self.name = name
        self._parameters = parameters
        self._device = SunSpecDevice(
            name,
            link,
            Patience(parameters.timeout_s, parameters.retries),
            read_count_max=parameters.read_count_max,
        )
        self._set_points = SetPoints(self._device, parameters.revert_s)
        self._curves = Curves(self._device, parameters.adopt_timeout_s)
        self._power_factor = sunspec_power_factor.PowerFactor(self._device)
        self._w_max = self._inject_max_var = self._absorb_max_var = 0.0
        self._limit_w: float | None = None
        self._soc: float | None = None
        self._charge_max_w = self._discharge_max_w = 0.0
        self._readings = 0

    async def open(self) -> None:
        """Connect, find the models and read the nameplate; no setting is written.

        Raises
        ------
        DriverError
            `driver.unsupported`, if a model is missing without which the device can be neither
            read nor driven to its safe state.
        """
        await self._device.open()
        try:
            await self._learn()
        except BaseException:
            await self.close()
            raise

    async def _learn(self) -> None:
        for model_id in MODELS:
            self._device.require(model_id)
        capacity = await self._device.read(CAPACITY)
        self._w_max = self._rating(capacity, "WMax", "WMaxRtg")
        self._inject_max_var = _first(capacity, "VarMaxInj", "VarMaxInjRtg") or 0.0
        self._absorb_max_var = _first(capacity, "VarMaxAbs", "VarMaxAbsRtg") or 0.0
        self._charge_max_w = self._rate(capacity, "WChaRteMax", "WChaRteMaxRtg")
        self._discharge_max_w = self._rate(capacity, "WDisChaRteMax", "WDisChaRteMaxRtg")
        self._readings = 0

    async def use_control_period(self, control_period_s: float) -> Mapping[str, object]:
        """Let the device's reversion timers follow the control; return how they are used. [s]"""
        revert_s = self._set_points.follow(control_period_s)
        control = await self._device.read(CONTROL)
        timed = [p.value for p in SET_POINTS if control.number(p.timer) is not None]
        return {"revert_s": revert_s, "stated": self._set_points.stated, "set_points": timed}

    async def close(self) -> None:
        """Let go of the wire."""
        await self._device.close()

    async def identify(self) -> Identity:
        """Return the common model's names."""
        return await self._device.identity()

    async def read(self) -> InverterReading:
        """Return what the inverter reports now, and renew the set-points it holds."""
        measured = await self._device.read(MEASUREMENT, 0, MEASURED_REGISTERS)
        if self._readings % self._parameters.settings_every == 0:
            await self._read_settings()
        self._readings += 1
        await self._set_points.renew()
        return InverterReading(
            p_w=self._needed(measured, "W"),
            q_var=measured.value("Var") or 0.0,
            v_v=self._voltage(measured),
            f_hz=self._needed(measured, "Hz"),
            connected=self._connected(measured),
            state=_state(measured),
            limit_w=self._limit_w,
            w_max=self._w_max,
            soc=self._soc,
        )

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power; None removes the limit. [W]

        The device takes a share of WMax; it is rounded down, so that it never allows more.
        """
        await self._set_limit(p_w, reverts=True)

    async def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection to the grid."""
        await self._device.write(SERVICE, {"ES": int(on)})

    async def read_enter_service(self) -> EnterServiceSettings:
        """Return when and how it enters service."""
        return await EnterServicePoints(self._device).read()

    async def write_enter_service(self, settings: EnterServiceSettings) -> None:
        """Set when and how it enters service; times are whole seconds."""
        await EnterServicePoints(self._device).write(settings)

    async def set_q_var(self, q_var: float | None) -> None:
        """Set reactive power into the grid; None takes the set-point back. [var]"""
        if q_var is None:
            await self._set_points.release(REACTIVE)
            return
        low_var, high_var = 0.0 - self._absorb_max_var, self._inject_max_var
        self._within("reactive power", q_var, low_var, high_var, "var")
        await self._hold(REACTIVE, q_var, reverts=True)

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the grid-support functions the device has."""
        return (*self._curves.names, sunspec_power_factor.NAME)

    async def read_function(self, name: str) -> FunctionState:
        """Return a grid-support function as it is in force."""
        if name == sunspec_power_factor.NAME:
            return await self._power_factor.read()
        return await self._curves.read(name)

    async def write_function(self, name: str, settings: FunctionSettings, *, on: bool) -> None:
        """Put a grid-support function's settings in force and enable or disable it.

        Raises
        ------
        DriverError
            `driver.unsupported`, `driver.limit`, `sunspec.adoption`, or kind "readback".
        """
        if isinstance(settings, PowerFactorSettings) and name == sunspec_power_factor.NAME:
            await self._power_factor.write(settings, on=on)
        else:
            await self._curves.write(name, settings, on=on)

    async def read_nameplate(self) -> NameplateReading:
        """Return what the inverter says it is rated for."""
        return await sunspec_nameplate.read_nameplate(self._device)

    async def set_rated_w(self, p_w: float) -> None:
        """Set the active power it is capable of, at most its rating. [W]"""
        await sunspec_nameplate.set_rated_w(self._device, p_w)

    async def read_alarms(self) -> tuple[str, ...]:
        """Return the names of the alarms it raises now."""
        return await sunspec_nameplate.read_alarms(self._device)

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Drive the inverter to `connect`, `limit_w` and, storage only, `power_w`.

        Power comes first and connection last. Everything is tried even when one step fails; the
        first failure is raised at the end. What is named here `restore` leaves as it is: putting
        it back as found would connect the inverter again.

        Raises
        ------
        DriverError
            `driver.safe_state` for an unknown key, before anything is sent; or the first failure.
        """
        steps = self._safe_steps()
        unknown = sorted(set(safe_state) - set(steps))
        if unknown:
            raise DriverError(
                "driver.safe_state",
                "{device}: unknown {unknown}, known are {known}",
                device=self.name,
                unknown=unknown,
                known=sorted(steps),
            )
        failures: list[DriverError] = []
        for key, step in steps.items():
            if key in safe_state:
                try:
                    await step(safe_state[key])
                except DriverError as error:
                    failures.append(error)
                finally:
                    self._device.forget(*SETTINGS[key])
        self._set_points.forget()
        if failures:
            raise failures[0]

    async def restore(self) -> None:
        """Write the settings back as found, each read back, but for those made safe."""
        self._set_points.forget()
        try:
            await self._curves.restore()
        finally:
            await self._device.restore()
        self._readings = 0

    async def _set_limit(self, p_w: float | None, *, reverts: bool) -> None:
        if p_w is None:
            await self._set_points.release(LIMIT)
            await self._read_settings()
            right = self._limit_w is None
        else:
            self._within("limit", p_w, 0.0, self._w_max)
            control = await self._device.read(CONTROL)
            step_w = self._w_max / 100 * 10.0 ** self._scale_factor(control, LIMIT)
            share = math.floor(p_w / step_w + 1e-9)
            control = await self._set_points.hold(LIMIT, share, control, reverts=reverts)
            self._take_limit(control)
            found_w = math.inf if self._limit_w is None else self._limit_w
            right = p_w - step_w < found_w + 1e-6 <= p_w + 2e-6
        if not right:
            raise DriverError(
                "driver.readback",
                "{device}: asked for a limit of {expected} W, {found} W is in force",
                kind="readback",
                device=self.name,
                expected=p_w,
                found=self._limit_w,
            )

    async def _hold(self, point: SetPoint, value: float, *, reverts: bool) -> None:
        """Put a set-point in watts or vars in force, rounded towards zero: never more."""
        control = await self._device.read(CONTROL)
        scale = self._scale_factor(control, point)
        raw = math.trunc(value / 10.0**scale + math.copysign(1e-9, value))
        await self._set_points.hold(point, raw, control, reverts=reverts)

    def _safe_steps(self) -> dict[str, Callable[[object], Awaitable[None]]]:
        return {"limit_w": self._safe_limit, "connect": self._safe_connect}

    async def _safe_limit(self, value: object) -> None:
        limit_w = None if value is None else self._number("limit_w", value)
        await self._set_limit(limit_w, reverts=False)

    async def _safe_connect(self, value: object) -> None:
        if not isinstance(value, bool):
            raise self._not_a("connect", value, "true or false")
        await self.set_connect(value)

    def _number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._not_a(key, value, "a number")
        return float(value)

    def _not_a(self, key: str, value: object, expected: str) -> DriverError:
        return DriverError(
            "driver.safe_state",
            "{device}: {key} = {found!r}, expected {expected}",
            device=self.name,
            key=key,
            found=value,
            expected=expected,
        )

    async def _read_settings(self) -> None:
        self._take_limit(await self._device.read(CONTROL))
        if self._device.has(STORAGE):
            soc = (await self._device.read(STORAGE)).value("SoC")
            self._soc = None if soc is None else soc / 100

    def _take_limit(self, control: ModelRegisters) -> None:
        share = control.value("WMaxLimPct")
        limited = control.raw("WMaxLimPctEna") == 1 and share is not None
        self._limit_w = share / 100 * self._w_max if limited and share is not None else None

    def _scale_factor(self, control: ModelRegisters, point: SetPoint) -> int:
        """Return a set-point's scale factor as it is now: some devices change theirs."""
        scale = control.scale_factor(point.value)
        if scale is None:
            raise self._missing(point.value)
        return scale

    def _within(self, what: str, value: float, low: float, high: float, unit: str = "W") -> None:
        if not low <= value <= high:  # NaN is never within
            raise DriverError(
                "driver.limit",
                "{device}: {what} {found} {unit} is outside {low}..{high} {unit}",
                kind="limit",
                device=self.name,
                what=what,
                unit=unit,
                found=value,
                low=low,
                high=high,
            )

    def _rating(self, capacity: ModelRegisters, *names: str) -> float:
        found = _first(capacity, *names)
        if not found:
            raise self._missing(names[0])
        return found

    def _rate(self, capacity: ModelRegisters, *names: str) -> float:
        """Return a largest power one way; 0 means none, only an absent one is the nameplate."""
        found = _first(capacity, *names)
        return self._w_max if found is None else found

    def _connected(self, measured: ModelRegisters) -> bool:
        """Return what ConnSt says or, since a device need not have it, what InvSt says."""
        connection = measured.raw("ConnSt")
        if connection is not None:
            return connection == 1
        state = _state(measured)
        if state == "unknown":
            raise self._missing("ConnSt")
        return state in ON_THE_GRID

    def _voltage(self, measured: ModelRegisters) -> float:
        line_v = measured.value("LLV")
        return math.sqrt(3) * self._needed(measured, "LNV") if line_v is None else line_v

    def _needed(self, registers: ModelRegisters, point: str) -> float:
        value = registers.value(point)
        if value is None:
            raise self._missing(point)
        return value

    def _missing(self, point: str) -> DriverError:
        return DriverError(
            "driver.unsupported",
            "{device} does not implement {point}",
            device=self.name,
            point=point,
        )


class SunSpecStorageInverter(SunSpecInverter):
    """A SunSpec storage inverter: capability `storage_inverter`."""

    capability = "storage_inverter"

    async def set_power_w(self, p_w: float) -> None:
        """Set active power, positive while discharging. [W]"""
        await self._set_power(p_w, reverts=True)

    async def _set_power(self, p_w: float, *, reverts: bool) -> None:
        self._within("power", p_w, -self._charge_max_w, self._discharge_max_w)
        await self._hold(POWER, p_w, reverts=reverts)

    def _safe_steps(self) -> dict[str, Callable[[object], Awaitable[None]]]:
        return {"power_w": self._safe_power, **super()._safe_steps()}

    async def _safe_power(self, value: object) -> None:
        await self._set_power(self._number("power_w", value), reverts=False)


def _state(measured: ModelRegisters) -> str:
    number = measured.number("InvSt")
    return "unknown" if number is None else STATES.get(number, "unknown")


def _first(registers: ModelRegisters, *names: str) -> float | None:
    """Return the first of the points that is implemented."""
    for name in names:
        value = registers.value(name)
        if value is not None:
            return value
    return None
