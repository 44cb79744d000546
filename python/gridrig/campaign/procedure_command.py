"""`gridrig test`: pytest on the procedures asked for, and the exit code of their verdicts."""

from collections.abc import Callable, Sequence

import pytest

from gridrig.campaign.builtin import PROCEDURES
from gridrig.campaign.outcomes import USAGE_EXIT_CODE
from gridrig.campaign.procedure_items import AUTO, NAME, Procedures
from gridrig.campaign.procedure_summary import Executed


class _Watch:
    """Holds on to pytest's configuration, to ask afterwards how it ended."""

    config: pytest.Config | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Remember it."""
        self.config = config


def test_command(
    arguments: list[str],
    *,
    rig: str | None,
    mutants: bool,
    allow_skips: bool,
    captures: str | None,
    report: Callable[[Sequence[Executed]], object] | None,
) -> int:
    """Run procedures under pytest and return the exit code of their verdicts.

    Parameters
    ----------
    arguments : list of str
        Paths and options for pytest, as given; without a path the procedures that come with
        gridrig.
    rig : str or None
        Rig file or name; None for the one each procedure names.
    mutants, allow_skips : bool
        As the options of the same names.
    captures : str or None
        Folder in which every execution records its wires.
    report : callable or None
        Takes everything that was executed, at the end.
    """
    options = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-rs"]
    options += ["--import-mode", "importlib"]  # two folders may have files of one name
    options += ["--rig", rig or AUTO]
    options += ["--mutants"] * mutants + ["--allow-skips"] * allow_skips
    options += ["--captures", captures] if captures else []
    if not _names_a_path(arguments):
        options += ["--rootdir", str(PROCEDURES), "-c", str(PROCEDURES / "pytest.ini")]
        arguments = [*arguments, str(PROCEDURES)]
    watch = _Watch()
    pytest.main([*options, *arguments], plugins=[watch])
    procedures = watch.config and watch.config.pluginmanager.get_plugin(NAME)
    if not isinstance(procedures, Procedures) or procedures.ended_code is None:
        return USAGE_EXIT_CODE  # pytest did not like its arguments, and has said why
    if report is not None:
        report(procedures.executed)
    return procedures.ended_code


def _names_a_path(arguments: list[str]) -> bool:
    """Return whether a path is among the arguments; only pytest knows which options take values."""
    try:
        config = pytest.Config.fromdictargs({}, ["--noconftest", *arguments])
    except (pytest.UsageError, SystemExit):
        return True  # pytest will say what is wrong
    return bool(config.getoption("file_or_dir"))
