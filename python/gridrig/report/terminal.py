"""The verdict table at the end of a run, on a terminal or in a log."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.report.elements import SYMBOLS, limit_text, margin_text, value_text
from gridrig.report.wording import count, printable

_STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.ERROR: "magenta",
    Outcome.ABORTED: "bold",
    Outcome.UNSAFE: "bold white on red",
}
LOG_WIDTH = 132  # columns, when there is no terminal to ask


def print_verdicts(
    verdicts: RunVerdicts, console: Console | None = None, *, emulated: bool = False
) -> None:
    """Print the verdict table; coloured only on a terminal, and not if NO_COLOR is set.

    Parameters
    ----------
    verdicts : RunVerdicts
        What to print.
    console : Console or None
        Where to; None for standard output. A log gets whole lines, whatever its width.
    emulated : bool
        Whether any device of the run was emulated: then the title says so.
    """
    console = console or Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=console.file, width=LOG_WIDTH)
    title = ("EMULATED \u00b7 " if emulated else "") + printable(verdicts.title)
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("criterion", overflow="fold")
    for name in ("value", "limit", "margin"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for verdict in verdicts.verdicts:
        spread = f" \u00b1 {verdict.uncertainty:g}" if verdict.uncertainty else ""
        label = Text(printable(verdict.criterion.name))
        if verdict.note and verdict.outcome is not Outcome.PASS:
            label.append(f"\n{printable(verdict.note)}", style="dim")
        table.add_row(
            label,
            Text(value_text(verdict) + spread),
            Text(limit_text(verdict.criterion)),
            Text(margin_text(verdict)),
            Text(printable(verdict.criterion.unit)),
            outcome_text(verdict.outcome),
        )
    console.print(table)
    if verdicts.cause:
        console.print(Text(f"the run ended as {verdicts.ended}: {printable(verdicts.cause)}"))
    for reason in verdicts.invalid:
        console.print(Text(f"the run is invalid: {printable(reason)}", style="yellow"))
    for name in verdicts.left_unsafe:
        state = printable(verdicts.devices_end.get(name, "state unknown"))
        console.print(Text(f"left unsafe: {printable(name)}: {state}", style="bold red"))
    passed = sum(verdict.outcome is Outcome.PASS for verdict in verdicts.verdicts)
    total = count(len(verdicts.verdicts), "criterion", "criteria")
    on = " on what was recorded until then" if verdicts.cause else ""
    console.print(outcome_text(verdicts.outcome), Text(f" {passed} of {total} passed{on}"))


def outcome_text(outcome: Outcome) -> Text:
    """Return an outcome with its symbol, coloured where there are colours."""
    return Text(f"{SYMBOLS[outcome]} {outcome}", style=_STYLES[outcome])
