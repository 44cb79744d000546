"""The benchmark's table, on a terminal or in a log."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gridrig.bench.machine import Machine
from gridrig.bench.rows import Goal, Measured, Row

LOG_WIDTH = 180  # columns, when there is no terminal to ask
_OUTCOMES = {True: ("reached", "green"), False: ("not reached", "bold red"), None: ("", "")}


def print_table(topic: str, machine: Machine, measured: Measured) -> None:
    """Print the rows, what is missing, and what a reader has to know."""
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=console.file, width=LOG_WIDTH)
    title = Text(f"gridrig bench {topic} \u00b7 {machine.text()}")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("task", "workload"):
        table.add_column(name, overflow="fold")
    table.add_column("ours", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("peer", overflow="fold")
    for name in ("figure", "ratio", "goal"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in measured.rows:
        word, style = _OUTCOMES[row.reached]
        table.add_row(
            row.task,
            row.workload,
            figure(row.ours),
            row.unit,
            row.peer or "",
            "" if row.peer_figure is None else figure(row.peer_figure),
            "" if row.ratio is None else f"{figure(row.ratio)} x",
            goal_text(row),
            Text(word, style=style),
        )
    console.print(table)
    notes = dict.fromkeys(row.note for row in measured.rows if row.note)
    for line in [*notes, *measured.remarks, *(one.text() for one in measured.missing)]:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def figure(value: float) -> str:
    """Return a figure with three digits that count, never in powers of ten."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def goal_text(row: Row) -> str:
    """Return the goal as it stands in the table: `>= 15 and >= 4 x`."""
    goal = row.goal or Goal()
    sign = "\u2264" if row.less_is_better else "\u2265"
    parts = [] if goal.ours is None else [f"{sign} {goal.ours:g}"]
    if goal.ratio is not None:
        parts.append(f"\u2265 {goal.ratio:g} x")
    return ", ".join(parts)
