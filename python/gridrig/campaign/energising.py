"""`gridrig check --energise`: a bench's wiring proved step by step, each small and bounded.

Everything that could be connected wrongly is made to show itself at low voltage and power first:

1  the safety loop is closed, all outputs are off, the contactor's status contact shows it open;
2  the contactor closes and opens without voltage: its status contact follows both ways;
3  a tenth of the voltage, each channel of the source at a level of its own: with the contactor open
   nothing may arrive, with it closed the analyser's channels must show the levels in this order
   (channel to phase) and the angles 0, -120, +120 degrees (phase order);
4  nominal voltage with a small resistance, if there is a load bank: no channel of a device may show
   it (channel to device), and at the contactor it flows from the grid (CT direction);
5  a small power of each device, on its own channels: into the grid on each phase (CT direction),
   alike on all, and as much as it says itself.

Invariants
    Before each step that moves something or puts voltage or power somewhere, the prompt is asked;
    without a yes nothing is sent. The first fault ends it. However it ends, the bench is left safe.
Limits
    Each step ends within `STEP_S`; the inverter's start within `START_S_MAX`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from gridrig.campaign.wiring import load_fault, order_fault, power_fault
from gridrig.clock import Clock
from gridrig.devices.bench_capabilities import AnalyserReading
from gridrig.errors import CampaignError, DriverError
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig
from gridrig.rig.device import Device, InverterLimits
from gridrig.rig.instruments import LoadBankLimits, SourceTerminal

STEP_S = 60.0
START_S_MAX = 900.0  # enter service may take ten minutes
SETTLE_S = 1.0
POLL_S = 2.0
LOW_SHARE = 0.10  # of the nominal voltage, where the phases are told apart
LEVELS = (1.0, 0.8, 0.6)  # of that, by channel
DEAD_SHARE = 0.01  # of the nominal voltage
V_TOLERANCE = 0.05
POWER_SHARE = 0.10  # of the limit
ENOUGH_SHARE = 0.5  # of that, at least, is asked of a device
STEADY_SHARE = 0.01  # of that: what rises by less from reading to reading rises no more
FED_SHARE = 0.80  # of the DC input's voltage limit

Ask = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True)
class Finding:
    """What one step proved, or what is wrong with the wiring.

    Parameters
    ----------
    step : str
        What was tried.
    ok : bool
        Whether the wiring is right.
    found : str
        What was seen, in words.
    """

    step: str
    ok: bool
    found: str


@dataclass
class Energising:
    """One bench being proved.

    Parameters
    ----------
    rig, bench, clock
        The opened bench.
    ask : callable
        The prompt: takes what comes next, answers whether to go on.
    show : callable
        Gets each finding as it is made, before the next prompt.
    """

    rig: Rig
    bench: Bench
    clock: Clock
    ask: Ask
    show: Callable[["Finding"], None]
    findings: list[Finding] = field(default_factory=list)

    async def run(self) -> bool:
        """Go through the steps; return whether all of the wiring is right.

        Raises
        ------
        CampaignError
            `campaign.not_energised` if the rig has no bench to energise, or the prompt said no.
        DriverError
            If an instrument fails; the bench is then made safe by whoever opened it.
        """
        behind = self._behind()
        for device in behind:
            # One that was found permitted would begin by itself once the contactor closes.
            await self.bench.devices[device.name].set_connect(False)
        for step in (self._at_rest, self._contactor, self._phases, self._load):
            async with asyncio.timeout(STEP_S):
                if not await step():
                    return False
        for device in behind:
            async with asyncio.timeout(START_S_MAX + STEP_S):
                if not await self._power(device):
                    return False
        return True

    def _behind(self) -> list[Device]:
        behind = [d for d in self.rig.devices if isinstance(d.terminal, SourceTerminal)]
        if not behind:
            raise CampaignError(
                "campaign.not_energised",
                "{path} has no device behind an AC source: there is no wiring to prove",
                path=self.rig.path,
            )
        return behind

    def _device(self, capability: str) -> Any:
        name = next((d.name for d in self.rig.devices if d.capability == capability), None)
        return None if name is None else self.bench.devices[name]

    @property
    def _source(self) -> Any:
        terminal = self._behind()[0].terminal
        assert isinstance(terminal, SourceTerminal)
        return self.bench.devices[terminal.source]

    @property
    def _v_n(self) -> float:
        return self.rig.nominal.v_n

    async def _consent(self, what: str) -> None:
        if not await self.ask(what):
            raise CampaignError("campaign.not_energised", "not energised: {what}", what=what)

    def _say(self, step: str, ok: bool, found: str) -> bool:
        finding = Finding(step, ok, found)
        self.findings.append(finding)
        self.show(finding)
        return ok

    async def _at_rest(self) -> bool:
        """See that nothing is on before anything is switched."""
        step = "bench at rest"
        loop, switch, source = self._device("interlock"), self._device("switch"), self._source
        if loop is not None and not (await loop.read()).closed:
            return self._say(step, False, f"{loop.name}: the safety loop is open")
        reading = await source.read()
        if not reading.interlock_closed:
            return self._say(step, False, f"{source.name}: says that its interlock is open")
        if reading.output:
            return self._say(step, False, f"{source.name}: its output is on")
        if switch is not None and (await switch.read()).closed:
            found = f"{switch.name}: the status contact shows closed, its coil was never told to"
            return self._say(step, False, found)
        return self._say(step, True, "safety loop closed, outputs off, contactor open")

    async def _contactor(self) -> bool:
        """Move the contactor without voltage; its status contact must follow both ways."""
        switch, step = self._device("switch"), "contactor and its status contact"
        if switch is None:
            return True
        await self._consent(f"close and open {switch.name} without voltage")
        for on, word in ((True, "closed"), (False, "opened")):
            try:
                await switch.set_closed(on)
            except DriverError as error:
                if error.kind != "readback":
                    raise
                shown = "closed" if error.found == "1" else "open"
                found = f"{switch.name} was {word}, its status contact still shows {shown}"
                return self._say(step, False, found)
        return self._say(step, True, f"{switch.name}: the status contact follows both ways")

    async def _phases(self) -> bool:
        """Put another level on each channel; see which phase shows which."""
        source, switch, step = self._source, self._device("switch"), "phases and channels"
        count = self.rig.nominal.phases
        levels = [LOW_SHARE * self._v_n * share for share in LEVELS[:count]]
        text = "/".join(f"{v:.0f}" for v in levels)
        await self._consent(f"put {text} V on the phases of {source.name}")
        await source.set_frequency_hz(float(self.rig.nominal.f_hz))
        await source.set_phase_deg([0.0] * count)
        await source.set_voltage_v(levels)
        await source.set_output(True)
        await self.clock.sleep(SETTLE_S)
        if switch is not None:
            for device in self._behind():
                most_v = max(self._of(device, (await self._measured(device)).v_v))
                if most_v > DEAD_SHARE * self._v_n:
                    found = f"{most_v:.1f} V at {device.name} with {switch.name} open"
                    return self._say(step, False, found)
            await switch.set_closed(True)
            await self.clock.sleep(SETTLE_S)
        for device in self._behind():
            reading = await self._measured(device)
            v_v, angles = self._of(device, reading.v_v), self._of(device, reading.angle_deg)
            if fault := order_fault(v_v, angles, levels):
                return self._say(step, False, f"{device.name}: {fault}")
        return self._say(step, True, f"{text} V and the angles arrive on their channels")

    async def _load(self) -> bool:
        """Feed a small resistance at nominal voltage and count it."""
        source, bank, step = self._source, self._device("load_bank"), "nominal voltage and load"
        count = self.rig.nominal.phases
        await self._consent(f"raise {source.name} to {self._v_n:.0f} V, phase to neutral")
        await source.set_voltage_v([self._v_n] * count)
        await self.clock.sleep(SETTLE_S)
        for device in self._behind():
            v_v = self._of(device, (await self._measured(device)).v_v)
            if any(abs(v - self._v_n) > V_TOLERANCE * self._v_n for v in v_v):
                shown = "/".join(f"{v:.1f}" for v in v_v)
                return self._say(step, False, f"{device.name}: {shown} V at nominal voltage")
        if bank is None:
            return self._say(step, True, f"{self._v_n:.0f} V on every phase")
        limits = bank.device.limits
        assert isinstance(limits, LoadBankLimits)
        wanted_w = POWER_SHARE * limits.p_w_max
        before = await self._groups()
        await bank.set_load(wanted_w, 0.0, 0.0)
        await bank.set_connected(True)
        await self.clock.sleep(SETTLE_S)
        after = await self._groups()
        await bank.set_connected(False)
        changes = [now[1] - then[1] for then, now in zip(before, after, strict=True)]
        fault = load_fault(changes, [own for own, _ in before], wanted_w)
        if fault:
            return self._say(step, False, f"{bank.name}: {fault}")
        shown = "/".join(f"{p_w:.0f}" for p_w in changes)
        found = f"{self._v_n:.0f} V; {bank.name} takes {wanted_w:.0f} W, groups show {shown} W"
        return self._say(step, True, found)

    async def _power(self, device: Device) -> bool:
        """Let a device give a little and measure it on its own channels."""
        step, driver = f"power of {device.name}", self.bench.devices[device.name]
        terminal, limits = device.terminal, device.limits
        assert isinstance(terminal, SourceTerminal)
        assert isinstance(limits, InverterLimits)
        wanted_w = POWER_SHARE * limits.p_w_max
        await self._consent(f"let {device.name} give {wanted_w:.0f} W")
        if terminal.dc_source is not None:
            await self._feed(terminal.dc_source, 2 * wanted_w)
        bank = self._bank_for(wanted_w)
        if bank is not None:
            await bank.set_load(wanted_w, 0.0, 0.0)
            await bank.set_connected(True)
        await driver.set_limit_w(wanted_w)
        if device.capability == "storage":
            await driver.set_power_w(wanted_w)
        await driver.set_connect(True)
        said = await self._risen(driver, wanted_w)
        if abs(said.p_w) < ENOUGH_SHARE * wanted_w:
            found = f"{device.name} says {said.p_w:.0f} W, not {wanted_w:.0f} W: {said.state}"
            return self._say(step, False, found)
        p_w = self._of(device, (await self._measured(device)).p_w)
        await driver.set_limit_w(0.0)
        await driver.set_connect(False)
        if bank is not None:
            await bank.set_connected(False)
        if fault := power_fault(p_w, said.p_w):
            return self._say(step, False, f"{device.name}: {fault}")
        shown = "/".join(f"{p:.0f}" for p in p_w)
        return self._say(step, True, f"{shown} W by phase, it says {said.p_w:.0f} W")

    async def _risen(self, driver: Any, wanted_w: float) -> Any:
        """Return what a device says once its power rises no more, or has had its time. [W]"""
        begin_s, before_w = self.clock.now_s(), 0.0
        while True:
            await self.clock.sleep(POLL_S)
            said = await driver.read()
            p_w = abs(said.p_w)
            if p_w >= ENOUGH_SHARE * wanted_w and p_w - before_w <= STEADY_SHARE * wanted_w:
                return said
            if self.clock.now_s() - begin_s > START_S_MAX:
                return said
            before_w = p_w

    def _bank_for(self, p_w: float) -> Any:
        """Return the load bank that has to take a power, None if the source takes it back. [W]"""
        limits = self._source.device.limits
        return None if limits.takes_back_w >= p_w else self._device("load_bank")

    async def _feed(self, name: str, p_w: float) -> None:
        source = self.bench.devices[name]
        v_v = FED_SHARE * source.device.limits.v_v_max
        await source.set_supply(v_v, min(p_w / v_v, source.device.limits.i_a_max))
        await source.set_output(True)

    async def _measured(self, device: Device) -> AnalyserReading:
        assert isinstance(device.terminal, SourceTerminal)
        reading: AnalyserReading = await self.bench.devices[device.terminal.analyser].read()
        return reading

    async def _groups(self) -> list[tuple[bool, float]]:
        """Return of each group of channels whether a device's are in it, and its power. [W]"""
        count, groups = self.rig.nominal.phases, []
        owned: dict[str, set[int]] = {}
        for device in self._behind():
            assert isinstance(device.terminal, SourceTerminal)
            owned.setdefault(device.terminal.analyser, set()).update(device.terminal.channels)
        for analyser, channels in owned.items():
            p_w = (await self.bench.devices[analyser].read()).p_w
            for first in range(0, len(p_w), count):
                own = bool(channels & set(range(first + 1, first + count + 1)))
                groups.append((own, sum(p_w[first : first + count])))
        return groups

    @staticmethod
    def _of(device: Device, values: tuple[float, ...]) -> list[float]:
        """Return the values of a device's own channels, in order."""
        assert isinstance(device.terminal, SourceTerminal)
        return [values[channel - 1] for channel in device.terminal.channels]
