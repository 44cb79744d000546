"""Inverters, packs and meters behind the rig's limits.

A storage inverter's power is checked against its pack's limits too.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from gridrig.devices.capabilities import BmsReading, InverterReading, MeterReading
from gridrig.devices.grid_support import (
    EnterService,
    EnterServiceSettings,
    FunctionSettings,
    FunctionState,
    GridSupport,
    IslandDetection,
)
from gridrig.devices.nameplate import Interoperable, NameplateReading
from gridrig.errors import DriverError
from gridrig.rig.device import BmsLimits, Device, InverterLimits, MeterLimits
from gridrig.rig.guarded import Guarded, Report
from gridrig.rig.protection import Protection

DC_MARGIN = 0.95  # of a pack's limit, for conversion loss and the moment between two readings
ROUNDING = 1e-6  # of a power that was calculated from the same limit
PROTECTION = "_trip"  # what the names of functions that protect end in
PACK_AGE_S = 10.0  # oldest reading of a pack that a set-point is judged by


class GuardedInverter(Guarded):
    """An inverter or storage inverter behind its limits."""

    def __init__(self, device: Device, driver: Any, report: Report, *, dry_run: bool) -> None:
        super().__init__(device, driver, report, dry_run=dry_run)
        self.protection = Protection(driver)

    async def make_safe(self) -> None:
        """Drive the device into its declared safe state."""
        await super().make_safe()
        if self.permits is not None and self.device.safe_settings().get("connect") is False:
            self.permits.withdraw(self.name)

    async def restore(self) -> None:
        """Write the settings back as found."""
        await super().restore()
        if not self._dry_run:
            await self.protection.restored()

    async def read(self) -> InverterReading:
        """Return what the inverter reports now."""
        reading: InverterReading = await super().read()
        return reading

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power; None removes the limit, if the nameplate is within the rig's. [W]"""
        p_w_max = self._p_w_max()
        if p_w is None:
            w_max = (await self.read()).w_max
            if w_max > p_w_max:
                expected = f"a limit up to {p_w_max:g}, below the nameplate of {w_max:g}"
                raise self._refuse("limit_w", p_w, expected)
        else:
            self._within("limit_w", p_w, 0.0, p_w_max)
        if self.permits is not None and self.permits.given(self.name) and not self._dry_run:
            await self._need_way("limit_w", p_w, self._p_w_max() if p_w is None else p_w)
        await self._write(
            "limit_w", p_w, self.driver.set_limit_w, again=partial(self.set_limit_w, p_w)
        )

    async def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection to the grid."""
        if not isinstance(on, bool):
            raise self._refuse("connect", on, "true or false")
        if on and not self._dry_run:
            await self._need_loop("connect", on)
            await self._need_limit()
        again = partial(self.set_connect, on)
        await self._write("connect", on, self.driver.set_connect, again=again)
        if not on and self.permits is not None:
            self.permits.withdraw(self.name)

    async def read_enter_service(self) -> EnterServiceSettings:
        """Return when and how it enters service."""
        return await self._enter_service().read_enter_service()

    async def write_enter_service(self, settings: EnterServiceSettings) -> None:
        """Set when and how it enters service."""
        driver = self._enter_service()
        again = partial(self.write_enter_service, settings)
        await self._write("enter_service", settings, driver.write_enter_service, again=again)

    def _enter_service(self) -> EnterService:
        if not isinstance(self.driver, EnterService):
            raise self._unsupported("enter_service")
        return self.driver

    async def set_q_var(self, q_var: float | None) -> None:
        """Set reactive power within the rig's apparent power; None takes it back. [var]"""
        support = self._grid_support("reactive power")
        if q_var is not None:
            assert isinstance(self.device.limits, InverterLimits)
            most_var = self.device.limits.s_va_max
            self._within("q_var", q_var, -most_var, most_var)
        again = partial(self.set_q_var, q_var)
        await self._write("q_var", q_var, support.set_q_var, again=again)

    @property
    def functions(self) -> Collection[str]:
        """Names of the grid-support functions it has; none if its driver sets none."""
        return self.driver.functions if isinstance(self.driver, GridSupport) else ()

    async def read_function(self, name: str) -> FunctionState:
        """Return a grid-support function as it is in force."""
        return await self._grid_support(name).read_function(name)

    async def write_function(self, name: str, settings: FunctionSettings, *, on: bool) -> None:
        """Put a grid-support function's settings in force and enable or disable it."""
        support = self._grid_support(name)

        async def send(value: FunctionSettings) -> None:
            if name.endswith(PROTECTION):
                await self.protection.change(name)
            await support.write_function(name, value, on=on)

        again = partial(self.write_function, name, settings, on=on)
        # Protection that a test opened is not opened again in a device that was lost.
        lasts = None if name.endswith(PROTECTION) else again
        await self._write(name, settings, send, again=lasts)

    @property
    def detection_switchable(self) -> bool:
        """Whether its island detection can be switched off."""
        return isinstance(self.driver, IslandDetection) and self.driver.detection_switchable

    async def set_island_detection(self, on: bool) -> None:
        """Switch island detection; while it is off, the bench counts as changed protection."""
        if not isinstance(self.driver, IslandDetection):
            raise self._unsupported("island detection")
        driver = self.driver

        async def send(value: bool) -> None:
            await self.protection.change("island_detection")
            await driver.set_island_detection(value)

        await self._write("island_detection", on, send)

    async def read_nameplate(self) -> NameplateReading:
        """Return what it says it is rated for."""
        return await self._interoperable("nameplate").read_nameplate()

    async def set_rated_w(self, p_w: float) -> None:
        """Set the active power it is capable of, within the rig's limit. [W]"""
        self._within("rated_w", p_w, 0.0, self._p_w_max())
        send = self._interoperable("configuration").set_rated_w
        await self._write("rated_w", p_w, send, again=partial(self.set_rated_w, p_w))

    async def read_alarms(self) -> tuple[str, ...]:
        """Return the names of the alarms it raises now."""
        return await self._interoperable("alarms").read_alarms()

    def _interoperable(self, what: str) -> Interoperable:
        if not isinstance(self.driver, Interoperable):
            raise self._unsupported(what)
        return self.driver

    def _grid_support(self, what: str) -> GridSupport:
        if not isinstance(self.driver, GridSupport):
            raise self._unsupported(what)
        return self.driver

    def _unsupported(self, what: str) -> DriverError:
        text = "{device}: its driver has no {what}"
        return DriverError("driver.unsupported", text, device=self.name, what=what)

    async def power_zero(self) -> None:
        """Bring its power to nothing, by set-point (storage) or limit."""
        if self.capability == "storage":
            await self._write("power_w", 0.0, self.driver.set_power_w, ending=True)
        else:
            await self._write("limit_w", 0.0, self.driver.set_limit_w, ending=True)

    async def _need_limit(self) -> None:
        """Refuse a permit to give more than the rig carries, or than has a way to go."""
        p_w_max, reading = self._p_w_max(), await self.read()
        allowed_w = reading.w_max if reading.limit_w is None else reading.limit_w
        allowed_w = min(allowed_w, reading.w_max)
        if self.capability == "inverter" and allowed_w > p_w_max:
            expected = f"given before a limit up to {p_w_max:g}, below {allowed_w:g} in force"
            raise self._refuse("connect", True, expected)
        # A storage gives what its set-point says, which is never beyond the rig's limit.
        await self._need_way("connect", True, min(allowed_w, p_w_max))

    async def _need_way(self, what: str, value: Any, p_w: float) -> None:
        """Refuse power that neither its source takes back nor a load bank takes. [W]"""
        if self.permits is None:
            return
        if fault := await self.permits.export_fault(self.device, p_w):
            raise self._refuse(what, value, f"given while {fault}")
        self.permits.give(self.name, p_w)

    def _p_w_max(self) -> float:
        assert isinstance(self.device.limits, InverterLimits)
        return self.device.limits.p_w_max


class GuardedBms(Guarded):
    """A pack's manager; opening a switch under load is the driver's own rule."""

    def __init__(self, device: Device, driver: Any, report: Report, *, dry_run: bool) -> None:
        super().__init__(device, driver, report, dry_run=dry_run)
        self._latest: tuple[float, BmsReading] | None = None

    async def read(self) -> BmsReading:
        """Return what the pack reports now."""
        reading: BmsReading = await super().read()
        self._latest = (asyncio.get_running_loop().time(), reading)
        return reading

    async def recent(self) -> BmsReading:
        """Return the latest reading, at most `PACK_AGE_S` old."""
        now_s = asyncio.get_running_loop().time()
        if self._latest is None or now_s - self._latest[0] > PACK_AGE_S:
            return await self.read()
        return self._latest[1]

    async def set_fets(self, charge: bool, discharge: bool) -> None:
        """Close (True) or open the charge and discharge switches."""
        if not (isinstance(charge, bool) and isinstance(discharge, bool)):
            raise self._refuse("fets", (charge, discharge), "true or false for each")
        await self._write(
            "fets",
            (charge, discharge),
            lambda fets: self.driver.set_fets(fets[0], fets[1]),
            again=partial(self.set_fets, charge, discharge),
        )


class GuardedMeter(Guarded):
    """A meter whose clock follows the bench's.

    Parameters
    ----------
    utc_s : callable
        The bench's time. [s since 1970-01-01 UTC]
    """

    def __init__(
        self,
        device: Device,
        driver: Any,
        report: Report,
        *,
        dry_run: bool,
        utc_s: Callable[[], int],
    ) -> None:
        super().__init__(device, driver, report, dry_run=dry_run)
        self._utc_s = utc_s

    async def read(self) -> MeterReading:
        """Return what the meter reports now, unsigned."""
        reading: MeterReading = await super().read()
        return reading

    async def sync_clock(self, utc_s: int) -> None:
        """Set the meter's clock. [s since 1970-01-01 UTC]"""
        assert isinstance(self.device.limits, MeterLimits)
        most, now_s = self.device.limits.clock_error_s_max, self._utc_s()
        self._within("clock", utc_s, now_s - most, now_s + most)
        await self._write("clock", utc_s, self.driver.sync_clock)

    async def sign(self, time_s: int | None = None) -> bytes:
        """Make the meter sign its registers and return the record as received."""
        record: bytes = await self.driver.sign(time_s)
        return record

    async def read_public_key(self) -> bytes:
        """Return the key the meter says it signs with, SubjectPublicKeyInfo DER."""
        key: bytes = await self.driver.read_public_key()
        return key


class GuardedStorage(GuardedInverter):
    """A storage inverter behind its own limits and those of its pack.

    Parameters
    ----------
    pack : callable
        Returns its pack's manager, None if that is not open.
    """

    def __init__(
        self,
        device: Device,
        driver: Any,
        report: Report,
        *,
        dry_run: bool,
        pack: Callable[[], Guarded | None],
    ) -> None:
        super().__init__(device, driver, report, dry_run=dry_run)
        self._pack = pack

    async def set_power_w(self, p_w: float) -> None:
        """Set active power, positive while discharging. [W]"""
        p_w_max = self._p_w_max()
        self._within("power_w", p_w, -p_w_max, p_w_max)
        if p_w != 0 and not self._dry_run:
            await self._need_pack(p_w)
        await self._write("power_w", p_w, self.driver.set_power_w)

    async def _need_pack(self, p_w: float) -> None:
        """Refuse power beyond the currents and the state of charge declared for the pack."""
        pack = self._pack()
        if not isinstance(pack, GuardedBms):
            raise self._refuse("power_w", p_w, "sent without a reading of its pack")
        limits, reading = pack.device.limits, await pack.recent()
        assert isinstance(limits, BmsLimits)
        empty, full = reading.soc <= limits.soc_min, reading.soc >= limits.soc_max
        if (p_w > 0 and empty) or (p_w < 0 and full):
            bounds = f"{limits.soc_min:g}..{limits.soc_max:g}"
            expected = f"allowed at a state of charge of {reading.soc:g}, kept within {bounds}"
            raise self._refuse("power_w", p_w, expected)
        volts = reading.v_v * DC_MARGIN * (1 + ROUNDING)
        low_w, high_w = -limits.i_charge_a_max * volts, limits.i_discharge_a_max * volts
        if not low_w <= p_w <= high_w:
            expected = (
                f"from {low_w:.0f} to {high_w:.0f}, what {pack.name} may carry at {reading.v_v:g} V"
            )
            raise self._refuse("power_w", p_w, expected)


def guard(
    device: Device,
    driver: Any,
    report: Report,
    *,
    dry_run: bool,
    utc_s: Callable[[], int],
    pack: Callable[[], Guarded | None] = lambda: None,
) -> Guarded:
    """Return a driver behind the rig's limits for its device."""
    if device.capability == "storage":
        return GuardedStorage(device, driver, report, dry_run=dry_run, pack=pack)
    if device.capability == "meter":
        return GuardedMeter(device, driver, report, dry_run=dry_run, utc_s=utc_s)
    kinds: Mapping[str, type[Guarded]] = {
        "inverter": GuardedInverter,
        "bms": GuardedBms,
    }
    return kinds[device.capability](device, driver, report, dry_run=dry_run)
