"""Procedures as pytest items: one for the procedure itself, one for each of its mutants."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.measurements import Outcome, RunVerdicts, worst
from gridrig.campaign.procedures import Mutant, Procedure, execute, missing_capabilities
from gridrig.rig.description import load_rig


class NotPassed(Exception):
    """A procedure whose verdict is not PASS."""


class MutantLives(Exception):
    """A mutant that the procedure did not fail on the criterion it named."""


def verdict_lines(verdicts: RunVerdicts) -> str:
    """Return the verdicts as text."""
    lines = [f"{verdicts.outcome}  {verdicts.title}  {verdicts.cause}".rstrip()]
    for v in verdicts.verdicts:
        c = v.criterion
        limits = f"[{'' if c.min is None else c.min} .. {'' if c.max is None else c.max}] {c.unit}"
        lines.append(f"  {v.outcome:13} {c.name} = {v.value} {limits}  {v.note}".rstrip())
    return "\n".join(lines)


class ProcedureItem(pytest.Item):
    """One execution of a procedure."""

    def __init__(self, *, tested: Procedure, mutant: Mutant | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tested = tested
        self.mutant = mutant

    def runtest(self) -> None:
        """Execute and judge."""
        plugin: Any = self.config.pluginmanager.get_plugin("gridrig-procedures")
        named = self.config.getoption("--rig")
        rig = load_rig(find(self.tested.rig if named == "auto" else named, RIGS))
        missing = missing_capabilities(self.tested, rig)
        if missing:
            if not self.config.getoption("--allow-skips"):
                plugin.outcomes.append(Outcome.INCONCLUSIVE)
            pytest.skip(f"the rig has no {', '.join(missing)}")
        verdicts = execute(self.tested, rig, self.mutant)
        emulated = sum(device.emulated for device in rig.devices)
        self.user_properties += [
            ("outcome", str(verdicts.outcome)),
            ("rig", rig.name),
            ("devices", f"{emulated} emulated, {len(rig.devices) - emulated} hardware"),
            ("clause", self.tested.clause),
        ]
        self.add_report_section("call", "verdicts", verdict_lines(verdicts))
        if self.mutant is None:
            plugin.outcomes.append(verdicts.outcome)
            if verdicts.outcome is not Outcome.PASS:
                raise NotPassed(verdict_lines(verdicts))
            return
        caught = next(v for v in verdicts.verdicts if v.criterion.name == self.mutant.caught_by)
        killed = caught.outcome is Outcome.FAIL and verdicts.ended is Outcome.PASS
        plugin.mutants.append((self.mutant, killed))
        if not killed:
            raise MutantLives(
                f"mutant {self.mutant.name!r} lives: {self.mutant.caught_by} is {caught.outcome}, "
                f"not FAIL\n{verdict_lines(verdicts)}"
            )

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the verdicts rather than a traceback."""
        if isinstance(excinfo.value, NotPassed | MutantLives):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int, str]:
        """Return where the procedure is."""
        return self.path, 0, self.name


@dataclass
class Procedures:
    """Collects procedures, remembers what they came to, and decides the exit code."""

    config: pytest.Config
    outcomes: list[Outcome] = field(default_factory=list)
    mutants: list[tuple[Mutant, bool]] = field(default_factory=list)

    def pytest_pycollect_makeitem(
        self, collector: pytest.Collector, name: str, obj: object
    ) -> list[ProcedureItem] | None:
        """Turn a declared procedure into items."""
        tested = getattr(obj, "procedure", None)
        if not isinstance(tested, Procedure):
            return None
        return list(self._items(collector, name, tested))

    def _items(
        self, collector: pytest.Collector, name: str, tested: Procedure
    ) -> Iterator[ProcedureItem]:
        yield ProcedureItem.from_parent(collector, name=name, tested=tested, mutant=None)
        if self.config.getoption("--mutants"):
            for mutant in tested.mutants:
                yield ProcedureItem.from_parent(
                    collector, name=f"{name}[{mutant.name}]", tested=tested, mutant=mutant
                )

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the mutation score."""
        if self.mutants:
            killed = sum(dead for _, dead in self.mutants)
            terminalreporter.write_line(f"mutants: {killed} of {len(self.mutants)} killed")
            for mutant, dead in self.mutants:
                terminalreporter.write_line(
                    f"  {'killed' if dead else 'LIVES ':6} {mutant.name} ({mutant.caught_by})"
                )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Give pytest the exit code of the verdicts."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            session.exitstatus = self.exit_code()

    def exit_code(self) -> int:
        """Return the exit code of all that was executed; nothing executed is a usage error."""
        if not self.outcomes and not self.mutants:
            return 2
        codes = [outcome.exit_code for outcome in self.outcomes]
        if self.outcomes:
            codes = [worst(self.outcomes).exit_code]
        if any(not dead for _, dead in self.mutants):
            codes.append(Outcome.FAIL.exit_code)
        severity = {0: 0, 3: 1, 1: 2, 4: 3, 5: 4, 6: 5}
        return max(codes, key=severity.__getitem__)


def test_command(
    paths: list[str],
    *,
    rig: str | None,
    mutants: bool,
    allow_skips: bool,
    pytest_options: list[str],
) -> int:
    """Run procedures under pytest and return the exit code of their verdicts."""
    from gridrig.campaign.builtin import PROCEDURES

    arguments = ["-p", "no:cacheprovider", "-rs", "--rig", rig or "auto", *pytest_options]
    if not paths:
        arguments += ["--rootdir", str(PROCEDURES), "-c", str(PROCEDURES / "pytest.ini")]
    if mutants:
        arguments.append("--mutants")
    if allow_skips:
        arguments.append("--allow-skips")
    code = int(pytest.main([*arguments, *(paths or [str(PROCEDURES)])]))
    # pytest's own codes for usage errors and for an empty collection mean the same here.
    return 2 if code == pytest.ExitCode.NO_TESTS_COLLECTED and not paths else code
