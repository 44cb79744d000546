"""Verifying keys of meters as a rig file enrols them."""

import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import Name

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True)
class WrittenKey:
    """A `[[key]]` as a file writes it.

    Parameters
    ----------
    meter : str
        Whose key.
    algorithm : str
        "ecdsa-p256".
    public_key : str
        SubjectPublicKeyInfo DER in hex.
    valid_from, valid_to : str, str or None
        When its signatures count, the end excluded: `2016-01-01T00:00:00Z`.
    serial : str or None
        Serial number in the meter's readings; None for the meter's name.
    """

    meter: Name
    algorithm: Literal["ecdsa-p256"]
    public_key: Name
    valid_from: str
    valid_to: str | None = None
    serial: Name | None = None


def read_utc(text: str | None, at: At, issues: Issues) -> int | None:
    """Return a UTC time of a file in seconds; None if it is absent or has an issue. [s]"""
    if text is None:
        return None
    try:
        if not _UTC.fullmatch(text):
            raise ValueError
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        issues.add(at, shown(text), 'a UTC time such as "2016-01-01T00:00:00Z"')
        return None


def read_key(text: str, at: At, issues: Issues) -> bytes | None:
    """Return a P-256 verifying key's DER bytes; None if it has an issue."""
    try:
        der = binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        issues.add(at, shown(text), "a public key in hex")
        return None
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        issues.add(at, f"{len(der)} bytes that are no public key", "a P-256 public key (SPKI DER)")
        return None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        issues.add(at, "a public key of another kind", "a P-256 public key (SPKI DER)")
        return None
    return der
