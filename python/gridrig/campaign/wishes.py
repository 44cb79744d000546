"""What a run wants of devices that are told one thing at a time, sent again until they have it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from gridrig.errors import DriverError
from gridrig.events import EventLog

Order = Callable[[Any, Any], Awaitable[None]]  # (driver, what is wanted of it)


class Wishes:
    """One kind of order: what is wanted of each device, and what each is known to have. [W]

    Parameters
    ----------
    order : callable
        Tells a driver what is wanted of its device.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self.wanted: dict[str, float | None] = {}
        self.sent: dict[str, float | None] = {}

    def unsent(self) -> dict[str, float | None]:
        """Return what is wanted and not known to be had. [W]"""
        return {
            name: p_w
            for name, p_w in self.wanted.items()
            if name not in self.sent or self.sent[name] != p_w
        }

    def forget(self, names: Collection[str]) -> None:
        """Note that these devices may have let it fall (`driver.reverted`)."""
        for name in names:
            self.sent.pop(name, None)

    async def send(self, drivers: Mapping[str, Any], events: EventLog) -> None:
        """Send what a device is not known to have, all at once."""
        sending = self.unsent()
        results = await asyncio.gather(
            *(self._order(drivers[name], p_w) for name, p_w in sending.items()),
            return_exceptions=True,
        )
        for (name, p_w), result in zip(sending.items(), results, strict=True):
            if isinstance(result, DriverError):
                events.record("write_failed", name, code=result.code, failure=result.kind)
                self.sent.pop(name, None)  # nor what it had before: nobody knows
            elif isinstance(result, BaseException):
                raise result
            else:
                self.sent[name] = p_w
