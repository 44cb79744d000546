"""The pytest plugin: does nothing, and imports nothing heavy, unless --rig is given."""

from typing import Any


def pytest_addoption(parser: Any) -> None:
    """Add the options of `gridrig test`."""
    group = parser.getgroup("gridrig")
    group.addoption("--rig", help="rig file or built-in name; auto: the one a procedure names")
    group.addoption("--mutants", action="store_true", help="run each procedure's mutants too")
    group.addoption("--allow-skips", action="store_true", help="a missing capability is no fault")
    group.addoption("--captures", metavar="DIR", help="record every wire, a file a procedure")


def pytest_configure(config: Any) -> None:
    """Join in if a rig is named."""
    if config.getoption("--rig") is not None:
        from gridrig.campaign.procedure_items import join_in

        join_in(config)
    elif config.getoption("--mutants") or config.getoption("--allow-skips"):
        import pytest

        raise pytest.UsageError("--mutants and --allow-skips need --rig RIG")
