"""Instruments behind the rig's limits: a source gives only what all that is wired to it stands."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from gridrig.computing.work import Work
from gridrig.devices.bench_capabilities import (
    CapturePlan,
    Float,
    LoadBankReading,
    Recording,
    SequenceStep,
)
from gridrig.rig.device import Device
from gridrig.rig.guarded import Guarded
from gridrig.rig.instruments import (
    AcSourceLimits,
    DcSourceLimits,
    EvChargerLimits,
    HeatPumpLimits,
    LoadBankLimits,
    SwitchLimits,
)

IRRADIANCE_STC, IRRADIANCE_MAX = 1000.0, 1500.0
ANGLE_DEG_MAX = 360.0
DWELL_S_MAX = 86_400.0
WORK_S_MAX = 7 * 86_400.0


class GuardedAcSource(Guarded):
    """An AC source behind its limits."""

    async def set_voltage_v(self, v_v: Sequence[float]) -> None:
        """Set each channel's voltage. [V]"""
        self._voltages(v_v)
        await self._write("voltage_v", tuple(v_v), self.driver.set_voltage_v)

    async def set_phase_deg(self, phase_deg: Sequence[float]) -> None:
        """Set each channel's angle. [deg]"""
        for angle in phase_deg:
            self._within("phase_deg", angle, -ANGLE_DEG_MAX, ANGLE_DEG_MAX)
        await self._write("phase_deg", tuple(phase_deg), self.driver.set_phase_deg)

    async def set_frequency_hz(self, f_hz: float) -> None:
        """Set the frequency. [Hz]"""
        self._frequency(f_hz)
        await self._write("frequency_hz", f_hz, self.driver.set_frequency_hz)

    async def set_output(self, on: bool) -> None:
        """Close or open the output relay; it closes only onto a setting within the limits."""
        if not isinstance(on, bool):
            raise self._refuse("output", on, "true or false")
        if on and not self._dry_run:
            await self._need_loop("output", on)
            found = await self.driver.read()
            self._voltages(found.v_v)
            self._frequency(found.f_hz)
        await self._write("output", on, self.driver.set_output)

    async def load_sequence(self, steps: Sequence[SequenceStep]) -> None:
        """Load a sequence, every step of it within the limits."""
        for step in steps:
            self._voltages(step.v_v)
            self._frequency(step.f_hz)
            self._within("dwell_s", step.dwell_s, 0.0, DWELL_S_MAX)
        await self._write("sequence", tuple(steps), self.driver.load_sequence)

    async def arm(self) -> None:
        """Arm the loaded sequence."""
        await self._write("arm", True, lambda _: self.driver.arm())

    async def trigger(self) -> float | None:
        """Begin the armed sequence; return when, by the source's own clock. [s]"""
        begun: list[float] = []

        async def begin(_: object) -> None:
            begun.append(await self.driver.trigger())

        await self._write("trigger", True, begin)
        return begun[0] if begun else None

    async def abort(self) -> None:
        """End a sequence; what is put out now stays."""
        await self._write("abort", True, lambda _: self.driver.abort())

    async def clock_s(self) -> float:
        """Return the source's own clock. [s]"""
        own_s: float = await self.driver.clock_s()
        return own_s

    def _voltages(self, v_v: Sequence[float]) -> None:
        assert isinstance(self.device.limits, AcSourceLimits)
        for value in v_v:
            self._within("voltage_v", value, 0.0, self.device.limits.v_v_max)

    def _frequency(self, f_hz: float) -> None:
        assert isinstance(self.device.limits, AcSourceLimits)
        limits = self.device.limits
        self._within("frequency_hz", f_hz, limits.f_hz_min, limits.f_hz_max)


class GuardedDcSource(Guarded):
    """A DC source behind the limits of the input that it feeds."""

    async def set_supply(self, v_v: float, i_a: float) -> None:
        """Be a supply of a voltage with a current limit. [V, A]"""
        limits = self._limits()
        self._within("voltage_v", v_v, 0.0, limits.v_v_max)
        self._within("current_a", i_a, 0.0, limits.i_a_max)
        await self._write("supply", (v_v, i_a), lambda s: self.driver.set_supply(*s))

    async def set_array(self, voc_v: float, isc_a: float, vmp_v: float, imp_a: float) -> None:
        """Be a photovoltaic array; its curve is within the limits at any irradiance."""
        limits = self._limits()
        self._within("voc_v", voc_v, 0.0, limits.v_v_max)
        self._within("isc_a", isc_a, 0.0, limits.i_a_max * IRRADIANCE_STC / IRRADIANCE_MAX)
        self._within("vmp_v", vmp_v, 0.0, voc_v)
        self._within("imp_a", imp_a, 0.0, isc_a)
        curve = (voc_v, isc_a, vmp_v, imp_a)
        await self._write("array", curve, lambda c: self.driver.set_array(*c))

    async def set_irradiance(self, w_per_m2: float) -> None:
        """Set the irradiance of the array. [W/m2]"""
        self._within("irradiance", w_per_m2, 0.0, IRRADIANCE_MAX)
        await self._write("irradiance", w_per_m2, self.driver.set_irradiance)

    async def set_output(self, on: bool) -> None:
        """Switch the output."""
        if not isinstance(on, bool):
            raise self._refuse("output", on, "true or false")
        if on:
            await self._need_loop("output", on)
        await self._write("output", on, self.driver.set_output)

    def _limits(self) -> DcSourceLimits:
        assert isinstance(self.device.limits, DcSourceLimits)
        return self.device.limits


class GuardedLoadBank(Guarded):
    """A load bank behind its limits."""

    async def set_load(self, r_w: float, l_var: float, c_var: float) -> LoadBankReading | None:
        """Set each branch by its nominal power; return the steps that this came to."""
        assert isinstance(self.device.limits, LoadBankLimits)
        limits = self.device.limits
        self._within("r_w", r_w, 0.0, limits.p_w_max)
        self._within("l_var", l_var, 0.0, limits.q_var_max)
        self._within("c_var", c_var, 0.0, limits.q_var_max)
        await self._need_load("load", (r_w, l_var, c_var), r_w)
        done: list[LoadBankReading] = []

        async def send(load: tuple[float, float, float]) -> None:
            done.append(await self.driver.set_load(*load))

        await self._write("load", (r_w, l_var, c_var), send)
        return done[0] if done else None

    async def set_connected(self, on: bool) -> None:
        """Connect or disconnect the bank."""
        if not isinstance(on, bool):
            raise self._refuse("connected", on, "true or false")
        if not on:
            await self._need_load("connected", on, 0.0)
        await self._write("connected", on, self.driver.set_connected)

    async def _need_load(self, what: str, value: Any, r_w: float) -> None:
        """Refuse to take a load away from a device whose power has no other way. [W]"""
        if self.permits is None or self._dry_run:
            return
        if fault := await self.permits.load_fault(self.name, r_w):
            raise self._refuse(what, value, f"given while {fault}")


class GuardedSwitch(Guarded):
    """A contactor that wears out: its operations of a run are counted."""

    operations = 0
    # Told whenever it has been moved: True for closed.
    on_moved: Callable[[bool], object] = staticmethod(lambda _: None)

    async def set_closed(self, on: bool) -> None:
        """Move it and wait until the status contact shows it."""
        if not isinstance(on, bool):
            raise self._refuse("closed", on, "true or false")
        await self._move(on, self.driver.set_closed)

    async def request_closed(self) -> None:
        """Tell it to close when its synchronism check lets it."""
        await self._move(True, lambda _: self.driver.request_closed())

    async def _move(self, on: bool, move: Callable[[bool], Awaitable[None]]) -> None:
        assert isinstance(self.device.limits, SwitchLimits)
        most = self.device.limits.operations_max
        if on and self.operations >= most:
            raise self._refuse("closed", on, f"given: {most} operations are the rig's limit")
        if on and self.permits is not None and not self._dry_run:
            await self._need_loop("closed", on)
            if fault := await self.permits.close_fault():
                raise self._refuse("closed", on, f"given while {fault}")
        self.operations += 1
        try:
            await self._write("closed", on, move)
        finally:
            # One that does not show that it opened may have, all the same.
            self.on_moved(on)


class GuardedAnalyser(Guarded):
    """An analyser; a recording moves nothing on the bench, so a dry run arms it too."""

    async def arm(self, plan: CapturePlan) -> None:
        """Plan a recording and arm it."""
        await self.driver.arm(plan)

    async def trigger(self) -> None:
        """Trigger a recording that waits for a command."""
        await self.driver.trigger()

    async def abort(self) -> None:
        """End a recording that is not done."""
        await self.driver.abort()

    async def capture_state(self) -> str:
        """Return how far the recording is."""
        state: str = await self.driver.capture_state()
        return state

    async def fetch(self, tracks: Sequence[str]) -> Recording:
        """Return tracks of the recording that is done."""
        recording: Recording = await self.driver.fetch(tracks)
        return recording

    async def clock_s(self) -> float:
        """Return the analyser's own clock. [s]"""
        own_s: float = await self.driver.clock_s()
        return own_s

    def uncertainty(
        self, v_v: Float, i_a: Float, power: Float, window_s: float
    ) -> tuple[Float, Float, Float]:
        """Return the expanded uncertainty (k = 2) of means over a window."""
        found: tuple[Float, Float, Float] = self.driver.uncertainty(v_v, i_a, power, window_s)
        return found


class GuardedEvCharger(Guarded):
    """A charger behind its limits: none of its transactions begins above them."""

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit charging; removing the limit is refused, since the rig has one. [W]"""
        assert isinstance(self.device.limits, EvChargerLimits)
        self._within("limit_w", p_w, 0.0, self.device.limits.p_w_max)
        await self._write("limit_w", p_w, self.driver.set_limit_w)

    async def set_power_w(self, p_w: float) -> None:
        """Set power, positive while discharging. [W]"""
        assert isinstance(self.device.limits, EvChargerLimits)
        self._within("power_w", p_w, -self.device.limits.p_w_max, self.device.limits.p_w_max)
        await self._write("power_w", p_w, self.driver.set_power_w)

    async def begin_transaction(self) -> None:
        """Begin a transaction, with what the charger allows within the limits."""
        assert isinstance(self.device.limits, EvChargerLimits)
        if not self._dry_run:
            allowed_w = (await self.driver.read()).allowed_w
            most_w = self.device.limits.p_w_max
            if allowed_w is None or allowed_w > most_w:
                raise self._refuse("begin", allowed_w, f"begun before a limit up to {most_w:g}")
        await self._write("begin", True, lambda _: self.driver.begin_transaction())

    async def end_transaction(self) -> None:
        """End the transaction."""
        await self._write("end", True, lambda _: self.driver.end_transaction())


class GuardedHeatPump(Guarded):
    """A heat pump behind its limit: what it takes by its own thermostat is its own affair."""

    async def set_power_w(self, p_w: float | None) -> None:
        """Let it follow a power, 0 or negative; None gives it back to its thermostat. [W]"""
        assert isinstance(self.device.limits, HeatPumpLimits)
        if p_w is not None:
            self._within("power_w", p_w, -self.device.limits.p_w_max, 0.0)
        await self._write("power_w", p_w, self.driver.set_power_w)


class GuardedComputeNode(Guarded):
    """A computing node: it can be told to begin and to stop, and no more."""

    async def begin_job(self, work: Work, work_s: float) -> None:
        """Give it a job, and let it run. [s]"""
        self._within("work_s", work_s, 1.0, WORK_S_MAX)
        await self._write("job", (work, work_s), lambda job: self.driver.begin_job(*job))

    async def set_running(self, on: bool) -> None:
        """Pause the job it has, or let it go on."""
        if not isinstance(on, bool):
            raise self._refuse("running", on, "true or false")
        await self._write("running", on, self.driver.set_running)

    async def end_job(self) -> None:
        """Let it forget its job."""
        await self._write("end", True, lambda _: self.driver.end_job())


GUARDS: Mapping[str, type[Guarded]] = {
    "ac_source": GuardedAcSource,
    "dc_source": GuardedDcSource,
    "load_bank": GuardedLoadBank,
    "switch": GuardedSwitch,
    "interlock": Guarded,
    "analyser": GuardedAnalyser,
    "ev_charger": GuardedEvCharger,
    "heat_pump": GuardedHeatPump,
    "compute_node": GuardedComputeNode,
}


def guard_instrument(
    device: Device, driver: Any, report: Callable[..., object], *, dry_run: bool
) -> Guarded:
    """Return an instrument's driver behind the rig's limits."""
    return GUARDS[device.capability](device, driver, report, dry_run=dry_run)
