"""Who is believed: meters' keys, read from the `[[key]]` tables of a rig or of a trust file.

What a table may hold, its words and its rules are in `docs/metering.md`; every fault of a file is
told at once.
"""

import base64
import binascii
import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gridrig._core import Verifier
from gridrig.errors import Issue, MeteringError, RigError
from gridrig.metering.words import ALGORITHMS, FORMATS, KEY_FORMS, PROFILES

POWER_W_MAX = 10**12
"""More than any meter measures. [W]"""

_REQUIRED = ("meter", "algorithm", "public_key", "valid_from")
_TIMES = {"valid_to": "valid_to_s", "arrives_by": "arrives_by_s", "revoked": "revoked_at_s"}
_POWERS = {
    "import_power_w_max": "import_power_milliwatt_max",
    "export_power_w_max": "export_power_milliwatt_max",
}
_KNOWN = (
    *_REQUIRED,
    "serial",
    "key_form",
    "format",
    "profiles",
    "start_import_milliwh",
    "start_export_milliwh",
    "power_tolerance_permille",
    *_TIMES,
    *_POWERS,
)


@dataclass(frozen=True)
class EnrolledKey:
    """One meter's public key, and what is bound to it.

    Attributes
    ----------
    meter, serial : str
        Name in the rig, and what the meter calls itself inside the bytes it signs.
    algorithm : str
        One of `ALGORITHMS`.
    public_key : bytes
        The key, written as `key_form` says.
    valid_from_s : int
        First second at which the key may sign. [UTC s]
    valid_to_s : int or None
        First second at which it no longer may. [UTC s]
    key_form : str
        One of `KEY_FORMS`.
    format : str or None
        The one wire format the key signs; None for any.
    arrives_by_s : int or None
        First second at which records of a retired key may no longer arrive. [UTC s]
    revoked_at_s : int or None
        From then on the key may neither have signed nor may its records arrive. [UTC s]
    profiles : tuple of str
        Deviations from the format that are borne for the key.
    start_milliwh : tuple of int, or None
        Import and export register when the meter was mounted in place of another. [mWh]
    import_power_milliwatt_max, export_power_milliwatt_max : int or None
        Most power the place can take and give; an export of 0 for a place that never gives. [mW]
    power_tolerance_permille : int or None
        How far energy may be from the integral of signed power. [thousandths]
    """

    meter: str
    serial: str
    algorithm: str
    public_key: bytes = field(repr=False)
    valid_from_s: int
    valid_to_s: int | None = None
    key_form: str = "spki"
    format: str | None = None
    arrives_by_s: int | None = None
    revoked_at_s: int | None = None
    profiles: tuple[str, ...] = ()
    start_milliwh: tuple[int, int] | None = None
    import_power_milliwatt_max: int | None = None
    export_power_milliwatt_max: int | None = None
    power_tolerance_permille: int | None = None


def load_keys(path: Path | str) -> list[EnrolledKey]:
    """Read every `[[key]]` table of a trust file, or of a rig file.

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

    if not isinstance(table, Mapping):
        issues.append(Issue(file, where, repr(table), "a table"))
        return None
    for name in table:
        if name not in _KNOWN:
            near = _near_miss(name, _KNOWN)
            issues.append(Issue(file, f"{where}.{name}", "unknown key", "a key record", near))
    for name in _REQUIRED:
        if name not in table:
            issues.append(Issue(file, f"{where}.{name}", "nothing", "a value"))
    if len(issues) > before and not all(name in table for name in _REQUIRED):
        return None
    read = _Reader(table, fault)
    fields: dict[str, Any] = {
        "meter": read.text("meter"),
        "serial": read.text("serial" if "serial" in table else "meter"),
        "algorithm": read.word("algorithm", ALGORITHMS),
        "public_key": read.key_bytes(),
        "valid_from_s": read.time("valid_from"),
        "key_form": read.word("key_form", KEY_FORMS, "spki"),
        "format": read.word("format", FORMATS, None),
        "profiles": read.words("profiles", PROFILES),
        "start_milliwh": read.start(),
        "power_tolerance_permille": read.number("power_tolerance_permille", 1_000),
    }
    fields |= {into: read.time(name) for name, into in _TIMES.items()}
    for name, into in _POWERS.items():
        power_w = read.number(name, POWER_W_MAX)
        fields[into] = None if power_w is None else power_w * 1_000
    return EnrolledKey(**fields) if len(issues) == before else None


@dataclass(frozen=True)
class _Reader:
    """Reads the values of one table; a wrong one is a fault and None."""

    table: Mapping[str, Any]
    fault: Callable[..., None]

    def text(self, name: str) -> str | None:
        value = self.table[name]
        if isinstance(value, str) and value:
            return value
        self.fault(name, value, "a text that is not empty")
        return None

    def word(self, name: str, known: tuple[str, ...], default: str | None = None) -> str | None:
        value: Any = self.table.get(name, default)
        if value == default or value in known:
            return None if value is None else str(value)
        self.fault(name, value, f"one of {', '.join(known)}", _near_miss(str(value), known))
        return None

    def words(self, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        values = self.table.get(name, [])
        if not isinstance(values, list):
            self.fault(name, values, "a list of names")
            return ()
        for value in values:
            if value not in known:
                near = _near_miss(str(value), known)
                self.fault(name, value, f"one of {', '.join(known)}", near)
        return tuple(str(value) for value in values)

    def key_bytes(self) -> bytes | None:
        value = self.table["public_key"]
        key = _key_bytes(value) if isinstance(value, str) else None
        if key is None:
            self.fault("public_key", value, "a public key as hex or base64")
        return key

    def time(self, name: str) -> int | None:
        if name not in self.table:
            return None
        moment = _utc_s(self.table[name])
        if moment is None:
            self.fault(name, self.table[name], "a time such as 2016-01-01T00:00:00Z")
        return moment

    def number(self, name: str, most: int) -> int | None:
        value = self.table.get(name)
        if value is None or (type(value) is int and 0 <= value <= most):
            return value
        self.fault(name, value, f"an integer from 0 to {most}")
        return None

    def start(self) -> tuple[int, int] | None:
        names = ("start_import_milliwh", "start_export_milliwh")
        if not any(name in self.table for name in names):
            return None
        values = [self.number(name, 10**15) for name in names]
        return (values[0] or 0, values[1] or 0)


def enrol_all(verifier: Verifier, keys: Iterable[EnrolledKey], *, file: str = "(keys)") -> None:
    """Enrol keys in a verifier.

    Raises
    ------
    RigError
        With one issue per key that the verifier refuses; the others are enrolled.
    """
    issues: list[Issue] = []
    for key in keys:
        options = {name: value for name, value in vars(key).items() if name != "meter"}
        options["profiles"] = list(key.profiles)
        try:
            verifier.enrol(key.meter, **options)
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
