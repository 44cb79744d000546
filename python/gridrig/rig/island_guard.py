"""An island on the bench while protection is opened: how long it may live, and within what.

A test of islanding opens trip limits so that nothing but the detection under test ends the island.
If that fails, nothing in the device does. So from the moment the contactor opens, the analyser on
each such device is read until its voltage is gone; an island that lives too long or leaves its
bounds has its power taken away at once, and the run is aborted.

Limits: what happens between two readings is not seen. Fuses and an over-voltage relay in hardware
come first; this is the second line.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from gridrig.devices.bench_capabilities import AnalyserReading
from gridrig.errors import DriverError
from gridrig.rig.guard import GuardedInverter
from gridrig.rig.guarded import Guarded
from gridrig.rig.instruments import SourceTerminal
from gridrig.rig.schema import Positive, above, between

POLL_S = 0.2
DEAD_PU = 0.2  # of nominal voltage, below which there is no island
SILENT_MAX = 3


@dataclass(frozen=True)
class OpenedProtection:
    """What an island may do while protection is opened: the rig's `[rig] opened_protection`.

    Parameters
    ----------
    island_s_max : float
        How long it may live. [s]
    v_pu_max : float
        Voltage, of nominal. [pu]
    f_pu_min, f_pu_max : float
        Frequency, of nominal. [pu]

    References
    ----------
    .. [1] IEEE, "IEEE Std 1547.1-2020," 2020, 5.10: trips opened to 1.20 pu, 50 and 66 of 60 Hz.
    """

    island_s_max: Annotated[float, above(0), between(0, 600)] = 15.0
    v_pu_max: Positive = 1.25
    f_pu_min: Positive = 0.80
    f_pu_max: Positive = 1.12


ISLANDS = OpenedProtection()


class IslandGuard:
    """Watches the islands of one bench.

    Parameters
    ----------
    devices : mapping of str to Guarded
        Those that are open.
    limits : OpenedProtection
        What an island may do.
    v_n, f_n : float
        Nominal voltage, phase to neutral, and frequency. [V, Hz]
    on_abort : callable
        Told the cause, once power was taken away.
    """

    def __init__(
        self,
        devices: Mapping[str, Guarded],
        limits: OpenedProtection,
        v_n: float,
        f_n: float,
        on_abort: Callable[[str], object],
    ) -> None:
        self._devices = devices
        self._limits = limits
        self._v_n, self._f_n = v_n, f_n
        self._on_abort = on_abort
        self._task: asyncio.Task[None] | None = None

    def opened(self) -> None:
        """Begin to watch: the contactor has left the devices to themselves."""
        watched = [
            device
            for device in self._devices.values()
            if isinstance(device, GuardedInverter)
            and device.protection.changed
            and isinstance(device.device.terminal, SourceTerminal)
        ]
        self.closed()
        if watched:
            self._task = asyncio.create_task(self._watch(watched))

    def closed(self) -> None:
        """Watch no more: the source is there again, or the bench is being left."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _watch(self, watched: list[GuardedInverter]) -> None:
        loop = asyncio.get_running_loop()
        begin_s, silent = loop.time(), 0
        while True:
            try:
                fault, alive = await self._look(watched)
                silent = 0
            except DriverError as error:
                silent += 1
                fault, alive = (f"cannot be read: {error}" if silent == SILENT_MAX else ""), True
            if not fault and alive and loop.time() - begin_s > self._limits.island_s_max:
                fault = f"lives longer than {self._limits.island_s_max:g} s"
            if fault:
                await self._end(f"an island with protection opened {fault}")
                return
            if not alive:
                return
            await asyncio.sleep(POLL_S)

    async def _look(self, watched: list[GuardedInverter]) -> tuple[str, bool]:
        """Return what is wrong with an island, and whether one is alive."""
        limits, alive = self._limits, False
        for device in watched:
            terminal = device.device.terminal
            assert isinstance(terminal, SourceTerminal)
            reading: AnalyserReading = await self._devices[terminal.analyser].read()
            v_pu = max(abs(reading.v_v[k - 1]) for k in terminal.channels) / self._v_n
            f_pu = reading.f_hz / self._f_n
            # Written so that a reading that is not a number is a living island out of bounds.
            if v_pu < DEAD_PU:
                continue
            alive = True
            if not v_pu <= limits.v_pu_max:
                return f"has {v_pu:.3g} pu, more than {limits.v_pu_max:g} pu", True
            if not limits.f_pu_min <= f_pu <= limits.f_pu_max:
                low_hz, high_hz = limits.f_pu_min * self._f_n, limits.f_pu_max * self._f_n
                return f"has {reading.f_hz:.4g} Hz, not {low_hz:g} to {high_hz:g} Hz", True
        return "", alive

    async def _end(self, cause: str) -> None:
        """Take the power away by whatever feeds the island, then have the run aborted."""
        feeds = [d for d in self._devices.values() if d.capability == "dc_source"]
        feeds += [d for d in self._devices.values() if isinstance(d, GuardedInverter)]
        # Who fails is dealt with, and named, on the way to the safe state.
        await asyncio.gather(*(device.make_safe() for device in feeds), return_exceptions=True)
        self._on_abort(cause)
