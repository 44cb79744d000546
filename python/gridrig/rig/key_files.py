"""Where the certificates and keys that a rig file names are: beside the rig file, not the user."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gridrig.openadr.security import Credentials
from gridrig.rig.device import Device
from gridrig.rig.grid_orders import OpenAdr

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


def openadr_credentials(wire: OpenAdr, rig_path: str) -> Credentials | None:
    """Return by which certificates a rig talks to its VTN; None if it talks without."""
    if wire.cafile is None or wire.certfile is None or wire.keyfile is None:
        return None
    folder = Path(rig_path).parent
    return Credentials(
        str(folder / wire.cafile),
        str(folder / wire.certfile),
        str(folder / wire.keyfile),
        wire.vtn_fingerprint or "",
        wire.signs,
    )


def _located(record: Any, keys: tuple[str, ...], folder: Path) -> Any:
    names = [field.name for field in fields(record) if field.name in keys]
    written = {name: getattr(record, name) for name in names}
    return replace(record, **{name: str(folder / file) for name, file in written.items() if file})
