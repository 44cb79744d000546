"""Parts of a benchmark's workload in processes of their own, for figures that are no speeds.

Each worker computes with one thread and is started anew, never forked, so that what it computes
does not depend on how many there are. Results come in the order of the tasks. What fails is named
by its task, and so is a worker that ends; then, as when the benchmark is interrupted, the others
are ended at once.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from gridrig.bench.cores import OnCores
from gridrig.errors import BenchError

Task = TypeVar("Task")
Result = TypeVar("Result")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerFailed(BenchError):
    """A task could not be done; `task` says which."""


def in_workers(work: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> list[Result]:
    """Do tasks in so many processes at a time and return the results in their order.

    Parameters
    ----------
    work : callable
        A function of a module, which a new process can import.
    tasks : sequence
        What it is given, one at a time; what is printed of one names it.
    workers : int
        At least 1; no more are started than there are tasks.

    Raises
    ------
    WorkerFailed
        `bench.worker_failed` with the task and why; `bench.worker_ended` if its process is gone.
    """
    found: dict[int, Result] = {}
    waiting = iter(enumerate(tasks))
    with _started(work, min(workers, len(tasks))) as pool:
        for worker in pool:
            worker.begin(next(waiting, None))
        while busy := {worker.pipe: worker for worker in pool if worker.place is not None}:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                place = busy[pipe].place
                assert place is not None
                found[place] = busy[pipe].result(tasks[place])
                busy[pipe].begin(next(waiting, None))
    return [found[place] for place in range(len(tasks))]


class _Worker(Generic[Task, Result]):
    """A process, and the place of the task that it has."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process, self.pipe = process, pipe
        self.place: int | None = None

    def begin(self, task: tuple[int, Task] | None) -> None:
        """Give it a task, or none."""
        self.place = None if task is None else task[0]
        if task is not None:
            # One that is gone is named by what does not come back.
            with contextlib.suppress(ConnectionError):
                self.pipe.send(task[1])

    def result(self, task: Task) -> Result:
        """Return what it came to."""
        try:
            failure, found = self.pipe.recv()
        except (EOFError, ConnectionResetError):  # reset: it had not taken the task yet
            self.process.join()
            raise WorkerFailed(
                "bench.worker_ended", "{task}: its process ended with {status}",
                task=task, status=self.process.exitcode,
            ) from None  # fmt: skip
        if failure:
            raise WorkerFailed("bench.worker_failed", "{task}: {reason}", task=task, reason=failure)
        result: Result = found
        return result


@contextlib.contextmanager
def _started(work: Callable[[Task], Result], count: int) -> Iterator[list[_Worker[Task, Result]]]:
    """Start workers on the cores of the machine, each with one thread, and end them."""
    context = multiprocessing.get_context("spawn")
    pool: list[_Worker[Task, Result]] = []
    try:
        with OnCores(count), _one_thread():
            for _ in range(count):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(work, theirs), daemon=True)
                process.start()
                theirs.close()  # so that its end is seen
                pool.append(_Worker(process, ours))
        yield pool
    finally:
        for worker in pool:
            worker.process.kill()
        for worker in pool:
            worker.process.join()
            worker.pipe.close()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes that start meanwhile compute with one thread."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(work: Callable[[Task], Result], pipe: Connection) -> None:
    """Do what comes, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        answer: tuple[str, Result | None]
        try:
            answer = ("", work(task))
        except Exception as fault:  # told to who asked, with the task
            answer = (f"{type(fault).__name__}: {fault}", None)
        try:
            pipe.send(answer)
        except BrokenPipeError:
            return


def _end_with_parent() -> None:
    """End at once with who started it, also where that was killed and could end nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
