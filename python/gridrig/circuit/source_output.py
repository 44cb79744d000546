"""What an AC source puts out over time: a setting, or a sequence that was begun."""

import math
from collections.abc import Sequence
from itertools import accumulate

from gridrig.devices.emulators.bench_terminal import Setting, Step


class SourceOutput:
    """The source's generator, without its output relay.

    Parameters
    ----------
    setting : Setting
        What it begins with.
    """

    def __init__(self, setting: Setting) -> None:
        self._fixed = setting
        self._steps: tuple[Step, ...] = ()
        self._ends_s: tuple[float, ...] = ()
        self._began_s = 0.0

    def apply(self, setting: Setting) -> None:
        """Put out a setting; a sequence that runs ends."""
        self._fixed, self._steps, self._ends_s = setting, (), ()

    def play(self, steps: Sequence[Step], at_s: float) -> None:
        """Begin a sequence; its last step stays in force. [s]"""
        self._fixed = self.at(at_s)
        self._steps, self._began_s = tuple(steps), at_s
        self._ends_s = tuple(at_s + end for end in accumulate(s.dwell_s for s in steps))

    def playing(self, t_s: float) -> bool:
        """Return whether a sequence runs. [s]"""
        return bool(self._ends_s) and t_s < self._ends_s[-1]

    def straight_until_s(self, t_s: float) -> float:
        """Return until when it stays or moves in one straight line; infinity for ever. [s]"""
        return next((end_s for end_s in self._ends_s if t_s < end_s), math.inf)

    def at(self, t_s: float) -> Setting:
        """Return what is put out at a time. [s]"""
        before, begin_s = self._fixed, self._began_s
        for step, end_s in zip(self._steps, self._ends_s, strict=True):
            if t_s < end_s:
                if not step.ramp:
                    return step.setting
                return _between(before, step.setting, (t_s - begin_s) / (end_s - begin_s))
            before, begin_s = step.setting, end_s
        return before


def _between(a: Setting, b: Setting, share: float) -> Setting:
    def mixed(x: float, y: float) -> float:
        return x + (y - x) * share

    return Setting(
        tuple(map(mixed, a.v_v, b.v_v)),
        tuple(map(mixed, a.phase_deg, b.phase_deg)),
        mixed(a.f_hz, b.f_hz),
    )
