"""Signed metering: keys, the emulated meter's signature, and verified readings.

The Rust core verifies; this package reads keys files and files of records, and holds the signer
that an emulated meter uses. The signer is another implementation (OpenSSL, through `cryptography`)
than the verifier, so that neither can hide a mistake of the other.
"""

from gridrig._core import Refusal, VerifiedReading, Verifier
from gridrig.metering.keys import EnrolledKey, enrol_all, load_keys
from gridrig.metering.ocmf_signing import OcmfSigner, derive_private_key, public_key_der
from gridrig.metering.verification import Verdict, exit_code, verdict_of, verify_file

__all__ = [
    "EnrolledKey",
    "OcmfSigner",
    "Refusal",
    "Verdict",
    "VerifiedReading",
    "Verifier",
    "derive_private_key",
    "enrol_all",
    "exit_code",
    "load_keys",
    "public_key_der",
    "verdict_of",
    "verify_file",
]
