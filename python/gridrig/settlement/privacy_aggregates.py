"""Aggregates that give nobody away: no combination of those published is of fewer than k homes.

Every pair of a home and an instant belongs to those releases that sum it up. Pairs that belong to
the same releases form a cell, and whatever sums and differences anybody takes of the releases is a
combination of whole cells. A release is refused if it would make a cell of fewer than k homes:
then no difference of two releases, nor any other combination of any number, is of fewer than k.

All quantities count together: import, export and net of them are not independent.

Invariants: a release that was given out is kept, in the same commit, before it is given out.

Limits: `HOMES_MAX` homes and `RELEASES_MAX` releases a file; 5 s of waiting for a lock.

Known gaps: k homes of which one takes nearly everything still tell of that one; whoever knows some
of the homes' values (their own) can subtract them, so that k - 1 who collude see the last one.

References
----------
.. [1] California Public Utilities Commission, Decision 14-05-016, 2014: least numbers of customers
   in published aggregates of energy usage.
.. [2] L. Sweeney, "k-anonymity: a model for protecting privacy," Int. J. Uncertainty, Fuzziness and
   Knowledge-Based Systems 10(5), 2002.
"""

import itertools
import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gridrig.durable_file import FileKind, prepare
from gridrig.errors import SettlementError

HOMES_MAX = 1_000_000
RELEASES_MAX = 100_000
LOCK_WAIT_S_MAX = 5.0
K_DEFAULT = 5

_KIND = FileKind(
    0x67726167,  # "grag"
    1,
    4096,
    """CREATE TABLE release (
        name TEXT PRIMARY KEY,
        quantity TEXT NOT NULL,
        from_s INTEGER NOT NULL,
        to_s INTEGER NOT NULL CHECK (to_s > from_s),
        homes TEXT NOT NULL,
        total INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE rule (k INTEGER NOT NULL CHECK (k > 1)) STRICT;""",
)


class Release(NamedTuple):
    """What was published: a sum over homes and a span of time."""

    name: str
    quantity: str
    from_s: int
    to_s: int
    homes: frozenset[str]
    total: int


class AggregatePublisher:
    """Publishes sums over homes, and remembers what it published.

    Parameters
    ----------
    path : Path or str
        The file of its releases; made if there is none.
    k : int
        Fewest homes that anything published may tell of; fixed by the first to open the file.

    Raises
    ------
    SettlementError
        `settlement.aggregate_file` if the file cannot be used or has another k.
    """

    def __init__(self, path: Path | str, *, k: int = K_DEFAULT) -> None:
        self._path, self.k = str(path), k
        try:
            self._db = sqlite3.connect(path, timeout=LOCK_WAIT_S_MAX, isolation_level=None)
            try:
                self._begin()
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as fault:
            raise self._unusable(str(fault)) from fault

    def _begin(self) -> None:
        """Make the file what it has to be, and hold it to the k that it was begun with."""
        if prepare(self._db, _KIND):
            raise self._unusable("it is another kind of file")
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "INSERT INTO rule SELECT ? WHERE NOT EXISTS (SELECT 1 FROM rule)", (self.k,)
        )
        (standing,) = self._db.execute("SELECT k FROM rule").fetchone()
        self._db.execute("COMMIT")
        if standing != self.k:
            raise self._unusable(f"it was begun with k = {standing}, asked for is {self.k}")

    def publish(
        self, name: str, quantity: str, values: Mapping[str, int], *, from_s: int, to_s: int
    ) -> int:
        """Publish the sum of some homes' values over a span, if it gives nobody away.

        Parameters
        ----------
        name : str
            Name of the release, once for good.
        quantity : str
            What is summed up, with its unit.
        values : mapping of str to int
            By home.
        from_s, to_s : int
            The span. [s since 1970]

        Returns
        -------
        int
            The sum. The same release again is the same sum and no second release.

        Raises
        ------
        SettlementError
            `settlement.aggregate_small` for too few homes; `settlement.aggregate_difference` with
            the earlier release as `earlier`; `settlement.aggregate_name`, `.aggregate_span`,
            `.aggregate_bound`, `.aggregate_file`.
        """
        asked = Release(name, quantity, from_s, to_s, frozenset(values), sum(values.values()))
        if to_s <= from_s or not name:
            raise SettlementError(
                "settlement.aggregate_span",
                "release {name!r} of {from_s} s to {to_s} s is not named and forward",
                name=name,
                from_s=from_s,
                to_s=to_s,
            )
        try:
            self._db.execute("BEGIN IMMEDIATE")
            if self._is_new(asked):
                self._db.execute(
                    "INSERT INTO release VALUES (?, ?, ?, ?, ?, ?)",
                    (*asked[:4], json.dumps(sorted(asked.homes)), asked.total),
                )
            self._db.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as fault:
            self._roll_back()
            raise self._unusable(str(fault)) from fault
        except BaseException:
            self._roll_back()
            raise
        return asked.total

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _is_new(self, asked: Release) -> bool:
        releases = self.releases()
        for earlier in releases:
            if earlier.name == asked.name:
                if earlier == asked:
                    return False
                raise SettlementError(
                    "settlement.aggregate_name",
                    "release {name!r} was published already, with other content",
                    name=asked.name,
                    earlier=earlier,
                )
        if len(asked.homes) > HOMES_MAX or len(releases) >= RELEASES_MAX:
            raise SettlementError(
                "settlement.aggregate_bound",
                "{homes} homes and {releases} releases, at most {homes_max} and {releases_max}",
                homes=len(asked.homes),
                releases=len(releases),
                homes_max=HOMES_MAX,
                releases_max=RELEASES_MAX,
            )
        if len(asked.homes) < self.k:
            raise SettlementError(
                "settlement.aggregate_small",
                "release {name!r} is of {homes} homes, at least {k} are asked for",
                name=asked.name,
                homes=len(asked.homes),
                k=self.k,
            )
        if found := smallest_cell(asked, releases, self.k):
            homes, earlier = found
            raise SettlementError(
                "settlement.aggregate_difference",
                "release {name!r} with the earlier {earlier_name!r} would tell of {homes} homes "
                "alone, at least {k} are asked for",
                name=asked.name,
                earlier_name=earlier.name,
                homes=homes,
                k=self.k,
                earlier=earlier,
            )
        return True

    def releases(self) -> list[Release]:
        """Return everything published so far, by name."""
        rows = self._db.execute("SELECT * FROM release ORDER BY name")
        return [
            Release(name, quantity, from_s, to_s, frozenset(json.loads(homes)), total)
            for name, quantity, from_s, to_s, homes, total in rows
        ]

    def _unusable(self, fault: str) -> SettlementError:
        return SettlementError(
            "settlement.aggregate_file", "{path}: {fault}", path=self._path, fault=fault
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def smallest_cell(
    asked: Release, releases: Sequence[Release], k: int
) -> tuple[int, Release] | None:
    """Return a cell of fewer than k homes that a release would make, and one that makes it with it.

    Parameters
    ----------
    asked : Release
        The release in question.
    releases : sequence of Release
        Those before it, among which no cell is of fewer than k homes.
    k : int
        Fewest homes of a cell.

    Returns
    -------
    tuple or None
        How many homes the cell has, and the earlier release.
    """
    beside = [r for r in releases if r.from_s < asked.to_s and asked.from_s < r.to_s]
    edges = {asked.from_s, asked.to_s}
    edges |= {edge for r in beside for edge in (r.from_s, r.to_s)}
    inside = sorted(edge for edge in edges if asked.from_s <= edge <= asked.to_s)
    for from_s, to_s in itertools.pairwise(inside):
        covering = [asked, *(r for r in beside if r.from_s <= from_s and to_s <= r.to_s)]
        homes = sorted(frozenset().union(*(r.homes for r in covering)))
        cells = Counter(tuple(home in r.homes for r in covering) for home in homes)
        for belongs, count in sorted(cells.items()):
            if count < k:
                return count, _parts_with(asked, covering[1:], belongs)
    return None


def _parts_with(asked: Release, earlier: Sequence[Release], belongs: tuple[bool, ...]) -> Release:
    """Name the earlier release whose homes part most narrowly from the one asked for."""

    def apart(release: Release) -> tuple[int, str]:
        differ = asked.homes ^ release.homes
        return (len(differ) if differ else len(asked.homes), release.name)

    held = [r for r, holds in zip(earlier, belongs[1:], strict=True) if holds != belongs[0]]
    return min(held or earlier, key=apart)
