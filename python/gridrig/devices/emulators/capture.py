"""A triggered recording: armed, waiting, running, done; it takes what the circuit remembers.

The trigger is looked for in what has flowed since arming, sample by sample, so when it is asked for
does not matter. Times are those of the bench; whose clock shows them is the analyser's affair.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gridrig.devices.emulators.bench_terminal import AnalyserTerminal, Float, Samples

State = Literal["IDLE", "WAIT", "RUN", "DONE"]
LOOK_S = 0.001  # the trigger is looked for at the circuit's own steps
WATCH_S = 5.0
STEPS_OF_A_MEAN_MAX = 20


@dataclass(frozen=True)
class Plan:
    """What to record.

    Parameters
    ----------
    function : str
        "WAVeform" takes samples, "RMS" means over windows of one period of the rate.
    rate_hz : float
        Samples in a second. [1/s]
    points : int
        How many.
    pretrigger : float
        Share of them before the trigger, 0..1.
    source : str
        "IMMediate", "BUS", "SOURce" (the source's trigger output), "CONTact" (the switch's status
        contact) or "LEVel" (the voltage of the first channel's phase falls below a level).
    rising : bool
        Of the contact: closing; else opening.
    level_v : float
        RMS. [V]
    """

    function: str = "WAVeform"
    rate_hz: float = 10_000.0
    points: int = 2000
    pretrigger: float = 0.2
    source: str = "IMMediate"
    rising: bool = True
    level_v: float = 100.0

    @property
    def before_s(self) -> float:
        """Time recorded before the trigger. [s]"""
        return math.floor(self.points * self.pretrigger) / self.rate_hz

    @property
    def after_s(self) -> float:
        """Time recorded from the trigger on. [s]"""
        return self.points / self.rate_hz - self.before_s


class Capture:
    """One recording of an analyser.

    Parameters
    ----------
    plan : Plan
        What to record.
    terminal : AnalyserTerminal
        From where.
    """

    def __init__(self, plan: Plan, terminal: AnalyserTerminal) -> None:
        self.plan = plan
        self._terminal = terminal
        self._armed_s = terminal.now_s()
        self._looked_s = self._armed_s
        self._commanded = False
        self.trigger_s: float | None = None
        self.taken: list[Samples] = []
        self.state: State = "WAIT"
        terminal.watch(self._armed_s + WATCH_S)
        self.update()

    @property
    def start_s(self) -> float:
        """Time of the first sample. [s]"""
        assert self.trigger_s is not None, "only a triggered recording has a beginning"
        return self.trigger_s - self.plan.before_s

    def times_s(self) -> Float:
        """Return the times of all samples. [s]"""
        return self.start_s + np.arange(self.plan.points) / self.plan.rate_hz

    def command(self) -> bool:
        """Trigger by command; return whether it waited for one."""
        waited = self.state == "WAIT" and self.plan.source == "BUS"
        if waited:
            self._commanded = True
            self._looked_s = self._terminal.now_s()
        self.update()
        return waited

    def update(self) -> State:
        """Look at what has flowed since; return the state."""
        now_s = self._terminal.now_s()
        if self.state == "WAIT":
            self._terminal.watch(now_s + WATCH_S)
            self.trigger_s = self._find(now_s)
            if self.trigger_s is not None:
                self.state = "RUN"
        if self.state == "RUN" and now_s >= self.start_s + self.plan.points / self.plan.rate_hz:
            self._take()
            self.state = "DONE"
        return self.state

    def _find(self, now_s: float) -> float | None:
        if self.plan.source == "IMMediate" or self._commanded:
            return max(self._looked_s, self._first_s())
        if self.plan.source == "BUS":
            return None
        begin_s = max(self._looked_s, self._first_s())
        steps = math.floor((now_s - begin_s) / LOOK_S + 1e-6)
        if steps <= 0:
            return None
        times: Float = begin_s + LOOK_S * np.arange(-1, steps, dtype=np.float64)
        at = self._terminal.samples(0, times)
        if self.plan.source == "SOURce":
            hits = at.trigger[1:]
        elif self.plan.source == "CONTact":
            moved = at.contact[1:] != at.contact[:-1]
            hits = moved & (at.contact[1:] == self.plan.rising)
        else:
            low = np.abs(at.v_v[:, 0]) < self.plan.level_v
            hits = low[1:] & ~low[:-1]
        self._looked_s = begin_s + steps * LOOK_S
        found = np.flatnonzero(hits)
        return float(at.t_s[1 + found[0]]) if len(found) else None

    def _first_s(self) -> float:
        """Return the earliest trigger whose past is known. [s]"""
        return self._terminal.oldest_s() + max(self.plan.before_s, LOOK_S)

    def _take(self) -> None:
        times = self.times_s()
        if self.plan.function == "RMS":
            # The steps that the windows hold, in one row each; of a long window evenly spaced ones.
            steps = max(1, round(1 / (self.plan.rate_hz * LOOK_S)))
            per_window = min(steps, STEPS_OF_A_MEAN_MAX)
            inside = np.arange(per_window) / (self.plan.rate_hz * per_window)
            times = (times[:, None] + inside[None, :]).ravel()
        self.taken = [
            self._terminal.samples(place, times) for place in range(self._terminal.places)
        ]
