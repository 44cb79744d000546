"""The certificate of a driver: what was found, by whom, on what, until when."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import MANIFEST
from gridrig.conformance.case import CATALOGUE_VERSION, CaseResult
from gridrig.conformance.dependencies import DriverPackage, testbed_digest
from gridrig.conformance.signed_document import plain
from gridrig.conformance.subject import Subject

CERTIFIED, REFUSED, PARTIAL = "certified", "refused", "partial"
NAME = "certificate.json"
ID_HEX = 20
DAYS = 365


@dataclass(frozen=True)
class CaseEntry:
    """A case as the certificate tells it.

    Parameters
    ----------
    content : dict
        What is written.
    """

    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The case's name."""
        return str(self.content["id"])

    @property
    def outcome(self) -> str | None:
        """What it came to; None if it does not apply."""
        found: str | None = self.content["outcome"]
        return found

    @classmethod
    def of(cls, result: CaseResult, *, at: str, because: str) -> "CaseEntry":
        """Return the entry of a case that was run."""
        case = result.case
        measurements = [
            {
                "name": verdict.criterion.name,
                "unit": verdict.criterion.unit,
                "min": verdict.criterion.min,
                "max": verdict.criterion.max,
                "value": verdict.value,
                "margin": verdict.margin,
                "outcome": str(verdict.outcome),
                "note": verdict.note,
            }
            for verdict in result.verdicts
        ]
        return cls(
            {
                "id": case.id,
                "version": case.version,
                "title": case.title,
                "outcome": None if result.outcome is None else str(result.outcome),
                "not_applicable": result.not_applicable,
                "not_run": result.not_run,
                "measurements": measurements,
                "notes": list(result.notes),
                "duration_s": round(result.duration_s, 2),
                "run_at": at,
                "because": because,
                "carried_from": None,
            }
        )

    def carried(self, certificate: str) -> "CaseEntry":
        """Return the entry as a later certificate takes it over."""
        first = self.content["carried_from"] or certificate
        return CaseEntry({**self.content, "carried_from": first, "because": ""})


@dataclass(frozen=True)
class Term:
    """When a certificate is issued, until when it counts, and which it replaces."""

    issued: str
    expires: str
    supersedes: str | None


def term_of(now: str, days: int, supersedes: str | None) -> Term:
    """Return the term of `days` from a moment, ISO 8601."""
    end = datetime.fromisoformat(now) + timedelta(days=days)
    return Term(now, end.isoformat(timespec="seconds"), supersedes)


def certificate_body(
    *,
    subject: Subject,
    package: DriverPackage,
    identity: Mapping[str, str],
    entries: Iterable[CaseEntry],
    not_covered: Iterable[str],
    catalogue: str,
    evidence: Path,
    complete: bool,
    term: Term,
) -> dict[str, Any]:
    """Return what the certificate says.

    Parameters
    ----------
    subject, package
        What was tried.
    identity : mapping
        Who the device said it is.
    entries : iterable of CaseEntry
        The cases, in the order of the catalogue.
    not_covered : iterable of str
        What is not shown.
    catalogue : str
        Digest of the catalogue.
    evidence : Path
        The signed evidence; the SHA-256 of its manifest is its root.
    complete : bool
        Whether every case that concerns the driver is among the entries.
    term : Term
        When, until when, in place of which.
    """
    cases = list(entries)
    root = hashlib.sha256((evidence / MANIFEST).read_bytes()).hexdigest()
    body = plain(
        {
            "result": result_of(cases, complete=complete),
            "driver": {
                "name": subject.driver,
                "package": package.name,
                "version": package.version,
                "sha256": package.digest,
                "parameters": dict(subject.parameters),
            },
            "device": {
                "name": subject.device.name,
                "capability": subject.capability,
                "emulated": subject.device.emulated,
                **identity,
            },
            "rig": {
                "name": subject.rig.name,
                "sha256": hashlib.sha256(subject.rig.text).hexdigest(),
                "gridrig": version("gridrig"),
                "testbed": testbed_digest(subject),
            },
            "catalogue": {"version": CATALOGUE_VERSION, "digest": catalogue},
            "evidence": {"root": root},
            "issued": term.issued,
            "expires": term.expires,
            "supersedes": term.supersedes,
            "cases": [dict(entry.content) for entry in cases],
            "not_covered": list(not_covered),
        }
    )
    # The name follows from all the rest, so that no two certificates share one.
    body["id"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:ID_HEX]
    return dict(body)


def result_of(cases: Iterable[CaseEntry], *, complete: bool) -> str:
    """Return what the cases come to; one that does not apply counts for nothing."""
    outcomes = [entry.outcome for entry in cases if entry.outcome is not None]
    if any(outcome != Outcome.PASS for outcome in outcomes) or not outcomes:
        return REFUSED
    return CERTIFIED if complete else PARTIAL
