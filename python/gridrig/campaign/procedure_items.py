"""Procedures as pytest items: one for the procedure itself, one for each of its mutants.

Exit codes: the worst of what happened, as everywhere in gridrig. A mutant is tried only where the
unchanged device passes: where everything fails, that a mutant fails says nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from gridrig.campaign import procedure_progress
from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.measurements import Outcome, worst
from gridrig.campaign.outcomes import USAGE_EXIT_CODE
from gridrig.campaign.procedure_bundle import write_procedure_bundle
from gridrig.campaign.procedure_evidence import BUNDLES, CampaignEvidence
from gridrig.campaign.procedure_progress import TimeLeft
from gridrig.campaign.procedure_summary import (
    Executed,
    effort_line,
    left_out_lines,
    mutant_lines,
    needless_criteria,
    properties,
    verdict_lines,
)
from gridrig.campaign.procedures import Mutant, Procedure, execute, missing_capabilities
from gridrig.campaign.results_file import write_results
from gridrig.errors import GridrigError
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.unattended import require_unattended

NAME = "gridrig-procedures"  # of the plugin object
AUTO = "auto"
LONG = "soak"  # the mark of a procedure of many minutes


class NotPassed(Exception):
    """A procedure whose verdict is not PASS, or a mutant that lives."""


@lru_cache(maxsize=8)
def rig_named(name: str) -> Rig:
    """Return the rig of a file or a built-in name, read once."""
    return load_rig(find(name, RIGS))


class ProcedureItem(pytest.Item):
    """One execution of a procedure."""

    def __init__(self, *, tested: Procedure, mutant: Mutant | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tested = tested
        self.mutant = mutant

    @property
    def _procedures(self) -> "Procedures":
        plugin = self.config.pluginmanager.get_plugin(NAME)
        assert isinstance(plugin, Procedures)
        return plugin

    def runtest(self) -> None:
        """Execute and judge."""
        named = self.config.getoption("--rig")
        rig = rig_named(self.tested.rig if named == AUTO else named)
        missing = missing_capabilities(self.tested, rig)
        if missing:
            self._skip(f"the rig {rig.name} has no {', '.join(missing)}")
        if cause := self._procedures.broken.get(rig.path):
            self._procedures.skipped += 1
            self._procedures.not_tried += [self.name] if self.mutant is not None else []
            pytest.skip(f"the bench is broken: {cause}")
        if self.mutant is None:
            executed = self._procedures.baseline(self, rig)
            self._tell(executed, executed.execution.verdicts.outcome is Outcome.PASS, "")
            return
        if self.mutant.device_of(rig) is None:
            self._skip(f"the rig {rig.name} has no emulated {self.mutant.device} to change")
        if self._procedures.baseline(self, rig).execution.verdicts.outcome is not Outcome.PASS:
            # The procedure's own outcome is counted; it is not PASS.
            self._procedures.not_tried.append(self.name)
            pytest.skip("not tried: the procedure does not pass on the unchanged device")
        executed = self._procedures.execute(self, rig, self.mutant)
        self._tell(executed, executed.killed, f"mutant lives: {self.mutant.name}\n")

    def _tell(self, executed: Executed, good: bool, why: str) -> None:
        self.user_properties += properties(executed)
        self._procedures.judged.add(self.nodeid)
        if not good:
            raise NotPassed(f"{why}{_failure(executed)}")

    def _skip(self, why: str) -> None:
        if not self.config.getoption("--allow-skips"):
            self._procedures.outcomes.append(Outcome.INCONCLUSIVE)
        if self.mutant is not None:
            self._procedures.not_tried.append(self.name)
        self._procedures.skipped += 1
        pytest.skip(why)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the verdicts rather than a traceback of this file."""
        if isinstance(excinfo.value, NotPassed | GridrigError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int, str]:
        """Return where the procedure is."""
        return self.path, 0, self.name


def _failure(executed: Executed) -> str:
    lines = [*verdict_lines(executed, verbose=True)]
    if executed.execution.is_unforeseen:  # of others the verdict has the code and the sentence
        lines.append(executed.execution.trace_back)
    return "\n".join(lines).rstrip()


@dataclass
class Procedures:
    """Collects procedures, remembers what they came to, and decides the exit code."""

    config: pytest.Config
    executed: list[Executed] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)
    procedures: set[str] = field(default_factory=set)
    judged: set[str] = field(default_factory=set)
    skipped: int = 0
    bundles: list[Path] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)  # by rig: what came first
    uncollected: int = 0
    ended_code: int | None = None  # set when a session came to its end
    evidence: CampaignEvidence | None = None
    pages: Callable[[Sequence[Executed]], object] | None = None  # takes everything at the end
    signer: str = ""  # of the evidence
    flaw: str = ""  # why there are no pages
    long: dict[str, Path] = field(default_factory=dict)  # procedures marked soak, by name
    _baselines: dict[tuple[str, str], Executed] = field(default_factory=dict)

    def baseline(self, item: ProcedureItem, rig: Rig) -> Executed:
        """Return how the procedure does unmutated; it is executed once, whoever asks first."""
        key = (f"{item.path}::{item.tested.name}", rig.path)
        if key not in self._baselines:
            self._baselines[key] = self.execute(item, rig, None)
        return self._baselines[key]

    def execute(self, item: ProcedureItem, rig: Rig, mutant: Mutant | None) -> Executed:
        """Execute a procedure and count what it came to."""
        folder = self.config.getoption("--captures")
        capture = None
        if folder:
            words = (item.tested.name, rig.name, *([mutant.name] if mutant else []))
            capture = Path(folder) / f"{'-'.join(words).replace(' ', '_')}.jsonl"
        repetitions = 1 if mutant else self.config.getoption("--repetitions")
        kept = self.evidence.begin(item.tested, rig, mutant) if self.evidence else None
        execution = execute(
            item.tested,
            rig,
            mutant,
            capture,
            repetitions=repetitions,
            read_settings=bool(self.config.getoption("--results")),
            kept=kept,
        )
        executed = Executed(item.tested, rig, mutant, execution)
        if self.evidence is not None and kept is not None:
            self.evidence.end(kept, executed, repetitions=repetitions)
        verdicts = executed.execution.verdicts
        self.executed.append(executed)
        if execution.broken:
            self.broken.setdefault(rig.path, execution.broken)
        if mutant is None:
            self.outcomes.append(verdicts.outcome)
            self._save_bundle(executed)
        else:
            self.outcomes.append(Outcome.PASS if executed.killed else Outcome.FAIL)
            # A mutant may fail, but the bench is to be left safe all the same.
            self.outcomes += [Outcome.UNSAFE for _ in verdicts.left_unsafe]
        if verdicts.ended is Outcome.ABORTED:
            self.outcomes.append(Outcome.ABORTED)
            item.session.shouldstop = verdicts.cause
        return executed

    def _save_bundle(self, executed: Executed) -> None:
        folder, verdicts = self.config.getoption("--bundles"), executed.execution.verdicts
        if not folder and self.evidence is not None:
            folder = self.evidence.path / BUNDLES
        if folder and verdicts.outcome is not Outcome.PASS:
            repetitions = self.config.getoption("--repetitions")
            path = write_procedure_bundle(
                Path(folder), executed.tested, executed.rig, verdicts, repetitions=repetitions
            )
            self.bundles.append(path)

    def pytest_pycollect_makeitem(
        self, collector: pytest.Collector, name: str, obj: object
    ) -> list[ProcedureItem] | None:
        """Turn a declared procedure into items."""
        tested = getattr(obj, "procedure", None)
        if not isinstance(tested, Procedure):
            return None
        items = list(self._items(collector, name, tested))
        for item in items:  # as pytest does for its own functions: -m chooses among them
            item.own_markers.extend(getattr(obj, "pytestmark", ()))
            if any(mark.name == LONG for mark in item.own_markers):
                self.long[name] = collector.path
        self.procedures |= {item.nodeid for item in items}
        return items

    def _items(
        self, collector: pytest.Collector, name: str, tested: Procedure
    ) -> Iterator[ProcedureItem]:
        yield ProcedureItem.from_parent(collector, name=name, tested=tested, mutant=None)
        if self.config.getoption("--mutants"):
            for mutant in tested.mutants:
                yield ProcedureItem.from_parent(
                    collector, name=f"{name}[{mutant.name}]", tested=tested, mutant=mutant
                )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Forget the long procedures that are executed, and all if others are chosen by name."""
        chosen = {item.tested.name for item in session.items if isinstance(item, ProcedureItem)}
        by_name = bool(self.config.getoption("keyword"))
        self.long = {n: p for n, p in self.long.items() if n not in chosen and not by_name}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count what cannot be collected: a procedure that is refused, above all."""
        self.uncollected += report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what has no verdict: ordinary tests, and procedures that could not be executed."""
        if report.nodeid in self.judged:
            return
        if report.failed:
            ordinary = report.when == "call" and report.nodeid not in self.procedures
            self.outcomes.append(Outcome.FAIL if ordinary else Outcome.ERROR)
        elif report.passed and report.when == "call":
            self.outcomes.append(Outcome.PASS)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Count an interruption between two procedures; pytest's own stop is none."""
        if not isinstance(excinfo.value, pytest.Session.Interrupted):
            self.outcomes.append(Outcome.ABORTED)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print every verdict and the mutation score."""
        verbose = self.config.get_verbosity() > 0
        if self.executed:
            terminalreporter.section("verdicts")
        for executed in self.executed:
            if executed.mutant is None:
                for line in verdict_lines(executed, verbose=verbose):
                    terminalreporter.write_line(line)
        for bundle in self.bundles:
            terminalreporter.write_line(f"again   gridrig rerun {bundle}")
        for path, cause in self.broken.items():
            terminalreporter.write_line(
                f"{path} is broken, nothing more was tried on it: {cause}", red=True
            )
        mutants = [executed for executed in self.executed if executed.mutant is not None]
        for line in mutant_lines(mutants, self.not_tried):
            terminalreporter.write_line(line)
        if mutants:
            terminalreporter.write_line(self._needless_line(mutants))
        if self.executed:
            terminalreporter.write_line(effort_line(self.executed))
        for line in left_out_lines(self.long):
            terminalreporter.write_line(line)
        if self.flaw:
            terminalreporter.write_line(f"no pages: {self.flaw}", red=True)
        if self.evidence is not None and self.signer:
            told = f"evidence {self.evidence.path}, signed by {self.signer}"
            terminalreporter.write_line(f"{told}; check it with gridrig verify")

    def _needless_line(self, mutants: list[Executed]) -> str:
        needless = needless_criteria(mutants)
        if not needless:
            return "every criterion is needed: without any one of them a mutant would live"
        return f"criteria that no mutant fails alone: {'; '.join(needless)}"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Give pytest the exit code of the verdicts, and write the results that were asked for."""
        if results := self.config.getoption("--results"):
            write_results(Path(results), self.executed)
        if self.config.getoption("--every-criterion"):
            mutants = [executed for executed in self.executed if executed.mutant is not None]
            self.outcomes += [Outcome.FAIL for _ in needless_criteria(mutants)]
        self._make_pages()
        session.exitstatus = self.ended_code = self.exit_code(exitstatus)
        if self.evidence is not None:
            self.signer = self.evidence.finish(self.executed, self.ended_code)

    def _make_pages(self) -> None:
        if self.pages is None:
            return
        try:
            self.pages(self.executed)
        except Exception as error:  # the evidence is whole without them, and is signed
            self.flaw = f"{type(error).__name__}: {error}"
            self.outcomes.append(Outcome.ERROR)

    def exit_code(self, exitstatus: int) -> int:
        """Return the exit code of all that happened.

        Nothing executed, or a file that cannot be collected, is a usage error.
        """
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return worst([*self.outcomes, Outcome.ERROR]).exit_code
        if self.outcomes:
            outcome = worst(self.outcomes)
            decided = outcome not in (Outcome.PASS, Outcome.INCONCLUSIVE)
            return outcome.exit_code if decided or not self.uncollected else USAGE_EXIT_CODE
        listed = self.config.getoption("collectonly") and exitstatus == pytest.ExitCode.OK
        fine = (self.skipped or listed) and not self.uncollected
        return Outcome.PASS.exit_code if fine else USAGE_EXIT_CODE


def join_in(config: pytest.Config) -> None:
    """Make pytest collect procedures; a rig that is wrong is told before anything is collected."""
    named = config.getoption("--rig")
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("procedures share a bench: run them without -n")
    try:
        if named != AUTO:
            rig = rig_named(named)
            if config.getoption("--unattended"):
                require_unattended(rig)
    except GridrigError as error:
        raise pytest.UsageError(str(error)) from error
    results = config.getoption("--results")
    if results and Path(results).exists():
        raise pytest.UsageError(f"{results} is there already: results are not overwritten")
    folder = config.getoption("--evidence")
    try:
        evidence = CampaignEvidence(Path(folder)) if folder else None
    except GridrigError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(Procedures(config, evidence=evidence), NAME)
    config.pluginmanager.register(TimeLeft(config), procedure_progress.NAME)
