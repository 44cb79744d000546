"""What has to hold before a bench is energised: the safety loop, and a way for power to go.

Emergency stop and interlock are hardware that acts by itself; gridrig only reads them. It energises
nothing while one is open, and `LoopWatch` ends the run when one opens.

A source that cannot take power back would be driven up by a device that exports into it. So export
is enabled only as far as the rig's `takes_back_w` and the load banks that are connected reach, and
these are not taken away under it. A load bank counts by its resistance at nominal voltage.

Limits: the rig does not say which load bank hangs on which source; each counts for all.
"""

import asyncio
from collections.abc import Callable, Mapping

from gridrig.devices.bench_capabilities import InterlockReading, LoadBankReading
from gridrig.errors import DriverError
from gridrig.rig.device import Device, InverterLimits
from gridrig.rig.guarded import Guarded
from gridrig.rig.instruments import AcSourceLimits, SourceTerminal

SILENT_MAX = 3  # looks in a row without an answer; then the loop counts as open


class Permits:
    """Judges one bench.

    Parameters
    ----------
    devices : mapping of str to Guarded
        Those that are open, as they become so.
    """

    def __init__(self, devices: Mapping[str, Guarded]) -> None:
        self._devices = devices
        self._given_w: dict[str, float] = {}  # what a device behind a source may give
        self._withdrawn: set[str] = set()

    async def loop_fault(self) -> str:
        """Return why the bench may not be energised, empty if it may."""
        for device in self._of("interlock"):
            try:
                reading: InterlockReading = await device.read()
            except DriverError as error:
                return f"the safety loop cannot be read: {error}"
            if not reading.closed:
                return f"{device.name} shows the safety loop open"
        return ""

    async def export_fault(self, device: Device, p_w: float) -> str:
        """Return why a device may not give a power into its source, empty if it may. [W]"""
        terminal = device.terminal
        if not isinstance(terminal, SourceTerminal) or terminal.source not in self._devices:
            return ""
        others_w = sum(
            self._given_w[name]
            for name, other in self._behind(terminal.source)
            if name in self._given_w and name != device.name
        )
        return await self._fault(terminal.source, p_w + others_w)

    async def close_fault(self) -> str:
        """Return why the contactor may not be closed, empty if it may.

        Who was found permitted to connect counts with all that its limits allow.
        """
        for source in self._of("ac_source"):
            open_w = sum(
                self._given_w.get(name, _p_w_max(device))
                for name, device in self._behind(source.name)
                if name not in self._withdrawn
            )
            if fault := await self._fault(source.name, open_w):
                return fault
        return ""

    async def load_fault(self, bank: str, r_w: float) -> str:
        """Return why a load bank may not fall to a power, empty if it may. [W]"""
        for source in self._of("ac_source"):
            given_w = sum(self._given_w.get(name, 0.0) for name, _ in self._behind(source.name))
            if given_w > 0 and (fault := await self._fault(source.name, given_w, {bank: r_w})):
                return fault
        return ""

    def give(self, name: str, p_w: float) -> None:
        """Remember that a device may give a power. [W]"""
        self._given_w[name] = p_w
        self._withdrawn.discard(name)

    def withdraw(self, name: str) -> None:
        """Remember that a device may give nothing."""
        self._given_w.pop(name, None)
        self._withdrawn.add(name)

    def given(self, name: str) -> bool:
        """Return whether a device may give power, by a word of this bench."""
        return name in self._given_w

    async def _fault(
        self, source: str, needed_w: float, instead: Mapping[str, float] | None = None
    ) -> str:
        limits = self._devices[source].device.limits
        assert isinstance(limits, AcSourceLimits)
        if needed_w <= limits.takes_back_w:
            return ""
        load_w = 0.0
        for bank in self._of("load_bank"):
            if instead is not None and bank.name in instead:
                load_w += instead[bank.name]
                continue
            reading: LoadBankReading = await bank.read()
            load_w += reading.r_w if reading.connected else 0.0
        if needed_w <= limits.takes_back_w + load_w:
            return ""
        return (
            f"{needed_w:g} W could flow into {source}, which takes back {limits.takes_back_w:g} W, "
            f"and load banks take {load_w:g} W"
        )

    def _of(self, capability: str) -> list[Guarded]:
        return [d for d in self._devices.values() if d.capability == capability]

    def _behind(self, source: str) -> list[tuple[str, Device]]:
        return [
            (name, d.device)
            for name, d in self._devices.items()
            if isinstance(d.device.terminal, SourceTerminal) and d.device.terminal.source == source
        ]


def _p_w_max(device: Device) -> float:
    assert isinstance(device.limits, InverterLimits)
    return device.limits.p_w_max


class LoopWatch:
    """Looks at the safety loop as long as a bench is in use, and tells when it opens.

    One that has never been closed is not told: with it nothing can be energised.

    Parameters
    ----------
    permits : Permits
        Who reads it.
    period_s : float
        From one look to the next. [s]
    on_open : callable
        Told the cause, once.
    """

    def __init__(self, permits: Permits, period_s: float, on_open: Callable[[str], object]) -> None:
        self._permits = permits
        self._period_s = period_s
        self._on_open = on_open

    async def watch(self) -> None:
        """Look until it opens."""
        closed, silent = False, 0
        while True:
            fault = await self._permits.loop_fault()
            silent = silent + 1 if "cannot be read" in fault else 0
            if closed and fault and silent in (0, SILENT_MAX):
                self._on_open(fault)
                return
            closed = closed or not fault
            await asyncio.sleep(self._period_s)
