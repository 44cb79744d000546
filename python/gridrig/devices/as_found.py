"""Settings of a device as they were found, noted before the first of them is written.

A driver that has one as its attribute `found` can put a device back even after the process that
changed it was killed: the bench keeps every note where that does not reach, and gives it to whoever
opens the device next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

Keep = Callable[[Mapping[str, Any]], Awaitable[None]]


async def _nowhere(_: Mapping[str, Any]) -> None:
    """Keep nothing: for a device that ends with its process."""


class AsFound:
    """What `restore` has to write, by the driver's own names, in the order of the first writes.

    Values are what JSON can hold. A note is kept before `note` returns, so before the write that it
    is about. What is dropped is kept with the next note or by `settle`: if it comes back, that only
    costs a needless write.
    """

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}
        self._keep: Keep = _nowhere
        self._settled = True
        self._one = asyncio.Lock()

    def keep_with(self, keep: Keep, found: Mapping[str, Any]) -> None:
        """Keep every note from now on, and begin with what another process has left.

        Parameters
        ----------
        keep : callable
            Takes all that is to be restored; raises if it cannot be kept.
        found : mapping
            What was kept before.
        """
        self._keep, self._found = keep, {**found, **self._found}

    def __contains__(self, name: object) -> bool:
        """Return whether a setting is noted."""
        return name in self._found

    def __bool__(self) -> bool:
        """Return whether anything is to be restored."""
        return bool(self._found)

    def items(self) -> list[tuple[str, Any]]:
        """Return what is to be restored, earliest first."""
        return list(self._found.items())

    async def note(self, found: Mapping[str, Any]) -> None:
        """Note settings that are about to be written; what is noted already stays as it is."""
        async with self._one:  # who writes the same setting waits until its note is kept
            new = {name: value for name, value in found.items() if name not in self._found}
            if new:
                await self._keep({**self._found, **new})
                self._found |= new
                self._settled = True

    def drop(self, names: Iterable[str]) -> None:
        """Let `restore` leave these settings as they are."""
        for name in names:
            if name in self._found:
                del self._found[name]
                self._settled = False

    async def settle(self) -> None:
        """Keep what was dropped, too."""
        async with self._one:
            if not self._settled:
                await self._keep(dict(self._found))
                self._settled = True
