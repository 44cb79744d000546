"""Driver of a digital input on the bench's safety loop, over SCPI. It commands nothing.

driver = "scpi-interlock"
link = { kind = "socket", host = "192.0.2.24", port = 5025 }
"""

from collections.abc import Mapping

from gridrig.devices.bench_capabilities import InterlockReading
from gridrig.devices.drivers.scpi_instrument import ScpiDriver
from gridrig.errors import DriverError


class ScpiInterlock(ScpiDriver):
    """A safety loop's input."""

    capability = "interlock"
    SAFE_KEY = ""

    async def read(self) -> InterlockReading:
        """Return the loop."""
        (closed,) = await self._line.numbers(":INP:STAT?")
        return InterlockReading(bool(closed))

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Do nothing: an input moves nothing. Its safe state has no keys."""
        if safe_state:
            raise DriverError(
                "driver.safe_state",
                "{device}: safe state {found}, expected none",
                kind="limit",
                device=self.name,
                found=dict(safe_state),
            )
