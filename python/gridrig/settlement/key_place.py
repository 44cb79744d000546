"""Where a secret may lie: not in what is handed on."""

import re
from pathlib import Path

from gridrig.errors import SettlementError

# What only a run directory holds, from its first second or from its last.
_OF_A_RUN = ("host.json", "run.json", "manifest.json", "journal.sqlite")
_RIG_TABLE = re.compile(rb"^\s*\[\s*rig\s*\]", re.MULTILINE)


def refuse_misplaced(path: Path, *, code: str, what: str) -> None:
    """Refuse a secret that lies in a run directory, or beside a rig file: both are handed on.

    Parameters
    ----------
    path : Path
        The file of the secret.
    code, what : str
        Code of the refusal, and what the secret is called in it.

    Raises
    ------
    SettlementError
        With the given code.
    """
    folder = path.resolve().parent
    run = next(
        (f for f in (folder, *folder.parents) if any((f / n).exists() for n in _OF_A_RUN)), None
    )
    if run is not None:
        raise _misplaced(path, f"the run directory {run}", code, what)
    for beside in sorted(folder.glob("*.toml")):
        if _RIG_TABLE.search(beside.read_bytes()):
            raise _misplaced(path, f"the directory of the rig {beside}", code, what)


def _misplaced(path: Path, where: str, code: str, what: str) -> SettlementError:
    return SettlementError(
        code,
        what + " {path} lies in {where}, which is handed on: keep keys elsewhere",
        path=str(path),
        where=where,
    )
