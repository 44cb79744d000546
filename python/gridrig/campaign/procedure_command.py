"""`gridrig test`: pytest on the procedures asked for, and the exit code of their verdicts."""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

import pytest

from gridrig.campaign.builtin import PROCEDURES
from gridrig.campaign.outcomes import USAGE_EXIT_CODE
from gridrig.campaign.procedure_bundle import execute_again
from gridrig.campaign.procedure_items import AUTO, NAME, Procedures
from gridrig.campaign.procedure_summary import Executed, to_json
from gridrig.campaign.records import JUNIT
from gridrig.stop_signals import handed


class _Watch:
    """Holds on to what joined in, to ask afterwards how it ended, and ends it when asked to."""

    def __init__(self, pages: Callable[[Sequence[Executed]], object] | None) -> None:
        self.pages = pages
        self.procedures: Procedures | None = None
        self._is_ending = False

    def stop(self, cause: str) -> None:
        """Interrupt what is collected or executed outside of a procedure; once.

        A procedure has handlers of its own, which see to the bench first. What is written when the
        session ends, such as signed evidence, is not interrupted.
        """
        if not self._is_ending:
            self._is_ending = True
            raise KeyboardInterrupt(cause)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Let nothing interrupt the end any more."""
        self._is_ending = True

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Remember who collects procedures, and say what makes pages of them."""
        found = config.pluginmanager.get_plugin(NAME)
        if isinstance(found, Procedures):
            self.procedures = found
            found.pages = self.pages


def test_command(
    arguments: list[str],
    *,
    rig: str | None,
    mutants: bool,
    allow_skips: bool,
    every_criterion: bool,
    repetitions: str | None,
    results: str | None,
    captures: str | None,
    bundles: str | None,
    evidence: str | None,
    unattended: bool,
    report: Callable[[Sequence[Executed]], object] | None,
    as_json: bool,
) -> int:
    """Run procedures under pytest and return the exit code of their verdicts.

    Parameters
    ----------
    arguments : list of str
        Paths and options for pytest, as given; without a path the procedures that come with
        gridrig. Those are also found by `hil/...` where no such file is.
    rig : str or None
        Rig file or name; None for the one each procedure names.
    mutants, allow_skips, every_criterion : bool
        As the options of the same names.
    repetitions : str or None
        How often to try what a standard wants repeated, as written; None for once.
    results : str or None
        File into which settings and criteria are written.
    captures : str or None
        Folder in which every execution records its wires.
    bundles : str or None
        Folder into which each procedure that does not pass saves its bundle.
    evidence : str or None
        New directory that takes everything and is signed, JUnit file and pages with it.
    unattended : bool
        Whether nobody stands beside the bench.
    report : callable or None
        Takes everything that was executed, at the end, before the evidence is signed.
    as_json : bool
        Print one JSON document instead; what pytest says goes to standard error.
    """
    options = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-rs"]
    options += ["--import-mode", "importlib"]  # two folders may have files of one name
    options += ["--rig", rig or AUTO]
    options += ["--mutants"] * mutants + ["--allow-skips"] * allow_skips
    options += ["--every-criterion"] * every_criterion
    options += ["--repetitions", repetitions] if repetitions else []
    options += ["--results", results] if results else []
    options += ["--captures", captures] if captures else []
    options += ["--bundles", bundles] if bundles else []
    options += ["--evidence", evidence] if evidence else []
    if evidence and not any(word.startswith(("--junitxml", "--junit-xml")) for word in arguments):
        options += ["--junitxml", str(Path(evidence) / JUNIT)]
    options += ["--unattended"] * unattended
    paths = _paths(arguments)
    ours = {path: found for path in paths if (found := _that_comes_with_gridrig(path))}
    if len(ours) == len(paths):
        options += ["--rootdir", str(PROCEDURES), "-c", str(PROCEDURES / "pytest.ini")]
        arguments = [ours.get(word, word) for word in arguments]
        arguments += [] if paths else [str(PROCEDURES)]
    watch = _Watch(report)
    with (
        redirect_stdout(sys.stderr) if as_json else nullcontext(),
        handed(lambda name: watch.stop(f"stopped by {name}")),
    ):
        pytest.main([*options, *arguments], plugins=[watch])
    procedures = watch.procedures
    if procedures is None or procedures.ended_code is None:
        return USAGE_EXIT_CODE  # pytest did not like its arguments, and has said why
    if as_json:
        document = to_json(procedures.executed, procedures.ended_code)
        print(json.dumps(document, indent=2, ensure_ascii=False))
    return procedures.ended_code


def rerun_procedure_command(path: Path, *, as_json: bool) -> int:
    """Execute a procedure from its bundle, compare, and return the exit code: 0 the same, 1 not."""
    again = execute_again(path)
    if as_json:
        facts = {"outcome": str(again.now.outcome), "differ": list(again.differ)}
        print(json.dumps(facts, indent=1))
    elif not again.differ:
        print(f"the same {again.was.outcome}: {len(again.was.verdicts)} criteria")
    else:
        print("\n".join(f"differs: {line}" for line in again.differ))
    return 1 if again.differ else 0


def _paths(arguments: list[str]) -> list[str]:
    """Return the paths among the arguments; only pytest knows which options take values."""
    try:
        config = pytest.Config.fromdictargs({}, ["--noconftest", *arguments])
    except (pytest.UsageError, SystemExit):
        return ["?"]  # pytest will say what is wrong
    return list(config.getoption("file_or_dir"))


def _that_comes_with_gridrig(path: str) -> str | None:
    """Return where a procedure or folder lies in the package, if no file here has that path."""
    file, colons, test = path.partition("::")
    if Path(file).exists():
        return None
    found = PROCEDURES / Path(file).relative_to("hil") if file.startswith("hil/") else None
    return f"{found}{colons}{test}" if found and found.exists() else None
