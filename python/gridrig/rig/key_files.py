"""Where certificates and keys of TLS links are: beside the rig file, or made for the run.

A link to an emulated device that names no files gets its keys when the bench opens, from an
authority that ends with it: they exist in a folder of their own until then, and nowhere else. A
real device has certificates of its own, so its link has to name what they come from.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gridrig.devices.wire.modbus_authority import DEVICE, files_of, make_keys
from gridrig.openadr.security import Credentials
from gridrig.rig.device import Device
from gridrig.rig.fleets import AggregatorTable
from gridrig.rig.grid_orders import OpenAdr
from gridrig.rig.issues import At, Issues
from gridrig.rig.links import RigLink, TlsLink

OF_LINKS = ("cafile", "certfile", "keyfile")
OF_FACES = ("tls_cafile", "tls_certfile", "tls_keyfile")
PRACTICE = "gridrig practice, worth nothing"
PRACTICE_DAYS = 30  # the longest run on a wall clock
MAKE_THEM = "a file, as gridrig modbus-keys makes them"


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


def check_openadr_files(aggregator: AggregatorTable | None, rig_path: str) -> None:
    """Read the files by which a rig would talk to its VTN, if it names any.

    Raises
    ------
    GridrigError
        `openadr.file`.
    """
    wire = aggregator.openadr if aggregator is not None else None
    credentials = openadr_credentials(wire, rig_path) if wire is not None else None
    if credentials is not None:
        credentials.check()


def _located(record: Any, keys: tuple[str, ...], folder: Path) -> Any:
    names = [field.name for field in fields(record) if field.name in keys]
    written = {name: getattr(record, name) for name in names}
    return replace(record, **{name: str(folder / file) for name, file in written.items() if file})


def check_key_files(
    link: RigLink | None, face: Any, emulated: bool, at: At, issues: Issues
) -> None:
    """Check that a TLS link names all its files or, where they can be made, none.

    Parameters
    ----------
    link : TlsLink or another
        As the rig file has it; others than TLS have no files.
    face : emulator parameters or None
        Of an emulated device; None if there is none, or it has an issue.
    emulated : bool
        Whether the device is.
    at : At
        The device's place.
    issues : Issues
        Takes what is missing.
    """
    if not isinstance(link, TlsLink):
        return
    place = at.key("link")
    said = [key for key in OF_LINKS if getattr(link, key)]
    of_device = [key for key in OF_FACES if getattr(face, key, "")]
    if not said and emulated:
        for key in of_device:
            found = "a file, where the link names none"
            issues.add(at.key("emulate").key(key), found, "files on both ends, or on neither")
        if face is not None and not hasattr(face, OF_FACES[0]):
            issues.add(place.key("kind"), '"modbus-tls"', "a wire that this emulator speaks")
        return
    for key in OF_LINKS:
        if key not in said:
            issues.add(place.key(key), "nothing", MAKE_THEM)
    if face is not None:
        for key in OF_FACES:
            if key not in of_device:
                issues.add(at.key("emulate").key(key), "nothing", MAKE_THEM)


def lacks_files(device: Device) -> bool:
    """Return whether keys have to be made for a device's link."""
    return isinstance(device.link, TlsLink) and not device.link.certfile


def with_made_keys(devices: Iterable[Device], folder: Path) -> tuple[Device, ...]:
    """Return devices with files for every link that has none, made now in an empty folder."""
    listed = tuple(devices)
    hosts = [device.link.host for device in listed if lacks_files(device)]  # type: ignore[union-attr]
    make_keys(folder, hosts, name=PRACTICE, days=PRACTICE_DAYS)
    return tuple(_keyed(device, folder) if lacks_files(device) else device for device in listed)


def _keyed(device: Device, folder: Path) -> Device:
    link, emulation = device.link, device.emulation
    assert isinstance(link, TlsLink)
    assert emulation is not None
    cafile, certfile, keyfile = files_of(folder, link.role)
    link = replace(link, cafile=cafile, certfile=certfile, keyfile=keyfile)
    of_face = dict(zip(OF_FACES, files_of(folder, DEVICE), strict=True))
    face = replace(emulation.face, **of_face)
    return replace(device, link=link, emulation=replace(emulation, face=face))
