"""The grid operator's switching plan: what to close and open before a forecast overload comes.

A plan keeps the feeder radial and leaves nobody without supply who has it. Its moves are exchanges
(a tie closes, a branch of the ring that it made opens) and, where a branch is lost, ties that
reach who is dark. Closing comes before opening, so nobody is interrupted; for that moment the ring
is closed. If no plan within the given number of moves keeps the limits, loads are shed by stage, as
few as do, and the plan says so.

Every state is judged by power flow at every moment that is forecast. The search is a beam: all
single moves, then all second moves from the best of the first. It finds the best plan of one move
always, of more moves not necessarily.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from gridrig.errors import GridError, MindError
from gridrig.grid import Feeder, Finding, Limits, findings
from gridrig.grid.network import Network, line_key
from gridrig.grid.rings import branch_ends, ring_count, way_between
from gridrig.grid.switching import require_branch

BEAM = 6
MOVES_MAX = 2


class Moment(NamedTuple):
    """What is forecast to go in at each point at one time, positive into the grid. [W], [var]"""

    p_w: Mapping[str, float]
    q_var: Mapping[str, float]


class Step(NamedTuple):
    """One branch to close or to open."""

    branch: str
    closed: bool

    def text(self) -> str:
        """Return the step as one line for people."""
        return f"{'close' if self.closed else 'open'} {self.branch}"


@dataclass(frozen=True)
class Sight:
    """What a state of the switches leads to.

    Parameters
    ----------
    findings : tuple of Finding
        The worst of each element over all moments.
    loading_percent : float
        Of the most loaded branch over all moments. [%]
    losses_w : float
        Of the moment with the most. [W]
    unsupplied_w : float
        Load at dead buses, at the moment with the most. [W]
    """

    findings: tuple[Finding, ...]
    loading_percent: float
    losses_w: float
    unsupplied_w: float

    @property
    def severity(self) -> tuple[float, float]:
        """How far from what is asked: unsupplied load first, then all excess over limits."""
        excess = (abs(one.value - one.limit) / one.limit for one in self.findings)
        return self.unsupplied_w, sum(excess)


@dataclass(frozen=True)
class Plan:
    """What to do, in order, and what it leads to.

    Parameters
    ----------
    steps : tuple of Step
    shed : tuple of str
        Points whose load is switched off, the first stage first.
    shed_w : float
        Their load at the moment with the most. [W]
    before, after : Sight
    solved : int
        Power flows that it took to find.
    """

    steps: tuple[Step, ...]
    shed: tuple[str, ...]
    shed_w: float
    before: Sight
    after: Sight
    solved: int

    @property
    def feasible(self) -> bool:
        """Whether every limit is kept and everybody who is not shed is supplied."""
        return not self.after.findings


@dataclass
class _Search:
    """States of one feeder's switches, each judged once; the feeder is left as it was found."""

    feeder: Feeder
    ahead: Sequence[Moment]
    limits: Limits
    usable: frozenset[str]
    solved: int = 0
    _seen: dict[tuple[frozenset[str], tuple[str, ...]], Sight] = field(default_factory=dict)

    def sight(self, out: frozenset[str], shed: tuple[str, ...] = ()) -> Sight:
        key = (out, shed)
        if key not in self._seen:
            self._seen[key] = self._judged(out, shed)
        return self._seen[key]

    def _judged(self, out: frozenset[str], shed: tuple[str, ...]) -> Sight:
        self.set(out)
        worst: dict[tuple[str, str], Finding] = {}
        loading, losses, unsupplied = 0.0, 0.0, 0.0
        for moment in self.ahead:
            p_w = {point: 0.0 if point in shed else p for point, p in moment.p_w.items()}
            q_var = {point: 0.0 if point in shed else q for point, q in moment.q_var.items()}
            self.solved += 1
            try:
                solution = self.feeder.solve(p_w, q_var)
            except GridError as error:
                if error.code not in ("grid.not_converged", "grid.voltage_range"):
                    raise
                return Sight((_collapse(self.limits),), inf, inf, 0.0)
            dead = set(solution.dead)
            unsupplied = max(unsupplied, sum(max(0.0, -p_w.get(bus, 0.0)) for bus in dead))
            losses = max(losses, solution.losses_w)
            for array in (solution.line_loading_percent, solution.trafo_loading_percent):
                loading = max(loading, float(array.max(initial=0.0)))
            for one in findings(solution, self.limits):
                # A dead bus at which nobody draws is no concern of a plan.
                if one.kind == "dead_bus" and not p_w.get(one.element):
                    continue
                held = worst.get((one.kind, one.element))
                if held is None or abs(one.value - one.limit) > abs(held.value - held.limit):
                    worst[one.kind, one.element] = one
        return Sight(tuple(worst.values()), loading, losses, unsupplied)

    def set(self, out: frozenset[str]) -> None:
        now = self.feeder.out
        for branch in sorted(now - out):
            self.feeder.switch(branch, closed=True)
        for branch in sorted(out - now):
            self.feeder.switch(branch, closed=False)

    def moves(self, out: frozenset[str]) -> Iterator[tuple[Step, ...]]:
        """Yield every move from a state: a tie that reaches who is dark, or an exchange."""
        network = self.feeder.network
        live = network.reachable([source.bus for source in network.sources], out)
        for tie in sorted(out & self.usable):
            one, other = branch_ends(network)[tie]
            if (one in live) != (other in live):
                yield (Step(tie, closed=True),)
            elif one in live:
                for branch in way_between(network, one, other, out):
                    if branch in self.usable:
                        yield (Step(tie, closed=True), Step(branch, closed=False))


def plan_switching(
    feeder: Feeder,
    ahead: Sequence[Moment],
    *,
    limits: Limits | None = None,
    usable: Collection[str] | None = None,
    stages: Mapping[str, int] | None = None,
    moves_max: int = MOVES_MAX,
) -> Plan:
    """Find what to switch so that limits are kept at every moment ahead.

    Parameters
    ----------
    feeder : Feeder
        As it is now; a model of its own, for it is switched while the plan is sought.
    ahead : sequence of Moment
        Forecast injections; at least one moment.
    limits : Limits or None
        Those of the feeder; None for `Limits()`.
    usable : collection of str or None
        Branches that may be switched, `line:<name>` or `trafo:<name>`; None is every line.
    stages : mapping of str to int or None
        When a point's load may be shed: stage 1 goes first; a point that is not named never.
    moves_max : int
        How many moves a plan may have.

    Returns
    -------
    Plan
        The one with the fewest moves that keeps all limits, of those the one with the lowest
        loading; else the one that sheds least; else the least bad, with what is still wrong in
        `after`.

    Raises
    ------
    MindError
        `switching.nothing_ahead`, or `switching.not_radial` if there is a ring already.
    GridError
        `grid.branch_unknown` for a branch in `usable` that the network lacks.
    """
    network = feeder.network
    if not ahead:
        raise MindError("switching.nothing_ahead", "no moment is forecast, expected at least one")
    names = [line_key(line.name) for line in network.lines] if usable is None else usable
    for branch in names:
        require_branch(network, branch)
    found = feeder.out
    _require_radial(network, found)
    search = _Search(feeder, ahead, limits or Limits(), frozenset(names) - {feeder.pcc_branch})
    try:
        return _sought(search, found, stages or {}, moves_max)
    finally:
        search.set(found)


def _sought(
    search: _Search, found: frozenset[str], stages: Mapping[str, int], moves_max: int
) -> Plan:
    before = search.sight(found)
    states: dict[frozenset[str], tuple[Step, ...]] = {found: ()}
    beam = [found]
    for depth in range(moves_max + 1):
        good = [out for out in beam if not search.sight(out).findings]
        if good:
            best = min(good, key=lambda out: (search.sight(out).loading_percent, sorted(out)))
            return Plan(states[best], (), 0.0, before, search.sight(best), search.solved)
        if depth == moves_max:
            break
        new: list[frozenset[str]] = []
        for out in beam:
            for steps in search.moves(out):
                closed = {step.branch for step in steps if step.closed}
                after = (out - closed) | {step.branch for step in steps if not step.closed}
                if after not in states:
                    states[after] = _merged(states[out], steps)
                    new.append(after)
        if not new:
            break
        new.sort(key=lambda out: (search.sight(out).severity, sorted(out)))
        beam = [out for out in new if not search.sight(out).findings] or new[:BEAM]
    ranked = sorted(states, key=lambda out: (search.sight(out).severity, len(states[out])))
    plans = [_shed(search, out, states[out], before, stages) for out in ranked[:BEAM]]
    return min(plans, key=lambda plan: (plan.after.severity, plan.shed_w, len(plan.steps)))


def _merged(first: tuple[Step, ...], then: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return moves one after the other; what is done and undone again is left out."""
    back = {step.branch for step in then} & {step.branch for step in first}
    if not back:
        return (*first, *then)
    kept = [step for step in (*first, *then) if step.branch not in back]
    return tuple(sorted(kept, key=lambda step: not step.closed))


def _shed(
    search: _Search,
    out: frozenset[str],
    steps: tuple[Step, ...],
    before: Sight,
    stages: Mapping[str, int],
) -> Plan:
    """Shed by stage until the limits are kept, then give back whoever need not be shed."""
    drawn = {
        point: max(max(0.0, -moment.p_w.get(point, 0.0)) for moment in search.ahead)
        for point in stages
    }
    order = sorted((p for p in stages if drawn[p] > 0.0), key=lambda p: (stages[p], -drawn[p], p))
    shed: tuple[str, ...] = ()
    for point in order:
        if not search.sight(out, shed).findings:
            break
        shed = (*shed, point)
    for point in reversed(shed):
        without = tuple(one for one in shed if one != point)
        if search.sight(out, without).severity <= search.sight(out, shed).severity:
            shed = without
    after = search.sight(out, shed)
    return Plan(steps, shed, sum(drawn[p] for p in shed), before, after, search.solved)


def _require_radial(network: Network, out: Collection[str]) -> None:
    if rings := ring_count(network, out):
        raise MindError(
            "switching.not_radial",
            "{network} has {rings} rings as it is, expected none: open a branch of each first",
            network=network.name,
            rings=rings,
        )


def _collapse(limits: Limits) -> Finding:
    """Return the finding for a state in which the load has no voltage to live with."""
    return Finding("undervoltage", "the feeder", 0.0, limits.v_min_pu, "pu")
