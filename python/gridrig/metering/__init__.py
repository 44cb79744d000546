"""Signed metering: keys, the emulated meter's signature, and verified readings.

The Rust core verifies; this package reads keys files and files of records, and holds the signer
that an emulated meter uses. The signer is another implementation (OpenSSL, through `cryptography`)
than the verifier, so that neither can hide a mistake of the other.
"""

from gridrig._core import (
    Authenticated,
    Refusal,
    StagedBatch,
    VerifiedReading,
    Verifier,
    enclosed_in_xml,
    metering_words,
)
from gridrig.metering.batch import ABSENT, VERIFIED, Verdicts
from gridrig.metering.cose_signing import CoseSigner
from gridrig.metering.keys import EnrolledKey, enrol_all
from gridrig.metering.ledger_store import Fork, LedgerStore
from gridrig.metering.ocmf_signing import OcmfSigner, derive_private_key, public_key_der
from gridrig.metering.reading_ledger import ReadingLedger
from gridrig.metering.trust_file import load_keys
from gridrig.metering.verification import Verdict, exit_code, verdict_of, verify_file

__all__ = [
    "ABSENT",
    "VERIFIED",
    "Authenticated",
    "CoseSigner",
    "EnrolledKey",
    "Fork",
    "LedgerStore",
    "OcmfSigner",
    "ReadingLedger",
    "Refusal",
    "StagedBatch",
    "Verdict",
    "Verdicts",
    "VerifiedReading",
    "Verifier",
    "derive_private_key",
    "enclosed_in_xml",
    "enrol_all",
    "exit_code",
    "load_keys",
    "metering_words",
    "public_key_der",
    "verdict_of",
    "verify_file",
]
