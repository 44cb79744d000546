"""Points run on the cores of this machine, so many at a time, each in a process of its own."""

import threading
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrig.campaign.recipe import Recipe
from gridrig.sweep.child import ASK_S, Stopped, run_point
from gridrig.sweep.place import Place
from gridrig.sweep.plan import Point


@dataclass(frozen=True)
class Task:
    """A point that is to be run."""

    point: Point
    recipe: Recipe

    @property
    def facts(self) -> dict[str, Any]:
        """What its `point.json` says of it beside how it ended."""
        return vars(self.point)


def run_here(
    tasks: Iterable[Task],
    place: Place,
    *,
    jobs: int,
    within_s: float,
    stop: threading.Event,
    descriptor: int,
) -> Generator[tuple[Point, Path], None, None]:
    """Run points and yield each with its attempt as it comes to its end.

    Parameters
    ----------
    tasks : iterable of Task
        Taken as there is room for them.
    jobs : int
        How many at a time.
    within_s : float
        Bound of one point. [s]
    stop : threading.Event
        Ends it all when set; points under way are then no result.
    descriptor : int
        The sweep's lock, which every run holds.
    """

    def work(task: Task) -> Path:
        folder = place.running(task.point.number)
        run_point(
            task.recipe.to_json(),
            folder,
            task.facts,
            within_s=within_s,
            stop=stop,
            descriptors=[descriptor],
        )
        return place.keep(folder, task.point.number)

    waiting = iter(tasks)
    under_way: dict[Future[Path], Point] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while not stop.is_set():
                while len(under_way) < jobs and (task := next(waiting, None)) is not None:
                    under_way[pool.submit(work, task)] = task.point
                if not under_way:
                    return
                done, _ = wait(under_way, timeout=ASK_S, return_when=FIRST_COMPLETED)
                for future in done:
                    point = under_way.pop(future)
                    try:
                        attempt = future.result()
                    except Stopped:
                        continue
                    yield point, attempt
        finally:
            stop.set()  # whoever takes no more results wants no more runs
