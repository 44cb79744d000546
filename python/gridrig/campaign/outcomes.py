"""Outcomes, which of two is the worse, and the exit code of each."""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """What a criterion or a run came to; members are ordered from best to worst."""

    PASS = "PASS"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    UNSAFE = "UNSAFE"  # of a run only: the rig was not left in its safe state

    @property
    def exit_code(self) -> int:
        """Return the exit code of a command that ends with this outcome."""
        return EXIT_CODES[self]


EXIT_CODES: Mapping[Outcome, int] = {
    Outcome.PASS: 0,
    Outcome.FAIL: 1,
    Outcome.INCONCLUSIVE: 3,
    Outcome.ERROR: 4,
    Outcome.ABORTED: 5,
    Outcome.UNSAFE: 6,
}
USAGE_EXIT_CODE = 2  # command line or file wrong, or nothing collected: there was no run to judge

_SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of the outcomes; ERROR if there is none, for nothing was judged.

    >>> worst([Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE]).exit_code
    1
    """
    return max(outcomes, key=_SEVERITY.__getitem__, default=Outcome.ERROR)
