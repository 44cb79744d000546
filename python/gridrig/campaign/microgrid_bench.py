"""A microgrid on a bench: what every intentional-islanding procedure works with, in per unit.

The AC source is the main grid, the switch joins it to the bus; behind it are a storage inverter
that can form the grid, an inverter, and load banks. The first load bank is the critical load, the
others are shed in the order of the rig file. The analyser's groups of channels are, in this order:
the storage, the grid's side of the switch with the current through it, the inverter, each load
bank.

Powers are taken as the analyser measures them: into the bus is positive. Voltages are per unit of
nominal, phase to neutral.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.grid_bench import FED_SHARE
from gridrig.campaign.lab import Lab
from gridrig.campaign.recordings import LATE_S_MAX, channels_of
from gridrig.devices.bench_capabilities import (
    AnalyserReading,
    CapturePlan,
    Float,
    Recording,
    TriggerSource,
)
from gridrig.errors import CampaignError

GRID = "grid"
ENTER_S = 1300.0  # a delay of 300 s, a ramp of 300 s, and more
READY_SHARE = 0.97
SETTLED_S = 5.0
OFF_W = 2000.0  # how far the power through the switch, or of a load, may be from what is asked for
TRIMS = 4
BEFORE_S = 0.5  # recorded before an opening
CONTACT_S = 0.005  # a status contact follows the main ones and bounces
POLL_S = 0.5
REJOIN_S = 120.0
NEEDS = ("storage", "inverter", "ac_source", "dc_source", "switch", "load_bank", "analyser")


@dataclass(frozen=True)
class Operation:
    """How the microgrid stands while it is joined to the grid.

    Parameters
    ----------
    loads_w : sequence of float
        Of each load bank, the critical one first. [W]
    pv_w : float
        What the DC source offers the inverter. [W]
    import_w : float
        From the grid; the storage makes up for the rest. [W]
    """

    loads_w: Sequence[float]
    pv_w: float
    import_w: float


@dataclass(frozen=True)
class Trace:
    """What the analyser recorded, on one time base.

    Parameters
    ----------
    t_s : array of float64, shape (points,)
        From the trigger to the beginning of each window. [s]
    step_s : float
        Length of a window. [s]
    v_pu : array of float64, shape (points, phases)
        At the bus. [pu]
    f_hz : array of float64, shape (points,)
        At the bus. [Hz]
    p_w : mapping of str to array of float64, shape (points,)
        Power into the bus of each device, or of "grid". [W]
    """

    t_s: Float
    step_s: float
    v_pu: Float
    f_hz: Float
    p_w: Mapping[str, Float]

    def after(self, begin_s: float = 0.0) -> "Trace":
        """Return what is from a time after the trigger on. [s]"""
        kept = self.t_s >= begin_s - 1e-9
        powers = {name: values[kept] for name, values in self.p_w.items()}
        return Trace(self.t_s[kept], self.step_s, self.v_pu[kept], self.f_hz[kept], powers)


@dataclass(frozen=True)
class MicrogridBench:
    """A microgrid on its bench; `open_microgrid` makes it.

    Parameters
    ----------
    lab : Lab
        The opened bench.
    storage, pv : str
        The inverter that forms the grid, and the other.
    loads : tuple of str
        Load banks, the critical one first, then in the order of shedding.
    channels : mapping of str to tuple of int
        The analyser's, of each device and of "grid".
    f_n, v_n : float
        Nominal frequency; nominal voltage, phase to neutral. [Hz, V]
    """

    lab: Lab
    storage: str
    pv: str
    loads: tuple[str, ...]
    channels: Mapping[str, tuple[int, ...]]
    f_n: float
    v_n: float

    @property
    def critical(self) -> str:
        """The load that must not be lost."""
        return self.loads[0]

    @property
    def switch(self) -> str:
        """What joins the microgrid to the grid."""
        return self.lab.name_of("switch")

    @property
    def rate_hz(self) -> float:
        """Windows of half a cycle: over those a root mean square is one. [1/s]"""
        return 2.0 * self.f_n

    def hz(self, at_60_hz: float) -> float:
        """Return a frequency, or a difference, written for 60 Hz, for this nominal. [Hz]"""
        return at_60_hz * self.f_n / 60.0

    def u_v_pu(self, window_s: float) -> float:
        """Return the analyser's uncertainty of a voltage, k = 2. [s] [pu]"""
        analyser = self.lab.driver(self.lab.name_of("analyser"))
        ratings = (np.array([x]) for x in (self.v_n, 1.0, self.v_n))
        return float(analyser.uncertainty(*ratings, window_s)[0][0]) / self.v_n

    async def hold(self, duration_s: float, *, step_s: float = SETTLED_S) -> None:
        """Let time pass. [s]"""
        await self.lab.pass_time(duration_s, step_s=step_s)

    async def measure(self) -> AnalyserReading:
        """Measure one window."""
        reading: AnalyserReading = await self.lab.driver(self.lab.name_of("analyser")).read()
        return reading

    def power_w(self, reading: AnalyserReading, name: str) -> float:
        """Return the power of a device, or of "grid", into the bus. [W]"""
        p_w = sum(reading.p_w[channel - 1] for channel in self.channels[name])
        # At the switch, power into the grid is positive, like a device's.
        return -p_w if name == GRID else p_w

    def v_pu(self, reading: AnalyserReading, name: str) -> float:
        """Return the lowest phase's voltage at a place. [pu]"""
        return min(reading.v_v[channel - 1] for channel in self.channels[name]) / self.v_n

    async def set_grid(
        self, v_pu: float = 1.0, f_hz: float | None = None, angle_deg: float = 0.0
    ) -> None:
        """Be a grid of a voltage and a frequency, turned by an angle. [pu, Hz, deg]"""
        source = self.lab.driver(self.lab.name_of("ac_source"))
        phases = self.lab.rig.nominal.phases
        await source.set_frequency_hz(self.f_n if f_hz is None else f_hz)
        await source.set_phase_deg([angle_deg] * phases)
        await source.set_voltage_v([v_pu * self.v_n] * phases)
        await source.set_output(True)

    async def feed(self, p_w: float) -> None:
        """Offer the inverter DC power. [W]"""
        supply = self.lab.driver(self.lab.name_of("dc_source"))
        v_v = FED_SHARE * supply.device.limits.v_v_max
        await supply.set_supply(v_v, p_w / v_v)
        await supply.set_output(True)

    async def set_load(self, name: str, p_w: float) -> None:
        """Connect a resistance by its nominal power; nothing disconnects the bank. [W]"""
        bank = self.lab.driver(name)
        await bank.set_load(p_w, 0.0, 0.0)
        await bank.set_connected(p_w > 0)

    async def start(self) -> None:
        """Join the microgrid to the grid and wait until both inverters are in service.

        Raises
        ------
        CampaignError
            `campaign.no_power` if one does not come to.
        """
        await self.set_grid()
        await self.lab.driver(self.switch).set_closed(True)
        drivers = {name: self.lab.driver(name) for name in (self.pv, self.storage)}
        rated = {name: (await driver.read()).w_max for name, driver in drivers.items()}
        await self.feed(rated[self.pv])
        await drivers[self.storage].set_power_w(0.0)
        for name, driver in drivers.items():
            await driver.set_limit_w(rated[name])
            await driver.set_connect(True)
        await self._gives(self.pv, READY_SHARE * rated[self.pv], ENTER_S)
        asked_w = 0.5 * rated[self.storage]
        await drivers[self.storage].set_power_w(asked_w)
        await self._gives(self.storage, READY_SHARE * asked_w, ENTER_S)

    async def _gives(self, name: str, p_w: float, within_s: float) -> None:
        end_s = self.lab.clock.now_s() + within_s
        while True:
            await self.hold(SETTLED_S)
            found_w = self.power_w(await self.measure(), name)
            if found_w >= p_w:
                return
            if self.lab.clock.now_s() >= end_s:
                raise CampaignError(
                    "campaign.no_power",
                    "{device} gives {found_w:.0f} W after {time_s:g} s, expected {p_w:.0f} W",
                    device=name,
                    found_w=found_w,
                    time_s=within_s,
                    p_w=p_w,
                )

    async def operate(self, operation: Operation) -> None:
        """Bring the joined microgrid into an operation, as the analyser measures it.

        Raises
        ------
        CampaignError
            `campaign.not_in_operation` with what is not as asked for.
        """
        for name, p_w in zip(self.loads, operation.loads_w, strict=True):
            await self.set_load(name, p_w)
        await self.feed(operation.pv_w)
        set_w = sum(operation.loads_w) - operation.pv_w - operation.import_w
        for _ in range(TRIMS):
            await self.lab.driver(self.storage).set_power_w(set_w)
            await self.hold(SETTLED_S)
            reading = await self.measure()
            error_w = self.power_w(reading, GRID) - operation.import_w
            if abs(error_w) <= 0.25 * OFF_W:
                break
            set_w += error_w
        asked = {name: -p_w for name, p_w in zip(self.loads, operation.loads_w, strict=True)}
        asked[GRID] = operation.import_w
        for name, p_w in asked.items():
            found_w = self.power_w(reading, name)
            if abs(found_w - p_w) > OFF_W:
                raise CampaignError(
                    "campaign.not_in_operation",
                    "{place} gives {found_w:.0f} W, expected {p_w:.0f} W",
                    place=name,
                    found_w=found_w,
                    p_w=p_w,
                )

    async def closed_within(self, within_s: float) -> float:
        """Request the switch to close; return after which time it had, or infinity. [s]"""
        switch = self.lab.driver(self.switch)
        begin_s = self.lab.clock.now_s()
        await switch.request_closed()
        while not (await switch.read()).closed:
            if self.lab.clock.now_s() - begin_s >= within_s:
                return math.inf
            await self.hold(POLL_S, step_s=POLL_S)
        return self.lab.clock.now_s() - begin_s

    async def rejoin(self) -> None:
        """Have the switch close onto the nominal grid, in synchronism; wait until it has.

        Raises
        ------
        CampaignError
            `campaign.not_rejoined` if it does not.
        """
        await self.set_grid()
        if math.isinf(await self.closed_within(REJOIN_S)):
            raise CampaignError(
                "campaign.not_rejoined",
                "{switch} did not close within {within_s:g} s",
                switch=self.switch,
                within_s=REJOIN_S,
            )

    async def open_switch(self, length_s: float, devices: Sequence[str]) -> Trace:
        """Open the switch and record the bus, and the powers of some devices. [s]

        The trigger is the switch's status contact.
        """
        act = self.lab.driver(self.switch).set_closed
        return await self.record(lambda: act(False), length_s, devices, source="contact")

    async def record(
        self,
        act: Callable[[], Awaitable[object]],
        length_s: float,
        devices: Sequence[str],
        *,
        source: TriggerSource = "command",
    ) -> Trace:
        """Record the bus and the powers of some devices while something is done. [s]"""
        analyser = self.lab.driver(self.lab.name_of("analyser"))
        before = round(BEFORE_S * self.rate_hz)
        points = before + round(length_s * self.rate_hz)
        # A hair more than a whole number of points: the analyser takes the whole part of it.
        plan = CapturePlan(
            "rms",
            self.rate_hz,
            points,
            (before + 0.01) / points,
            source=source,
            rising=False,
        )
        await self.hold(2 * BEFORE_S, step_s=BEFORE_S)
        await analyser.arm(plan)
        if source == "command":
            await analyser.trigger()
        await act()
        recording = await self.fetched(length_s + LATE_S_MAX, self._tracks(devices))
        return self._trace(recording, devices)

    async def fetched(self, within_s: float, tracks: Sequence[str]) -> Recording:
        """Wait until a recording is done and fetch it. [s]

        Raises
        ------
        CampaignError
            `campaign.not_recorded` if it is not.
        """
        analyser = self.lab.driver(self.lab.name_of("analyser"))
        end_s = self.lab.clock.now_s() + within_s
        while await analyser.capture_state() != "done":
            if self.lab.clock.now_s() > end_s:
                raise CampaignError(
                    "campaign.not_recorded",
                    "a recording was not done after {length_s:g} s",
                    length_s=within_s,
                )
            await self.hold(POLL_S, step_s=POLL_S)
        return await self.lab.fetch(tracks)

    def _tracks(self, devices: Sequence[str]) -> list[str]:
        bus = [f"V{channel}" for channel in self.channels[self.storage]]
        powers = [f"P{channel}" for name in devices for channel in self.channels[name]]
        return [*bus, *powers, "F"]

    def _trace(self, recording: Recording, devices: Sequence[str]) -> Trace:
        tracks = recording.tracks
        v = np.array([tracks[f"V{channel}"] for channel in self.channels[self.storage]]).T
        powers = {
            name: np.sum([tracks[f"P{channel}"] for channel in self.channels[name]], axis=0)
            for name in devices
        }
        if GRID in powers:
            powers[GRID] = -powers[GRID]
        times_s, f_hz = recording.since_trigger_s(), tracks["F"]
        return Trace(times_s, recording.step_s, v / self.v_n, f_hz, powers)


async def open_microgrid(lab: Lab) -> MicrogridBench:
    """Return the rig's microgrid, with both inverters in service on the grid.

    Raises
    ------
    CampaignError
        `campaign.channels` if a device's channels are not those of its group.
    """
    storage, pv = lab.name_of("storage"), lab.name_of("inverter")
    loads = tuple(device.name for device in lab.rig.of("load_bank"))
    phases = lab.rig.nominal.phases
    groups = (storage, GRID, pv, *loads)
    channels = {
        name: tuple(range(1 + group * phases, 1 + (group + 1) * phases))
        for group, name in enumerate(groups)
    }
    for name in (storage, pv):
        if (found := channels_of(lab, name)) != channels[name]:
            raise CampaignError(
                "campaign.channels",
                "{device} has the analyser's channels {found}, expected {expected}: the groups are "
                "the storage, the grid's side of the switch, the inverter, each load bank",
                device=name,
                found=found,
                expected=channels[name],
            )
    nominal = lab.rig.nominal
    v_n = float(nominal.v_ll) / (3**0.5 if phases == 3 else 1.0)
    bench = MicrogridBench(lab, storage, pv, loads, channels, float(nominal.f_hz), v_n)
    await bench.start()
    return bench
