"""How well a run on the wall clock kept its times, and whether that was well enough.

Every tick has an absolute deadline, so that lateness never adds up. A tick's *jitter* is how late
it began after that. Its *deadline is missed* if its work was not done when the next one was due:
then what was read and written no longer belongs to the time it is recorded at. A run past its
budget is invalid: INCONCLUSIVE at best, with the reason named, whatever its criteria say.

On the virtual clock time stands still while work is done; there is nothing to judge.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from gridrig.rig.schema import NotNegative, at_least

# Upper edges of the histogram: a third of a decade each, the last bin is open. [s]
EDGES_S = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
NAMED_MAX = 100  # missed deadlines that are listed one by one


@dataclass(frozen=True)
class TimingBudget:
    """What a run on the wall clock must keep: the scenario's table `[timing]`.

    Parameters
    ----------
    missed_deadlines_max : int
        Ticks whose work may end after the next one was due.
    jitter_s_max : float or None
        How late a tick may begin; None for no bound of its own. [s]
    jitter_p99_s_max : float or None
        The same for all but one tick in a hundred. [s]
    """

    missed_deadlines_max: Annotated[int, at_least(0)] = 0
    jitter_s_max: NotNegative | None = None
    jitter_p99_s_max: NotNegative | None = None


@dataclass(frozen=True)
class Missed:
    """A tick whose work ended late: when it was due to begin, and how late it ended. [s]"""

    t_s: float
    late_s: float


@dataclass
class TickTimes:
    """When ticks began and ended beside when they should have, in their order."""

    jitter_s: list[float] = field(default_factory=list)
    work_s: list[float] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)

    def began(self, late_s: float) -> None:
        """Note a tick that began so late. [s]"""
        self.jitter_s.append(late_s)

    def ended(self, t_s: float, dt_s: float, now_s: float) -> None:
        """Note the end of the tick that was due at `t_s` and lasts `dt_s`. [s]"""
        self.work_s.append(now_s - t_s - self.jitter_s[-1])
        late_s = now_s - (t_s + dt_s)
        if late_s > 0:
            self.missed.append(Missed(t_s, late_s))

    def jitter_p_s(self, share: float) -> float | None:
        """Return the jitter that a share of the ticks did not exceed; None without a tick. [s]"""
        return _share_of(self.jitter_s, share)

    def broken(self, budget: TimingBudget) -> list[str]:
        """Return each part of the budget that was not kept, for people."""
        reasons = []
        if len(self.missed) > budget.missed_deadlines_max:
            worst = max(self.missed, key=lambda missed: missed.late_s)
            reasons.append(
                f"{len(self.missed)} of {len(self.work_s)} ticks missed their deadline, allowed "
                f"are {budget.missed_deadlines_max}; the worst, at {worst.t_s:g} s, by "
                f"{worst.late_s:.3g} s"
            )
        for name, limit_s, share in (
            ("jitter", budget.jitter_s_max, 1.0),
            ("99 % of jitter", budget.jitter_p99_s_max, 0.99),
        ):
            found_s = self.jitter_p_s(share)
            if limit_s is not None and found_s is not None and found_s > limit_s:
                reasons.append(f"{name} is up to {found_s:.3g} s, allowed are {limit_s:g} s")
        return reasons

    def histogram(self) -> list[int]:
        """Return how many ticks had a jitter up to each of `EDGES_S`, and beyond the last."""
        counts = [0] * (len(EDGES_S) + 1)
        for late_s in self.jitter_s:
            counts[next((i for i, edge in enumerate(EDGES_S) if late_s <= edge), len(EDGES_S))] += 1
        return counts

    def to_json(self, budget: TimingBudget) -> dict[str, Any]:
        """Return the content of `timing.json`. Times in seconds."""
        return {
            "ticks": len(self.work_s),
            "missed_deadlines": len(self.missed),
            "missed": [vars(missed) for missed in self.missed[:NAMED_MAX]],
            "jitter_s": _shares(self.jitter_s),
            "work_s": _shares(self.work_s),
            "jitter_histogram": {"up_to_s": list(EDGES_S), "ticks": self.histogram()},
            "budget": vars(budget),
            "broken": self.broken(budget),
        }


@contextmanager
def memory_at_rest() -> Iterator[None]:
    """Keep the garbage collector off what is there already while times are to be kept.

    A network, its profiles and their libraries are millions of objects that stay; to walk them all
    takes longer than many a tick. What comes to be inside is collected as ever.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _share_of(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _shares(values: Sequence[float]) -> dict[str, float | None]:
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {name: _share_of(values, share) for name, share in shares.items()}
