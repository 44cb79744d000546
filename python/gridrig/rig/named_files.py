"""The files that a rig file names beside itself, led to from anywhere."""

from pathlib import Path
from typing import Any

from gridrig.rig.key_files import OF_FACES, OF_LINKS


def lead_from_anywhere(table: dict[str, Any], rig_path: str) -> None:
    """Make the relative file names of a rig's table absolute, so that it may stand elsewhere.

    Parameters
    ----------
    table : dict
        As read from the rig file; changed in place.
    rig_path : str
        The rig file, from whose folder relative names start.
    """
    folder = Path(rig_path).parent.absolute()
    feeder = table.get("feeder", {})
    for key in ("network", "profiles"):
        # Both may be the name of something that is no file, such as simbench:<code>.
        if key in feeder and (folder / feeder[key]).is_file():
            feeder[key] = str(folder / feeder[key])
    _lead(feeder.get("weather", {}), ("file",), folder)
    _lead(table.get("aggregator", {}).get("openadr", {}), OF_LINKS, folder)
    for device in table.get("device", []):
        _lead(device.get("link", {}), OF_LINKS, folder)
        _lead(device.get("emulate", {}), OF_FACES, folder)


def _lead(table: dict[str, Any], keys: tuple[str, ...], folder: Path) -> None:
    for key in keys:
        if table.get(key):
            table[key] = str(folder / table[key])
