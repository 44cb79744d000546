"""What executed procedures came to, as lines of text and as properties for a JUnit file."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridrig.campaign.builtin import PROCEDURES
from gridrig.campaign.measurements import Criterion, Outcome, Verdict
from gridrig.campaign.procedures import Execution, Mutant, Procedure
from gridrig.campaign.timing import TickTimes
from gridrig.rig.description import Rig


@dataclass(frozen=True)
class Executed:
    """One execution: of which procedure, on which rig, with which mutant, and how it went."""

    tested: Procedure
    rig: Rig
    mutant: Mutant | None
    execution: Execution

    @property
    def killed(self) -> bool:
        """Whether the mutant's own criterion found it: FAIL, and nothing broke on the way."""
        verdicts = self.execution.verdicts
        return self.caught.outcome is Outcome.FAIL and verdicts.ended is Outcome.PASS

    @property
    def caught(self) -> Verdict:
        """The verdict that has to catch the mutant."""
        assert self.mutant is not None
        name = self.mutant.caught_by
        return next(v for v in self.execution.verdicts.verdicts if v.criterion.name == name)


def limit_text(criterion: Criterion) -> str:
    """Return the accepted range of a criterion, without its unit."""
    if criterion.min is None:
        return f"at most {criterion.max:g}"
    if criterion.max is None:
        return f"at least {criterion.min:g}"
    if criterion.min == criterion.max:
        return f"exactly {criterion.min:g}"
    return f"{criterion.min:g} to {criterion.max:g}"


def value_text(verdict: Verdict) -> str:
    """Return what was measured, with its uncertainty and unit."""
    if verdict.value is None:
        return "not measured"
    spread = f" ± {verdict.uncertainty:g}" if verdict.uncertainty else ""
    unit = "" if verdict.criterion.unit == "1" else f" {verdict.criterion.unit}"
    return f"{verdict.value:.6g}{spread}{unit}"


def verdict_lines(executed: Executed, *, verbose: bool = False) -> Iterator[str]:
    """Yield the verdict of an execution, then one line a criterion; verbose names their sources."""
    verdicts = executed.execution.verdicts
    yield f"{verdicts.outcome}  {verdicts.title} on {rig_text(executed.rig)}"
    if verbose:
        yield f"  claim: {executed.tested.claim}"
        yield f"  clause: {executed.tested.clause}"
    if verdicts.cause:
        yield f"  ended as {verdicts.ended}: {verdicts.cause}"
    for name in verdicts.left_unsafe:
        yield f"  LEFT UNSAFE: {name}: {verdicts.devices_end.get(name, 'state unknown')}"
    for reason in verdicts.invalid:
        yield f"  INVALID: {reason}"
    for finding in verdicts.findings:
        yield f"  note: {finding}"
    if (times := executed.execution.times) is not None and times.work_s:
        yield f"  {timing_text(times)}"
    names = max((len(v.criterion.name) for v in verdicts.verdicts), default=0)
    values = max((len(value_text(v)) for v in verdicts.verdicts), default=0)
    for v in verdicts.verdicts:
        limit = limit_text(v.criterion)
        text = f"  {v.outcome:12}  {v.criterion.name:{names}}  {value_text(v):>{values}}  {limit}"
        if v.note and v.note != verdicts.cause:
            text += f"  ({v.note})"
        yield f"{text}  [{v.criterion.source}]" if verbose and v.criterion.source else text


def timing_text(times: TickTimes) -> str:
    """Return how steps kept their deadlines, in a line."""
    p99_ms, steps = 1000 * (times.jitter_p_s(0.99) or 0.0), len(times.work_s)
    return f"timing: {steps} steps, {len(times.missed)} missed, p99 {p99_ms:.3g} ms late"


def mutant_lines(mutants: Sequence[Executed], not_tried: Sequence[str]) -> Iterator[str]:
    """Yield the mutation score, then one line a mutant."""
    killed = sum(executed.killed for executed in mutants)
    whole = len(mutants) + len(not_tried)
    if not whole:
        return
    yield f"mutants: {killed} of {whole} killed, {100 * killed // whole} %"
    for executed in mutants:
        fate = "killed" if executed.killed else "LIVES"
        caught = executed.caught
        found = f"{caught.criterion.name} = {value_text(caught)}, {limit_text(caught.criterion)}"
        yield f"  {fate:9}  {executed.execution.verdicts.title}  {found}: {caught.outcome}"
    for name in not_tried:
        yield f"  not tried  {name}"


def needless_criteria(mutants: Sequence[Executed]) -> list[str]:
    """Return the criteria that no mutant fails alone: without one of them, none would live.

    Only procedures whose every mutant was tried are looked at.
    """
    by_procedure: dict[tuple[str, str], list[Executed]] = {}
    for executed in mutants:
        by_procedure.setdefault((executed.tested.name, executed.rig.path), []).append(executed)
    needless = []
    for tried in by_procedure.values():
        tested = tried[0].tested
        alone = {failed[0] for executed in tried if len(failed := _failed(executed)) == 1}
        if len(tried) == len(tested.mutants):
            names = [criterion.name for criterion in tested.criteria]
            needless += [f"{tested.name}: {name}" for name in names if name not in alone]
    return needless


def _failed(executed: Executed) -> list[str]:
    verdicts = executed.execution.verdicts.verdicts
    return [v.criterion.name for v in verdicts if v.outcome is Outcome.FAIL]


def effort_line(executed: Sequence[Executed]) -> str:
    """Return what all executions took: hours by the bench's clock, polls, frames."""
    efforts = [one.execution.effort for one in executed]
    hours = sum(effort.duration_s for effort in efforts) / 3600
    polls, frames = (sum(getattr(e, name) for e in efforts) for name in ("polls", "frames"))
    virtual = all(one.rig.clock == "virtual" for one in executed)
    kind = "virtual hours" if virtual else "hours by the rigs' clocks"
    return f"{len(efforts)} executions: {hours:.1f} {kind}, {polls:,} polls, {frames:,} frames"


def left_out_lines(long: Mapping[str, Path]) -> Iterator[str]:
    """Yield a line for each file: which of its long procedures were left out, how they are run."""
    for path in sorted(set(long.values())):
        names = ", ".join(name for name, file in long.items() if file == path)
        shown = path
        if path.is_relative_to(PROCEDURES):
            shown = Path("hil", path.relative_to(PROCEDURES))
        elif path.is_relative_to(Path.cwd()):
            shown = path.relative_to(Path.cwd())
        yield f"long, left out: {names}; to run: gridrig test {shown} -m soak"


def rig_text(rig: Rig) -> str:
    """Return the name of a rig, which says EMULATED if anything on it is."""
    return f"{'EMULATED ' if any(d.emulated for d in rig.devices) else ''}{rig.name}"


def to_json(executed: Sequence[Executed], exit_code: int) -> dict[str, Any]:
    """Return everything that was executed, as `gridrig test --json` prints it."""
    executions = [
        {
            "procedure": one.tested.name,
            "claim": one.tested.claim,
            "clause": one.tested.clause,
            "rig": one.rig.name,
            "rig_sha256": hashlib.sha256(one.rig.text).hexdigest(),
            "clock": one.rig.clock,
            "emulated": [device.name for device in one.rig.devices if device.emulated],
            "mutant": one.mutant
            and {
                "name": one.mutant.name,
                "caught_by": one.mutant.caught_by,
                "killed": one.killed,
            },
            "verdicts": one.execution.verdicts.to_json(),
        }
        for one in executed
    ]
    return {"gridrig": version("gridrig"), "exit_code": exit_code, "executions": executions}


def properties(executed: Executed) -> Iterator[tuple[str, str]]:
    """Yield what a JUnit file says of an execution beside its outcome."""
    tested, rig, verdicts = executed.tested, executed.rig, executed.execution.verdicts
    yield "outcome", str(verdicts.outcome)
    yield "claim", tested.claim
    yield "clause", tested.clause
    yield "rig", rig_text(rig)
    yield "rig_sha256", hashlib.sha256(rig.text).hexdigest()
    yield "clock", rig.clock
    yield "gridrig", version("gridrig")
    if executed.mutant is not None:
        yield "mutant", "killed" if executed.killed else "lives"
        yield "mutant_caught_by", executed.mutant.caught_by
    for device in rig.devices:
        who = executed.execution.identities.get(device.name)
        known = f" {who.manufacturer} {who.model} {who.serial} {who.firmware}" if who else ""
        yield f"device.{device.name}", ("emulated" if device.emulated else "hardware") + known
        if device.name in verdicts.devices_end:
            yield f"device.{device.name}.end", verdicts.devices_end[device.name]
    if executed.execution.times is not None:
        yield "timing", timing_text(executed.execution.times).removeprefix("timing: ")
    yield from (("invalid", reason) for reason in verdicts.invalid)
    for device in rig.devices:
        if device.calibration is not None:
            record = device.calibration
            text = f"{record.certificate}, {record.laboratory}, {record.on}, due {record.due}"
            u = ", ".join(f"{key} {value:g}" for key, value in record.uncertainty.items())
            yield f"device.{device.name}.calibration", f"{text}: {u} (k = 2)"
    for v in verdicts.verdicts:
        yield f"criterion.{v.criterion.name}", f"{value_text(v)}, {limit_text(v.criterion)}"
