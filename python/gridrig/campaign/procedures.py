"""Test procedures: what they claim, their criteria, their mutants, and how one is executed.

A procedure is an async function in a pytest file under `hil/`. Its verdict comes from what it
recorded, not from pytest: a criterion whose measurement was not recorded is INCONCLUSIVE, an
exception is ERROR. Each procedure names mutants, changes to one emulated device that it must FAIL.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gridrig.campaign.lab import LAB_DAY_UTC_S, Lab, open_lab
from gridrig.campaign.measurements import Criterion, Measurement, Outcome, RunVerdicts, judge_all
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.errors import CampaignError, GridrigError
from gridrig.rig.description import Rig, override_emulate
from gridrig.rig.safe_end import SafeReport

__all__ = ["Criterion", "Lab", "Mutant", "Procedure", "execute", "procedure"]


@dataclass(frozen=True)
class Mutant:
    """A device that is wrong on purpose.

    Parameters
    ----------
    name : str
        What is wrong, in a few words.
    device : str
        Whose emulate table is changed.
    emulate : mapping
        The changed keys.
    caught_by : str
        The criterion that must FAIL.
    """

    name: str
    device: str
    emulate: Mapping[str, Any]
    caught_by: str


@dataclass(frozen=True)
class Procedure:
    """A test procedure with all that must stand beside it."""

    name: str
    claim: str
    clause: str
    hazards: str
    rig: str
    needs: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    mutants: tuple[Mutant, ...]
    body: Callable[[Lab], Awaitable[None]]


def procedure(
    *,
    claim: str,
    clause: str,
    hazards: str,
    rig: str,
    needs: tuple[str, ...],
    criteria: tuple[Criterion, ...],
    mutants: tuple[Mutant, ...],
) -> Callable[[Callable[[Lab], Awaitable[None]]], Callable[[], None]]:
    """Declare an async function a test procedure.

    Parameters
    ----------
    claim : str
        What a PASS says.
    clause : str
        The clause or agreement it checks.
    hazards : str
        What can go wrong on a real bench.
    rig : str
        Built-in rig it runs on when none is named.
    needs : tuple of str
        Capabilities the rig must have: "inverter", "storage", "bms", "meter", and "model" where
        the procedure drives the modelled world.
    criteria : tuple of Criterion
        What is judged.
    mutants : tuple of Mutant
        At least two; each must be caught by one of the criteria.

    Raises
    ------
    CampaignError
        If it could not fail: no criteria, fewer than two mutants, or one that nothing catches.
    """
    names = {criterion.name for criterion in criteria}
    uncaught = [mutant.name for mutant in mutants if mutant.caught_by not in names]
    if not criteria or len(mutants) < 2 or uncaught:
        raise CampaignError(
            "campaign.procedure_cannot_fail",
            "a procedure needs criteria ({criteria}) and two mutants ({mutants}), each caught by "
            "one of the criteria (not caught: {uncaught})",
            criteria=len(criteria),
            mutants=len(mutants),
            uncaught=uncaught,
        )

    def declare(body: Callable[[Lab], Awaitable[None]]) -> Callable[[], None]:
        def needs_a_rig() -> None:
            import pytest

            pytest.skip("a test procedure: run it with gridrig test, or pytest --rig RIG")

        needs_a_rig.__name__ = body.__name__
        needs_a_rig.__doc__ = body.__doc__
        needs_a_rig.procedure = Procedure(  # type: ignore[attr-defined]
            body.__name__, claim, clause, hazards, rig, needs, criteria, mutants, body
        )
        return needs_a_rig

    return declare


def missing_capabilities(tested: Procedure, rig: Rig) -> list[str]:
    """Return what the procedure needs and the rig has not."""
    has = {device.capability for device in rig.devices}
    modelled = all(device.emulated for device in rig.devices)
    return [need for need in tested.needs if need not in has and not (need == "model" and modelled)]


def execute(tested: Procedure, rig: Rig, mutant: Mutant | None = None) -> RunVerdicts:
    """Execute a procedure once, on a fresh bench, and judge what it recorded."""
    if mutant is not None:
        rig = override_emulate(rig, mutant.device, mutant.emulate)
    recorded: list[Measurement] = []
    ended, cause = Outcome.PASS, ""
    safe: list[SafeReport] = []

    async def main(clock: Clock) -> None:
        async with open_lab(rig, clock, recorded, safe) as lab:
            await tested.body(lab)

    go = run_virtual if rig.clock == "virtual" else run_wall
    try:
        go(main, start_utc_s=LAB_DAY_UTC_S)
    except (KeyboardInterrupt, asyncio.CancelledError):
        ended, cause = Outcome.ABORTED, "interrupted"
    except GridrigError as error:
        ended, cause = Outcome.ERROR, str(error)
    except Exception as error:  # a procedure that breaks is an ERROR, whatever broke
        ended, cause = Outcome.ERROR, repr(error)
    return RunVerdicts(
        title=f"{tested.name}{f' [{mutant.name}]' if mutant else ''}",
        verdicts=judge_all(tested.criteria, recorded, ended=ended, cause=cause),
        ended=ended,
        cause=cause,
        devices_end=safe[-1].devices if safe else {},
        left_unsafe=tuple(safe[-1].left_unsafe) if safe else (),
    )
