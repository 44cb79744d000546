"""Many rows into a table: hundreds in one statement, which costs a third of one at a time.

SQLite starts, checks and ends a statement for every row that `executemany` is given; a statement of
many rows pays for that once, and comes as fast as SQLite copies rows from table to table
(`gridrig bench settlement` measures both). Cells go to it by number, so that what is the same in
every row is bound once, and columns that lie apart are not woven into rows first.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Cell: TypeAlias = int | str | bytes | None

ROWS_PER_STATEMENT = 128

FIXED, WIDE, BESIDE = "fixed", "wide", "beside"
Column: TypeAlias = tuple[str, int]
"""Where a column comes from: which of the fixed cells, of the wide ones, or the one beside."""


@dataclass(frozen=True)
class Rows:
    """Rows that are laid out as they come to hand.

    Parameters
    ----------
    columns : sequence of Column
        Where each column of the table comes from, in its order.
    fixed : sequence of Cell
        Cells that are the same in every row.
    wide : callable
        Returns the wide cells of the rows from one place up to another, row by row in one list.
    width : int
        Wide cells of a row; not all of them need be used.
    count : int
        How many rows there are.
    beside : sequence of Cell
        One further cell a row, or none at all.
    """

    columns: Sequence[Column]
    fixed: Sequence[Cell]
    wide: Callable[[int, int], Sequence[Cell]]
    width: int
    count: int
    beside: Sequence[Cell] = ()

    @classmethod
    def of_matrix(
        cls,
        fixed: Sequence[Cell],
        matrix: npt.NDArray[np.int64],
        beside: Sequence[Cell] = (),
    ) -> "Rows":
        """Lay out fixed cells, a row of integers, and what is beside it, in this order."""
        columns = [(FIXED, n) for n in range(len(fixed))]
        columns += [(WIDE, n) for n in range(matrix.shape[1])]
        columns += [(BESIDE, 0)] * bool(beside)

        def wide(begin: int, end: int) -> Sequence[Cell]:
            return matrix[begin:end].ravel().tolist()

        return cls(columns, fixed, wide, matrix.shape[1], len(matrix), beside)

    @classmethod
    def of_tuples(
        cls,
        columns: Sequence[Column],
        fixed: Sequence[Cell],
        rows: Sequence[Sequence[Cell]],
        beside: Sequence[Cell] = (),
    ) -> "Rows":
        """Lay out rows that are at hand as tuples."""

        def wide(begin: int, end: int) -> Sequence[Cell]:
            return list(chain.from_iterable(rows[begin:end]))

        return cls(columns, fixed, wide, len(rows[0]) if rows else 0, len(rows), beside)

    def _statement(self, table: str, rows: int) -> str:
        """Write the statement for so many rows: parameters fixed, then beside, then wide."""
        beside = len(self.fixed)
        wide = beside + rows * bool(self.beside)

        def number(column: Column, row: int) -> int:
            kind, place = column
            if kind == FIXED:
                return place + 1
            return beside + row + 1 if kind == BESIDE else wide + row * self.width + place + 1

        values = (
            ", ".join(f"?{number(column, row)}" for column in self.columns) for row in range(rows)
        )
        return f"INSERT INTO {table} VALUES " + ", ".join(f"({row})" for row in values)

    def _parameters(self, begin: int, end: int, step: int) -> Iterator[list[Cell]]:
        for at in range(begin, end, step):
            yield [*self.fixed, *self.beside[at : at + step], *self.wide(at, at + step)]

    def insert(self, db: sqlite3.Connection, table: str) -> None:
        """Insert all rows into a table, inside the transaction that the caller has open."""
        variables = db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - len(self.fixed)
        step = max(1, min(ROWS_PER_STATEMENT, variables // (self.width + 1)))
        whole = self.count - self.count % step
        if whole:
            db.executemany(self._statement(table, step), self._parameters(0, whole, step))
        if whole < self.count:
            db.executemany(self._statement(table, 1), self._parameters(whole, self.count, 1))


def insert_rows(db: sqlite3.Connection, table: str, rows: Iterable[Sequence[Cell]]) -> int:
    """Insert rows that have all columns of a table; return how many there were."""
    listed = list(rows)
    if listed:
        columns = [(WIDE, n) for n in range(len(listed[0]))]
        Rows.of_tuples(columns, (), listed).insert(db, table)
    return len(listed)
