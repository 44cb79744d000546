"""Who is believed: meters' keys, read from the `[[key]]` tables of a rig or of a keys file.

A table holds `meter`, `serial` (the meter's name if left out), `algorithm` (`ecdsa-p256`),
`public_key` (SubjectPublicKeyInfo DER as hex or base64), `valid_from` and, if the key ends,
`valid_to` (ISO 8601 with an offset).
"""

import base64
import binascii
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gridrig._core import Verifier
from gridrig.errors import Issue, MeteringError, RigError

ALGORITHMS = ("ecdsa-p256",)
_REQUIRED = ("meter", "algorithm", "public_key", "valid_from")
_KNOWN = (*_REQUIRED, "serial", "valid_to")


@dataclass(frozen=True)
class EnrolledKey:
    """One meter's public key.

    Attributes
    ----------
    meter, serial : str
        Name in the rig, and the serial number the meter signs.
    algorithm : str
        One of `ALGORITHMS`.
    public_key : bytes
        SubjectPublicKeyInfo DER.
    valid_from_s : int
        First second of validity. [UTC s]
    valid_to_s : int or None
        First second at which the key no longer is valid. [UTC s]
    """

    meter: str
    serial: str
    algorithm: str
    public_key: bytes
    valid_from_s: int
    valid_to_s: int | None = None


def load_keys(path: Path | str) -> list[EnrolledKey]:
    """Read every `[[key]]` table of a keys file, or of a rig file.

    Parameters
    ----------
    path : Path or str
        A TOML file. Beside `[[key]]` only a rig may hold other tables.

    Returns
    -------
    list of EnrolledKey
        In file order.

    Raises
    ------
    RigError
        With every issue in the file, if there is one, or why it cannot be read.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise _refusal(path, [Issue(str(path), "(file)", str(fault), "a TOML file")]) from fault
    issues: list[Issue] = []
    if "rig" not in document:
        issues += [
            Issue(str(path), name, "unknown table", "[[key]]", _near_miss(name, ("key",)))
            for name in document
            if name != "key"
        ]
    tables = document.get("key", [])
    if not isinstance(tables, list) or not tables:
        issues.append(Issue(str(path), "key", repr(tables), "at least one [[key]] table"))
        tables = []
    keys = [parse_key(table, str(path), f"key[{n}]", issues) for n, table in enumerate(tables)]
    if issues:
        raise _refusal(path, issues)
    return [key for key in keys if key is not None]


def parse_key(
    table: Mapping[str, Any], file: str, where: str, issues: list[Issue]
) -> EnrolledKey | None:
    """Read one `[[key]]` table; add to `issues` what is wrong with it.

    Parameters
    ----------
    table : mapping
        The table as parsed.
    file, where : str
        Name of the file and path of the table in it, for the issues.
    issues : list of Issue
        Grows by one entry per fault.

    Returns
    -------
    EnrolledKey or None
        None if there was a fault.
    """
    before = len(issues)

    def fault(key: str, found: object, expected: str, near_miss: str | None = None) -> None:
        issues.append(Issue(file, f"{where}.{key}", repr(found), expected, near_miss))

    for name in table:
        if name not in _KNOWN:
            fault(name, "unknown key", f"one of {', '.join(_KNOWN)}", _near_miss(name, _KNOWN))
    for name in _REQUIRED:
        if name not in table:
            fault(name, "nothing", "a value")
    for name in ("meter", "serial", "algorithm", "public_key"):
        if name in table and not (isinstance(table[name], str) and table[name]):
            fault(name, table[name], "a text that is not empty")
    if len(issues) > before:
        return None
    if table["algorithm"] not in ALGORITHMS:
        near_miss = _near_miss(table["algorithm"], ALGORITHMS)
        fault("algorithm", table["algorithm"], f"one of {', '.join(ALGORITHMS)}", near_miss)
    public_key = _key_bytes(table["public_key"])
    if public_key is None:
        fault("public_key", table["public_key"], "SubjectPublicKeyInfo DER as hex or base64")
    valid_from_s = _utc_s(table["valid_from"])
    if valid_from_s is None:
        fault("valid_from", table["valid_from"], "a time such as 2016-01-01T00:00:00Z")
    valid_to_s = _utc_s(table["valid_to"]) if "valid_to" in table else None
    if "valid_to" in table and valid_to_s is None:
        fault("valid_to", table["valid_to"], "a time such as 2026-01-01T00:00:00Z")
    if len(issues) > before or public_key is None or valid_from_s is None:
        return None
    serial = table.get("serial", table["meter"])
    return EnrolledKey(
        table["meter"], serial, table["algorithm"], public_key, valid_from_s, valid_to_s
    )


def enrol_all(verifier: Verifier, keys: Iterable[EnrolledKey], *, file: str = "(keys)") -> None:
    """Enrol keys in a verifier.

    Raises
    ------
    RigError
        With one issue per key that the verifier refuses; the others are enrolled.
    """
    issues: list[Issue] = []
    for key in keys:
        try:
            verifier.enrol(
                key.meter,
                serial=key.serial,
                algorithm=key.algorithm,
                public_key=key.public_key,
                valid_from_s=key.valid_from_s,
                valid_to_s=key.valid_to_s,
            )
        except MeteringError as refused:
            found = f"{refused.code}: {refused.message}"
            issues.append(Issue(file, f"key of {key.meter}", found, "a key that can be enrolled"))
    if issues:
        raise _refusal(file, issues)


def _refusal(path: Path | str, issues: list[Issue]) -> RigError:
    return RigError("metering.keys_file", "{path}", issues=tuple(issues), path=str(path))


def _near_miss(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def _key_bytes(text: str) -> bytes | None:
    """Decode hex or base64; hex first, since every even run of hex digits is base64 as well."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _utc_s(value: object) -> int | None:
    """Read an ISO text or a TOML time; one without an offset is no moment."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.timestamp())
