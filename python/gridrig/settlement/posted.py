"""A settled period, or a correction of one, as the rows that the journal keeps of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gridrig._core import Correction, Settled, posted_image, posted_names
from gridrig.settlement.journal_names import Names
from gridrig.settlement.journal_rows import Image

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


@dataclass(frozen=True)
class Posted:
    """What one settlement of a period adds to the journal.

    Parameters
    ----------
    of : Settled or Correction
        The settlement.
    accounts, meters : array of int64
        The numbers of its names, as `posted_names` lists them.
    """

    of: Settled | Correction
    accounts: npt.NDArray[np.int64]
    meters: npt.NDArray[np.int64]

    @classmethod
    def numbered(cls, one: Settled | Correction, names: Names) -> Self:
        """Number the names of a settled period or of a correction."""
        accounts, meters = posted_names(one)
        return cls(
            one,
            np.array(names.accounts.numbers(accounts), np.int64),
            np.array(names.meters.numbers(meters), np.int64),
        )


def rows_of(parts: Sequence[Posted]) -> Image:
    """Lay out the tables `entry` and `metered` of a post.

    Raises
    ------
    ValueError
        For a trade whose number has more than 63 bits.
    """
    return posted_image([(part.of, part.accounts, part.meters) for part in parts])


def settlement_row(one: Settled | Correction) -> tuple[int | str | None, ...]:
    """Return the row of the table `settlement`."""
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
