"""What every guard of a driver does: nothing is sent that the rig file does not allow.

A guard wraps one driver. Each write is checked first and refused as `rig.limit`, kind "limit",
without a byte of it on the wire. In a dry run what would be written is reported instead of sent.
What was written to last is known again: a device that was lost may have forgotten it.
"""

import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gridrig.devices.capabilities import Identity
from gridrig.errors import DriverError
from gridrig.rig.device import Device

if TYPE_CHECKING:
    from gridrig.rig.permits import Permits

Report = Callable[..., object]
OTHER_DEVICE = "rig.other_device"


class Guarded:
    """What every guarded driver does.

    Parameters
    ----------
    device : Device
        The rig's word on it.
    driver : driver
        What speaks to it.
    report : callable
        Takes (kind, **data): "write_refused", "would_write", "wrote".
    dry_run : bool
        Report writes instead of sending them.
    """

    def __init__(self, device: Device, driver: Any, report: Report, *, dry_run: bool) -> None:
        self.name = device.name
        self.capability = device.capability
        self.device = device
        self.driver = driver
        self._report = report
        self._dry_run = dry_run
        self._ending = False
        self.permits: Permits | None = None  # of its bench
        self.lost = False  # then nothing is sent to it but what makes it safe
        self.answers = False  # whether it said who it is since it was lost and asked last
        self.known: Identity | None = None  # who it said it was when the bench was opened
        self.standing: dict[str, Callable[[], Awaitable[None]]] = {}  # settings, to write again
        self.as_it_was: dict[str, Callable[[], Awaitable[None]]] | None = None  # while it is lost
        self.reads = 0  # how often it was asked what it does

    def end(self) -> None:
        """From now on refuse every write but those of the safe end: it has the last word."""
        self._ending = True
        self.answers = False  # who was lost says anew who it is

    async def identify(self) -> Identity:
        """Return who the device says it is."""
        identity: Identity = await self.driver.identify()
        return identity

    async def read(self) -> Any:
        """Return what the device reports now."""
        self.reads += 1
        await self._reach()
        return await self.driver.read()

    async def make_safe(self) -> None:
        """Drive the device into its declared safe state."""
        settings = self.device.safe_settings()
        await self._write("safe_state", settings, self.driver.make_safe, ending=True)

    async def restore(self) -> None:
        """Write the settings back as found."""
        if not self._dry_run:
            await self._reach()
            await self.driver.restore()

    async def _reach(self) -> None:
        """Open the driver of a lost device, which a vain try to take it back may have closed.

        Another one may be in its place by now: it is neither commanded nor judged by.
        """
        if self.lost:
            await self.driver.open()
            if not self.answers:
                await self.prove()

    async def prove(self) -> None:
        """See that who answers is the device that was opened.

        Raises
        ------
        DriverError
            `rig.other_device`, or what the wire said.
        """
        found = await self.identify()
        if found != self.known:
            raise DriverError(
                OTHER_DEVICE,
                "{device}: {found} answers in its place, expected {expected}; nothing was sent",
                kind="refused",
                device=self.name,
                found=found,
                expected=self.known,
            )
        self.answers = True

    async def _write(
        self,
        what: str,
        value: Any,
        send: Callable[[Any], Any],
        *,
        ending: bool = False,
        again: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Send a setting; `again` writes it as it was asked for, if it is one that lasts."""
        if self._ending and not ending:
            raise self._refuse(what, value, "sent: the bench is being made safe")
        if self.lost and not ending:
            raise self._refuse(what, value, "sent: the device is lost")
        if self._dry_run:
            self._report("would_write", what=what, value=value)
            return
        await self._reach()
        await send(value)
        if again is not None:
            self.standing[what] = again
        if not self.device.emulated:  # one that is emulated keeps a log of what it was told
            self._report("wrote", what=what, value=value)

    async def _need_loop(self, what: str, value: Any) -> None:
        """Refuse what energises while the bench's safety loop is open."""
        if self.permits is None or self._dry_run:
            return
        if fault := await self.permits.loop_fault():
            raise self._refuse(what, value, f"given while {fault}")

    def _refuse(self, what: str, found: object, expected: str) -> DriverError:
        self._report("write_refused", what=what, found=repr(found), expected=expected)
        return DriverError(
            "rig.limit",
            "{device}: {what} of {found} is not {expected}; nothing was sent",
            kind="limit",
            device=self.name,
            what=what,
            found=found,
            expected=expected,
        )

    def _within(self, what: str, value: object, low: float, high: float) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not low <= value <= high:  # type: ignore[arg-type,operator]
            raise self._refuse(what, value, f"a number from {low:g} to {high:g}, the rig's limits")
