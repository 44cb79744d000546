"""How far a run is, on a terminal; on anything else, one line a stage."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from gridrig.campaign.run import Progress
from gridrig.events import Event

SHOWN = {
    "event_open": "the connection to the main grid opens",
    "event_reclose": "the main grid is back: synchronise and close",
    "event_cloud": "clouds",
    "event_bms_limit": "a battery changes its limits",
    "island_formed": "the island stands on its own",
    "island_shed": "load shed",
    "island_restored": "load restored",
    "island_throttled": "throttled on over-frequency",
    "island_reclosed": "closed onto the main grid",
    "island_tripped": "trips in the island",
    "island_limit": "reaches its limit in the island",
    "island_dead": "the island lost its voltage",
    "soc_limit_passed": "is outside the state of charge it is kept within",
    "reading_refused": "signed reading refused",
    "reading_findings": "signed reading with findings",
    "read_failed": "does not answer",
    "device_lost": "is lost",
    "device_refused": "answers, and is not taken back",
    "device_back": "is back",
}


@contextmanager
def show_progress(duration_s: int) -> Iterator[Progress]:
    """Give a run something to tell its progress to."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield Progress(stage=lambda text: console.print(text, highlight=False))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[clock]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("starting", total=duration_s, clock="")

        def tick(t_s: float) -> None:
            hours, rest = divmod(int(t_s), 3600)
            clock = f"{hours:d}:{rest // 60:02d}:{rest % 60:02d}"
            bar.update(task, completed=t_s, clock=clock)

        def event(happened: Event) -> None:
            if happened.kind in SHOWN and happened.t_s >= 0:
                what = SHOWN[happened.kind]
                who = f" [bold]{happened.device}[/bold]" if happened.device else ""
                detail = happened.data.get("code", "")
                bar.console.print(f"{happened.t_s:9.1f} s {who} {what} {detail}", highlight=False)

        yield Progress(
            stage=lambda text: bar.update(task, description=text), tick=tick, event=event
        )
