"""A bench on which inverters are left alone with a load that suits them.

The bus has one to several inverters, a load bank of resistance, inductance and capacitance, and the
contactor S3 to the AC source, whose current the analyser measures on the channels that no device
has. An island begins when the status contact of S3 opens and ends when voltage and all currents
stay below 0.05 pu: both are read from one recording of the analyser. Per unit is of nominal
voltage and of each inverter's rating; power flows out of the inverters, through S3 into the source.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridrig.campaign.anti_islanding_cases import VOLT_WATT, Case, droop, opened_trips
from gridrig.campaign.anti_islanding_island import Balance, Island
from gridrig.campaign.function_bench import all_off
from gridrig.campaign.grid_bench import MRA_P_PU, GridBench, open_grid_bench
from gridrig.campaign.lab import Lab
from gridrig.campaign.recordings import open_and_record
from gridrig.devices.bench_capabilities import AnalyserReading, CapturePlan, Recording
from gridrig.devices.grid_support import (
    CurveSettings,
    EnterServiceSettings,
    PowerFactorSettings,
)
from gridrig.errors import CampaignError
from gridrig.rig.instruments import SourceTerminal

FED_PU = 1.25  # DC power on offer, of rated power
RATE_HZ = 1000.0
BEFORE_S = 0.1
WATCHED_S = 2.5  # of an island that has to end within 2 s
TIME_U_S = 0.003  # two windows of the recording, and a mirror contact's lag
CASE_PU = 0.05  # by which power may differ from the case
BALANCE_PU = 0.02  # that may flow through S3
DELAY_S, RAMP_S = 1.0, 1.0  # of entering service between islands
SETTLE_S = 15.0  # for the slowest reactive function, with the load beside it
FEEDS_WITHIN_S = 120.0
BALANCED_PU = 0.003  # where tuning ends; half a step of the bank, if that is more
TUNINGS_MAX = 5
APART_MAX = 0.05  # of phase voltages
REPORT_S = 1.0  # after which an inverter has to know what it does


@dataclass
class AntiIslandingBench:
    """Inverters on one bus; `open_anti_islanding_bench` makes it.

    Parameters
    ----------
    lab : Lab
        The opened bench.
    units : sequence of GridBench
        The inverters that are connected, each with its own channels.
    s3 : tuple of int
        The analyser's channels at the contactor.
    enter_service : sequence of EnterServiceSettings
        As found, by inverter.
    """

    lab: Lab
    units: Sequence[GridBench]
    s3: tuple[int, ...]
    enter_service: Sequence[EnterServiceSettings]

    @property
    def rated_w(self) -> float:
        """Rated power of all together. [W]"""
        return sum(unit.rated_w for unit in self.units)

    @property
    def detection_switchable(self) -> bool:
        """Whether island detection of all can be switched off."""
        return all(self.lab.driver(unit.name).detection_switchable for unit in self.units)

    async def set_detection(self, on: bool) -> None:
        """Switch island detection of all inverters."""
        for unit in self.units:
            await self.lab.driver(unit.name).set_island_detection(on)

    async def apply(self, case: Case) -> None:
        """Bring all inverters to a case: powers, functions, trips out of the way."""
        for unit in self.units:
            await self._apply(unit, case)
        await self.settle(case)

    async def _apply(self, unit: GridBench, case: Case) -> None:
        inverter, abnormal = self.lab.driver(unit.name), unit.categories.abnormal
        await inverter.set_q_var(None)
        await all_off(unit)
        for name, trips in opened_trips(abnormal, unit.f_n).items():
            await inverter.write_function(name, trips, on=True)
        await inverter.write_function(
            "frequency_droop", droop(case.droop, abnormal, unit.f_n), on=True
        )
        if case.volt_watt in VOLT_WATT:
            await inverter.write_function("volt_watt", VOLT_WATT[case.volt_watt], on=True)
        if isinstance(case.reactive, CurveSettings | PowerFactorSettings):
            await inverter.write_function(case.mode, case.reactive, on=True)
        else:
            await inverter.set_q_var(case.reactive * unit.rated_w)
        await inverter.set_limit_w(case.p_pu * unit.rated_w)

    async def settle(self, case: Case) -> None:
        """Wait until the inverters give what the case wants, and for their functions.

        Raises
        ------
        CampaignError
            `campaign.not_ready` if one gives something else.
        """
        for unit in self.units:
            await unit.gives(case.p_pu - CASE_PU, FEEDS_WITHIN_S)
        await self.units[0].hold(SETTLE_S)
        reading = await self.units[0].measure()
        for unit in self.units:
            found = _sum(reading.p_w, unit.channels) / unit.rated_w
            if abs(found - case.p_pu) > CASE_PU:
                raise CampaignError(
                    "campaign.not_ready",
                    "{device} gives {found:.3g} pu in case {case}, expected {power_pu:g} pu",
                    device=unit.name,
                    found=found,
                    case=case.name,
                    power_pu=case.p_pu,
                )

    async def balance(self) -> Balance:
        """Tune the load until next to nothing flows through S3, and return it.

        Raises
        ------
        CampaignError
            `campaign.voltages_apart` if the phases are not alike.
        """
        bank = self.lab.driver(self.lab.name_of("load_bank"))
        reading = await self.units[0].measure()
        p_w, q_var = (
            sum(_sum(powers, unit.channels) for unit in self.units)
            for powers in (reading.p_w, reading.q_var)
        )
        load = Balance(p_w, p_w - max(0.0, -q_var), p_w - max(0.0, q_var))
        for _ in range(TUNINGS_MAX):
            taken = await bank.set_load(load.r_w, load.l_var, load.c_var)
            await bank.set_connected(True)
            await self.units[0].hold(SETTLE_S)
            load = Balance(taken.r_w, taken.l_var, taken.c_var)
            p_w, q_var = self._through_s3(await self.units[0].measure())
            if max(abs(p_w), abs(q_var)) <= BALANCED_PU * self.rated_w:
                break
            # The smaller reactive branch moves: the larger one sets the quality factor.
            l_var, c_var = load.l_var, load.c_var
            if c_var >= l_var:
                l_var += q_var
            else:
                c_var -= q_var
            load = Balance(load.r_w + p_w, max(0.0, l_var), max(0.0, c_var))
        self._alike(await self.units[0].measure())
        return load

    async def island(self, load: Balance, percent: int, *, watched_s: float = WATCHED_S) -> Island:
        """Detune the load, open S3, and record what becomes of what is left alone. [%, s]"""
        bank = self.lab.driver(self.lab.name_of("load_bank"))
        detuned = load.beside(percent)
        await bank.set_load(detuned.r_w, detuned.l_var, detuned.c_var)
        await self.units[0].hold(REPORT_S)
        before = await self.units[0].measure()
        p_w, q_var = self._through_s3(before)
        imbalance_w = max(abs(p_w), abs(q_var - load.detuned_var(percent)))
        wrong, _ = await self._said(before, "before S3 opened")
        recording = await self._recorded(watched_s)
        after = await self.units[0].measure()
        wrong_after, connected = await self._said(after, "after S3 opened")
        unit = self.units[0]
        v_v = [recording.tracks[f"V{channel}"] for channel in unit.channels]
        i_pu = [
            np.max([recording.tracks[f"I{channel}"] for channel in one.channels], axis=0)
            / one.rated_a
            for one in self.units
        ]
        return Island(
            recording.since_trigger_s(),
            np.max(v_v, axis=0) / unit.v_n,
            np.array(i_pu).T,
            recording.tracks["F"],
            imbalance_w / self.rated_w,
            (*wrong, *wrong_after),
            tuple(connected),
        )

    async def _recorded(self, watched_s: float) -> Recording:
        """Open S3 and record the time before and after its status contact opened. [s]"""
        before, points = (round(s * RATE_HZ) for s in (BEFORE_S, BEFORE_S + watched_s))
        share = (before + 0.01) / points  # a hair more: the analyser takes the whole part of it
        plan = CapturePlan("rms", RATE_HZ, points, share, source="contact", rising=False)
        tracks = [f"V{channel}" for channel in self.units[0].channels]
        tracks += [f"I{channel}" for unit in self.units for channel in unit.channels]
        return await open_and_record(self.lab, plan, [*tracks, "F"])

    async def reclose(self, case: Case) -> None:
        """End what may still live, close S3 onto a dead bus, and come back to the case.

        The enter-service delay is as short as it can be: the standard lets it, between islands.
        """
        await self.end_island()
        for unit, found in zip(self.units, self.enter_service, strict=True):
            inverter = self.lab.driver(unit.name)
            await inverter.write_enter_service(_prompt(found))
        await self.close()
        await self.settle(case)

    async def end_island(self) -> None:
        """Withdraw every permit, so that nothing holds the voltage."""
        for unit in self.units:
            await self.lab.driver(unit.name).set_connect(False)
        await self.units[0].hold(1.0)

    async def close(self) -> None:
        """Close S3 and give the permits back."""
        await self.lab.driver(self.lab.name_of("switch")).set_closed(True)
        for unit in self.units:
            await self.lab.driver(unit.name).set_connect(True)

    @staticmethod
    def gives_w(unit: GridBench, reading: AnalyserReading) -> float:
        """Return the active power that was measured of an inverter. [W]"""
        return _sum(reading.p_w, unit.channels)

    async def _said(self, measured: AnalyserReading, when: str) -> tuple[list[str], list[str]]:
        """Return which powers the analyser does not confirm, and who says to be connected."""
        wrong, connected = [], []
        for unit in self.units:
            said = await self.lab.driver(unit.name).read()
            p_w = self.gives_w(unit, measured)
            if abs(said.p_w - p_w) > MRA_P_PU * unit.rated_w:
                wrong.append(f"{unit.name} {when}: says {said.p_w:.0f} W of {p_w:.0f} W")
            if said.connected:
                connected.append(unit.name)
        return wrong, connected

    def _through_s3(self, reading: AnalyserReading) -> tuple[float, float]:
        return _sum(reading.p_w, self.s3), _sum(reading.q_var, self.s3)

    def _alike(self, reading: AnalyserReading) -> None:
        v_v = [reading.v_v[channel - 1] for channel in self.units[0].channels]
        if max(v_v) - min(v_v) > APART_MAX * self.units[0].v_n:
            raise CampaignError(
                "campaign.voltages_apart",
                "phase voltages of {found} V, expected within {most:g} % of each other",
                found=", ".join(f"{v:.1f}" for v in v_v),
                most=100 * APART_MAX,
            )


async def open_anti_islanding_bench(lab: Lab, count: int = 1) -> AntiIslandingBench:
    """Return the bench with its first inverters connected, at nominal voltage; others are off.

    Raises
    ------
    CampaignError
        `campaign.no_s3_channels` if the analyser has not just one group of channels that no
        device has; `campaign.instrument_too_coarse`.
    """
    names = [device.name for device in lab.rig.devices if device.capability == "inverter"]
    units = [await open_grid_bench(lab, name) for name in names[:count]]
    enter_service = []
    for name in names:
        await lab.driver(name).set_connect(False)
    for unit in units:
        unit.require(p_pu=BALANCE_PU)
        enter_service.append(await lab.driver(unit.name).read_enter_service())
    bench = AntiIslandingBench(lab, units, await _s3_channels(units), enter_service)
    await units[0].impose()
    await lab.driver(lab.name_of("ac_source")).set_output(True)
    for unit in units:
        await unit.feed(FED_PU)
        await lab.driver(unit.name).set_limit_w(unit.rated_w)
    for unit, found in zip(units, enter_service, strict=True):
        await lab.driver(unit.name).write_enter_service(_prompt(found))
    await bench.close()
    return bench


async def _s3_channels(units: Sequence[GridBench]) -> tuple[int, ...]:
    """Return the analyser's channels that no device of the rig has."""
    lab, phases = units[0].lab, units[0].phases
    taken = {
        channel
        for device in lab.rig.devices
        if isinstance(device.terminal, SourceTerminal)
        for channel in device.terminal.channels
    }
    count = len((await units[0].measure()).p_w)
    free = tuple(channel for channel in range(1, count + 1) if channel not in taken)
    if len(free) != phases:
        raise CampaignError(
            "campaign.no_s3_channels",
            "{device}: channels {found} belong to no device, expected {phases} at the contactor",
            device=lab.name_of("analyser"),
            found=list(free),
            phases=phases,
        )
    return free


def _prompt(found: EnterServiceSettings) -> EnterServiceSettings:
    return replace(found, delay_s=DELAY_S, random_s=0.0, ramp_s=RAMP_S)


def _sum(values: Sequence[float], channels: Sequence[int]) -> float:
    return sum(values[channel - 1] for channel in channels)
