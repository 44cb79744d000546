"""Rows that are copied from table to table: SQLite takes them whole, and no cell goes by Python.

The core lays the rows out as a database of their own (`posted_image`, `table_image`). SQLite opens
it in memory beside the journal and copies its tables by one statement each, which is as fast as it
stores rows at all (`gridrig bench settlement` measures both). Handing the cells over one by one
took three times as long.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]


@contextmanager
def beside(db: sqlite3.Connection, images: Iterable[tuple[str, Image]]) -> Iterator[None]:
    """Open databases in memory beside another, each by its name, and take them away again.

    A transaction begun within has to end there: what is being read cannot be taken away.
    """
    begun: list[str] = []
    try:
        for name, image in images:
            db.execute(f"ATTACH ':memory:' AS {name}")
            begun.append(name)
            db.deserialize(image.data, name=name)
            del image  # which SQLite copied
        yield
    finally:
        for name in begun:
            db.execute(f"DETACH {name}")
