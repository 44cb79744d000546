"""Numbers for names: accounts, meters and keys, given once and kept in the journal."""

import sqlite3
from collections.abc import Sequence
from itertools import islice
from typing import Self, cast


class Numbering:
    """Numbers from 1 for the names of one table, some of which are not in the file yet."""

    def __init__(self, table: str, given: dict[str | bytes, int]) -> None:
        self.table, self.given = table, given
        self.new: dict[str | bytes, int] = {}
        self._written = 0

    @property
    def last(self) -> int:
        """The highest number that is given."""
        return len(self.given)

    def numbers(self, names: Sequence[str | bytes]) -> list[int]:
        """Return the number of each name; a name that has none is given the next."""
        numbers = list(map(self.given.get, names))
        if None in numbers:
            last, new = self.last, self.new
            return [
                number or new.setdefault(name, last + len(new) + 1)
                for number, name in zip(numbers, names, strict=True)
            ]
        return cast("list[int]", numbers)

    def write(self, db: sqlite3.Connection) -> None:
        """Write the names that are new and not written yet."""
        names = islice(self.new.items(), self._written, None)
        rows = ((number, name) for name, number in names)
        db.executemany(f"INSERT INTO {self.table} VALUES (?, ?)", rows)
        self._written = len(self.new)

    def settle(self, *, written: bool) -> None:
        """Keep the new names if they were committed, forget them if not."""
        if written:
            self.given.update(self.new)
        self.new.clear()
        self._written = 0


class Names:
    """The names of a journal."""

    def __init__(self, accounts: Numbering, meters: Numbering, keys: Numbering) -> None:
        self.accounts, self.meters, self.keys = accounts, meters, keys

    @classmethod
    def read(cls, db: sqlite3.Connection) -> Self:
        """Read the names that a journal has."""
        return cls(
            *(
                Numbering(table, dict(db.execute(f"SELECT {column}, {table} FROM {table}")))
                for table, column in (("account", "name"), ("meter", "name"), ("key", "key_id"))
            )
        )

    def write(self, db: sqlite3.Connection) -> None:
        """Write the names that are new, inside the transaction that needs them."""
        for numbering in (self.accounts, self.meters, self.keys):
            numbering.write(db)

    def settle(self, *, written: bool) -> None:
        """Keep the new names if they were committed, forget them if not."""
        for numbering in (self.accounts, self.meters, self.keys):
            numbering.settle(written=written)
