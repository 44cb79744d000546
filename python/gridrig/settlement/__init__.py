"""Settlement: periods settled by the Rust core, kept in a journal nobody can rewrite through it."""

from gridrig._core import (
    Entry,
    InclusionProof,
    MerkleTree,
    MeterPeriod,
    Settled,
    VerifiedLeaf,
    canonical_bytes,
    settle_period,
)
from gridrig.settlement.journal import Journal

__all__ = [
    "Entry",
    "InclusionProof",
    "Journal",
    "MerkleTree",
    "MeterPeriod",
    "Settled",
    "VerifiedLeaf",
    "canonical_bytes",
    "settle_period",
]
