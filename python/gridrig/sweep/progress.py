"""How far a sweep is and how long it will still take; without a terminal, one line a point."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gridrig.campaign.outcomes import Outcome
from gridrig.clock.stopwatch import now_ns
from gridrig.report.terminal import outcome_text
from gridrig.report.wording import duration
from gridrig.sweep.plan import Point

Tell = Callable[[Point, Outcome], None]


@contextmanager
def tell_progress(total: int, done: int) -> Iterator[Tell]:
    """Give what is to be told of each point that has ended.

    Parameters
    ----------
    total, done : int
        Points of the sweep, and those that had a result before it began.
    """
    console = Console(file=sys.stderr)
    began_ns, ended = now_ns(), 0
    if not console.is_terminal:

        def tell_line(point: Point, outcome: Outcome) -> None:
            nonlocal ended
            ended += 1
            left_s = (now_ns() - began_ns) / 1e9 / ended * max(0, total - done - ended)
            rest = f", {duration(left_s)} left" if left_s else ""
            text = f"{done + ended}/{total} point {point.number} {outcome} {point.text}{rest}"
            console.print(text, highlight=False, soft_wrap=True)

        yield tell_line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("points", total=total, completed=done)

        def tell(point: Point, outcome: Outcome) -> None:
            if outcome is not Outcome.PASS:
                bar.console.print(f"point {point.number}", outcome_text(outcome), point.text)
            bar.advance(task)

        yield tell
