"""Where the certificates and keys that a rig file names are: beside the rig file, not the user."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gridrig.rig.device import Device

OF_LINKS = ("cafile", "certfile", "keyfile")
OF_FACES = ("tls_cafile", "tls_certfile", "tls_keyfile")


def located(device: Device, rig_path: str) -> Device:
    """Return a device whose relative file names lead on from its rig file's folder."""
    folder = Path(rig_path).parent
    device = replace(device, link=_located(device.link, OF_LINKS, folder))
    if device.emulation is None or device.emulation.face is None:
        return device
    face = _located(device.emulation.face, OF_FACES, folder)
    return replace(device, emulation=replace(device.emulation, face=face))


def _located(record: Any, keys: tuple[str, ...], folder: Path) -> Any:
    names = [field.name for field in fields(record) if field.name in keys]
    written = {name: getattr(record, name) for name in names}
    return replace(record, **{name: str(folder / file) for name, file in written.items() if file})
