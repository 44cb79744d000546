"""One device's settings as found, from the first write of a bench until they are restored."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from gridrig.devices.as_found import AsFound
from gridrig.devices.capabilities import Identity
from gridrig.errors import DriverError, RigError
from gridrig.rig.description import Rig
from gridrig.rig.device import Device
from gridrig.rig.found_store import FoundFile, Note, new_note
from gridrig.rig.guard import GuardedInverter
from gridrig.rig.guarded import Guarded

NOT_TAKEN_UP = "its driver takes up no settings that another process found"


class Keeping:
    """Keeps what a device was found with, and takes up what another process has left.

    Parameters
    ----------
    rig_path : str
        For whoever finds the note.
    device : Guarded
        Its driver may have `found`, an `AsFound`; without it only the names of opened protection
        are kept.
    identity : Identity
        Who it says it is.
    report : callable
        Takes (kind, **data): "left_over", "not_kept".

    Raises
    ------
    RigError
        `rig.found_other_device` if what was left is of another device, `rig.found_unreadable`.
    """

    def __init__(
        self,
        rig_path: str,
        device: Guarded,
        identity: Identity,
        report: Callable[..., object],
    ) -> None:
        self._device = device
        self._report = report
        self._file = FoundFile(device.device)
        self._found: AsFound | None = getattr(device.driver, "found", None)
        self.leaving = False
        left = self._file.read()
        if left is not None and left.identity != identity:
            raise RigError(
                "rig.found_other_device",
                "settings of {was} were never restored (since {since}, {path}), here is {found}; "
                "gridrig restore RIG --forget {device} gives them up",
                was=left.identity,
                since=left.since,
                path=str(self._file.path),
                found=identity,
                device=device.name,
            )
        self._note = left or new_note(rig_path, device.name, identity)
        self.left_over = left is not None
        if left is not None:
            self._take_up(left)
        if self._found is not None:
            self._found.keep_with(self._keep_found, self._note.found)
        if isinstance(device, GuardedInverter):
            device.protection.keep = self._keep_protection

    @property
    def left(self) -> str:
        """What is still to be restored, for people; empty if nothing is."""
        names = [*self._note.protection, *self._note.found]
        return f"{len(names)} settings, {', '.join(names[:3])}" if names else ""

    async def settle(self) -> None:
        """Keep what is no longer to be restored, too."""
        if self._found is not None:
            await self._found.settle()

    def _take_up(self, left: Note) -> None:
        if isinstance(self._device, GuardedInverter):
            self._device.protection.changed |= set(left.protection)
            if self._found is None:
                self._device.protection.lost |= set(left.protection)
        self._report(
            "left_over",
            since=left.since,
            pid=left.pid,
            settings=sorted(left.found),
            protection=list(left.protection),
            note=NOT_TAKEN_UP if self._found is None else "",
        )

    async def _keep_found(self, found: Mapping[str, Any]) -> None:
        self._note.found = dict(found)
        await self._write()

    async def _keep_protection(self, names: Collection[str]) -> None:
        self._note.protection = tuple(sorted(names))
        await self._write()

    async def _write(self) -> None:
        try:
            await self._file.write(self._note)
        except OSError as error:
            self._report("not_kept", path=str(self._file.path), cause=str(error))
            if not self.leaving:  # a full disk must not keep a device from its safe state
                raise DriverError(
                    "rig.not_kept",
                    "{device}: its settings as found cannot be kept: {cause}; nothing was sent",
                    kind="other",
                    device=self._device.name,
                    cause=str(error),
                ) from error


def not_restored(rig: Rig) -> list[str]:
    """Return the devices of a rig of which settings are still to be restored.

    Raises
    ------
    RigError
        `rig.found_unreadable`.
    """
    return [d.name for d in rig.devices if not d.emulated and FoundFile(d).read() is not None]


def protection_noted(device: Device) -> bool:
    """Return whether a trip function of a device was written and not restored."""
    left = None if device.emulated else FoundFile(device).read()
    return left is not None and bool(left.protection)


def forget(device: Device) -> bool:
    """Give up what is to be restored of a device; return whether there was anything."""
    path = FoundFile(device).path
    there = path.exists()
    path.unlink(missing_ok=True)
    return there
