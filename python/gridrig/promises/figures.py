"""Figures of this machine that carry rows, measured by benchmarks in processes of their own.

A benchmark pins its process to a core; the procedures are not to feel that.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gridrig.bench.machine import Machine
from gridrig.bench.table import figure as figure_text
from gridrig.campaign.outcomes import Outcome
from gridrig.promises.results import TOLD, Shown
from gridrig.promises.rows import Figure

_BENCH = "import sys; from gridrig.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class MeasuredHere:
    """What benchmarks measured, whose machine it was, and what they remarked."""

    shown: Mapping[Figure, Shown]
    machine: str = ""


def measured_here(figures: Iterable[Figure]) -> MeasuredHere:
    """Run the benchmarks that measure some figures, each once; what they say of trouble is seen."""
    wanted: dict[str, list[Figure]] = {}
    for figure in figures:
        wanted.setdefault(figure.topic, []).append(figure)
    shown: dict[Figure, Shown] = {}
    machine = ""
    for topic, of_topic in wanted.items():
        command = [sys.executable, "-c", _BENCH, "bench", topic, "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            found = read_bench(json.loads(done.stdout), of_topic)
            shown |= found.shown
            machine = found.machine
    return MeasuredHere(shown, machine)


def read_bench(found: Mapping[str, Any], figures: Iterable[Figure]) -> MeasuredHere:
    """Return what the JSON of a benchmark says of some figures.

    A figure that is judged has to have a goal, and to have been judged by it.
    """
    rows = {row["task"]: row for row in found["rows"]}
    facts = found["machine"]
    machine = Machine(facts["cpu"], tuple(facts["features"]), facts["cores"], facts["core"])
    shown = {one: _shown(rows[one.task], one) for one in figures if one.task in rows}
    return MeasuredHere(shown, "; ".join([machine.text(), *found["remarks"]]))


def _shown(row: Mapping[str, Any], figure: Figure) -> Shown:
    measured = f"{figure_text(row['ours'])} {row['unit']}"
    if not figure.is_judged:
        return Shown(figure.task, measured, "told", TOLD)
    goal, reached = row["goal"], row["reached"]
    if goal is None or reached is None:
        return Shown(figure.task, measured, "not judged", str(Outcome.ERROR))
    bound = "at most" if row["less_is_better"] else "at least"
    outcome = Outcome.PASS if reached else Outcome.FAIL
    return Shown(figure.task, measured, f"{bound} {goal['ours']:g}", str(outcome))
