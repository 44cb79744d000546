"""Settings as found, kept on disk until they are restored: one file for each device.

A run that is killed takes its memory with it. What it changed it has noted here before, so that the
watchdog, the next command that opens the device, or `gridrig restore` can put it back.

Invariants: a note is on the disk before the write that it is about leaves; a note is taken up only
by a device that says it is the same one; the file goes when nothing is left to restore.
Limits: one host. Whoever shares a bench shares the folder (`GRIDRIG_FOUND`), as with leases.
"""

import asyncio
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gridrig.clock.wall_time import utc_now
from gridrig.devices.capabilities import Identity
from gridrig.errors import RigError
from gridrig.rig.device import Device
from gridrig.rig.lease import wire_of

FOUND = "GRIDRIG_FOUND"  # the environment variable that names the folder
VERSION = 1


@dataclass
class Note:
    """What is to be restored of one device.

    Parameters
    ----------
    rig, device : str
        As they were called by whoever changed the settings.
    pid : int
        That process.
    since : str
        When the first of them was noted. [UTC, ISO 8601]
    identity : Identity
        Who the device said it was.
    found : mapping
        Settings by the driver's own names, earliest first.
    protection : tuple of str
        Trip functions among them.
    """

    rig: str
    device: str
    pid: int
    since: str
    identity: Identity
    found: Mapping[str, Any] = field(default_factory=dict)
    protection: tuple[str, ...] = ()


class FoundFile:
    """The note of one device.

    Parameters
    ----------
    device : Device
        Its wire, and its address there, name the file.
    """

    def __init__(self, device: Device) -> None:
        self.device = device.name
        link = device.link
        address = next(
            (str(getattr(link, k)) for k in ("unit", "address", "charge_point") if _has(link, k)),
            "",
        )
        name = f"{wire_of(device)}#{address}".strip("/").replace("/", "+")
        self.path = found_folder() / f"{name}.json"
        self._one = threading.Lock()
        self._asked = self._written = 0

    def read(self) -> Note | None:
        """Return what is to be restored, None if nothing is.

        Raises
        ------
        RigError
            `rig.found_unreadable`.
        """
        try:
            said = json.loads(self.path.read_bytes())
            if said.pop("version") != VERSION:
                raise ValueError(f"not of version {VERSION}")
            identity, protection = Identity(**said.pop("identity")), tuple(said.pop("protection"))
            return Note(identity=identity, protection=protection, **said)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise RigError(
                "rig.found_unreadable",
                "{path}: the settings of {device} as found cannot be read: {cause}",
                path=str(self.path),
                device=self.device,
                cause=str(error) or type(error).__name__,
            ) from error

    async def write(self, note: Note) -> None:
        """Put a note on the disk, or take it away if nothing is left in it.

        Raises
        ------
        OSError
            If it cannot be kept.
        """
        self._asked += 1
        text = ""
        if note.found or note.protection:
            text = json.dumps({"version": VERSION, **asdict(note)}, indent=1)
        # Not on the loop: a disk takes its time, and the loop has deadlines.
        await asyncio.to_thread(self._write, text, self._asked)

    def _write(self, text: str, number: int) -> None:
        with self._one:  # a cancelled wait leaves its thread at work
            if number < self._written:
                return
            self._written = number
            if not text:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unseen = self.path.with_suffix(".new")
            with unseen.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            unseen.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def found_folder() -> Path:
    """Return where notes are kept on this host."""
    stated = os.environ.get(FOUND)
    return Path(stated) if stated else Path.home() / ".local" / "state" / "gridrig" / "as-found"


def new_note(rig_path: str, device: str, identity: Identity) -> Note:
    """Return an empty note of this process."""
    return Note(rig_path, device, os.getpid(), utc_now(), identity)


def _has(link: object, key: str) -> bool:
    return getattr(link, key, None) is not None
