"""What a case of the catalogue is, and what it came to."""

import ast
import inspect
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridrig.campaign.measurements import Criterion, Outcome, Verdict, worst
from gridrig.conformance.code_blocks import digest

if TYPE_CHECKING:
    from gridrig.conformance.stand import Stand

CATALOGUE_VERSION = "1.0"
INVERTERS = ("inverter", "storage")
EVERY = ("inverter", "storage", "bms", "meter", "heat_pump")
# What every case measures, whatever else: the driver must come through.
CRASHES, HANGS = "crashes", "calls_without_end"
UNNAMED, FAILED = "errors_unnamed", "calls_failed"

Run = Callable[["Stand"], Awaitable[None]]


class NotApplicable(Exception):
    """The case does not concern this driver or device; the text says why."""


class CaseOver(Exception):
    """The case has seen enough: what it still wanted to measure is not measured."""


def at_most(name: str, unit: str, most: float) -> Criterion:
    """Return a limit of the catalogue from above."""
    return Criterion(name, unit, max=most, source=f"gridrig catalogue {CATALOGUE_VERSION}")


def at_least(name: str, unit: str, least: float) -> Criterion:
    """Return a limit of the catalogue from below."""
    return Criterion(name, unit, min=least, source=f"gridrig catalogue {CATALOGUE_VERSION}")


@dataclass(frozen=True)
class Case:
    """One case of the catalogue.

    Parameters
    ----------
    id : str
        Stable name, never reused for another thing.
    version : int
        One more whenever stimulus or limits change.
    of : tuple of str
        Capabilities it concerns.
    title, why, stimulus, not_covered : str
        What must hold; the clause or reason; what is done; what is not shown by it.
    limits : tuple of Criterion
        What is measured and accepted.
    run : callable
        Does it.
    may_fail : bool
        Whether a call may fail by name; else one that fails breaks the limit on `calls_failed`.
    alone : bool
        Whether it measures time or memory, so that no other case runs beside it.
    opens : bool
        Whether the driver is made and opened before it begins.
    """

    id: str
    version: int
    of: tuple[str, ...]
    title: str
    why: str
    stimulus: str
    not_covered: str
    limits: tuple[Criterion, ...]
    run: Run
    may_fail: bool = False
    alone: bool = False
    opens: bool = True

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Its own limits and those of every case."""
        always = [at_most(CRASHES, "1", 0), at_most(HANGS, "1", 0), at_most(UNNAMED, "1", 0)]
        if not self.may_fail:
            always.append(at_most(FAILED, "1", 0))
        return (*self.limits, *always)

    @property
    def digest(self) -> str:
        """Tell this case from another version of it: what is said, what is done, what is allowed.

        What it shares with the other cases of its file counts for each of them; comments and
        layout do not count.
        """
        done = self.run if inspect.isfunction(self.run) else type(self.run)
        source = ast.dump(ast.parse(textwrap.dedent(inspect.getsource(done))))
        source += _support(inspect.getsourcefile(done) or "")
        said = (self.id, self.of, self.may_fail, self.alone, self.opens, self.criteria, source)
        return digest(repr(said).encode())


@cache
def _support(file: str) -> str:
    """Return what the cases of a file share: all of it but imports and the cases themselves."""
    kept = []
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        decorators = getattr(node, "decorator_list", [])
        names = {ast.unparse(one.func) for one in decorators if isinstance(one, ast.Call)}
        list_of_all = isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "CASES"
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        imports = isinstance(node, ast.Import | ast.ImportFrom)
        if not (imports or text or list_of_all or "case" in names):
            kept.append(ast.dump(node))
    return "\n".join(kept)


def case(
    id: str,
    version: int,
    of: Sequence[str],
    *,
    title: str,
    why: str,
    stimulus: str,
    not_covered: str,
    limits: Sequence[Criterion] = (),
    may_fail: bool = False,
    alone: bool = False,
    opens: bool = True,
) -> Callable[[Run], Case]:
    """Make a case of a function; see `Case`."""

    def of_function(run: Run) -> Case:
        said = (id, version, tuple(of), title, why, stimulus, not_covered, tuple(limits))
        return Case(*said, run, may_fail=may_fail, alone=alone, opens=opens)

    return of_function


@dataclass(frozen=True)
class CaseResult:
    """What a case came to.

    Parameters
    ----------
    case : Case
        Which one.
    verdicts : tuple of Verdict
        One a criterion; empty if it does not apply or was not run.
    not_applicable, not_run : str
        Why there are none.
    notes : tuple of str
        What a reader must know: the first wrong values, the errors that were no `DriverError`.
    duration_s : float
        By the clock. [s]
    identity : dict
        Who the device said it is, if it was asked.
    ran : dict
        The code blocks that ran, by file, and the versions of what was loaded.
    """

    case: Case
    verdicts: tuple[Verdict, ...] = ()
    not_applicable: str = ""
    not_run: str = ""
    notes: tuple[str, ...] = ()
    duration_s: float = 0.0
    identity: dict[str, str] = field(default_factory=dict)
    ran: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome | None:
        """The worst of its verdicts; None if it does not apply."""
        if self.not_applicable:
            return None
        if self.not_run:
            return Outcome.INCONCLUSIVE
        return worst(verdict.outcome for verdict in self.verdicts)

    @property
    def broken(self) -> list[str]:
        """Names of the limits that were not kept."""
        return [v.criterion.name for v in self.verdicts if v.outcome is not Outcome.PASS]
