"""What workers of a benchmark do in its tests: a module that a new process imports at once."""

import os

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
SLOW, UNLUCKY, DEADLY = 0, 13, 17


def doubled(number: int) -> int:
    if number == SLOW:
        sum(range(10_000_000))  # so that its result comes last
    if number == UNLUCKY:
        raise ValueError("unlucky")
    if number == DEADLY:
        os._exit(3)
    return 2 * number


def threads_and_cores(_: str) -> tuple[set[str], int]:
    return {os.environ[name] for name in THREADS}, len(os.sched_getaffinity(0))
