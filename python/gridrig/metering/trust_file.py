"""The file that says who is believed: read and enrolled once, every fault told."""

import tomllib
from pathlib import Path

from gridrig._core import Verifier
from gridrig.errors import Issue
from gridrig.metering.key_table import parse_key
from gridrig.metering.keys import EnrolledKey, enrol_key, noting, refusal
from gridrig.suggestions import near_miss, shown


def load_keys(path: Path | str) -> list[EnrolledKey]:
    """Read every `[[key]]` table of a trust file, or of a rig file.

    Parameters
    ----------
    path : Path or str
        A TOML file. Beside `[[key]]` only a rig may hold other tables.

    Returns
    -------
    list of EnrolledKey
        In file order; a verifier takes them all.

    Raises
    ------
    RigError
        With every issue in the file, if there is one, or why it cannot be read.
    """
    file = str(path)
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as unreadable:
        raise refusal(file, [Issue(file, "(file)", str(unreadable), "a TOML file")]) from unreadable
    issues: list[Issue] = []
    if "rig" not in document:
        issues += [
            Issue(file, name, "an unknown table", "[[key]]", near_miss(name, ("key",)))
            for name in document
            if name != "key"
        ]
    tables = document.get("key", [])
    if not isinstance(tables, list) or not tables:
        issues.append(Issue(file, "key", shown(tables), "at least one [[key]] table"))
        tables = []
    verifier = Verifier()
    keys = []
    for number, table in enumerate(tables):
        fault = noting(issues, file, f"key[{number}]")
        key = parse_key(table, fault)
        if key is not None:
            enrol_key(verifier, key, fault)
            keys.append(key)
    if issues:
        raise refusal(file, issues)
    return keys
