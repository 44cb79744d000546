"""The pytest plugin: does nothing, and imports nothing heavy, unless --rig is given."""

import argparse
from typing import Any


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def pytest_addoption(parser: Any) -> None:
    """Add the options of `gridrig test`."""
    group = parser.getgroup("gridrig")
    group.addoption("--rig", help="rig file or built-in name; auto: the one a procedure names")
    group.addoption("--mutants", action="store_true", help="run each procedure's mutants too")
    group.addoption("--allow-skips", action="store_true", help="a missing capability is no fault")
    group.addoption(
        "--every-criterion",
        action="store_true",
        help="with --mutants: fail if a criterion is needed by no mutant",
    )
    group.addoption(
        "--repetitions",
        type=_count,
        default=1,
        metavar="N",
        help="try N times what a standard wants repeated; IEEE 1547.1 wants 5",
    )
    group.addoption(
        "--results", metavar="FILE", help="write settings and criteria by their IEEE labels (CSV)"
    )
    group.addoption("--captures", metavar="DIR", help="record every wire, a file a procedure")
    group.addoption("--bundles", metavar="DIR", help="save what makes a failure again")
    group.addoption("--evidence", metavar="DIR", help="keep everything in a directory, and sign it")
    group.addoption(
        "--unattended",
        action="store_true",
        help="refuse a bench that would not come to rest with its host dead",
    )


def pytest_configure(config: Any) -> None:
    """Join in if a rig is named."""
    if config.getoption("--rig") is not None:
        from gridrig.campaign.procedure_items import join_in

        join_in(config)
    elif config.getoption("--mutants") or config.getoption("--allow-skips"):
        import pytest

        raise pytest.UsageError("--mutants and --allow-skips need --rig RIG")
