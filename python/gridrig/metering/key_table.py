"""One `[[key]]` table of a rig or trust file; its words and rules are in `docs/metering.md`."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridrig.metering.keys import EnrolledKey, Fault
from gridrig.metering.words import ALGORITHMS, FORMATS, KEY_FORMS, PROFILES
from gridrig.suggestions import misspelt, near_miss, one_of, shown

POWER_W_MAX = 10**12
"""More than any meter measures. [W]"""

REGISTER_MILLIWH_MAX = 10**15
"""More than any register counts. [mWh]"""

_REQUIRED = ("meter", "algorithm", "public_key", "valid_from")
_TIMES = {"valid_to": "valid_to_s", "arrives_by": "arrives_by_s", "revoked": "revoked_at_s"}
_POWERS = {
    "import_power_w_max": "import_power_milliwatt_max",
    "export_power_w_max": "export_power_milliwatt_max",
}
_TIME = 'a time with its offset, such as "2016-01-01T00:00:00Z"'
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)")
_OFFSET_EXPECTED = 'an offset from UTC in winter, such as "+01:00"'
_STARTS = ("start_import_milliwh", "start_export_milliwh")
_KNOWN = (
    *_REQUIRED,
    "serial",
    "key_form",
    "format",
    "profiles",
    *_STARTS,
    "power_tolerance_permille",
    "utc_offset",
    "summer_time",
    *_TIMES,
    *_POWERS,
)


def parse_key(table: object, fault: Fault) -> EnrolledKey | None:
    """Read one `[[key]]` table.

    Parameters
    ----------
    table : object
        The table as parsed.
    fault : Fault
        Told once for each thing that is wrong with it.

    Returns
    -------
    EnrolledKey or None
        None if there was a fault.
    """
    if not isinstance(table, Mapping):
        fault(None, shown(table), "a table", None)
        return None
    faults = 0

    def count(name: str | None, found: str, expected: str, near: str | None) -> None:
        nonlocal faults
        faults += 1
        fault(name, found, expected, near)

    for name in table:
        if name not in _KNOWN:
            count(name, "an unknown key", one_of(_KNOWN), near_miss(name, _KNOWN))
    for name in _REQUIRED:
        if name not in table and name not in misspelt(table, _KNOWN):
            count(name, "nothing", "a value", None)
    read = _Reader(table, count)
    fields: dict[str, Any] = {
        "meter": read.text("meter"),
        "serial": read.text("serial" if "serial" in table else "meter"),
        "algorithm": read.word("algorithm", ALGORITHMS),
        "public_key": read.key_bytes(),
        "valid_from_s": read.time("valid_from"),
        "key_form": read.word("key_form", KEY_FORMS, "spki"),
        "format": read.word("format", FORMATS),
        "profiles": read.words("profiles", PROFILES),
        "start_milliwh": read.start(),
        "power_tolerance_permille": read.number("power_tolerance_permille", 1_000),
        "utc_offset_s": read.offset(),
        "eu_summer_time": read.summer(),
    }
    fields |= {into: read.time(name) for name, into in _TIMES.items()}
    for name, into in _POWERS.items():
        power_w = read.number(name, POWER_W_MAX)
        fields[into] = None if power_w is None else power_w * 1_000
    return EnrolledKey(**fields) if faults == 0 else None


@dataclass(frozen=True)
class _Reader:
    """Reads the values of one table; an absent one is its default, a wrong one a fault and None."""

    table: Mapping[str, Any]
    fault: Fault

    def text(self, name: str) -> str | None:
        value = self.table.get(name)
        if value is None or (isinstance(value, str) and value):
            return value
        self.fault(name, shown(value), "a text that is not empty", None)
        return None

    def word(self, name: str, known: tuple[str, ...], default: str | None = None) -> str | None:
        value = self.table.get(name, default)
        if value is None or value in known:
            return None if value is None else str(value)
        self.fault(name, shown(value), one_of(known), near_miss(str(value), known))
        return None

    def words(self, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        values = self.table.get(name, [])
        if not isinstance(values, list):
            self.fault(name, shown(values), "a list of names", None)
            return ()
        for value in values:
            if value not in known:
                self.fault(name, shown(value), one_of(known), near_miss(str(value), known))
        return tuple(str(value) for value in values)

    def key_bytes(self) -> bytes | None:
        value = self.table.get("public_key")
        key = _key_bytes(value) if isinstance(value, str) else None
        if key is None and value is not None:
            self.fault("public_key", shown(value), "a public key as hex or base64", None)
        return key

    def time(self, name: str) -> int | None:
        value = self.table.get(name)
        moment = _utc_s(value)
        if moment is None and value is not None:
            self.fault(name, shown(value), _TIME, None)
        return moment

    def number(self, name: str, most: int) -> int | None:
        value = self.table.get(name)
        if value is None or (type(value) is int and 0 <= value <= most):
            return value
        self.fault(name, shown(value), f"an integer from 0 to {most}", None)
        return None

    def offset(self) -> int | None:
        value = self.table.get("utc_offset")
        match = _OFFSET.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            if value is not None:
                self.fault("utc_offset", shown(value), _OFFSET_EXPECTED, None)
            return None
        sign, hours, minutes = match.groups()
        offset_s = int(hours) * 3_600 + int(minutes) * 60
        return -offset_s if sign == "-" else offset_s

    def summer(self) -> bool:
        word = self.word("summer_time", ("eu",))
        if word is not None and "utc_offset" not in self.table:
            self.fault("utc_offset", "nothing", f"{_OFFSET_EXPECTED}, beside summer_time", None)
        return word == "eu"

    def start(self) -> tuple[int, int] | None:
        if not any(name in self.table for name in _STARTS):
            return None
        imported, exported = (self.number(name, REGISTER_MILLIWH_MAX) for name in _STARTS)
        return (imported or 0, exported or 0)


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
