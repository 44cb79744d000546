"""Overloads, voltage violations and dead buses of a solution, by the name of the element."""

from dataclasses import dataclass
from typing import Literal

from gridrig.grid.solution import Solution

FindingKind = Literal[
    "undervoltage", "overvoltage", "line_overload", "transformer_overload", "dead_bus"
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a feeder must keep to.

    The voltage defaults are EN 50160's band for 95 % of a week, 10 % around nominal.
    """

    v_min_pu: float = 0.9
    v_max_pu: float = 1.1
    line_loading_percent_max: float = 100.0
    transformer_loading_percent_max: float = 100.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One element outside one limit."""

    kind: FindingKind
    element: str
    value: float
    limit: float
    unit: str

    def text(self) -> str:
        """Return the finding as one line for people."""
        if self.kind == "dead_bus":
            return f"{self.element}: dead"
        word = self.kind.replace("_", " ")
        return f"{self.element}: {word}, {self.value:.4g} {self.unit}, limit {self.limit:g}"


def findings(solution: Solution, limits: Limits) -> list[Finding]:
    """List everything outside its limit, in the order of the elements.

    Parameters
    ----------
    solution : Solution
    limits : Limits

    Returns
    -------
    list of Finding
        Empty if all is well. A dead bus is one finding, not also an undervoltage. Where phases
        differ, a bus is judged by its lowest and by its highest.
    """
    found: list[Finding] = []
    lows, highs = solution.v_low_pu.tolist(), solution.v_high_pu.tolist()
    dead = frozenset(solution.dead)
    for bus, low, high in zip(solution.buses, lows, highs, strict=True):
        if bus in dead:
            found.append(Finding("dead_bus", bus, 0.0, limits.v_min_pu, "pu"))
            continue
        if low < limits.v_min_pu:
            found.append(Finding("undervoltage", bus, low, limits.v_min_pu, "pu"))
        if high > limits.v_max_pu:
            found.append(Finding("overvoltage", bus, high, limits.v_max_pu, "pu"))
    cap = limits.line_loading_percent_max
    for name, percent in zip(solution.lines, solution.line_loading_percent.tolist(), strict=True):
        if percent > cap:
            found.append(Finding("line_overload", name, percent, cap, "%"))
    cap = limits.transformer_loading_percent_max
    loadings = solution.trafo_loading_percent.tolist()
    for name, percent in zip(solution.transformers, loadings, strict=True):
        if percent > cap:
            found.append(Finding("transformer_overload", name, percent, cap, "%"))
    return found
