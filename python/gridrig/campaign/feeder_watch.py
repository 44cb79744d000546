"""What the feeder was like over a run: its extremes and what lay outside limits, by element."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.events import EventLog
from gridrig.grid.engine import FloatArray
from gridrig.grid.findings import Finding, Limits, findings
from gridrig.grid.solution import Solution

NAMED_MAX = 10
"""Elements that a line of findings names beside the worst."""


@dataclass(frozen=True)
class Extreme:
    """The worst value of a quantity, where and when it was."""

    value: float
    element: str
    t_s: float

    def text(self) -> str:
        """Return the place and the time for people."""
        return f"{self.element} at {self.t_s:g} s" if self.element else ""


class FeederWatch:
    """Follows the solutions of a run.

    Parameters
    ----------
    limits : Limits
        What the feeder is held to.
    events : EventLog
        Where a bus that dies or lives again is recorded.
    """

    def __init__(self, limits: Limits, events: EventLog) -> None:
        self._limits = limits
        self._events = events
        self._noted: dict[tuple[str, str], tuple[Finding, float]] = {}
        self._dead: tuple[str, ...] = ()
        self._extremes: dict[str, Extreme] = {}

    @property
    def extremes(self) -> Mapping[str, Extreme]:
        """By quantity: `v_min`, `v_max`, `dead` (all three while connected), `line`, `trafo`."""
        return self._extremes

    def tick(self, t_s: float, dt_s: float, solution: Solution, *, islanded: bool) -> None:
        """Take the solution of one tick."""
        self._tell_dead(t_s, solution.dead)
        for finding in findings(solution, self._limits):
            key = (finding.kind, finding.element)
            worst, lasted_s = self._noted.get(key, (finding, 0.0))
            further = abs(finding.value - finding.limit) > abs(worst.value - worst.limit)
            self._noted[key] = (finding if further else worst, lasted_s + dt_s)
        if not islanded:
            # An island without a former is dead as a whole: that is its record's to say.
            self._lowest("v_min", t_s, solution.buses, solution.v_low_pu)
            self._highest("v_max", t_s, solution.buses, solution.v_high_pu)
            count = np.array([float(len(solution.dead))])
            self._highest("dead", t_s, [", ".join(solution.dead[:NAMED_MAX])], count)
        self._highest("line", t_s, solution.lines, solution.line_loading_percent)
        self._highest("trafo", t_s, solution.transformers, solution.trafo_loading_percent)

    def findings(self) -> list[str]:
        """Return what lay outside a limit: of each kind the worst element, and which others."""
        by_kind: dict[str, list[tuple[Finding, float]]] = {}
        for (kind, _), noted in self._noted.items():
            by_kind.setdefault(kind, []).append(noted)
        lines = []
        for alike in by_kind.values():
            finding, lasted_s = max(alike, key=lambda one: abs(one[0].value - one[0].limit))
            others = [one.element for one, _ in alike if one.element != finding.element]
            lines.append(f"{finding.text()}; {lasted_s:.0f} s in all{_and_others(others)}")
        return lines

    def _tell_dead(self, t_s: float, dead: tuple[str, ...]) -> None:
        if dead == self._dead:
            return
        before, now = set(self._dead), set(dead)
        if died := [bus for bus in dead if bus not in before]:
            self._events.record("buses_dead", at_s=t_s, buses=died)
        if living := [bus for bus in self._dead if bus not in now]:
            self._events.record("buses_live", at_s=t_s, buses=living)
        self._dead = dead

    def _lowest(self, key: str, t_s: float, names: Sequence[str], values: FloatArray) -> None:
        at = int(np.argmin(values))
        held = self._extremes.get(key)
        if held is None or values[at] < held.value:
            self._extremes[key] = Extreme(float(values[at]), names[at], t_s)

    def _highest(self, key: str, t_s: float, names: Sequence[str], values: FloatArray) -> None:
        rated = np.where(np.isfinite(values), values, -np.inf)  # an element may have no rating
        if not len(rated) or not np.isfinite(rated).any():
            return
        at = int(np.argmax(rated))
        held = self._extremes.get(key)
        if held is None or rated[at] > held.value:
            self._extremes[key] = Extreme(float(rated[at]), names[at], t_s)


def _and_others(names: Sequence[str]) -> str:
    if not names:
        return ""
    left = len(names) - NAMED_MAX
    more = f" and {left} others" if left > 0 else ""
    return f"; and {', '.join(names[:NAMED_MAX])}{more}"
