"""How a must-trip stage is tried, and what the recording says of its threshold and its time.

The time is judged in shares of the accuracy required of it: 1 is a trip that much too late, -1
that much too early. The threshold is judged by both sides of it: held twice the required accuracy
inside, the inverter must not trip; stepped as far beyond, its time begins.

References
----------
.. [1] pyUL1741SB, `IEEE1547/`: the rules of the trip tests of IEEE 1547.1-2020, 5.4.2 and 5.5.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.abnormal_limits import TRIP_SOURCE, TripStage
from gridrig.campaign.grid_bench import RATE_HZ, WINDOW_S, GridBench, Trace
from gridrig.campaign.lab import Lab
from gridrig.campaign.measurements import Criterion
from gridrig.campaign.recordings import ceased_s
from gridrig.campaign.setting_labels import trip_labels
from gridrig.devices.bench_capabilities import SequenceStep

GONE_PU = 0.05  # current that counts as none
HELD_MIN_PU = 0.1  # current that counts as still feeding: droop may have left little
BACK_S = 1.2  # nominal voltage after a disturbance: time to restore after a cessation, and some
SETTLE_S = 1.0  # after a hold, so that no window of an instrument reaches back into it
LOOK_S = 0.3  # over which a current is judged
MARGIN = 2.0  # required accuracies between threshold and stimulus
LONG_S, LONG_RATE_HZ = 5.0, 100.0  # a time beyond this may be known less sharply
POLLED_S = 100.0  # a time beyond this is longer than a recording
TIME_SOURCE = "within the accuracy required of a time: two cycles up to 5 s, else 1 %"
HELD = Criterion(
    "held_current_pu",
    "pu",
    min=HELD_MIN_PU,
    source="no trip 2 required accuracies inside the threshold, for longer than the clearing time",
)


def within_time(name: str) -> Criterion:
    """Return the criterion of a clearing time."""
    return Criterion(name, "1", min=-1, max=1, source=f"{TRIP_SOURCE}; {TIME_SOURCE}")


@dataclass(frozen=True)
class Attempt:
    """What is put to the inverter to try one stage.

    Parameters
    ----------
    stage : TripStage
        With the threshold and the time that are in force.
    required : float
        Accuracy required of the quantity. [pu or Hz]
    step : callable
        Returns the sequence step of a length that puts out a value of the quantity.
    hidden : bool
        Whether momentary cessation comes before the trip, so that no current tells of it.
    beyond_share : float
        How far beyond the threshold it steps at least, of the threshold.
    """

    stage: TripStage
    required: float
    step: Callable[[float, float], SequenceStep]
    hidden: bool = False
    beyond_share: float = 0.0

    @property
    def inside(self) -> float:
        """What is held and must not trip it."""
        return self._away(-MARGIN * self.required)

    @property
    def beyond(self) -> float:
        """What must trip it."""
        return self._away(max(MARGIN * self.required, self.beyond_share * self.stage.threshold))

    def _away(self, by: float) -> float:
        return self.stage.threshold + (by if self.stage.over else -by)


@dataclass(frozen=True)
class StageResult:
    """What one stage did.

    Parameters
    ----------
    name : str
        The stage, and what else tells it from others.
    held_pu : float
        Smallest current while held inside the threshold, the largest of the phases each time.
    error, uncertainty : float or None
        Clearing time less its setting, over the required accuracy; None if not tried.
    note : str
        The clearing time in seconds.
    """

    name: str
    held_pu: float
    error: float | None = None
    uncertainty: float = 0.0
    note: str = ""


async def try_stage(
    bench: GridBench, attempt: Attempt, name: str = "", *, hold: bool = True
) -> StageResult:
    """Hold the inverter inside a stage's threshold, step beyond, and read the clearing time.

    Without `hold` it is taken from nominal straight beyond. What trips while held is tried no
    further.
    """
    stage = attempt.stage
    name = name or stage.name
    bench.lab.tried_settings += trip_labels(stage.name, stage.threshold, stage.clearing_s)
    if attempt.hidden:
        return await _try_hidden(bench, attempt, name, hold)
    if attempt.stage.clearing_s > POLLED_S:
        return await _try_polled(bench, attempt, name)
    return await _try_seen(bench, attempt, name, hold)


async def _try_seen(bench: GridBench, attempt: Attempt, name: str, hold: bool) -> StageResult:
    clearing_s = attempt.stage.clearing_s
    allowed_s = bench.mra_time_s(clearing_s)
    beyond_s = clearing_s + max(1.0, 10 * allowed_s)
    inside = attempt.step(attempt.inside, clearing_s + 2 * allowed_s)
    steps = [attempt.step(attempt.beyond, beyond_s), bench.step(BACK_S)]
    await bench.ready()
    held_s, held_pu, rate_hz = 0.0, 1.0, RATE_HZ
    if clearing_s > LONG_S:
        rate_hz = LONG_RATE_HZ
        if hold:
            await bench.put(inside)
            await bench.hold(inside.dwell_s + SETTLE_S)
            held_pu = max(await bench.currents_pu())
    elif hold:
        steps, held_s = [inside, *steps], inside.dwell_s
    trace = await bench.record(steps, rate_hz=rate_hz, tracks="I")
    if held_s:
        held_pu = _current_pu(trace, held_s - LOOK_S, held_s)
    if held_pu < HELD_MIN_PU:
        return StageResult(name, held_pu)
    flowed_s = ceased_s(trace.t_s, trace.i_pu, GONE_PU) - held_s
    if flowed_s > beyond_s:
        return StageResult(name, held_pu, math.inf, 0.0, f"{name}: no trip in {beyond_s:g} s")
    return StageResult(
        name,
        held_pu,
        (flowed_s - clearing_s) / allowed_s,
        trace.step_s / allowed_s,
        f"{name}: {flowed_s:.3f} s for {clearing_s:g} s",
    )


async def _try_polled(bench: GridBench, attempt: Attempt, name: str) -> StageResult:
    """Try a stage that clears so late that no recording holds it.

    The step is recorded; from then on the current is measured again and again. The analyser gives
    the time of the trigger and of every measurement by one clock, its own.
    """
    clearing_s = attempt.stage.clearing_s
    allowed_s = bench.mra_time_s(clearing_s)
    await bench.ready()
    await bench.put(attempt.step(attempt.inside, 1.0))
    await bench.hold(clearing_s + 2 * allowed_s)
    held_pu = max(await bench.currents_pu())
    if held_pu < HELD_MIN_PU:
        await bench.impose()
        return StageResult(name, held_pu)
    trace = await bench.record([attempt.step(attempt.beyond, 1.0)], tracks="I")
    flows_s = seen_s = 0.0
    near_s = clearing_s - 1.5 * allowed_s
    while seen_s < clearing_s + 3 * allowed_s:
        await bench.hold(max(allowed_s / 4, min(clearing_s / 10, near_s - seen_s)))
        reading = await bench.measure()
        seen_s = reading.time_s - trace.trigger_s
        if max(reading.i_a[channel - 1] for channel in bench.channels) < GONE_PU * bench.rated_a:
            break
        flows_s = seen_s
    await bench.impose()
    if flows_s == seen_s:
        return StageResult(name, held_pu, math.inf, 0.0, f"{name}: no trip in {seen_s:.1f} s")
    low_s, high_s = max(0.0, flows_s - WINDOW_S), seen_s
    return StageResult(
        name,
        held_pu,
        ((low_s + high_s) / 2 - clearing_s) / allowed_s,
        (high_s - low_s) / 2 / allowed_s,
        f"{name}: {low_s:.1f} to {high_s:.1f} s for {clearing_s:g} s",
    )


async def _try_hidden(bench: GridBench, attempt: Attempt, name: str, hold: bool) -> StageResult:
    clearing_s = attempt.stage.clearing_s
    allowed_s = bench.mra_time_s(clearing_s)
    held_pu = 1.0
    if hold:
        held_pu = await _back_after(bench, attempt.step(attempt.inside, clearing_s + 2 * allowed_s))
        if held_pu < HELD_MIN_PU:
            return StageResult(name, held_pu)
    low_s, high_s = await _bracket(bench, attempt, allowed_s)
    if math.isinf(high_s):
        note = f"{name}: no trip in {low_s:.3f} s for {clearing_s:g} s"
        return StageResult(name, held_pu, math.inf, 0.0, note)
    return StageResult(
        name,
        held_pu,
        ((low_s + high_s) / 2 - clearing_s) / allowed_s,
        (high_s - low_s) / 2 / allowed_s,
        f"{name}: {low_s:.3f} to {high_s:.3f} s for {clearing_s:g} s",
    )


async def _bracket(bench: GridBench, attempt: Attempt, allowed_s: float) -> tuple[float, float]:
    """Return between which times it trips; infinite if it never does. [s]

    Within the allowed time two attempts are enough. Where one of them goes wrong, one more just
    outside tells a fault from a time that is too near the limit to be judged.
    """
    clearing_s, sharp_s = attempt.stage.clearing_s, 2 / RATE_HZ
    low_s, high_s = clearing_s - allowed_s + sharp_s, clearing_s + allowed_s - sharp_s
    if await _trips_within(bench, attempt, low_s):
        earlier_s = low_s - 2 * sharp_s
        early = await _trips_within(bench, attempt, earlier_s)
        return (0.0, earlier_s) if early else (earlier_s, low_s)
    if await _trips_within(bench, attempt, high_s):
        return low_s, high_s
    later_s = high_s + 2 * sharp_s
    late = not await _trips_within(bench, attempt, later_s)
    return (later_s, math.inf) if late else (high_s, later_s)


async def _trips_within(bench: GridBench, attempt: Attempt, time_s: float) -> bool:
    return await _back_after(bench, attempt.step(attempt.beyond, time_s)) < GONE_PU


async def _back_after(bench: GridBench, away: SequenceStep) -> float:
    """Return the current that is back when a disturbance is over."""
    await bench.ready()
    rate_hz = LONG_RATE_HZ if away.dwell_s > LONG_S else RATE_HZ
    trace = await bench.record([away, bench.step(BACK_S)], rate_hz=rate_hz, tracks="I")
    end_s = away.dwell_s + BACK_S
    return _current_pu(trace, end_s - LOOK_S, end_s)


def _current_pu(trace: Trace, start_s: float, end_s: float) -> float:
    """Return the smallest current of a span, the largest of the phases each time."""
    inside = trace.between(max(0.0, start_s), end_s)
    return float(np.max(trace.i_pu[inside], axis=1).min())


def record_worst(lab: Lab, name: str, results: Sequence[StageResult]) -> None:
    """Record the clearing time that was furthest off, if any was tried."""
    tried = [result for result in results if result.error is not None]
    worst = max(tried, key=lambda r: abs(r.error or 0.0) + r.uncertainty, default=None)
    if worst is not None:
        lab.record(name, "1", worst.error, worst.uncertainty, worst.note)


def record_held(bench: GridBench, results: Sequence[StageResult]) -> None:
    """Record the smallest current of all that was held inside a threshold."""
    worst = min(results, key=lambda result: result.held_pu)
    _, u_i, _ = bench.uncertainty_pu()
    bench.lab.record(HELD.name, HELD.unit, worst.held_pu, u_i, worst.name)


def fails(result: StageResult) -> bool:
    """Return whether a stage did wrong, so that the inverter is given no more."""
    if result.error is None or result.held_pu < HELD_MIN_PU:
        return True
    return abs(result.error) - result.uncertainty > 1.0
