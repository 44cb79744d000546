"""What the loss of any one device or branch does to a feeder, and what its operator can do then."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.grid import Feeder, Finding, Limits, findings
from gridrig.grid.network import line_key
from gridrig.minds.switching import Moment, Plan, plan_switching


@dataclass(frozen=True)
class Outage:
    """One device or branch lost.

    Parameters
    ----------
    name : str
        Of the device, or `line:<name>`.
    v_change_pu : float
        Largest change of voltage of any point that is still supplied. [pu]
    at : str
        Where that is.
    unsupplied_w : float
        Load of the points that are dead then. [W]
    head_change_w : float
        What the main grid delivers more than before. [W]
    findings : tuple of Finding
        What is outside its limit then.
    plan : Plan
        What to switch; empty of steps if nothing is wrong or nothing helps.
    """

    name: str
    v_change_pu: float
    at: str
    unsupplied_w: float
    head_change_w: float
    findings: tuple[Finding, ...]
    plan: Plan


def outages_of(
    feeder: Feeder,
    moment: Moment,
    *,
    limits: Limits | None = None,
    devices: Mapping[str, tuple[str, float, float]] | None = None,
    branches: Sequence[str] | None = None,
    usable: Collection[str] | None = None,
    stages: Mapping[str, int] | None = None,
) -> list[Outage]:
    """Lose each device and each branch in turn, the feeder otherwise as it is.

    Parameters
    ----------
    feeder : Feeder
        A model of its own; it is left as it was found.
    moment : Moment
        What goes in at each point without the devices.
    limits : Limits or None
        Those of the feeder; None for `Limits()`.
    devices : mapping of str to (str, float, float), optional
        Point and power of each device, positive into the grid. [W], [var]
    branches : sequence of str or None
        Which branches; None is every line in service except the PCC.
    usable : collection of str or None
        Branches that may be switched, as `plan_switching` takes them; never the one that is lost.
    stages : mapping of str to int, optional
        As `plan_switching` takes them.
    """
    limits = limits or Limits()
    held = dict(devices or {})
    lines = [line_key(line.name) for line in feeder.network.lines]
    in_service = [key for key in lines if key not in feeder.out and key != feeder.pcc_branch]
    whole = _with(moment, held)
    before = feeder.solve(*whole)
    cases = [(name, _with(moment, {k: v for k, v in held.items() if k != name})) for name in held]
    cases += [(branch, whole) for branch in (in_service if branches is None else branches)]
    found = []
    for name, then in cases:
        is_branch = name not in held
        if is_branch:
            feeder.switch(name, closed=False)
        after = feeder.solve(*then)
        change = np.abs(after.v_pu - before.v_pu)
        dead = set(after.dead)
        change[[bus in dead for bus in after.buses]] = 0.0
        place = int(change.argmax())
        left = [key for key in (lines if usable is None else usable) if key != name]
        plan = plan_switching(feeder, [then], limits=limits, usable=left, stages=stages)
        found.append(
            Outage(
                name,
                float(change[place]),
                after.buses[place],
                sum(max(0.0, -then.p_w.get(bus, 0.0)) for bus in dead),
                after.head_p_w - before.head_p_w,
                tuple(findings(after, limits)),
                plan,
            )
        )
        if is_branch:
            feeder.switch(name, closed=True)
    return found


def _with(moment: Moment, devices: Mapping[str, tuple[str, float, float]]) -> Moment:
    p_w, q_var = dict(moment.p_w), dict(moment.q_var)
    for point, p, q in devices.values():
        p_w[point] = p_w.get(point, 0.0) + p
        q_var[point] = q_var.get(point, 0.0) + q
    return Moment(p_w, q_var)
