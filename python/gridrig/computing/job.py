"""A computing job as it is offered, and how it ended."""

from dataclasses import dataclass
from typing import Literal

from gridrig.computing.work import Work

MICRO_PER_UNIT = 1_000_000
JOULES_PER_MILLIWH = 3.6
Ending = Literal["refused", "paid", "refunded"]


@dataclass(frozen=True)
class Job:
    """One job of a buyer for a node.

    Parameters
    ----------
    name : str
        Unique among the jobs of a scenario.
    node, buyer : str
        Who is to do it, and who pays.
    at_s : float
        When it is offered. [s after the scenario's start]
    work : Work
        What to compute.
    work_s : float
        How long that takes, as planned. [s]
    due_s : float
        When its result has to be there. [s after the scenario's start]
    price_micro : int
        For the right result in time. [millionths]
    energy_price_micro_per_kwh : int
        For what it drew, as signed. [millionths/kWh]
    interruptible : bool
        Whether it may be paused while the battery is at its reserve.
    """

    name: str
    node: str
    buyer: str
    at_s: float
    work: Work
    work_s: float
    due_s: float
    price_micro: int
    energy_price_micro_per_kwh: int
    interruptible: bool = False

    def deposit_micro(self, p_w_max: float) -> int:
        """Return the most it can cost on a node that draws so much at most. [W, millionths]"""
        most_milliwh = -int(-p_w_max * self.work_s // JOULES_PER_MILLIWH)
        return self.price_micro + energy_cost_micro(most_milliwh, self.energy_price_micro_per_kwh)

    def due_micro(self, energy_milliwh: int, deposit_micro: int) -> int:
        """Return what it costs with so much signed energy, never more than was deposited."""
        cost = energy_cost_micro(energy_milliwh, self.energy_price_micro_per_kwh)
        return min(self.price_micro + cost, deposit_micro)


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Parameters
    ----------
    job : Job
        Which.
    ending : str
        "refused", "paid" or "refunded".
    why : str
        "" if it was paid; else "reserve", "too_late", "no_reading" of what was refused, or "late",
        "wrong_result", "reserve_reached", "not_delivered" of what was refunded.
    begun_s, done_s : float or None
        When it was begun, and when its result was seen. [s after the scenario's start]
    energy_milliwh : int
        The lesser of what the node took and what its sources gave, by their signed registers. [mWh]
    result : str or None
        The hash that the node gave.
    deposit_micro, paid_micro, refunded_micro : int
        Of its escrow. [millionths]
    """

    job: Job
    ending: Ending
    why: str = ""
    begun_s: float | None = None
    done_s: float | None = None
    energy_milliwh: int = 0
    result: str | None = None
    deposit_micro: int = 0
    paid_micro: int = 0
    refunded_micro: int = 0


def energy_cost_micro(energy_milliwh: int, price_micro_per_kwh: int) -> int:
    """Return energy times price, half a unit rounded up. [mWh, millionths/kWh, millionths]

    Examples
    --------
    >>> energy_cost_micro(450_000, 300_000)
    135000
    """
    return (energy_milliwh * price_micro_per_kwh + MICRO_PER_UNIT // 2) // MICRO_PER_UNIT
