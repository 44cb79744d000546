"""Settlement: periods settled by the Rust core, kept in a journal nobody can rewrite through it."""

from gridrig._core import Entry, MeterPeriod, Settled, settle_period
from gridrig.settlement.journal import Journal

__all__ = ["Entry", "Journal", "MeterPeriod", "Settled", "settle_period"]
