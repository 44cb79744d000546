"""The files that a feeder was read from: its network with all it includes, profiles, weather.

An OpenDSS script names others by `redirect`, `compile` and `buscoords`, and inside of properties by
`file=` and its kin; each is found from the folder of the script that names it, and followed.

Known gap: a name that OpenDSS puts together from variables is not found.
"""

import re
from collections.abc import Iterable
from pathlib import Path

_COMMAND = re.compile(r"^\s*(?:redirect|compile|buscoords|latloncoords)\s+(.+)$", re.IGNORECASE)
_PROPERTY = re.compile(
    r"\b(?:file|csvfile|sngfile|dblfile|pqcsvfile|pmult|qmult)\s*=\s*"
    r"[\[({\"']?\s*(?:(?:file|csvfile|sngfile|dblfile)\s*=\s*)?[\"']?([^\"'\])}\s,|]+)",
    re.IGNORECASE,
)


def source_files(named: Iterable[str | None], folder: Path) -> tuple[Path, ...]:
    """Return the files among some names and all that they include, each once, in order.

    Parameters
    ----------
    named : iterable of str or None
        As a rig names them; what is no file (`simbench:...`, `rated`) is left out.
    folder : Path
        Where a relative path starts.
    """
    found: dict[Path, None] = {}
    for name in named:
        if name is not None and (folder / name).is_file():
            _follow((folder / name).resolve(), found)
    return tuple(found)


def _follow(path: Path, found: dict[Path, None]) -> None:
    if path in found:
        return
    found[path] = None
    if path.suffix.lower() not in (".dss", ".txt"):
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        said = line.split("!", 1)[0].split("//", 1)[0]
        command = _COMMAND.match(said)
        names = [command[1].strip().strip("\"'()[]{}")] if command else _PROPERTY.findall(said)
        for name in names:
            other = (path.parent / name.replace("\\", "/")).resolve()
            if other.is_file():
                _follow(other, found)
