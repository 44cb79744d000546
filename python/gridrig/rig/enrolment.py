"""Writing `[[key]]` tables: what a rig file needs to believe its meters.

    python -m gridrig.rig.enrolment rigs/emulated-street.toml

prints the tables of the emulated meters of a rig file, which need not be valid yet. A real meter's
key is read on the bench, where one sees which meter answers, and is given to `key_table`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridrig.errors import RigError
from gridrig.metering.ocmf_signing import derive_private_key, public_key_der
from gridrig.rig.registry import DRIVERS, Registry
from gridrig.rig.toml_file import read_toml

USAGE_ERROR = 2


def key_table(meter: str, serial: str, public_key: bytes, valid_from: str) -> str:
    """Return one `[[key]]` table.

    Parameters
    ----------
    meter, serial : str
        Name in the rig, and the serial number its readings carry.
    public_key : bytes
        SubjectPublicKeyInfo DER of an ECDSA P-256 key.
    valid_from : str
        From when on its signatures count: `2016-01-01T00:00:00Z`.
    """
    values = {
        "meter": meter,
        "serial": serial,
        "algorithm": "ecdsa-p256",
        "public_key": public_key.hex(),
        "valid_from": valid_from,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(["[[key]]", *lines, ""])


def emulated_key_tables(table: Mapping[str, Any], valid_from: str) -> Iterator[str]:
    """Yield the `[[key]]` table of each emulated meter of a parsed rig file, in file order."""
    for device in table.get("device", ()):
        emulate = device.get("emulate")
        if device.get("capability") != "meter" or emulate is None or not _signs(device):
            continue
        name = device["name"]
        public = public_key_der(derive_private_key(emulate.get("seed", 0), name))
        yield key_table(name, emulate.get("serial", name), public, valid_from)


def _signs(device: Mapping[str, Any]) -> bool:
    registry, driver = Registry.installed(), device.get("driver")
    if driver not in registry.names(DRIVERS):
        return True  # the rig file is read before it is valid
    return bool(getattr(registry.load(DRIVERS, driver), "SIGNS", True))


def main(arguments: Sequence[str]) -> int:
    """Print the key tables of the rig file named."""
    if len(arguments) not in (1, 2):
        print("usage: python -m gridrig.rig.enrolment RIG [VALID_FROM]", file=sys.stderr)
        return USAGE_ERROR
    try:
        table = read_toml(arguments[0]).table
    except RigError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    valid_from = arguments[1] if len(arguments) == 2 else "2016-01-01T00:00:00Z"
    print("\n".join(emulated_key_tables(table, valid_from)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
