"""Figures of this machine that carry rows, measured by benchmarks in processes of their own.

A benchmark pins its process to a core; the procedures are not to feel that.

Limit: `BENCH_S_MAX` for one benchmark; its figures are an ERROR then.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from gridrig.bench.machine import Machine
from gridrig.bench.table import figure as figure_text
from gridrig.campaign.outcomes import Outcome
from gridrig.promises.results import TOLD, Shown, unmeasured
from gridrig.promises.rows import Figure

_BENCH = "import sys; from gridrig.cli import main; sys.exit(main())"
BENCH_S_MAX = 1800.0  # the longest takes some minutes on a machine that has nothing else to do
ENDS_WITHIN_S = 10.0  # once it is told to; it has a node to end


def measured_here(
    figures: Iterable[Figure], within_s: float = BENCH_S_MAX
) -> Mapping[Figure, Shown]:
    """Run the benchmarks that measure some figures, each once; what they say of trouble is seen.

    Parameters
    ----------
    within_s : float
        What each has to end in. [s]
    """
    wanted: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        wanted.setdefault((figure.topic, figure.workload), []).append(figure)
    shown: dict[Figure, Shown] = {}
    for (topic, workload), of_one in wanted.items():
        command = [sys.executable, "-c", _BENCH, "bench", topic, "--json"]
        command += ["--workload", workload] if workload else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bench:
            try:
                said, _ = bench.communicate(timeout=within_s)
            except subprocess.TimeoutExpired:
                _end(bench)
                why = f"not measured, no end within {within_s:g} s"
                shown |= {figure: unmeasured(figure, why) for figure in of_one}
                continue
        if bench.returncode == 0:
            shown |= read_bench(json.loads(said), of_one)
    return shown


def _end(bench: subprocess.Popen[str]) -> None:
    """End a benchmark, in the way in which it ends what it began."""
    bench.send_signal(signal.SIGINT)
    try:
        bench.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        bench.kill()


def read_bench(found: Mapping[str, Any], figures: Iterable[Figure]) -> Mapping[Figure, Shown]:
    """Return what the JSON of a benchmark says of some figures.

    A figure that is judged has to have a goal, and to have been judged by it.
    """
    facts = found["machine"]
    machine = Machine(facts["cpu"], tuple(facts["features"]), facts["cores"], facts["core"])
    where = "; ".join([machine.text(), *found["remarks"]])
    shown = {}
    for figure in figures:
        for row in found["rows"]:
            if row["task"] == figure.task and figure.peer in ("", row["peer"]):
                shown[figure] = _shown(row, figure, where)
    return shown


def _shown(row: Mapping[str, Any], figure: Figure, where: str) -> Shown:
    measured = f"{figure_text(row['ours'])} {row['unit']}"
    if row["ratio"] is not None:
        beside = f"{figure_text(row['peer_figure'])} {row['unit']}"
        measured += f", {row['ratio']:.3f} of {beside} ({row['peer']})"
    if not figure.is_judged:
        return Shown(figure.task, measured, "told", TOLD, where)
    goal, reached = row["goal"], row["reached"]
    if goal is None or reached is None:
        return Shown(figure.task, measured, "not judged", str(Outcome.ERROR), where)
    bound = "at most" if row["less_is_better"] else "at least"
    limits = [f"{bound} {goal['ours']:g}"] if goal["ours"] is not None else []
    limits += [f"at least {goal['ratio']:g} of the peer's"] if goal["ratio"] is not None else []
    outcome = Outcome.PASS if reached else Outcome.FAIL
    return Shown(figure.task, measured, ", ".join(limits), str(outcome), where)
