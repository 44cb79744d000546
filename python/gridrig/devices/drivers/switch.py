"""Driver of a contactor with a status contact, behind a SCPI relay card.

    driver = "scpi-switch"
    link = { kind = "socket", host = "192.0.2.23", port = 5025 }

Wiring: the status contact must be a mirror contact of the main ones (IEC 60947-4-1 annex F), or it
tells nothing of a weld.
"""

import asyncio

from gridrig.devices.bench_capabilities import SwitchReading
from gridrig.devices.drivers.scpi_instrument import ScpiDriver

HOLD_S = 0.1  # longer than any contactor needs to move and to stop bouncing


class ScpiSwitch(ScpiDriver):
    """A contactor; moving it ends only when the status contact shows it."""

    capability = "switch"
    SAFE_KEY = "closed"

    async def read(self) -> SwitchReading:
        """Return its coil's command and its status contact."""
        commanded, closed = await self._line.numbers(":ROUT:CLOS? (@1)", ":SENS:CONT? (@1)")
        return SwitchReading(bool(commanded), bool(closed))

    async def set_closed(self, on: bool) -> None:
        """Move it and wait, bounded, until the status contact shows it and has stopped bouncing.

        A contact that showed it before it could move must show it afterwards too.

        Raises
        ------
        DriverError
            Kind "readback" if the status contact does not follow: a weld, or a broken wire.
        """
        await self._line.command(f":ROUT:{'CLOS' if on else 'OPEN'} (@1)")
        await self._until(":SENS:CONT? (@1)", on)
        await asyncio.sleep(HOLD_S)
        if (shown := await self._line.text(":SENS:CONT? (@1)")) != str(int(on)):
            raise self._differs(":SENS:CONT? (@1)", int(on), shown)

    async def request_closed(self) -> None:
        """Tell a switch with a synchronism check to close, which it does when it may."""
        await self._line.command(":ROUT:CLOS (@1)")

    async def _make(self, on: bool) -> None:
        await self.set_closed(on)
