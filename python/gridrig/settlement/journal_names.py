"""Numbers for names: accounts, meters and keys, given once and kept in the journal."""

import sqlite3
from itertools import count
from typing import Self

from gridrig._core import Numbering

_COLUMNS = {"account": "name", "meter": "name", "key": "key_id"}


class Names:
    """The names of a journal, which are bytes here, those that are text in UTF-8."""

    def __init__(self, accounts: Numbering, meters: Numbering, keys: Numbering) -> None:
        self.accounts, self.meters, self.keys = accounts, meters, keys

    @classmethod
    def read(cls, db: sqlite3.Connection) -> Self:
        """Read the names that a journal has."""
        return cls(*(_kept(db, table, column) for table, column in _COLUMNS.items()))

    def write(self, db: sqlite3.Connection) -> None:
        """Write the names that are new, inside the transaction that needs them."""
        numberings = (self.accounts, self.meters, self.keys)
        for (table, column), numbering in zip(_COLUMNS.items(), numberings, strict=True):
            value = "CAST(? AS TEXT)" if column == "name" else "?"
            rows = zip(count(numbering.last + 1), numbering.new_names(), strict=False)
            db.executemany(f"INSERT INTO {table} VALUES (?, {value})", rows)

    def settle(self, *, written: bool) -> None:
        """Keep the new names if they were committed, forget them if not."""
        for numbering in (self.accounts, self.meters, self.keys):
            if written:
                numbering.keep()
            else:
                numbering.forget()


def _kept(db: sqlite3.Connection, table: str, column: str) -> Numbering:
    (last,) = db.execute(f"SELECT coalesce(max({table}), 0) FROM {table}").fetchone()
    found = db.execute(f"SELECT CAST({column} AS BLOB) FROM {table} ORDER BY {table}")
    names = [name for (name,) in found]
    if last != len(names):
        raise sqlite3.DatabaseError(f"table {table} has {len(names)} rows, and its last is {last}")
    return Numbering(names)
