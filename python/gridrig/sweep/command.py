"""What `gridrig sweep` and `gridrig points` do."""

import getpass
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console

from gridrig.campaign.outcomes import Outcome
from gridrig.errors import CampaignError
from gridrig.report.terminal import outcome_text
from gridrig.rig.description import Rig
from gridrig.rig.unattended import require_unattended
from gridrig.stop_signals import handed
from gridrig.sweep.cluster import run_on_cluster
from gridrig.sweep.overview import OVERVIEW, overview
from gridrig.sweep.place import Place, ended
from gridrig.sweep.plan import Plan, Point
from gridrig.sweep.progress import tell_progress
from gridrig.sweep.results import Results, collect
from gridrig.sweep.workers import Task, run_here
from gridrig.sweep.written import to_json, write_results

VIRTUAL_WITHIN_S = 3600.0  # bound of a point, unless one is stated
WALL_SPARE_S = 600.0  # beyond the length of the scenario, on a wall clock


def sweep_command(
    plan: Plan,
    path: Path,
    *,
    jobs: int,
    scheduler: str | None,
    within_s: float | None,
    as_json: bool,
    redo: Sequence[int] = (),
) -> int:
    """Run the points of a plan that have no result yet, and those to be redone.

    Parameters
    ----------
    plan : Plan
        Of a new sweep, or that of the one in `path`.
    path : Path
        The sweep's folder.
    jobs : int
        How many points at a time on this machine.
    scheduler : str or None
        Address of a Dask scheduler to run the points instead.
    within_s : float or None
        Bound of a point; None for one that fits the clock. [s]
    as_json : bool
        Print `results.json` instead of a table.
    redo : sequence of int
        Numbers of points to be run once more.
    """
    rig, scenario = plan.check()
    _require_bench(rig, jobs, scheduler)
    if within_s is None:
        on_wall = rig.clock == "wall"
        within_s = scenario.duration_s + WALL_SPARE_S if on_wall else VIRTUAL_WITHIN_S
    place = Place(path)
    place.begin(plan)
    with place.locked() as lock, _stop_asked() as stop:
        for number in redo:
            place.point(number)
        place.open_seal()
        place.clear_up()
        wanted = [p for p in plan.points() if p.number in redo or not place.attempts(p.number)]
        tasks = (Task(point, plan.recipe_of(point.values, point.seed)) for point in wanted)
        if scheduler is None:
            finished = run_here(
                tasks, place, jobs=jobs, within_s=within_s, stop=stop, descriptor=lock
            )
        else:
            finished = run_on_cluster(
                tasks, place, scheduler=scheduler, within_s=within_s, stop=stop
            )
        try:
            with closing(finished):  # whatever happens here, no run is left behind
                unsafe = _follow(finished, rig, len(plan), len(wanted))
        finally:
            place.clear_up()
            results = _write(place)
    _show(results, place, as_json)
    if unsafe is not None:
        print(
            f"stopped: point {unsafe.number} left the rig unsafe; make it safe, then go on with "
            f"gridrig sweep --resume {path}",
            file=sys.stderr,
        )
    elif results.left:
        print(f"go on with: gridrig sweep --resume {path}", file=sys.stderr)
    return results.outcome.exit_code


def points_command(path: Path, *, note: tuple[int, str] | None, as_json: bool) -> int:
    """Show the points of a sweep, or write a note on one."""
    place = Place(path)
    if note is not None:
        with place.locked():
            place.open_seal()
            place.note(*note, by=getpass.getuser())
            results = _write(place)
    else:
        results = collect(place)
    _show(results, place, as_json)
    return 0


def _require_bench(rig: Rig, jobs: int, scheduler: str | None) -> None:
    """Refuse what a bench of real devices cannot do."""
    if all(device.emulated for device in rig.devices):
        return
    require_unattended(rig)
    if jobs > 1 or scheduler is not None:
        raise CampaignError(
            "sweep.one_bench",
            "{path} has real devices: one point at a time, on this machine: --jobs 1",
            path=rig.path,
        )


@contextmanager
def _stop_asked() -> Iterator[threading.Event]:
    """Give an event that SIGINT, SIGTERM and SIGHUP set; points under way then end, safely."""
    stop = threading.Event()
    with handed(lambda _: stop.set()):
        yield stop


def _follow(
    finished: Iterator[tuple[Point, Path]], rig: Rig, total: int, wanted: int
) -> Point | None:
    """Tell of each point that ends; return the one that left a real rig unsafe, and stop there."""
    real = any(not device.emulated for device in rig.devices)
    with tell_progress(total, total - wanted) as tell:
        for point, attempt in finished:
            outcome = Outcome(ended(attempt)["outcome"])
            tell(point, outcome)
            if real and outcome is Outcome.UNSAFE:
                return point
    return None


def _write(place: Place) -> Results:
    results = collect(place)
    write_results(place, results)
    (place.path / OVERVIEW).write_bytes(overview(results))
    place.seal()
    return results


def _show(results: Results, place: Place, as_json: bool) -> None:
    if as_json:
        print(json.dumps(to_json(results), indent=1))
        return
    console = Console(file=sys.stdout)
    counts = [
        f"{many} {outcome}"
        for outcome in reversed(Outcome)
        if (many := sum(point.outcome is outcome for point in results.points))
    ]
    if results.left:
        counts.append(f"{results.left} not run")
    for point in results.points:
        if point.outcome is not Outcome.PASS:
            what = outcome_text(point.outcome) if point.outcome else "not run"
            failed = [v for v in point.verdicts if v.outcome is not Outcome.PASS]
            why = point.cause or ", ".join(verdict.criterion.name for verdict in failed)
            number = f"{point.point.number:5d}"
            console.print(number, what, point.point.text, why, soft_wrap=True, highlight=False)
    mark = "EMULATED \u00b7 " if results.emulated else ""
    console.print(f"{mark}{results.title}: {', '.join(counts)}", highlight=False)
    console.print(outcome_text(results.outcome))
    console.print(f"overview  {place.path / OVERVIEW}", soft_wrap=True, highlight=False)
