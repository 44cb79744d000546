"""Criteria of the promises' procedures, as tampering tests see them fail.

A criterion that no wrong device fails needs a test that alters what it looks at. Such a test calls
`assert_fails` with what the judge then came to, or `assert_fails_alone` with what the procedure's
own body recorded of a run that was altered afterwards. Both judge by the limit that the procedure
states, and both name the criterion: `test_promise_criteria` finds them by these names.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from gridrig.campaign.builtin import PROCEDURES
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Criterion, Measurement, Verdict, judge, judge_all
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.procedures import Procedure

FOLDER = PROCEDURES / "promises"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("test_*.py")))


def module_of(name: str) -> Any:
    """Load the file of a procedure anew; what a test changes in it stays with that test."""
    spec = spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def procedure_of(name: str) -> Procedure:
    found: Procedure = vars(module_of(name))[name].procedure
    return found


def meant_by(name: str) -> Iterator[tuple[str, Criterion]]:
    """Yield procedure and criterion of "procedure.criterion".

    A measurement of the catalogue is the same wherever it is judged, so it may stand alone for all
    procedures that have it.
    """
    of_procedure, _, criterion = name.rpartition(".")
    assert of_procedure or criterion in CATALOGUE, f"say of which procedure {name} is"
    for procedure in [of_procedure] if of_procedure else NAMES:
        for one in procedure_of(procedure).criteria:
            if one.name == criterion:
                yield procedure, one


def outcomes(value: float | None, name: str) -> dict[str, Outcome]:
    found = {
        procedure: judge(one, Measurement(one.name, one.unit, value)).outcome
        for procedure, one in meant_by(name)
    }
    assert found, f"no procedure has {name}"
    return found


def assert_fails(value: float | None, *names: str) -> None:
    """Check that what a judge came to is a FAIL of criteria, by their own limits."""
    for name in names:
        assert set(outcomes(value, name).values()) == {Outcome.FAIL}, (name, value)


def assert_passes(value: float | None, *names: str) -> None:
    for name in names:
        assert set(outcomes(value, name).values()) == {Outcome.PASS}, (name, value)


class RecordingLab:
    """A lab that has nothing but what a procedure records."""

    def __init__(self) -> None:
        self.recorded: list[Measurement] = []

    def record(
        self, name: str, unit: str, value: float | None, uncertainty: float = 0.0, note: str = ""
    ) -> None:
        self.recorded.append(Measurement(name, unit, value, uncertainty, note))


class KeptLab(RecordingLab):
    """A lab whose runs are over: it gives the kept loops in turn, and what was told at the end."""

    def __init__(self, loops: Sequence[Loop], told: Any = None) -> None:
        super().__init__()
        self.rig, self.clock, self.told = loops[0].physics.street.rig, loops[0].clock, told
        self._loops = iter(loops)

    async def run_loop(self, *_: object) -> Loop:
        return next(self._loops)

    def driver(self, _: str) -> "KeptLab":
        return self

    async def read(self) -> Any:
        return self.told


def verdicts_of(name: str, *loops: Loop, told: Any = None) -> tuple[Verdict, ...]:
    """Let a procedure's own body judge runs that are over."""
    tested = procedure_of(name)
    lab: Any = KeptLab(loops, told)
    asyncio.run(tested.body(lab))  # type: ignore[arg-type]
    return judge_all(tested.criteria, lab.recorded)


def values_of(name: str, *loops: Loop) -> dict[str, float | None]:
    """Return what a procedure's own body measures of runs that are over, by criterion."""
    return {v.criterion.name: v.value for v in verdicts_of(name, *loops)}


class Unpassed(dict[str, Outcome]):
    """What did not pass, by criterion, of one procedure."""

    def __init__(self, procedure: str, found: Iterable[Verdict]) -> None:
        super().__init__((v.criterion.name, v.outcome) for v in found if v.outcome != Outcome.PASS)
        self.procedure = procedure


def not_passed(name: str, *loops: Loop, told: Any = None) -> Unpassed:
    """Return what does not pass by a procedure's own body of runs that are over, by criterion."""
    return Unpassed(name, verdicts_of(name, *loops, told=told))


async def not_passed_in(name: str, lab: Any) -> Unpassed:
    """Return what does not pass by what a procedure's own body records in a lab, by criterion."""
    tested = procedure_of(name)
    await tested.body(lab)
    return Unpassed(name, judge_all(tested.criteria, lab.recorded))


def assert_fails_alone(
    found: Unpassed, name: str, beside: Mapping[str, Outcome] | None = None
) -> None:
    """Check that of a procedure's criteria "procedure.criterion" failed and no other.

    `beside` is what did not pass before the run was altered: nothing, unless the run that is judged
    is another one than the procedure's own.
    """
    procedure, _, criterion = name.rpartition(".")
    assert found.procedure == procedure
    assert criterion not in (beside or {})
    assert found == {**(beside or {}), criterion: Outcome.FAIL}
