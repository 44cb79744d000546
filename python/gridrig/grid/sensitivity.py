"""How much a voltage or a loading answers to power at each bus, by the engine itself.

Finite differences: one solve more for each bus. The engine is asked and not a linear model of it,
so whatever it models - taps, charging, the island's former - is in the answer.
"""

from collections.abc import Sequence

import numpy as np

from gridrig.grid.engine import FloatArray
from gridrig.grid.feeder import Feeder
from gridrig.grid.findings import Finding
from gridrig.grid.solution import Solution

STEP_W = 100.0
"""Large beside the engines' mismatch of 0.01 VA, small beside a home. [W]"""


def value_of(finding: Finding, solution: Solution) -> float:
    """Return in a solution what a finding is about, in its unit.

    Parameters
    ----------
    finding : Finding
        Of a bus, a line or a transformer.
    solution : Solution
        Of the same feeder.
    """
    if finding.kind == "line_overload":
        return float(solution.line_loading_percent[solution.lines.index(finding.element)])
    if finding.kind == "transformer_overload":
        at = solution.transformers.index(finding.element)
        return float(solution.trafo_loading_percent[at])
    return solution.v_at(finding.element)


def sensitivity(feeder: Feeder, finding: Finding, p_w: FloatArray, q_var: FloatArray) -> FloatArray:
    """Return by bus what a watt more injected there adds to what a finding is about.

    Parameters
    ----------
    feeder : Feeder
        In the state in which it was found.
    finding : Finding
    p_w, q_var : array of float64, shape (buses,)
        Injections at which it was found, positive into the grid. [W], [var]

    Returns
    -------
    array of float64, shape (buses,)
        [unit of the finding per W]

    Raises
    ------
    GridError
        If a solve fails.
    """
    slopes: FloatArray = sensitivities(feeder, [finding], feeder.buses, p_w, q_var)[0]
    return slopes


def sensitivities(
    feeder: Feeder,
    found: Sequence[Finding],
    buses: Sequence[str],
    p_w: FloatArray,
    q_var: FloatArray,
) -> FloatArray:
    """Return what a watt more at each of some buses adds to what each finding is about.

    As `sensitivity`, but one solve a bus for all findings.

    Returns
    -------
    array of float64, shape (findings, buses)
        [unit of the finding per W]
    """
    here = feeder.solve(p_w, q_var)
    slopes = np.zeros((len(found), len(buses)))
    for column, bus in enumerate(buses):
        moved = p_w.copy()
        moved[feeder.buses.index(bus)] += STEP_W
        there = feeder.solve(moved, q_var)
        for row, finding in enumerate(found):
            more = value_of(finding, there) - value_of(finding, here)
            slopes[row, column] = more / STEP_W
    return slopes
