"""`gridrig verify CERTIFICATE`: is it genuine, in force, not taken back; offline."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridrig.campaign.manifest import verify
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.records import MANIFEST
from gridrig.campaign.signing import load_trusted_keys
from gridrig.clock.wall_time import utc_now
from gridrig.conformance.certificate import CERTIFIED, CaseEntry, result_of
from gridrig.conformance.revocation import entries_of
from gridrig.conformance.signed_document import (
    CERTIFICATE,
    REVOCATIONS,
    Document,
    read_document,
)
from gridrig.errors import CampaignError


@dataclass(frozen=True)
class Standing:
    """What a certificate is worth at a moment.

    Parameters
    ----------
    document : Document
        The certificate; its signature is right.
    at : str
        The moment, ISO 8601.
    trusted : bool or None
        Whether a trusted key signed; None if the reader named none.
    problems : tuple of str
        Why it does not count.
    remarks : tuple of str
        What was not checked.
    """

    document: Document
    at: str
    trusted: bool | None
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 if it counts, 1 if it does not, 3 if nobody can say who signed it."""
        if self.problems or self.trusted is False:
            return Outcome.FAIL.exit_code
        return (Outcome.INCONCLUSIVE if self.trusted is None else Outcome.PASS).exit_code

    @property
    def summary(self) -> str:
        """One line for people."""
        signer = self.document.signer
        if self.problems:
            return f"not valid: {self.problems[0]}"
        if self.trusted is None:
            return f"intact, signer unknown (key {signer}, no trusted key given): proves nothing"
        if not self.trusted:
            return f"not valid: signed by {signer}, which is not a trusted key"
        return f"valid: signed by {signer}, expires {self.document.body['expires']}"

    def lines(self) -> list[str]:
        """Return the summary and what the certificate is of."""
        body = self.document.body
        driver, device = body["driver"], body["device"]
        kind = "emulated" if device["emulated"] else "real"
        said = ("manufacturer", "model", "serial", "firmware")
        names = [device.get(key) for key in said]
        return [
            self.summary,
            *(f"  {problem}" for problem in self.problems[1:]),
            f"  certificate {body['id']}, issued {body['issued']}",
            f"  driver {driver['name']} of {driver['package']} {driver['version']}, "
            f"sha256 {driver['sha256']}",
            f"  device {device['name']} ({kind}): {' '.join(str(n) for n in names if n)}",
            f"  catalogue {body['catalogue']['version']}, {len(body['cases'])} cases; "
            f"evidence {body['evidence']['root']}",
            *(f"  {remark}" for remark in self.remarks),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the result for a program."""
        return {
            "summary": self.summary,
            "id": self.document.body["id"],
            "result": self.document.body["result"],
            "signer": self.document.signer,
            "trusted": self.trusted,
            "at": self.at,
            "problems": list(self.problems),
            "remarks": list(self.remarks),
            "exit_code": self.exit_code,
        }


def standing(
    path: Path,
    *,
    trust: Sequence[Ed25519PublicKey] | None,
    at: str,
    revoked: Path | None = None,
    evidence: Path | None = None,
) -> Standing:
    """Judge a certificate.

    Parameters
    ----------
    path : Path
        The certificate.
    trust : sequence of Ed25519PublicKey or None
        Keys of labs the reader believes; None if it knows none.
    at : str
        The moment it is judged for, ISO 8601.
    revoked : Path or None
        The lab's revocation list.
    evidence : Path or None
        The directory whose root the certificate names.

    Raises
    ------
    CampaignError
        If a file is not what it should be, or its signature is wrong.
    """
    document = read_document(path, CERTIFICATE)
    body = document.body
    now = datetime.fromisoformat(at)
    problems, remarks = [], []
    entries = [CaseEntry(entry) for entry in body["cases"]]
    if body["result"] != CERTIFIED:
        bad = [e.id for e in entries if e.outcome not in (None, Outcome.PASS)]
        problems.append(f"the driver is not certified ({body['result']}): {', '.join(bad)}")
    elif result_of(entries, complete=True) != CERTIFIED:
        problems.append("it says certified and its cases do not")
    if now < datetime.fromisoformat(body["issued"]):
        problems.append(f"issued {body['issued']}, which is later than {at}")
    if now >= datetime.fromisoformat(body["expires"]):
        problems.append(f"expired {body['expires']}")
    if revoked is None:
        remarks.append("revocation not checked: no list given")
    else:
        problems += _revocation(document, revoked, now)
    if evidence is None:
        remarks.append("evidence not checked: no directory given")
    else:
        problems += _evidence(body, evidence, document.key)
    trusted = None if trust is None else document.key in trust
    return Standing(document, at, trusted, tuple(problems), tuple(remarks))


def _revocation(document: Document, path: Path, now: datetime) -> list[str]:
    listed = read_document(path, REVOCATIONS)
    if listed.key != document.key:
        return [f"{path} is a list of {listed.signer}, not of the issuer {document.signer}"]
    problems = [
        f"revoked {entry.at}: {entry.reason}"
        for entry in entries_of(listed)
        if entry.id == document.body["id"]
    ]
    if now >= datetime.fromisoformat(listed.body["next_due"]):
        problems.append(f"{path} is out of date: the next list was due {listed.body['next_due']}")
    return problems


def _evidence(body: dict[str, Any], path: Path, key: Ed25519PublicKey) -> list[str]:
    found = verify(path, [key])
    problems = [f"evidence {problem.file}: {problem.text}" for problem in found.problems]
    if not problems and not found.trusted:
        problems.append(f"evidence is signed by {found.signer}, not by the issuer")
    manifest = path / MANIFEST
    root = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else "missing"
    if root != body["evidence"]["root"]:
        problems.append(f"evidence has root {root}, certified was {body['evidence']['root']}")
    return problems


def verify_certificate_command(
    path: Path,
    *,
    trust: list[Path],
    revoked: Path | None,
    evidence: Path | None,
    at: str | None,
    as_json: bool,
) -> int:
    """Judge a certificate, say so, and return the exit code."""
    moment = at or utc_now()
    try:
        aware = datetime.fromisoformat(moment).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise CampaignError(
            "conformance.time",
            "--at {found!r} is no time such as 2026-01-31T12:00:00+00:00",
            found=at,
        )
    keys = [key for file in trust for key in load_trusted_keys(file)] if trust else None
    try:
        found = standing(path, trust=keys, at=moment, revoked=revoked, evidence=evidence)
    except CampaignError as error:
        if error.code not in ("conformance.not_a_document", "conformance.signature_false"):
            raise
        # A file that was changed is an answer, not a mistake of the reader.
        told = {"summary": f"not valid: {error.message}", "exit_code": Outcome.FAIL.exit_code}
        print(json.dumps(told, indent=1) if as_json else told["summary"])
        return Outcome.FAIL.exit_code
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
    else:
        print("\n".join(found.lines()))
    return found.exit_code
