"""Many rows into a table: hundreds in one statement, which costs a third of one at a time.

SQLite starts, checks and ends a statement for every row that `executemany` is given; a statement of
many rows pays for that once, and comes as fast as SQLite copies rows from table to table
(`gridrig bench settlement` measures both).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Cell: TypeAlias = int | str | bytes | None

ROWS_PER_STATEMENT = 256
ROWS_PER_BLOCK = 65_536  # turned into Python's integers at a time


def insert_matrix(
    db: sqlite3.Connection, table: str, fixed: Sequence[int], matrix: npt.NDArray[np.int64]
) -> None:
    """Insert rows of integers, inside the transaction that the caller has open.

    Parameters
    ----------
    db : sqlite3.Connection
        With a transaction begun.
    table : str
        All of whose columns are given: `fixed`, then those of the matrix.
    fixed : sequence of int
        Columns that are the same in every row.
    matrix : array of int64, shape (n, columns)
        The others.
    """
    columns = matrix.shape[1]
    per_statement = _rows_per_statement(db, len(fixed) + columns)
    many = _insert(table, len(fixed), columns, per_statement)
    whole = len(matrix) - len(matrix) % per_statement

    def parameters() -> Iterator[list[int]]:
        step = ROWS_PER_BLOCK - ROWS_PER_BLOCK % per_statement
        for begin in range(0, whole, step):
            block = matrix[begin : min(begin + step, whole)]
            for cells in block.reshape(-1, per_statement * columns).tolist():
                yield [*fixed, *cells]

    if whole:
        db.executemany(many, parameters())
    one = _insert(table, len(fixed), columns, 1)
    db.executemany(one, ([*fixed, *cells] for cells in matrix[whole:].tolist()))


def insert_rows(db: sqlite3.Connection, table: str, rows: Iterable[Sequence[Cell]]) -> int:
    """Insert rows of any cells, each with all columns; return how many there were."""
    left = iter(rows)
    first = next(left, None)
    if first is None:
        return 0
    columns, count = len(first), 0
    per_statement = _rows_per_statement(db, columns)
    many, one = (_insert(table, 0, columns, n) for n in (per_statement, 1))
    left = chain([first], left)
    while block := list(islice(left, ROWS_PER_BLOCK - ROWS_PER_BLOCK % per_statement)):
        whole = len(block) - len(block) % per_statement
        if whole:
            parameters = (
                list(chain.from_iterable(block[at : at + per_statement]))
                for at in range(0, whole, per_statement)
            )
            db.executemany(many, parameters)
        db.executemany(one, block[whole:])
        count += len(block)
    return count


def _rows_per_statement(db: sqlite3.Connection, columns: int) -> int:
    variables = db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return max(1, min(ROWS_PER_STATEMENT, variables // columns))


def _insert(table: str, fixed: int, columns: int, rows: int) -> str:
    """Write the statement; its first `fixed` parameters serve every row."""
    first = [f"?{n + 1}" for n in range(fixed)]
    values = (
        ", ".join([*first, *(f"?{fixed + row * columns + n + 1}" for n in range(columns))])
        for row in range(rows)
    )
    return f"INSERT INTO {table} VALUES " + ", ".join(f"({row})" for row in values)
