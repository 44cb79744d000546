"""Settlement: periods settled by the Rust core, kept in a journal nobody can rewrite through it."""

from gridrig._core import (
    Correction,
    Entry,
    MeterPeriod,
    PostedLines,
    Settled,
    SettlementRules,
    meter_period,
    settle_period,
)
from gridrig.settlement.journal import Journal

__all__ = [
    "Correction",
    "Entry",
    "Journal",
    "MeterPeriod",
    "PostedLines",
    "Settled",
    "SettlementRules",
    "meter_period",
    "settle_period",
]
