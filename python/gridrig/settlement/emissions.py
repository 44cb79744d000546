"""Carbon of energy that was taken or given, at the grid's rate of each period.

The rate is that of the place, whoever sold the energy. A period without a rate is not guessed: the
sum is withheld and says for how many periods.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from gridrig.errors import SettlementError
from gridrig.settlement.statement import Slot

COLUMNS = ("from", "to", "g_per_mwh")
MILLIWH_PER_MWH = 1_000_000_000
G_PER_MWH_MAX = 10_000_000
FAULTS_SHOWN_MAX = 10


class _Rate(NamedTuple):
    from_s: int
    to_s: int
    g_per_mwh: int


@dataclass(frozen=True)
class Emission:
    """Carbon of some energy; `grams` is None if a rate is missing, and for how many periods."""

    grams: int | None
    missing: int


@dataclass(frozen=True)
class EmissionRates:
    """Emission rates of a grid, in the order of time, none of them overlapping."""

    rows: tuple[_Rate, ...]

    @classmethod
    def read(cls, path: Path) -> "EmissionRates":
        """Read a CSV file with the columns `from`, `to` (ISO 8601 with a zone) and `g_per_mwh`.

        Raises
        ------
        SettlementError
            `settlement.emission_rates`, with every faulty row.
        """
        try:
            with path.open(newline="", encoding="utf-8") as file:
                table = list(csv.reader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise _refused(path, [str(error)]) from error
        if not table or tuple(table[0]) != COLUMNS:
            found = ",".join(table[0]) if table else "nothing"
            raise _refused(path, [f"line 1: found {found}, expected {','.join(COLUMNS)}"])
        faults: list[str] = []
        rows: list[_Rate] = []
        for line, cells in enumerate(table[1:], start=2):
            try:
                rows.append(_rate(cells, rows[-1].to_s if rows else None))
            except ValueError as error:
                faults.append(f"line {line}: {error}")
        if faults:
            raise _refused(path, faults)
        return cls(tuple(rows))

    def rate(self, from_s: int, to_s: int) -> int | None:
        """Return the one rate that holds for the whole of a period, None if there is none."""
        place = bisect_right(self.rows, from_s, key=lambda row: row.from_s) - 1
        if place < 0 or self.rows[place].to_s < to_s:
            return None
        return self.rows[place].g_per_mwh

    def emission(self, slots: Iterable[Slot], energy: str) -> Emission:
        """Return the carbon of an energy of slots, such as "imported_milliwh".

        Grams are rounded once, half up, after all periods are summed.
        """
        exact, missing = 0, 0
        for slot in slots:
            milliwh: int = getattr(slot, energy)
            rate = self.rate(slot.from_s, slot.to_s)
            if rate is None:
                missing += milliwh > 0
            else:
                exact += milliwh * rate
        grams = (2 * exact + MILLIWH_PER_MWH) // (2 * MILLIWH_PER_MWH)
        return Emission(None if missing else grams, missing)


def _rate(cells: list[str], earliest_s: int | None) -> _Rate:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"found {len(cells)} fields, expected {len(COLUMNS)}")
    from_s, to_s = (_time_s(text) for text in cells[:2])
    if not cells[2].isascii() or not cells[2].isdigit() or int(cells[2]) > G_PER_MWH_MAX:
        raise ValueError(f"g_per_mwh: found {cells[2]!r}, expected 0 to {G_PER_MWH_MAX}")
    if to_s <= from_s:
        raise ValueError(f"to: found {cells[1]}, expected later than {cells[0]}")
    if earliest_s is not None and from_s < earliest_s:
        raise ValueError(f"from: found {cells[0]}, before the end of the row above")
    return _Rate(from_s, to_s, int(cells[2]))


def _time_s(text: str) -> int:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"found {text!r}, expected a time with its zone, such as +01:00")
    if time.microsecond:
        raise ValueError(f"found {text!r}, expected whole seconds")
    return int(time.timestamp())


def _refused(path: Path, faults: list[str]) -> SettlementError:
    shown = faults[:FAULTS_SHOWN_MAX]
    if len(faults) > len(shown):
        shown.append(f"and {len(faults) - len(shown)} more")
    return SettlementError(
        "settlement.emission_rates", "{path}: {faults}", path=str(path), faults="; ".join(shown)
    )
