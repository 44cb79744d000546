"""One step of a walk as it is drawn: the trace, and what was accepted when."""

from dataclasses import dataclass
from typing import Literal

from gridrig.campaign.acceptance import Judged
from gridrig.devices.bench_capabilities import Float

Axis = Literal["V", "F", "P", "Q"]


@dataclass(frozen=True)
class Quantity:
    """What stands on one axis: its letter on the analyser, its unit, the accuracy required."""

    letter: Axis
    unit: str
    required: float


@dataclass(frozen=True)
class Walked:
    """One step.

    Parameters
    ----------
    name : str
        What it was; all before its last comma is the part of the walk it belongs to.
    x_axis, y_axis : Quantity
        What the characteristic is over, and of.
    t_s, y : array of float64, shape (points,)
        The trace, from the step on; what is before it has a negative time. [s, y_axis.unit]
    settled, responded : Judged
        Where it settled, and where it was after the response time.
    moved_s, response_s : float
        How long the stimulus took, and the response time that counts from its end. [s]
    """

    name: str
    x_axis: Quantity
    y_axis: Quantity
    t_s: Float
    y: Float
    settled: Judged
    responded: Judged
    moved_s: float
    response_s: float

    @property
    def part(self) -> str:
        """The part of the walk it belongs to."""
        return self.name.rpartition(", ")[0]
