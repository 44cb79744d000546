"""The signed list of certificates that a lab takes back, and `gridrig revoke`.

The list is the lab's own, signed with the key of its certificates. It names when the next is due:
an older one proves nothing about today, so a reader refuses it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridrig.campaign.signing import key_id, load_signing_key
from gridrig.clock.wall_time import utc_now
from gridrig.conformance.signed_document import (
    CERTIFICATE,
    REVOCATIONS,
    Document,
    read_document,
    write_document,
)
from gridrig.errors import CampaignError

DAYS = 30


@dataclass(frozen=True)
class Revoked:
    """One entry: which certificate, when, and why."""

    id: str
    at: str
    reason: str


def entries_of(document: Document) -> list[Revoked]:
    """Return the entries of a list."""
    return [
        Revoked(entry["id"], entry["at"], entry["reason"]) for entry in document.body["revoked"]
    ]


def revoke(
    path: Path,
    key: Ed25519PrivateKey,
    *,
    certificate: Path | None,
    reason: str,
    now: str,
    days: int = DAYS,
) -> dict[str, Any]:
    """Add a certificate to a list, or write the list anew, and return what it says.

    Parameters
    ----------
    path : Path
        The list; made if there is none.
    key : Ed25519PrivateKey
        The lab's.
    certificate : Path or None
        Which to take back; None to say only that the list still stands.
    reason : str
        Why.
    now : str
        The time, ISO 8601.
    days : int
        Until the next list is due.

    Raises
    ------
    CampaignError
        `conformance.other_issuer` if the certificate or the list is not of this key,
        `conformance.revoked_already`, or what is wrong with a file.
    """
    issuer = key_id(key.public_key())
    entries, number = [], 0
    if path.exists():
        known = read_document(path, REVOCATIONS)
        _require_issuer(path, known, issuer)
        entries, number = entries_of(known), int(known.body["number"])
    if certificate is not None:
        document = read_document(certificate, CERTIFICATE)
        _require_issuer(certificate, document, issuer)
        name = document.body["id"]
        if any(entry.id == name for entry in entries):
            raise CampaignError(
                "conformance.revoked_already", "{id} is on {path} already", id=name, path=path
            )
        entries.append(Revoked(name, now, reason))
    due = datetime.fromisoformat(now) + timedelta(days=days)
    body = {
        "number": number + 1,
        "issued": now,
        "next_due": due.isoformat(timespec="seconds"),
        "revoked": [vars(entry) for entry in entries],
    }
    write_document(path, REVOCATIONS, body, key)
    return body


def revoke_command(
    path: Path, key: Path, *, certificate: Path | None, reason: str, days: int
) -> int:
    """Add a certificate to a list, or date the list anew, and say what it says."""
    if certificate is not None and not reason.strip():
        raise CampaignError(
            "conformance.reason",
            "--reason is missing: whoever relied on {path} asks why",
            path=certificate,
        )
    if not key.is_file():
        raise CampaignError("conformance.no_key", "{path} is no file", path=key)
    body = revoke(
        path,
        load_signing_key(key),
        certificate=certificate,
        reason=reason,
        now=utc_now(),
        days=days,
    )
    print(
        f"{path}: number {body['number']}, {len(body['revoked'])} revoked, "
        f"next due {body['next_due']}"
    )
    return 0


def _require_issuer(path: Path, document: Document, issuer: str) -> None:
    if document.signer != issuer:
        raise CampaignError(
            "conformance.other_issuer",
            "{path} is signed by {found}, this key is {expected}: only the issuer revokes",
            path=path,
            found=document.signer,
            expected=issuer,
        )
