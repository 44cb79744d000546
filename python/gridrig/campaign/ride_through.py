"""How a voltage ride-through signal is played, and what the inverter did in each part of it.

Judged are shares of the current before the disturbance, in every window of the recording and phase
by phase: where the inverter has to operate, how long it was until its current stayed at 80 %; where
it has to cease momentarily, how long until its current stayed away. A trip never comes back, and a
cessation is no operation, so neither can be passed off as the other.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gridrig.campaign.abnormal_limits import (
    RESTORED_SHARE,
    WIDEST_HIGH_V,
    WIDEST_LOW_V,
    Span,
)
from gridrig.campaign.grid_bench import GridBench, Trace
from gridrig.campaign.trip_times import GONE_PU
from gridrig.devices.bench_capabilities import Float
from gridrig.devices.grid_support import TripSettings

TAIL_S = 5.0  # of the last span is recorded; the rest is looked at
LOOK_S = 20.0
BEFORE_S = 1.0  # of the first span: the current before the disturbance
CEASED_PU = GONE_PU
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class SignalResult:
    """What the inverter did in one signal; infinite where it never did.

    Parameters
    ----------
    operates_after_s : float
        Longest time from the beginning of a span in which it has to operate until it stays at 80 %
        of its current before. [s]
    ceases_after_s : float or None
        Longest time from the beginning of a span of cessation until no current flows; None if there
        is no such span. [s]
    note : str
        The signal, and where the longer time was.
    """

    operates_after_s: float
    ceases_after_s: float | None
    note: str


async def open_trips(bench: GridBench) -> None:
    """Set the voltage trips where they do not stand in the way of riding through."""
    inverter = bench.lab.driver(bench.name)
    low = TripSettings(must_trip=WIDEST_LOW_V[bench.categories.abnormal])
    await inverter.write_function("low_voltage_trip", low, on=True)
    await inverter.write_function("high_voltage_trip", TripSettings(WIDEST_HIGH_V), on=True)


async def ride(bench: GridBench, spans: Sequence[Span], power_pu: float) -> SignalResult:
    """Play a signal at a power and return what the inverter did. [pu]"""
    await bench.ready(0.95 * power_pu)
    if spans[-1].response != "operate":
        spans = (*spans, replace(spans[0], dwell_s=TAIL_S))  # it has to come back
    played = [min(span.dwell_s, TAIL_S) if span is spans[-1] else span.dwell_s for span in spans]
    steps = [bench.step(dwell_s, span.v_pu) for span, dwell_s in zip(spans, played, strict=True)]
    trace = await bench.record(steps, tracks="I")
    first_s = played[0]
    before = trace.between(first_s - BEFORE_S, first_s)
    before_pu = trace.i_pu[before].mean(axis=0)
    operates, start_s = [(0.0, "")], first_s
    ceases: list[tuple[float, str]] = []
    for span, dwell_s in list(zip(spans, played, strict=True))[1:]:
        part = _part(trace, start_s, start_s + dwell_s)
        if span.response == "operate":
            low = np.any(part.i_pu < RESTORED_SHARE * before_pu, axis=1)
            operates.append((_last_s(part.t_s, low, trace.step_s), span.label))
        elif span.response == "cease":
            flows = np.any(part.i_pu > CEASED_PU, axis=1)
            ceases.append((_last_s(part.t_s, flows, trace.step_s), span.label))
        start_s += dwell_s
    if not await _operates_on(bench, spans[-1].dwell_s - played[-1], before_pu):
        operates.append((math.inf, spans[-1].label))
    await bench.impose()
    where = "".join(span.label for span in spans)
    slowest_s, at = max(operates)
    return SignalResult(
        slowest_s,
        max(ceases)[0] if ceases else None,
        f"{where} at {power_pu:g} pu{f', span {at}' if at else ''}",
    )


@dataclass(frozen=True)
class _Part:
    t_s: Float  # from its beginning
    i_pu: Float


def _part(trace: Trace, start_s: float, end_s: float) -> _Part:
    inside = trace.between(start_s, end_s)
    return _Part(trace.t_s[inside] - start_s, trace.i_pu[inside])


def _last_s(t_s: Float, wrong: Flags, step_s: float) -> float:
    """Return the end of the last window that was wrong; infinite if that is the very last."""
    places = np.flatnonzero(wrong)
    if not len(places):
        return 0.0
    return math.inf if places[-1] == len(wrong) - 1 else float(t_s[places[-1]] + step_s)


async def _operates_on(bench: GridBench, rest_s: float, before_pu: Float) -> bool:
    """Return whether it stays at its current for the rest of a steady span. [s]"""
    while rest_s > 0.0:
        await bench.hold(min(LOOK_S, rest_s))
        rest_s -= LOOK_S
        if (np.array(await bench.currents_pu()) < RESTORED_SHARE * before_pu).any():
            return False
    return True


def slowest(results: Iterable[SignalResult]) -> SignalResult:
    """Return the signal after which the inverter was the slowest to operate."""
    return max(results, key=lambda result: result.operates_after_s)
