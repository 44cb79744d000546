"""Drivers for SunSpec inverters, PV and storage, of either generation of models.

Device: any inverter with models 1 and 701 to 704 (713 for the state of charge); or, where it lacks
those, with 101 to 103 or 111 to 113, 120 or 121, and 123 (124 for a storage).
Wiring: Modbus TCP, or RS-485 with Modbus RTU, 8N1.

    [[device]]
    capability = "inverter"                    # or "storage_inverter"
    driver = "sunspec"                         # or "sunspec-storage"
    link = { kind = "modbus-tcp", host = "192.0.2.7", port = 502, unit = 1 }
    parameters = { timeout_s = 1.0, retries = 1 }

A set-point is written before its enable. In a run it is held by the device's own reversion timer,
where model 704 has one, which readings renew: a bench that falls silent leaves no power behind,
because power and limit then go to zero. The timer lasts three control periods, or `revert_s`.
Grid-support functions are `gridrig.devices.grid_support`'s, over models 705 to 712.

Island detection is switched, for the laboratory only, if the rig says by what: `AntiIslEna` of
model 704, or a maker's own register.

    parameters = { anti_isl_ena = true }
    parameters = { detection_register = 60000, detection_on = 1, detection_off = 0 }

The limit in force and the state of charge, which live in other models than what is measured, are
read on every `settings_every`-th reading and after every change, and repeated in between.

What each generation means is in `sunspec_der` and `sunspec_legacy`.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from gridrig.devices.capabilities import Identity, InverterReading
from gridrig.devices.drivers import (
    sunspec_nameplate,
    sunspec_power_factor,
    sunspec_protection,
)
from gridrig.devices.drivers.modbus_line import Patience
from gridrig.devices.drivers.sunspec_curves import Curves
from gridrig.devices.drivers.sunspec_der import MODELS, DerModels
from gridrig.devices.drivers.sunspec_enter_service import EnterServicePoints
from gridrig.devices.drivers.sunspec_generation import Generation, Nameplate
from gridrig.devices.drivers.sunspec_legacy import LegacyModels, measurement_of
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.drivers.sunspec_parameters import SunSpecParameters
from gridrig.devices.grid_support import (
    EnterServiceSettings,
    FunctionSettings,
    FunctionState,
    PowerFactorSettings,
)
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.nameplate import NameplateReading
from gridrig.devices.protection import ANTI_ISLANDING
from gridrig.errors import DriverError


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
    FACTORS: ClassVar[tuple[str, ...]] = (sunspec_power_factor.INJECTING,)
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
        self.found = self._device.found
        self._curves = Curves(self._device, parameters.adopt_timeout_s)
        self._factors = {
            of: sunspec_power_factor.PowerFactor(self._device, of) for of in self.FACTORS
        }
        self._models: Generation = DerModels(self._device, parameters.revert_s)
        self._nameplate = Nameplate(0.0, 0.0, 0.0, 0.0, 0.0)
        self._limit_w: float | None = None
        self._soc: float | None = None
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
        self._models = self._generation()
        self._nameplate = await self._models.nameplate()
        self._readings = 0

    def _generation(self) -> Generation:
        revert_s = self._parameters.revert_s
        old = measurement_of(self._device)
        if old is not None and not all(self._device.has(model) for model in MODELS):
            self._device.require(1)
            return LegacyModels(self._device, old, revert_s)
        for model in MODELS:
            self._device.require(model)
        return DerModels(self._device, revert_s)

    async def use_control_period(self, control_period_s: float) -> Mapping[str, object]:
        """Let the device's reversion timers follow the control; return how they are used. [s]"""
        return await self._models.use_control_period(control_period_s)

    async def close(self) -> None:
        """Let go of the wire."""
        await self._device.close()

    async def identify(self) -> Identity:
        """Return the common model's names."""
        return await self._device.identity()

    async def read(self) -> InverterReading:
        """Return what the inverter reports now, and renew the set-points it holds."""
        measured = await self._models.measure()
        if self._readings % self._parameters.settings_every == 0:
            await self._read_settings()
        self._readings += 1
        await self._models.renew()
        return InverterReading(
            p_w=measured.p_w,
            q_var=measured.q_var,
            v_v=measured.v_v,
            f_hz=measured.f_hz,
            connected=measured.connected,
            state=measured.state,
            limit_w=self._limit_w,
            w_max=self._nameplate.w_max,
            soc=self._soc,
        )

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power; None removes the limit. [W]

        The device takes a share of WMax; it is rounded down, so that it never allows more.
        """
        await self._set_limit(p_w, reverts=True)

    async def read_connect(self) -> bool:
        """Return whether connection to the grid is permitted, which is not whether it is there."""
        return await self._models.read_connect()

    async def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection to the grid."""
        await self._models.set_connect(on)

    async def read_enter_service(self) -> EnterServiceSettings:
        """Return when and how it enters service."""
        return await EnterServicePoints(self._device).read()

    async def write_enter_service(self, settings: EnterServiceSettings) -> None:
        """Set when and how it enters service; times are whole seconds."""
        await EnterServicePoints(self._device).write(settings)

    async def set_q_var(self, q_var: float | None) -> None:
        """Set reactive power into the grid; None takes the set-point back. [var]"""
        if q_var is None:
            await self._models.release_reactive()
            return
        low_var, high_var = 0.0 - self._nameplate.absorb_max_var, self._nameplate.inject_max_var
        self._within("reactive power", q_var, low_var, high_var, "var")
        await self._models.hold_reactive(q_var, reverts=True)

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the grid-support functions the device has."""
        if not self._device.has(sunspec_power_factor.CONTROL):
            return self._curves.names
        return (*self._curves.names, *self._factors)

    async def read_function(self, name: str) -> FunctionState:
        """Return a grid-support function as it is in force."""
        if name in self._factors:
            return await self._factors[name].read()
        return await self._curves.read(name)

    async def write_function(self, name: str, settings: FunctionSettings, *, on: bool) -> None:
        """Put a grid-support function's settings in force and enable or disable it.

        Raises
        ------
        DriverError
            `driver.unsupported`, `driver.limit`, `sunspec.adoption`, or kind "readback".
        """
        if isinstance(settings, PowerFactorSettings) and name in self._factors:
            await self._factors[name].write(settings, on=on)
        else:
            await self._curves.write(name, settings, on=on)

    @property
    def detection_switchable(self) -> bool:
        """Whether the rig says what switches island detection."""
        p = self._parameters
        return p.anti_isl_ena or p.detection_register is not None

    async def set_island_detection(self, on: bool) -> None:
        """Switch island detection by what the rig names, and read it back.

        Raises
        ------
        DriverError
            `driver.unsupported` if the rig names nothing.
        """
        p = self._parameters
        if p.anti_isl_ena:
            control, enable = sunspec_protection.CONTROL, sunspec_protection.ENABLE
            await self._device.write(control, {enable: int(on)})
            return
        if p.detection_register is None:
            raise DriverError(
                "driver.unsupported",
                "{device}: the rig names no detection_register and no anti_isl_ena, so island "
                "detection stays on",
                device=self.name,
            )
        value = p.detection_on if on else p.detection_off
        await self._device.write_register(p.detection_register, value)

    async def read_nameplate(self) -> NameplateReading:
        """Return what the inverter says it is rated for."""
        return await sunspec_nameplate.read_nameplate(self._device)

    async def set_rated_w(self, p_w: float) -> None:
        """Set the active power it is capable of, at most its rating. [W]"""
        await sunspec_nameplate.set_rated_w(self._device, p_w)

    async def read_alarms(self) -> tuple[str, ...]:
        """Return the names of the alarms it raises now."""
        return await sunspec_nameplate.read_alarms(self._device)

    async def read_protection(self) -> Mapping[str, object]:
        """Return its trip functions as raw values, and whether it detects islands."""
        found = await sunspec_protection.read_protection(self._device, self._curves)
        register = self._parameters.detection_register
        if register is not None:
            value = await self._device.read_register(register)
            found[ANTI_ISLANDING] = value == self._parameters.detection_on
        return found

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
                    self._device.forget(*self._models.settings[key])
        self._models.forget()
        if failures:
            raise failures[0]

    async def restore(self) -> None:
        """Write the settings back as found, each read back, but for those made safe."""
        self._models.forget()
        try:
            await self._curves.restore()
        finally:
            await self._device.restore()
        self._readings = 0

    async def _set_limit(self, p_w: float | None, *, reverts: bool) -> None:
        if p_w is None:
            await self._models.release_limit()
            await self._read_settings()
            right = self._limit_w is None
        else:
            self._within("limit", p_w, 0.0, self._nameplate.w_max)
            self._limit_w, step_w = await self._models.hold_limit(p_w, reverts=reverts)
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
        self._limit_w = await self._models.read_limit()
        self._soc = await self._models.read_soc()

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


class SunSpecStorageInverter(SunSpecInverter):
    """A SunSpec storage inverter: capability `storage_inverter`."""

    capability = "storage_inverter"
    FACTORS = (*SunSpecInverter.FACTORS, sunspec_power_factor.ABSORBING)

    async def set_power_w(self, p_w: float) -> None:
        """Set active power, positive while discharging. [W]"""
        await self._set_power(p_w, reverts=True)

    async def _set_power(self, p_w: float, *, reverts: bool) -> None:
        plate = self._nameplate
        self._within("power", p_w, 0.0 - plate.charge_max_w, plate.discharge_max_w)
        await self._models.hold_power(p_w, reverts=reverts)

    def _safe_steps(self) -> dict[str, Callable[[object], Awaitable[None]]]:
        return {"power_w": self._safe_power, **super()._safe_steps()}

    async def _safe_power(self, value: object) -> None:
        await self._set_power(self._number("power_w", value), reverts=False)
