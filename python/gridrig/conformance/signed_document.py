"""One signed file that a stranger can check: its content, its key, its signature.

Invariants
----------
* There is exactly one way to write a document; a file that is written otherwise is refused, so no
  byte of it can change unnoticed.
* The signature (Ed25519) is over the kind, a line end, and the content's bytes, so that a document
  of one kind never counts as another.
* The key in the file proves that nothing changed since signing, not who signed; that is known only
  against a trusted key.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gridrig.campaign.signing import key_id
from gridrig.errors import CampaignError

DOCUMENT_BYTES_MAX = 16_000_000
CERTIFICATE = "gridrig driver certificate 1"
REVOCATIONS = "gridrig revocation list 1"


@dataclass(frozen=True)
class Document:
    """A document whose signature is right.

    Parameters
    ----------
    body : dict
        What it says.
    key : Ed25519PublicKey
        Who signed.
    """

    body: dict[str, Any]
    key: Ed25519PublicKey

    @property
    def signer(self) -> str:
        """Short name of the key."""
        return key_id(self.key)


def write_document(path: Path, kind: str, body: dict[str, Any], key: Ed25519PrivateKey) -> None:
    """Sign a body and write it, whole or not at all."""
    signature = key.sign(_signed_bytes(kind, body))
    public = key.public_key().public_bytes_raw().hex()
    content = {"kind": kind, "body": body, "public_key": public, "signature": signature.hex()}
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(_canonical(content))
    draft.replace(path)


def is_document(path: Path) -> bool:
    """Whether a file looks like one of these documents, signed or spoiled."""
    with path.open("rb") as file:
        head = file.read(DOCUMENT_BYTES_MAX)
    return CERTIFICATE.encode() in head or REVOCATIONS.encode() in head


def read_document(path: Path, kind: str) -> Document:
    """Read a document and check its form and its signature.

    Raises
    ------
    CampaignError
        `conformance.unreadable`, `conformance.not_a_document` or `conformance.signature_false`.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CampaignError(
            "conformance.unreadable",
            "{path} cannot be read: {cause}",
            path=path,
            cause=error.strerror,
        ) from None
    try:
        content = json.loads(raw)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(content["public_key"]))
        signature = bytes.fromhex(content["signature"])
        well_formed = (
            len(raw) <= DOCUMENT_BYTES_MAX
            and content.keys() == {"kind", "body", "public_key", "signature"}
            and content["kind"] == kind
            and isinstance(content["body"], dict)
            and _canonical(content) == raw
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        well_formed = False
    if not well_formed:
        raise CampaignError(
            "conformance.not_a_document",
            "{path} is not a {kind} as gridrig writes it, so it was changed or is another file",
            path=path,
            kind=kind,
        )
    try:
        public.verify(signature, _signed_bytes(kind, content["body"]))
    except InvalidSignature:
        raise CampaignError(
            "conformance.signature_false",
            "{path}: the signature is not right for what it says and the key {signer}",
            path=path,
            signer=key_id(public),
        ) from None
    return Document(content["body"], public)


def plain(value: Any) -> Any:
    """Return a value with what JSON has no number for as text: "inf", "-inf", "nan"."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _signed_bytes(kind: str, body: dict[str, Any]) -> bytes:
    return kind.encode() + b"\n" + _canonical(body)


def _canonical(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
