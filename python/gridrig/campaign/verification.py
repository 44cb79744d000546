"""`gridrig verify`: is a run directory what its rig signed, offline and on any machine."""

import json
from pathlib import Path

from gridrig.campaign.manifest import verify
from gridrig.campaign.signing import load_trusted_keys


def verify_command(path: Path, *, trust: list[Path], as_json: bool) -> int:
    """Check a run directory, name every file that is not as it was signed, return the exit code."""
    keys = [key for path in trust for key in load_trusted_keys(path)] if trust else None
    found = verify(path, keys)
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
        return found.exit_code
    for line in found.lines():
        print(line)
    return found.exit_code
