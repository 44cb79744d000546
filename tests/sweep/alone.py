"""The smallest sweep worth making: the small street for a minute, in a handful of ticks."""

import json
import sys
from pathlib import Path
from typing import Any

import tomli_w

sys.path.append(str(Path(__file__).parents[1] / "campaign"))

from small_street import SCENARIO, rig_file

__all__ = ["SLICE", "attempts_of", "point_of", "rig_file", "write_files"]

SLICE = ("--for-s", "60", "--tick-s", "10")


def write_files(folder: Path) -> tuple[Path, Path]:
    """Write scenario and rig into a folder, as the words that `gridrig sweep` begins with."""
    scenario = folder / "alone.toml"
    scenario.write_text(tomli_w.dumps(SCENARIO))
    return scenario, rig_file(folder)


def point_of(sweep: Path, number: int, attempt: int = 1) -> dict[str, Any]:
    """Return the `point.json` of an attempt."""
    path = sweep / "points" / f"{number:04d}" / str(attempt) / "point.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def attempts_of(sweep: Path, number: int) -> list[str]:
    """Return the names in the folder of a point."""
    return sorted(path.name for path in (sweep / "points" / f"{number:04d}").iterdir())
