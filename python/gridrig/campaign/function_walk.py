"""A walk along a characteristic: step, record, judge, and the worst of each criterion.

At each step the source, or whoever else is told to, changes what the inverter meets; the analyser
records from before it until four response times after. Judged are

- where it settled, mean from 2 to 4 response times, in the acceptance band at the x measured there;
- how it got there: at the response time, 90 % of the way between what it gave before and where it
  settled, both measured. Where the time is a limit and no setting, only what is late counts;
- how soon it got there, of the response time: the band cannot tell an instant response from the
  right one unless the step is larger than 0.75 pu, since 10 % of it must exceed 1.5 times 5 %;
- what it says of itself beside what the analyser measured.

A walk ends at the first step that has failed beyond the instrument's uncertainty: what follows
could only fail more, and costs hours on a bench.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gridrig.campaign.acceptance import (
    RESPONDED,
    Band,
    Expected,
    Judged,
    OpenLoop,
    Required,
    judge_point,
    worst,
)
from gridrig.campaign.grid_bench import (
    MRA_F_HZ,
    MRA_P_PU,
    MRA_V_PU,
    GridBench,
    PerPhase,
    Trace,
)
from gridrig.campaign.measurements import Criterion
from gridrig.campaign.walked import Axis, Quantity, Walked
from gridrig.devices.bench_capabilities import Float, SequenceStep

SETTLED_FROM, SETTLED_TO = 2.0, 4.0  # response times
FINE_S = 12.0  # of a step that the source plays; it holds its last setting after that
RATE_HZ_MAX = 50.0  # a mean spans a cycle
POINTS_PER_RESPONSE = 100
U_F_HZ = 0.001  # 20 ppm of an analyser's own clock
U_TIME_S = 0.002  # a trigger input's sampling, both ways
SEEN_PU = 0.15  # a smaller step's beginning says nothing of how soon it came
RAMP_SHARE_MAX = 0.25  # of the response time; a slower stimulus hides how soon it came
TELEMETRY_S = 1.0  # at rest before telemetry and analyser are read together
SHARE_MIN = 0.5  # of the response time, which is the earliest that it may have responded in
NAMES: Mapping[str, str] = {
    "settled": "settled_outside_pu",
    "responded": "response_outside_pu",
    "promptness": "response_share_min",
    "telemetry": "telemetry_error_pu",
}


def walk_criteria(clause: str, *, is_limit: bool = False) -> tuple[Criterion, ...]:
    """Return the criteria of a walk under their usual names.

    Parameters
    ----------
    clause : str
        Of IEEE 1547.1-2020, where the test and its acceptance stand.
    is_limit : bool
        Whether the response time is a limit and no setting: then nothing is too soon.
    """
    of_walk = f"IEEE 1547.1-2020 4.2 and {clause}"
    late = "at most the time" if is_limit else "90 % at Tr"
    criteria = [
        Criterion(NAMES["settled"], "pu", max=0.0, source=f"{of_walk}: acceptance band"),
        Criterion(NAMES["responded"], "pu", max=0.0, source=f"{of_walk}: {late}"),
    ]
    if not is_limit:
        source = "gridrig: not instant (see function_walk)"
        criteria.append(Criterion(NAMES["promptness"], "1", min=SHARE_MIN, source=source))
    source = "IEEE 1547-2018 table 3: 5 % of rated apparent power"
    criteria.append(Criterion(NAMES["telemetry"], "pu", max=MRA_P_PU, source=source))
    return tuple(criteria)


def quantity(bench: GridBench, letter: Axis) -> Quantity:
    """Return a quantity with the accuracy that is required of it at rest on this bench."""
    if letter == "F":
        return Quantity("F", "Hz", bench.hz(MRA_F_HZ))
    return Quantity(letter, "pu", MRA_V_PU if letter == "V" else MRA_P_PU)


@dataclass(frozen=True)
class Step:
    """One change of what the inverter meets.

    Parameters
    ----------
    name : str
        What it is, for whoever reads the verdict.
    expected : Expected
        y over x, in force after it.
    v_pu : float or tuple of float
        Of all phases, or of each. [pu]
    f_hz : float or None
        None for nominal. [Hz]
    angle_deg : float or tuple of float
        Of each phase beside its place. [deg]
    ramp_hz_s : float
        How fast frequency goes there; 0 jumps. [Hz/s]
    act : callable or None
        What is done instead of stepping the source: a set-point written, a DC power offered.
    response_s : float or None
        Where it is not the walk's. [s]
    """

    name: str
    expected: Expected
    v_pu: PerPhase = 1.0
    f_hz: float | None = None
    angle_deg: PerPhase = 0.0
    ramp_hz_s: float = 0.0
    act: Callable[[], Awaitable[None]] | None = None
    response_s: float | None = None


@dataclass(frozen=True)
class Recorded:
    """The recording of one step.

    Parameters
    ----------
    trace : Trace
        From before the step to four response times after it.
    moved_s : float
        How long the source took to get there. [s]
    known_s : float
        How well the beginning is known. [s]
    """

    trace: Trace
    moved_s: float
    known_s: float


@dataclass
class Walk:
    """The steps of one procedure, or of a part of it.

    Parameters
    ----------
    bench : GridBench
        Connected and at rest.
    x, y : str
        What the characteristic is over, and of: "V", "F", "P"; "P", "Q".
    response_s : float
        Open-loop response time: a setting, or a limit. [s]
    is_limit : bool
        Whether it is a limit, which may be kept by far.
    settled_side : str
        "both" edges of the band count, or what is "above" only: a limit of power may be undercut.
    x_required : float or None
        Accuracy that the band allows of x, where it is not that of the standard.
    """

    bench: GridBench
    x: Axis
    y: Axis
    response_s: float
    is_limit: bool = False
    settled_side: Literal["both", "above"] = "both"
    x_required: float | None = None
    steps: list[Walked] = field(default_factory=list)
    settled: list[Judged] = field(default_factory=list)
    responded: list[Judged] = field(default_factory=list)
    shares: list[tuple[float, float, str]] = field(default_factory=list)
    telemetry: list[tuple[float, float, str]] = field(default_factory=list)
    _at_hz: float | None = None

    async def go(self, steps: Sequence[Step]) -> bool:
        """Take steps until one fails; return whether none has."""
        for step in steps:
            await self.take(step)
            if self.failed:
                return False
        return True

    @property
    def failed(self) -> bool:
        """Whether anything has failed beyond the instrument's uncertainty."""
        late = any(judged.failed for judged in [*self.settled, *self.responded])
        soon = any(share + u < SHARE_MIN for share, u, _ in self.shares)
        return late or soon or any(error - u > MRA_P_PU for error, u, _ in self.telemetry)

    async def take(self, step: Step) -> None:
        """Take one step and judge it."""
        recorded = await self.recorded(step)
        self.judge(step, recorded)
        await self.compare_telemetry(step)

    def record(self, criteria: Mapping[str, str] = NAMES) -> None:
        """Record the worst of each kind under its criterion's name; `NAMES` has the kinds."""
        record = self.bench.lab.record
        for kind, judged in (("settled", self.settled), ("responded", self.responded)):
            found = worst(judged)
            if kind in criteria and found is not None:
                note = f"at {found.name}: {found.y:.4f} pu, {_band_text(found.band)}"
                record(criteria[kind], "pu", found.outside, found.uncertainty, note)
        if "promptness" in criteria and self.shares:
            share, u, name = min(self.shares)
            record(criteria["promptness"], "1", share, u, f"at {name}")
        if "telemetry" in criteria and self.telemetry:
            error, u, name = max(self.telemetry)
            record(criteria["telemetry"], "pu", error, u, f"at {name}")

    async def recorded(self, step: Step) -> Recorded:
        """Take a step and return the recording, not yet judged."""
        bench, response_s = self.bench, step.response_s or self.response_s
        rate_hz = min(RATE_HZ_MAX, POINTS_PER_RESPONSE / response_s)
        moved_s = self._span_s(step)
        length_s = SETTLED_TO * response_s + moved_s
        if step.act is not None:
            trace, known_s = await bench.record_act(
                step.act, length_s, rate_hz=rate_hz, tracks="VPQF"
            )
            return Recorded(trace, 0.0, U_TIME_S + known_s)
        sequence = self._sequence(step, response_s, moved_s)
        self._at_hz = sequence[-1].f_hz
        played_s = sum(one.dwell_s for one in sequence)
        trace = await bench.record(
            sequence, rest_s=max(0.0, length_s - played_s), rate_hz=rate_hz, tracks="VPQF"
        )
        return Recorded(trace, moved_s, U_TIME_S)

    def _sequence(self, step: Step, response_s: float, span_s: float) -> list[SequenceStep]:
        held_s = min(SETTLED_TO * response_s, max(1.2 * response_s, 0.5), FINE_S)
        to = (step.v_pu, step.f_hz, step.angle_deg)
        held = self.bench.step(held_s, *to)
        return [self.bench.step(span_s, *to, ramp=True), held] if span_s else [held]

    def _span_s(self, step: Step) -> float:
        """Return how long the source takes to get there. [s]"""
        if step.f_hz is None or not step.ramp_hz_s:
            return 0.0
        from_hz = self._at_hz or self.bench.f_n
        return round(abs(step.f_hz - from_hz) / step.ramp_hz_s, 3)

    def judge(self, step: Step, recorded: Recorded) -> None:
        """Judge where it settled, how it got there and how soon."""
        bench, response_s = self.bench, step.response_s or self.response_s
        trace, moved_s = recorded.trace, recorded.moved_s
        x_axis, y_axis = quantity(bench, self.x), quantity(bench, self.y)
        x, y = _series(trace, self.x), _series(trace, self.y)
        t_s = trace.t_s + 0.5 * trace.step_s
        before = trace.between(-1e9, 0.0)
        after = trace.between(moved_s + SETTLED_FROM * response_s, 1e9)
        u_v, _, u_p = bench.uncertainty_pu(trace.step_s)
        u = {"V": u_v, "F": U_F_HZ, "P": u_p, "Q": u_p}
        x_end, y_end, y_begin = (float(np.mean(v)) for v in (x[after], y[after], y[before]))
        allowed = x_axis.required if self.x_required is None else self.x_required
        settled = judge_point(
            step.name,
            step.expected,
            (x_end, y_end),
            Required(allowed, y_axis.required),
            (u[self.x], u[self.y]),
        )
        if self.settled_side == "above":
            settled = _one_sided(settled)
        self.settled.append(settled)
        at_s = moved_s + response_s
        y_then = float(np.interp(at_s, t_s, y))
        required = Required(bench.mra_time_s(response_s), y_axis.required)
        loop = OpenLoop(y_begin, y_end, response_s)
        measured, uncertain = (response_s, y_then), (recorded.known_s, u[self.y])
        responded = judge_point(step.name, loop, measured, required, uncertain)
        if self.is_limit:
            responded = _late_only(responded, y_begin, y_end)
        self.responded.append(responded)
        seen = abs(y_end - y_begin) >= SEEN_PU and moved_s <= RAMP_SHARE_MAX * response_s
        if seen and not self.is_limit:
            ends = (y_begin, y_end)
            self._judge_promptness(step.name, t_s, y, ends, response_s, trace.step_s)
        self.steps.append(
            Walked(step.name, x_axis, y_axis, t_s, y, settled, responded, moved_s, response_s)
        )
        bench.lab.walked.append(self.steps[-1])

    def _judge_promptness(
        self,
        name: str,
        t_s: Float,
        y: Float,
        ends: tuple[float, float],
        response_s: float,
        window_s: float,
    ) -> None:
        """Note after which share of the response time it had come 90 % of the way."""
        begin, end = ends
        come = (y - begin) / (end - begin) >= RESPONDED
        there = np.flatnonzero(come & (t_s > 0.0))
        if len(there):
            u = (window_s + U_TIME_S) / response_s
            self.shares.append((float(t_s[there[0]]) / response_s, u, name))

    async def compare_telemetry(self, step: Step) -> None:
        """Note how far what the inverter says is from what the analyser measures meanwhile."""
        bench = self.bench
        await bench.hold(TELEMETRY_S)
        measured, said = await bench.measure(), await bench.lab.driver(bench.name).read()
        u_p = bench.uncertainty_pu()[2]
        for what, found, by_phase in (
            ("P", said.p_w, measured.p_w),
            ("Q", said.q_var, measured.q_var),
        ):
            error_w = abs(found - sum(by_phase[channel - 1] for channel in bench.channels))
            self.telemetry.append((error_w / bench.rated_w, u_p, f"{step.name}, {what}"))


def _series(trace: Trace, letter: Axis) -> Float:
    """Return one quantity of the whole inverter over time: mean of voltages, sum of powers."""
    if letter == "F":
        return trace.f_hz
    if letter == "V":
        mean: Float = trace.v_pu.mean(axis=1)
        return mean
    powers = trace.p_pu if letter == "P" else trace.q_pu
    total: Float = powers.sum(axis=1)
    return total


def _one_sided(judged: Judged) -> Judged:
    """Return a point judged by the upper edge of its band alone."""
    return Judged(
        judged.name, judged.x, judged.y, Band(-np.inf, judged.band.high), judged.uncertainty
    )


def _late_only(judged: Judged, begin: float, end: float) -> Judged:
    """Return a response judged by the edge it must have crossed by then."""
    low, high = judged.band.low, judged.band.high
    band = Band(low, np.inf) if end >= begin else Band(-np.inf, high)
    return Judged(judged.name, judged.x, judged.y, band, judged.uncertainty)


def _band_text(band: Band) -> str:
    return f"accepted {band.low:.4f} to {band.high:.4f} pu"
