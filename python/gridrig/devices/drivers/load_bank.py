"""Driver of an RLC load bank over SCPI.

driver = "scpi-load-bank"
link = { kind = "socket", host = "192.0.2.22", port = 5025 }
"""

from gridrig.devices.bench_capabilities import LoadBankReading
from gridrig.devices.drivers.scpi_instrument import ScpiDriver

_BRANCHES = (":LOAD:RES", ":LOAD:IND", ":LOAD:CAP")


class ScpiLoadBank(ScpiDriver):
    """A load bank whose branches move in steps."""

    capability = "load_bank"
    SAFE_KEY = "connected"

    async def read(self) -> LoadBankReading:
        """Return what is set."""
        on, r_w, l_var, c_var = await self._line.numbers(
            ":LOAD?", *(f"{branch}?" for branch in _BRANCHES)
        )
        return LoadBankReading(bool(on), r_w, l_var, c_var)

    async def set_load(self, r_w: float, l_var: float, c_var: float) -> LoadBankReading:
        """Set each branch by its nominal power and return the steps that this came to.

        A branch that comes further from what was asked than half a step is a failed read-back.
        """
        (step,) = await self._line.numbers(":LOAD:STEP?")
        for branch, value in zip(_BRANCHES, (r_w, l_var, c_var), strict=True):
            await self._set(branch, value, tolerance=0.5 * step * (1 + 1e-9))
        return await self.read()

    async def set_connected(self, on: bool) -> None:
        """Connect or disconnect the bank."""
        await self._switch(":LOAD", on)

    async def _make(self, on: bool) -> None:
        await self._switch(":LOAD", on)
