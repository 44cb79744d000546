"""A settled period, or a correction of one, as the row that the journal keeps of its rules."""

import json

from gridrig._core import Correction, Settled

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
