"""What of an inverter's protection was changed, by whomever, and is not yet as it was found."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from gridrig.devices.protection import ANTI_ISLANDING, Protected

Keep = Callable[[Collection[str]], Awaitable[None]]


async def _nowhere(_: Collection[str]) -> None:
    """Keep nothing: for a device that ends with its process."""


class Protection:
    """The protection of one inverter.

    Parameters
    ----------
    driver : driver
        Which may be `Protected`: then what it shows at the end counts too.

    Attributes
    ----------
    changed : set of str
        Trip functions that were written and not yet restored.
    lost : set of str
        Those of them that another process wrote and the driver cannot restore.
    keep : callable
        Told `changed` before each write.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._found: dict[str, object] = {}
        self.changed: set[str] = set()
        self.lost: set[str] = set()
        self.keep: Keep = _nowhere

    async def change(self, name: str) -> None:
        """Remember that a trip function is about to be written."""
        # Before the write: one that fails half-way has changed it too.
        self.changed.add(name)
        await self.keep(self.changed)

    async def restored(self) -> None:
        """Remember that the settings were written back and read back."""
        if self.changed != self.lost:
            self.changed &= self.lost
            await self.keep(self.changed)

    async def look(self) -> None:
        """Remember how it is set, if the driver can tell; what is yet to be restored is not it."""
        if isinstance(self._driver, Protected):
            found = await self._driver.read_protection()
            self._found = {k: value for k, value in found.items() if k not in self.changed}

    async def left(self) -> list[str]:
        """Return what is off, or not as it was found, for people.

        Raises
        ------
        DriverError
            If the device does not say.
        """
        wrong = self.not_restored()
        if isinstance(self._driver, Protected):
            left = await self._driver.read_protection()
            if left.get(ANTI_ISLANDING) is False:
                wrong.append("anti-islanding is off")
            # Whoever changed it: another master on the wire, or the device itself.
            wrong += [
                f"{name} is not as it was found"
                for name, value in left.items()
                if name not in {ANTI_ISLANDING, *self.changed}
                and value != self._found.get(name, value)
            ]
        return wrong

    def not_restored(self) -> list[str]:
        """Return what was written and not restored, for people."""
        return [f"{name} not restored as found" for name in sorted(self.changed)]
