"""Test procedures: what they claim, their criteria, their mutants, and how one is executed.

A procedure is an async function in a pytest file under `hil/`. Its verdict comes from what it
recorded, not from pytest: a criterion whose measurement was not recorded is INCONCLUSIVE, an
exception is ERROR. Each procedure names mutants, changes to one emulated device that it must FAIL.
"""

import asyncio
import contextlib
import inspect
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridrig.campaign.execution_records import ExecutionRecords
from gridrig.campaign.island_shown import IslandShown
from gridrig.campaign.lab import LAB_DAY_UTC_S, Lab, open_lab
from gridrig.campaign.measurements import Criterion, Measurement, Outcome, judge_all
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.setting_labels import Labelled, applied_labels
from gridrig.campaign.stopping import Stop
from gridrig.campaign.timing import TickTimes, TimingBudget, memory_at_rest
from gridrig.campaign.walked import Walked
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.clock.wall_time import utc_now
from gridrig.devices.capabilities import Identity
from gridrig.devices.capture.frame_count import counting_frames
from gridrig.devices.capture.recorder import recording
from gridrig.errors import CampaignError, GridrigError, RigError
from gridrig.rig.calibration import not_traceable, overdue
from gridrig.rig.description import Rig, override_emulate
from gridrig.rig.safe_end import SafeReport
from gridrig.rig.watchdog import needs_watchdog
from gridrig.stop_signals import given_back

__all__ = ["Criterion", "Execution", "Lab", "Mutant", "Procedure", "execute", "procedure"]

MUTANTS_MIN = 2


@dataclass(frozen=True)
class Mutant:
    """A device that is wrong on purpose.

    Parameters
    ----------
    name : str
        What is wrong, in a few words.
    device : str
        Whose emulate table is changed: a device's or fleet's name, or a capability for the first
        that has it.
    emulate : mapping
        The changed keys.
    caught_by : str
        The criterion that must FAIL.
    """

    name: str
    device: str
    emulate: Mapping[str, Any]
    caught_by: str

    def device_of(self, rig: Rig) -> str | None:
        """Return the name of the device it changes, None if the rig has no emulated such one."""
        for device in rig.devices:
            if self.device in (device.name, device.capability):
                return device.name if device.emulated else None
        return self.device if self.device in {fleet.name for fleet in rig.fleets} else None


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
    start_utc_s: int = LAB_DAY_UTC_S


@dataclass(frozen=True)
class Effort:
    """What an execution took.

    Parameters
    ----------
    duration_s : float
        By the bench's own clock. [s]
    polls : int
        How often a device or an instrument was asked what it does.
    frames : int
        Requests of any kind on all wires.
    """

    duration_s: float = 0.0
    polls: int = 0
    frames: int = 0


@dataclass(frozen=True)
class Execution:
    """What one execution of a procedure came to.

    Parameters
    ----------
    verdicts : RunVerdicts
        What was judged.
    identities : mapping of str to Identity
        Who each device said it is.
    trace_back : str
        Of the exception that ended it, if one did.
    is_unforeseen : bool
        Whether that exception is none of gridrig's own, whose sentence says all there is to say.
    effort : Effort
        What it took.
    applied : tuple of (str, float or str)
        The first inverter's settings as found, by label, if they were asked for.
    evaluated : tuple of (str, float or str)
        Settings that the procedure tried, by label.
    walked : tuple of Walked
        Traces of what was judged, each with its bands.
    islands : tuple of IslandShown
        Recordings of intentional islands, likewise.
    broken : str
        Why nothing more is to be tried on this bench: a real one that did not open or was left
        unsafe. Empty if there is no reason; an emulated bench is a new one each time.
    times : TickTimes or None
        How the steps in which time passed kept their deadlines; None on the virtual clock.
    """

    verdicts: RunVerdicts
    identities: Mapping[str, Identity] = field(default_factory=dict)
    trace_back: str = ""
    effort: Effort = Effort()
    applied: tuple[Labelled, ...] = ()
    evaluated: tuple[Labelled, ...] = ()
    walked: tuple[Walked, ...] = ()
    islands: tuple[IslandShown, ...] = ()
    broken: str = ""
    times: TickTimes | None = None
    is_unforeseen: bool = False


def procedure(
    *,
    claim: str,
    clause: str,
    hazards: str,
    rig: str,
    needs: tuple[str, ...],
    criteria: tuple[Criterion, ...],
    mutants: tuple[Mutant, ...],
    start_utc_s: int = LAB_DAY_UTC_S,
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
        Capabilities the rig must have: "inverter", "storage", "bms", "meter", "fleet" and so on,
        "model" where the procedure drives the modelled world, "category III" where it is for
        inverters of that category of abnormal operation.
    criteria : tuple of Criterion
        What is judged.
    mutants : tuple of Mutant
        At least two; each must be caught by one of the criteria.
    start_utc_s : int
        When it begins on a virtual clock, as the scenario it runs. [s since 1970]

    Raises
    ------
    CampaignError
        If it could not fail: no criteria, fewer than two mutants, one that nothing catches, or a
        function that is not async.
    """
    names = [criterion.name for criterion in criteria]
    uncaught = [mutant.name for mutant in mutants if mutant.caught_by not in names]
    different = len({mutant.name for mutant in mutants})
    if not criteria or different < max(MUTANTS_MIN, len(mutants)) or uncaught:
        raise CampaignError(
            "campaign.procedure_cannot_fail",
            "a procedure needs criteria ({criteria}) and two different mutants ({mutants}), each "
            "caught by one of the criteria (not caught: {uncaught})",
            criteria=len(criteria),
            mutants=different,
            uncaught=uncaught,
        )

    def declare(body: Callable[[Lab], Awaitable[None]]) -> Callable[[], None]:
        if not inspect.iscoroutinefunction(body):
            raise CampaignError(
                "campaign.procedure_not_async", "procedure {name} is not async", name=body.__name__
            )

        def needs_a_rig() -> None:
            import pytest

            pytest.skip("a test procedure: run it with gridrig test, or pytest --rig RIG")

        needs_a_rig.__name__ = body.__name__
        needs_a_rig.__doc__ = body.__doc__
        needs_a_rig.procedure = Procedure(  # type: ignore[attr-defined]
            body.__name__, claim, clause, hazards, rig, needs, criteria, mutants, body, start_utc_s
        )
        return needs_a_rig

    return declare


def missing_capabilities(tested: Procedure, rig: Rig) -> list[str]:
    """Return what the procedure needs and the rig has not."""
    has: set[str] = {device.capability for device in rig.devices}
    has |= {f"category {d.categories.abnormal}" for d in rig.devices if d.categories is not None}
    has |= {"fleet"} if rig.fleets else set()
    modelled = all(device.emulated for device in rig.devices)
    return [need for need in tested.needs if need not in has and not (need == "model" and modelled)]


def execute(
    tested: Procedure,
    rig: Rig,
    mutant: Mutant | None = None,
    capture: Path | None = None,
    *,
    repetitions: int = 1,
    read_settings: bool = False,
    kept: ExecutionRecords | None = None,
) -> Execution:
    """Execute a procedure once, on a fresh bench, and judge what it recorded.

    However it ends, the bench is driven to its safe state first. SIGINT, SIGTERM and SIGHUP end it
    as ABORTED; whatever it raises, `pytest.skip` included, ends it as ERROR. `capture` is the file
    its wires are recorded into; `capture.file_exists` ends it as ERROR before anything is opened.
    `repetitions` is how often the procedure tries what its standard wants to be repeated;
    `read_settings` has the first inverter's settings read before it begins; `kept` takes what
    happens, for the evidence.
    """
    if mutant is not None:
        rig = override_emulate(rig, mutant.device_of(rig) or mutant.device, mutant.emulate)
    recorded: list[Measurement] = []
    ended, cause, trace_back, broken, known = Outcome.PASS, "", "", "", True
    safe: list[SafeReport] = []
    stops: list[Stop] = []
    identities: dict[str, Identity] = {}
    took: list[Effort] = []
    applied: list[Labelled] = []
    evaluated: list[Labelled] = []
    walked: list[Walked] = []
    islands: list[IslandShown] = []
    times = TickTimes()

    async def main(clock: Clock) -> None:
        stops.append(stop := Stop())
        with _captured(capture, clock), counting_frames() as frames:
            async with open_lab(rig, clock, recorded, safe, on_stop=stop.because, kept=kept) as lab:
                frames.begin()
                identities.update(lab.bench.identities)
                lab.walked, lab.islands, lab.times = walked, islands, times
                lab.repetitions = repetitions
                if read_settings and any(d.capability == "inverter" for d in rig.devices):
                    applied.extend(await applied_labels(lab.driver(lab.name_of("inverter"))))
                begin_s = clock.now_s()
                try:
                    with memory_at_rest() if clock.kind == "wall" else contextlib.nullcontext():
                        await tested.body(lab)
                finally:
                    polls = sum(device.reads for device in lab.bench.devices.values())
                    took.append(Effort(clock.now_s() - begin_s, polls, frames.sent))
                    evaluated.extend(lab.tried_settings)

    go = run_virtual if rig.clock == "virtual" else run_wall
    try:
        with given_back():
            go(main, start_utc_s=tested.start_utc_s)
    except (KeyboardInterrupt, asyncio.CancelledError):
        ended, cause = Outcome.ABORTED, (stops[0].cause if stops else "") or "cancelled"
    except BaseException as error:  # a procedure that breaks is an ERROR, whatever broke
        ended = Outcome.ERROR
        known = isinstance(error, GridrigError)
        cause = str(error) if known else f"{type(error).__name__}: {error}"
        trace_back = "".join(traceback.format_exception(error))
        broken = cause if isinstance(error, RigError) else ""
    verdicts = RunVerdicts(
        title=f"{tested.name}{f' [{mutant.name}]' if mutant else ''}",
        verdicts=judge_all(tested.criteria, recorded, ended=ended, cause=cause),
        ended=ended,
        cause=cause,
        devices_end=safe[-1].devices if safe else {},
        # A procedure may open more than one bench; none may be left unsafe.
        left_unsafe=tuple(dict.fromkeys(name for report in safe for name in report.left_unsafe)),
        invalid=_invalid(rig, times) if rig.clock == "wall" else (),
        findings=tuple(not_traceable(rig.devices)),
    )
    for name in verdicts.left_unsafe:
        broken = broken or f"{tested.name} left {name} {verdicts.devices_end.get(name, 'unsafe')}"
    return Execution(
        verdicts,
        identities,
        trace_back,
        took[0] if took else Effort(),
        tuple(applied),
        tuple(evaluated),
        tuple(walked),
        tuple(islands),
        broken if needs_watchdog(rig) else "",
        times if rig.clock == "wall" else None,
        is_unforeseen=not known,
    )


def _invalid(rig: Rig, times: TickTimes) -> tuple[str, ...]:
    """Return why nothing that was measured may pass: lost deadlines, or instruments overdue."""
    return (*times.broken(TimingBudget()), *overdue(rig.devices, utc_now()))


def _captured(path: Path | None, clock: Clock) -> AbstractContextManager[object]:
    if path is None:
        return contextlib.nullcontext()
    if path.exists():
        raise CampaignError("capture.file_exists", "{path} is there already", path=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    return recording(path, clock.now_s, start_utc_s=clock.start_utc_s, clock=clock.kind)
