"""When an inverter's power first reaches a level, from seconds to an hour after something happened.

What happened is recorded; what comes later than the recording is measured from time to time. The
analyser gives both by one clock, its own, so a time lies between two of its measurements.
"""

import math
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.grid_bench import WINDOW_S, GridBench, Trace


@dataclass(frozen=True)
class Between:
    """A time that lies between two others; infinite above if it never came. [s]"""

    low_s: float
    high_s: float

    @property
    def middle_s(self) -> float:
        """The time, as well as it is known. [s]"""
        return math.inf if math.isinf(self.high_s) else (self.low_s + self.high_s) / 2

    @property
    def uncertainty_s(self) -> float:
        """Half of what it may lie in. [s]"""
        return 0.0 if math.isinf(self.high_s) else (self.high_s - self.low_s) / 2


@dataclass(frozen=True)
class Look:
    """How a time is looked for.

    Parameters
    ----------
    near_s : float
        Until then now and then, from then on often. [s]
    until_s : float
        Then no more. [s]
    often_s : float
        [s]
    """

    near_s: float
    until_s: float
    often_s: float


async def reached(
    bench: GridBench, trace: Trace, level_pu: float, look: Look, *, since_s: float = 0.0
) -> Between:
    """Return when after the trigger of a recording power first reached a level.

    Parameters
    ----------
    bench : GridBench
        Where it is measured further.
    trace : Trace
        The recording, with powers; its trigger is the time's zero.
    level_pu : float
        Of all phases.
    look : Look
        How to look for it after the recording.
    since_s : float
        The time is counted from here, and nothing before it counts. [s]
    """
    p_pu = trace.p_pu.sum(axis=1)
    hits = np.flatnonzero((p_pu >= level_pu) & (trace.t_s >= since_s - 1e-9))
    if len(hits):
        at_s = float(trace.t_s[hits[0]]) - since_s
        return Between(max(0.0, at_s - trace.step_s), at_s + trace.step_s)
    low_s = seen_s = float(trace.t_s[-1]) - since_s
    while seen_s < look.until_s:
        await bench.hold(max(look.often_s, min(look.near_s / 10, look.near_s - seen_s)))
        reading = await bench.measure()
        seen_s = reading.time_s - trace.trigger_s - since_s
        if sum(reading.p_w[channel - 1] for channel in bench.channels) >= level_pu * bench.rated_w:
            return Between(max(0.0, low_s - WINDOW_S), seen_s)
        low_s = seen_s
    return Between(low_s, math.inf)
