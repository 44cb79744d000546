"""Driver of a DC source over SCPI: a supply, or a photovoltaic array by its curve.

driver = "scpi-dc-source"
link = { kind = "socket", host = "192.0.2.21", port = 5025 }
"""

from gridrig.devices.bench_capabilities import DcSourceReading
from gridrig.devices.drivers.scpi_instrument import ScpiDriver


class ScpiDcSource(ScpiDriver):
    """A DC source. The instrument refuses what is beyond its ranges; the rig's limits come
    first."""

    capability = "dc_source"
    SAFE_KEY = "output"

    async def read(self) -> DcSourceReading:
        """Return what flows."""
        questions = (":OUTP?", ":SYST:INT?")
        on, interlock = await self._line.numbers(*questions)
        v_v, i_a, p_w = [(await self._line.numbers(q))[0] for q in self._MEASURED]
        return DcSourceReading(bool(on), v_v, i_a, p_w, bool(interlock))

    _MEASURED = (":MEAS:VOLT?", ":MEAS:CURR?", ":MEAS:POW?")

    async def set_supply(self, v_v: float, i_a: float) -> None:
        """Be a supply of a voltage with a current limit. [V, A]"""
        await self._set(":FUNC:MODE", "FIX")
        await self._set(":CURR", i_a)
        await self._set(":VOLT", v_v)

    async def set_array(self, voc_v: float, isc_a: float, vmp_v: float, imp_a: float) -> None:
        """Be a photovoltaic array with a curve, given at 1000 W/m2. [V, A, V, A]"""
        await self._set(":FUNC:MODE", "SAS")
        for word, value in (("VOC", voc_v), ("ISC", isc_a), ("VMP", vmp_v), ("IMP", imp_a)):
            await self._set(f":SAS:{word}", value)

    async def set_irradiance(self, w_per_m2: float) -> None:
        """Set the irradiance of the array. [W/m2]"""
        await self._set(":SAS:IRR", w_per_m2)

    async def set_output(self, on: bool) -> None:
        """Switch the output."""
        await self._switch(":OUTP", on)

    async def _make(self, on: bool) -> None:
        await self._switch(":OUTP", on)
