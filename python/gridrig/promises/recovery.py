"""How long a feeder's head was off its plan after a cloud, counted in control periods."""

from dataclasses import dataclass
from math import inf

from gridrig.campaign.loop import Loop

WITHIN = 0.05  # of the plan


@dataclass(frozen=True)
class Recovery:
    """What a ramp of the sun did.

    Parameters
    ----------
    lost_w : float
        What the roofs gave less after the ramp than before. [W]
    plan_w : float
        Least magnitude of the plan from the ramp on. [W]
    periods : float
        Control periods from the end of the ramp until the head stays within 5 % of its plan to the
        end of the run; inf if it never does.
    period_s : float
        Their length. [s]
    worst_w : float
        Largest deviation from the ramp on. [W]
    """

    lost_w: float
    plan_w: float
    periods: float
    period_s: float
    worst_w: float


def recovery(loop: Loop, from_s: float, to_s: float) -> Recovery:
    """Judge a ramp of the sun that began at `from_s` and ended at `to_s`. [s]"""
    columns = loop.trace.columns()
    times = columns["t_s"]
    before, after = times.index(from_s), times.index(to_s)
    roofs = [columns[f"device.{name}.p_w"] for name in loop.physics.street.sun]
    deviations, plans = [], []
    for at in range(before, len(times)):
        plan_w = _plan_w(loop, times[at])
        plans.append(plan_w)
        deviations.append(columns["feeder.head_p_w"][at] - plan_w)
    off = [
        before + k
        for k, (deviation, plan) in enumerate(zip(deviations, plans, strict=True))
        if abs(deviation) > WITHIN * abs(plan)
    ]
    back = max(off, default=before - 1) + 1
    return Recovery(
        lost_w=sum(roof[before] - roof[-1] for roof in roofs),
        plan_w=min(map(abs, plans)),
        periods=float(back - after) if back < len(times) else inf,
        period_s=columns["dt_s"][after],
        worst_w=max(map(abs, deviations)),
    )


def _plan_w(loop: Loop, t_s: float) -> float:
    """Return what all but the main grid bought less sold for the period of a time, as a mean."""
    head = loop.account.head
    for cleared in loop.trading.cleared:
        if cleared.period.start_s <= t_s < cleared.period.end_s:
            signed = {"bid": 1, "offer": -1}
            energy = sum(
                signed[trade.side] * trade.energy_milliwh
                for trade in cleared.trades
                if trade.participant != head
            )
            return energy / 1000 / cleared.period.hours
    return 0.0
