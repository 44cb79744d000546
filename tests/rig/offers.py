"""The drivers and emulators that gridrig itself offers, as its package declares them."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

from gridrig.rig.registry import DRIVERS, EMULATORS, Registry

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def points() -> list[EntryPoint]:
    """Return the entry points that pyproject.toml declares, whatever is installed."""
    declared = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]
    return [
        EntryPoint(name, value, group)
        for group in (DRIVERS, EMULATORS)
        for name, value in declared[group].items()
    ]


def registry() -> Registry:
    """Return a registry of gridrig's own offers only."""
    return Registry(points())
