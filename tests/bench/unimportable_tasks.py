"""A module that this process imports and no process that it starts."""

import multiprocessing

if multiprocessing.current_process().name != "MainProcess":
    raise ImportError("not in a worker")


def same(number: int) -> int:
    return number
