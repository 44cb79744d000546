"""A settled period, or a correction of one, as the rows that the journal keeps of it."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gridrig._core import Correction, Settled, posted_columns
from gridrig.settlement.journal_names import Names
from gridrig.settlement.journal_rows import Rows, insert_rows

RULES = (
    "long_price_micro_per_kwh",
    "short_price_micro_per_kwh",
    "island_long_price_micro_per_kwh",
    "island_short_price_micro_per_kwh",
    "floor_micro_per_kwh",
    "ceiling_micro_per_kwh",
    "lot_milliwh",
    "tick_micro_per_kwh",
    "grid_fee_micro_per_kwh",
    "operator_fee_micro_per_kwh",
    "losses",
)
"""What `SettlementRules` is made of again."""

_ENTRY_ACCOUNTS, _ENTRY_METER = (0, 5, 6), 3  # columns that hold a place in a list of names


@dataclass(frozen=True)
class Posted:
    """What one settlement of a period adds to the journal.

    Parameters
    ----------
    entries : array of int64, shape (n, 10)
        Account, kind, trade, meter, line, debit, credit, amount, energy, price; accounts by their
        place in `accounts`, meters by theirs in `meters`, counted from 1 with 0 for none.
    metered : array of int64, shape (m, 6)
        Owner, from, to, import, export, quality of each of `meters`; owners by their place in
        `accounts`.
    readings : list of bytes, m of them
        Digests of the readings behind each meter, 32 bytes each.
    accounts, meters : list of str
        Names.
    key, settlement : tuple
        Period and revision, and the whole row of the table `settlement`.
    """

    entries: npt.NDArray[np.int64]
    metered: npt.NDArray[np.int64]
    readings: list[bytes]
    accounts: list[str]
    meters: list[str]
    key: tuple[int, int]
    settlement: tuple[int | str | None, ...]

    @classmethod
    def of(cls, one: Settled | Correction) -> Self:
        """Take a settled period or a correction apart."""
        entries, metered, readings, accounts, meters = posted_columns(one)
        return cls(
            entries.reshape(-1, 10),
            metered.reshape(-1, 6),
            readings,
            accounts,
            meters,
            (one.period, one.revision),
            _settlement_row(one),
        )

    def write(self, db: sqlite3.Connection, names: Names) -> None:
        """Insert the rows, inside the transaction that the caller has open."""
        accounts = np.array(names.accounts.numbers(self.accounts), np.int64)
        meters = np.array(names.meters.numbers(self.meters), np.int64)
        names.write(db)
        insert_rows(db, "settlement", [self.settlement])
        self._metered_rows(meters, accounts).insert(db, "metered")
        places = np.concatenate(([0], meters))
        self.entries[:, _ENTRY_ACCOUNTS] = accounts[self.entries[:, _ENTRY_ACCOUNTS]]
        self.entries[:, _ENTRY_METER] = places[self.entries[:, _ENTRY_METER]]
        Rows.of_matrix(self.key, self.entries).insert(db, "entry")

    def _metered_rows(self, meters: npt.NDArray[np.int64], accounts: npt.NDArray[np.int64]) -> Rows:
        """Lay out the rows by primary key, as the table is: each behind the last one."""
        owners = accounts[self.metered[:, 0]]
        matrix = np.column_stack((meters, owners, self.metered[:, 1:]))
        readings: list[bytes] = self.readings
        if (meters[1:] < meters[:-1]).any():
            order = np.argsort(meters, kind="stable")
            matrix, readings = matrix[order], [readings[place] for place in order.tolist()]
        return Rows.of_matrix(self.key, matrix, readings)


def _settlement_row(one: Settled | Correction) -> tuple[int | str | None, ...]:
    if isinstance(one, Correction):
        return (one.period, one.revision, one.booked_in, *[None] * 6, None)
    return (
        one.period,
        one.revision,
        one.period,
        int(one.island),
        one.exported_milliwh,
        one.imported_milliwh,
        one.losses_milliwh,
        one.long_price_micro_per_kwh,
        one.short_price_micro_per_kwh,
        json.dumps({name: getattr(one.rules, name) for name in RULES}),
    )
