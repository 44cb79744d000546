"""An inverter behind an AC source, in per unit: what every grid-support procedure works with.

The source is the grid, a DC source feeds the inverter, an analyser on its terminals is what judges.
Voltages are per unit of nominal, phase to neutral; currents and powers of the inverter's nameplate
active power. What an analyser is not good enough for is refused, by the class it states.

References
----------
.. [1] IEEE, "IEEE Std 1547-2018," 2018, table 3: minimum measurement and calculation accuracy.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.lab import Lab
from gridrig.campaign.recordings import act_and_record, channels_of, play
from gridrig.campaign.stimulus_check import check_stimulus
from gridrig.devices.bench_capabilities import (
    AnalyserReading,
    CapturePlan,
    Float,
    Recording,
    SequenceStep,
    TriggerSource,
)
from gridrig.errors import CampaignError
from gridrig.rig.device import Categories
from gridrig.rig.instruments import SourceTerminal

FED_SHARE = 0.84  # of the DC input's highest voltage
RATE_HZ = 200.0
BEFORE_S = 0.2  # recorded before a stimulus begins
BEFORE_POINTS_MIN = 2
SHARE_OF_REQUIRED = 0.25  # an instrument may use this much of an accuracy that is required
READY_PU, READY_S, READY_LOOK_S = 0.95, 1200.0, 20.0  # a delay of 300 s, a ramp of 300 s, and more
HOST_STEP_S = 5.0  # while nothing is judged
WINDOW_S = 0.2  # means at rest: ten cycles at 50 Hz

# Minimum required accuracy [1]: at rest and while voltage or frequency is disturbed.
MRA_V_PU, MRA_V_TRANSIENT_PU = 0.01, 0.02
MRA_F_HZ, MRA_F_TRANSIENT_HZ = 0.010, 0.100
MRA_P_PU = 0.05  # of rated apparent power; Q likewise
MRA_CYCLES = 2.0  # of a time of up to 5 s
MRA_TIME_SHARE = 0.01  # of a longer one
PerPhase = float | Sequence[float]


@dataclass(frozen=True)
class Trace:
    """What the analyser recorded at the inverter, in per unit and on one time base.

    Parameters
    ----------
    t_s : array of float64, shape (points,)
        From the source's trigger to the beginning of each window. [s]
    step_s : float
        Length of a window. [s]
    trigger_s : float
        The trigger, by the analyser's own clock. [s]
    v_pu, i_pu, p_pu, q_pu : array of float64, shape (points, phases)
        Means; powers are of all phases' rating, so they add up. Empty if not asked for. [pu]
    f_hz : array of float64, shape (points,)
        Empty if not asked for. [Hz]
    """

    t_s: Float
    step_s: float
    trigger_s: float
    v_pu: Float
    i_pu: Float
    p_pu: Float
    q_pu: Float
    f_hz: Float

    def between(self, start_s: float, end_s: float) -> np.ndarray:
        """Return which windows lie whole in a span of time after the trigger. [s]"""
        inside: np.ndarray = (self.t_s >= start_s - 1e-9) & (self.t_s + self.step_s <= end_s + 1e-9)
        return inside


@dataclass(frozen=True)
class GridBench:
    """One inverter on its bench; `open_grid_bench` makes it.

    Parameters
    ----------
    lab : Lab
        The opened bench.
    name : str
        The inverter.
    channels : tuple of int
        The analyser's, on the inverter's phases.
    rated_w : float
        Its nameplate active power. [W]
    f_n : float
        Nominal frequency. [Hz]
    v_n : float
        Nominal voltage, phase to neutral. [V]
    """

    lab: Lab
    name: str
    channels: tuple[int, ...]
    rated_w: float
    f_n: float
    v_n: float

    @property
    def phases(self) -> int:
        """How many phases the source feeds."""
        return self.lab.rig.nominal.phases

    @property
    def rated_a(self) -> float:
        """Current of one phase at rated power and nominal voltage. [A]"""
        return self.rated_w / self.phases / self.v_n

    @property
    def categories(self) -> Categories:
        """What the inverter is said to be, by the rig file.

        Raises
        ------
        CampaignError
            `campaign.no_categories` if nobody says.
        """
        categories = self.lab.rig.device(self.name).categories
        if categories is None:
            raise CampaignError(
                "campaign.no_categories",
                "{path}: device {device!r} has no categories, expected such as "
                '{{ abnormal = "II", normal = "B" }}',
                path=self.lab.rig.path,
                device=self.name,
            )
        return categories

    def hz(self, at_60_hz: float) -> float:
        """Return a frequency of the standard, written for 60 Hz, for this nominal. [Hz]"""
        return at_60_hz * self.f_n / 60.0

    def mra_time_s(self, duration_s: float) -> float:
        """Return the accuracy required of a time. [s]"""
        return MRA_CYCLES / self.f_n if duration_s <= 5.0 else MRA_TIME_SHARE * duration_s

    async def connect(self, power_pu: float = 1.0) -> None:
        """Bring the inverter onto the source at nominal voltage; it then waits for its delay."""
        await self.feed(power_pu)
        await self.impose()
        await self.lab.driver(self.lab.name_of("ac_source")).set_output(True)
        await self.lab.driver(self.lab.name_of("switch")).set_closed(True)
        await self.lab.driver(self.name).set_connect(True)

    async def feed(self, power_pu: float) -> None:
        """Offer DC power, by the inverter's own source if the rig names one."""
        terminal = self.lab.rig.device(self.name).terminal
        own = terminal.dc_source if isinstance(terminal, SourceTerminal) else None
        supply = self.lab.driver(own or self.lab.name_of("dc_source"))
        v_v = FED_SHARE * supply.device.limits.v_v_max
        await supply.set_supply(v_v, power_pu * self.rated_w / v_v)
        await supply.set_output(True)

    async def switch_off(self, function: str) -> None:
        """Disable a grid-support function that would stand in the way; its settings stay."""
        inverter = self.lab.driver(self.name)
        state = await inverter.read_function(function)
        await inverter.write_function(function, state.settings, on=False)

    async def impose(
        self, v_pu: PerPhase = 1.0, f_hz: float | None = None, angle_deg: PerPhase = 0.0
    ) -> None:
        """Put out a steady voltage; for what lasts shorter than 5 s, play a sequence. [pu, Hz]"""
        await self.put(self.step(1.0, v_pu, f_hz, angle_deg))

    async def put(self, step: SequenceStep) -> None:
        """Put out steadily what a step of a sequence would."""
        source = self.lab.driver(self.lab.name_of("ac_source"))
        await source.set_frequency_hz(step.f_hz)
        await source.set_phase_deg(step.phase_deg)
        await source.set_voltage_v(step.v_v)

    async def hold(self, duration_s: float, *, step_s: float = HOST_STEP_S) -> None:
        """Let time pass. [s]"""
        await self.lab.pass_time(duration_s, step_s=step_s)

    async def measure(self) -> AnalyserReading:
        """Measure one window."""
        reading: AnalyserReading = await self.lab.driver(self.lab.name_of("analyser")).read()
        return reading

    async def power_pu(self) -> float:
        """Measure the inverter's active power, of all phases."""
        reading = await self.measure()
        return sum(reading.p_w[channel - 1] for channel in self.channels) / self.rated_w

    async def currents_pu(self) -> list[float]:
        """Measure the inverter's current of each phase."""
        reading = await self.measure()
        return [reading.i_a[channel - 1] / self.rated_a for channel in self.channels]

    async def gives(self, power_pu: float, within_s: float) -> bool:
        """Wait until the inverter gives a power; return whether it came to. [pu, s]"""
        end_s = self.lab.clock.now_s() + within_s
        while await self.power_pu() < power_pu:
            if self.lab.clock.now_s() >= end_s:
                return False
            await self.hold(READY_LOOK_S)
        return True

    async def ready(self, power_pu: float = READY_PU) -> None:
        """Wait until the inverter gives a power, through its delay and its ramp. [pu]

        Raises
        ------
        CampaignError
            `campaign.not_ready` if it does not come to.
        """
        if not await self.gives(power_pu, READY_S):
            raise CampaignError(
                "campaign.not_ready",
                "{device} gives {found:.3g} pu after {time_s:g} s, expected {power_pu:g} pu",
                device=self.name,
                found=await self.power_pu(),
                time_s=READY_S,
                power_pu=power_pu,
            )

    def step(
        self,
        dwell_s: float,
        v_pu: PerPhase = 1.0,
        f_hz: float | None = None,
        angle_deg: PerPhase = 0.0,
        *,
        ramp: bool = False,
    ) -> SequenceStep:
        """Return one step of a sequence, nominal where nothing is said. [s, pu, Hz, deg]"""
        v = tuple(self.v_n * v for v in self._each(v_pu))
        f_hz = self.f_n if f_hz is None else f_hz
        return SequenceStep(v, self._each(angle_deg), f_hz, dwell_s, ramp)

    async def record(
        self,
        steps: Sequence[SequenceStep],
        *,
        rest_s: float = 0.0,
        rate_hz: float = RATE_HZ,
        tracks: str = "VI",
    ) -> Trace:
        """Have the source play a sequence and record the inverter, and the time after. [s, 1/s]

        `tracks` are letters: V, I, P, Q of each phase, and F. The last step stays in force. What
        the source put out is compared with the sequence.

        Raises
        ------
        CampaignError
            `campaign.stimulus_off`.
        """
        length_s = sum(step.dwell_s for step in steps) + rest_s
        plan = self._plan(length_s, rate_hz, "source")
        names = self._names("".join(sorted({*tracks, "V", "F"})))
        trace = self._trace(await play(self.lab, steps, plan, names))
        check_stimulus(steps, trace.t_s, trace.step_s, trace.v_pu, trace.f_hz, self.v_n)
        return trace

    async def record_act(
        self,
        act: Callable[[], Awaitable[None]],
        length_s: float,
        *,
        rate_hz: float = RATE_HZ,
        tracks: str = "VI",
    ) -> tuple[Trace, float]:
        """Record the inverter while something is commanded, and the time after. [s, 1/s]

        Returns the trace and how well its beginning is known. [s]
        """
        plan = self._plan(length_s, rate_hz, "command")
        names = self._names(tracks)
        recording, known_s = await act_and_record(self.lab, act, plan, names)
        return self._trace(recording), known_s

    def uncertainty_pu(self, window_s: float = WINDOW_S) -> tuple[float, float, float]:
        """Return the analyser's, of V, I and P or Q at their ratings, k = 2. [s] [pu]"""
        analyser = self.lab.driver(self.lab.name_of("analyser"))
        ratings = (self.v_n, self.rated_a, self.rated_w / self.phases)
        found = analyser.uncertainty(*(np.array([x]) for x in ratings), window_s)
        u_v, u_i, u_p = (float(u[0]) / x for u, x in zip(found, ratings, strict=True))
        return u_v, u_i, u_p

    def require(
        self, *, v_pu: float | None = None, p_pu: float | None = None, time_s: float | None = None
    ) -> None:
        """Refuse an analyser that uses more than a quarter of a required accuracy.

        Parameters
        ----------
        v_pu, p_pu, time_s : float or None
            Accuracy that the clause requires; None for what it does not judge. A time is known to
            one window of a recording.

        Raises
        ------
        CampaignError
            `campaign.instrument_too_coarse`, with what was found and what is needed.
        """
        u_v, _, u_p = self.uncertainty_pu()
        for what, unit, found, required in (
            ("voltage", "pu", u_v, v_pu),
            ("power", "pu", u_p, p_pu),
            ("time", "s", 1 / RATE_HZ, time_s),
        ):
            if required is not None and found > SHARE_OF_REQUIRED * required:
                raise CampaignError(
                    "campaign.instrument_too_coarse",
                    "{device} knows a {what} to {found:.3g} {unit}, expected at most {most:.3g} "
                    "{unit}: a quarter of the accuracy that is required",
                    device=self.lab.name_of("analyser"),
                    what=what,
                    unit=unit,
                    found=found,
                    most=SHARE_OF_REQUIRED * required,
                )

    def _plan(self, length_s: float, rate_hz: float, source: TriggerSource) -> CapturePlan:
        before = max(BEFORE_POINTS_MIN, round(BEFORE_S * rate_hz))
        points = before + round(length_s * rate_hz)
        # A hair more than a whole number of points: the analyser takes the whole part of it.
        return CapturePlan("rms", rate_hz, points, (before + 0.01) / points, source=source)

    def _names(self, tracks: str) -> list[str]:
        names = [f"{letter}{k}" for letter in tracks if letter != "F" for k in self.channels]
        return names + ["F"] * ("F" in tracks)

    def _each(self, value: PerPhase) -> tuple[float, ...]:
        if isinstance(value, int | float):
            return (float(value),) * self.phases
        return tuple(value)

    def _trace(self, recording: Recording) -> Trace:
        def of(letter: str, one_pu: float) -> Float:
            names = [f"{letter}{k}" for k in self.channels]
            found = [recording.tracks[name] for name in names if name in recording.tracks]
            return np.array(found).T / one_pu

        return Trace(
            recording.since_trigger_s(),
            recording.step_s,
            recording.trigger_s,
            of("V", self.v_n),
            of("I", self.rated_a),
            of("P", self.rated_w),
            of("Q", self.rated_w),
            recording.tracks.get("F", np.zeros(0)),
        )


async def open_grid_bench(lab: Lab, name: str | None = None) -> GridBench:
    """Return the bench around an inverter, by default the rig's first, behind an AC source.

    Raises
    ------
    CampaignError
        `campaign.no_channels` if it is behind none.
    """
    name = name or lab.name_of("inverter")
    nominal = lab.rig.nominal
    return GridBench(
        lab,
        name,
        channels_of(lab, name),
        (await lab.driver(name).read()).w_max,
        float(nominal.f_hz),
        float(nominal.v_ll) / (3**0.5 if nominal.phases == 3 else 1.0),
    )
