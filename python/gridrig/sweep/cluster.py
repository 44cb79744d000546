"""Points run by the workers of a Dask cluster (extra `dask`), which share no disk with us.

A worker runs a point in a private folder and answers with all of it as one archive; we put it in
its place. A point whose worker dies is given to another one by the scheduler; an answer is taken
once, so nothing comes twice into the result. The point's process on the dead worker ends by
itself (`point`).

Limits: an archive of `BYTES_MAX`; a cluster that has no worker for `WORKERS_WITHIN_S` ends the
sweep, which can be resumed. Known gap: a run under way on a worker goes on to its end when the
sweep is stopped, and is then thrown away.
"""

import io
import tarfile
import tempfile
import threading
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridrig.campaign.formats import json_bytes
from gridrig.campaign.outcomes import Outcome
from gridrig.clock.stopwatch import now_ns
from gridrig.errors import CampaignError
from gridrig.sweep.child import run_point
from gridrig.sweep.place import POINT, Place
from gridrig.sweep.plan import Point
from gridrig.sweep.workers import Task

ASK_S = 1.0  # how often we look whether to stop, and whether there are workers
CONNECT_WITHIN_S = 10.0
WORKERS_WITHIN_S = 60.0
AHEAD = 2  # points sent for each thread of the cluster: the next one waits beside the one that runs
BYTES_MAX = 1_000_000_000


def run_on_cluster(
    tasks: Iterable[Task],
    place: Place,
    *,
    scheduler: str,
    within_s: float,
    stop: threading.Event,
) -> Generator[tuple[Point, Path], None, None]:
    """Run points and yield each with its attempt as it comes in; as `workers.run_here`.

    Parameters
    ----------
    scheduler : str
        Address of the Dask scheduler, such as `tcp://192.0.2.5:8786`.

    Raises
    ------
    CampaignError
        `sweep.no_dask`, `sweep.no_scheduler`, `sweep.no_workers`.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_WITHIN_S, name="gridrig sweep")
    except (OSError, ValueError) as error:
        raise CampaignError(
            "sweep.no_scheduler", "{scheduler} does not answer: {why}", scheduler=scheduler,
            why=str(error) or type(error).__name__,
        ) from error  # fmt: skip
    waiting = iter(tasks)
    task = next(waiting, None)
    under_way: dict[Any, Point] = {}
    alone_since_ns: int | None = None
    with client:
        try:
            while not stop.is_set() and (task is not None or under_way):
                threads = sum(client.nthreads().values())
                alone_since_ns = None if threads else (alone_since_ns or now_ns())
                if alone_since_ns and now_ns() - alone_since_ns > WORKERS_WITHIN_S * 1e9:
                    raise CampaignError(
                        "sweep.no_workers",
                        "{scheduler} has had no worker for {within_s:g} s",
                        scheduler=scheduler,
                        within_s=WORKERS_WITHIN_S,
                    )
                while task is not None and len(under_way) < AHEAD * threads:
                    under_way[_send(client, task, within_s)] = task.point
                    task = next(waiting, None)
                if under_way:
                    yield from _came_in(distributed, under_way, place)
                else:
                    stop.wait(ASK_S)
        finally:
            client.cancel(list(under_way))


def _send(client: Any, task: Task, within_s: float) -> Any:
    return client.submit(
        run_remote,
        task.recipe.to_json(),
        task.facts,
        within_s,
        version("gridrig"),
        key=f"gridrig-point-{task.point.number}-{uuid.uuid4()}",
        pure=False,
    )


def _came_in(
    distributed: Any, under_way: dict[Any, Point], place: Place
) -> Iterator[tuple[Point, Path]]:
    """Wait a little for the next answer and put what came into its place."""
    try:
        done = distributed.wait(list(under_way), ASK_S, "FIRST_COMPLETED").done
    except TimeoutError:
        return
    for future in done:
        point = under_way.pop(future)
        error = future.exception()
        folder = place.running(point.number)
        if error is None:
            with tarfile.open(fileobj=io.BytesIO(future.result())) as archive:
                archive.extractall(folder, filter="data")
        else:  # it killed every worker that it was given, or the worker has another gridrig
            outcome = Outcome.ERROR
            content = {
                **vars(point),
                "outcome": str(outcome),
                "exit_code": outcome.exit_code,
                "cause": f"no worker could run it: {error}",
                "wall_s": 0.0,
                "host": "",
                "gridrig": version("gridrig"),
            }
            (folder / POINT).write_bytes(json_bytes(content))
        future.release()
        yield point, place.keep(folder, point.number)


def run_remote(
    recipe: Mapping[str, Any], facts: Mapping[str, Any], within_s: float, wanted: str
) -> bytes:
    """Run a point here, on a worker, and return its folder as an archive."""
    distributed = _distributed()
    if version("gridrig") != wanted:
        raise CampaignError(
            "sweep.another_version", "the worker has gridrig {found}, expected {wanted}",
            found=version("gridrig"), wanted=wanted,
        )  # fmt: skip
    # A worker's own folder goes with the worker, whatever ends it.
    home = distributed.get_worker().local_directory
    with tempfile.TemporaryDirectory(dir=home, prefix="gridrig-point-") as name:
        folder = Path(name)
        run_point(recipe, folder, facts, within_s=within_s)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, arcname=path.name)
        if packed.tell() > BYTES_MAX:
            raise CampaignError(
                "sweep.too_large", "the run is {found} bytes packed, at most {most} are sent",
                found=packed.tell(), most=BYTES_MAX,
            )  # fmt: skip
        return packed.getvalue()


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise CampaignError(
            "sweep.no_dask", "a cluster needs the extra: pip install 'gridrig[dask]' ({why})",
            why=error,
        ) from error  # fmt: skip
    return distributed
