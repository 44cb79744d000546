"""Settlement: periods settled by the Rust core, kept in a journal nobody can rewrite through it."""

from gridrig._core import (
    Correction,
    Entry,
    InclusionProof,
    MerkleTree,
    MeterPeriod,
    Numbering,
    PostedLines,
    Settled,
    SettlementRules,
    VerifiedLeaf,
    canonical_bytes,
    meter_period,
    posted_image,
    posted_tree,
    settle_period,
    table_image,
)
from gridrig.settlement.journal import Journal

__all__ = [
    "Correction",
    "Entry",
    "InclusionProof",
    "Journal",
    "MerkleTree",
    "MeterPeriod",
    "Numbering",
    "PostedLines",
    "Settled",
    "SettlementRules",
    "VerifiedLeaf",
    "canonical_bytes",
    "meter_period",
    "posted_image",
    "posted_tree",
    "settle_period",
    "table_image",
]
