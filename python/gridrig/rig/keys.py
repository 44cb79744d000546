"""The `[[key]]` tables of a rig file: the fields and rules are those of a trust file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gridrig._core import Verifier
from gridrig.metering.key_table import parse_key
from gridrig.metering.keys import EnrolledKey, Fault, enrol_key
from gridrig.rig.issues import At, Issues


@dataclass(frozen=True)
class KeyDraft:
    """A `[[key]]` table on its way.

    Parameters
    ----------
    at : At
        Its place.
    meter : str or None
        Whose key; None if that has an issue.
    key : EnrolledKey or None
        The key; None if it has an issue.
    spki : bytes or None
        The key as canonical SubjectPublicKeyInfo DER, in whatever form it was written.
    """

    at: At
    meter: str | None
    key: EnrolledKey | None = None
    spki: bytes | None = None


def read_keys(tables: Sequence[Mapping[str, Any]], at: At, issues: Issues) -> list[KeyDraft]:
    """Read all tables and enrol them once, noting every issue."""
    verifier = Verifier()
    drafts = [
        _read_key(table, at.item(index, table.get("meter")), verifier, issues)
        for index, table in enumerate(tables)
    ]
    ids = iter(verifier.key_ids())
    return [
        draft if draft.key is None else replace(draft, spki=verifier.public_key_der(next(ids)))
        for draft in drafts
    ]


def _read_key(table: Mapping[str, Any], at: At, verifier: Verifier, issues: Issues) -> KeyDraft:
    fault = _noting(at, issues)
    key = parse_key(table, fault)
    if key is not None and not enrol_key(verifier, key, fault):
        key = None
    meter = table.get("meter")
    return KeyDraft(at, meter if isinstance(meter, str) and meter else None, key)


def _noting(at: At, issues: Issues) -> Fault:
    def fault(name: str | None, found: str, expected: str, near: str | None) -> None:
        issues.add(at if name is None else at.key(name), found, expected, near)

    return fault
