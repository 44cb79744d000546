"""Drivers that are bad company: they block, hang, crash and leak."""

import asyncio
import os
import signal
import threading
import time

from gridrig.devices.capabilities import InverterReading
from gridrig.devices.drivers.sunspec import SunSpecInverter
from gridrig.errors import DriverError


class BlocksForever(SunSpecInverter):
    """Reads with a call that never returns."""

    async def read(self) -> InverterReading:
        time.sleep(3600)
        return await super().read()


class WaitsForever(SunSpecInverter):
    """Waits for what never comes, its loop free."""

    async def read(self) -> InverterReading:
        await asyncio.Event().wait()
        return await super().read()


class BlocksTheLoop(SunSpecInverter):
    """Sleeps between its requests as a script would."""

    async def read(self) -> InverterReading:
        time.sleep(0.5)
        return await super().read()


class Crashes(SunSpecInverter):
    """Ends its process at the first error."""

    async def read(self) -> InverterReading:
        try:
            return await super().read()
        except DriverError:
            os._exit(3)


class Segfaults(SunSpecInverter):
    """Does what a broken extension module does."""

    async def read(self) -> InverterReading:
        os.kill(os.getpid(), signal.SIGSEGV)
        return await super().read()


class DiesQuietly(SunSpecInverter):
    """Answers, and is gone before anybody asks again."""

    _reads = 0

    async def read(self) -> InverterReading:
        found = await super().read()
        self._reads += 1
        if self._reads == 3:
            asyncio.get_running_loop().call_soon(os._exit, 0)
        return found


class LeaksMemory(SunSpecInverter):
    """Keeps 64 KiB of every reading."""

    async def open(self) -> None:
        self._history: list[bytes] = []
        await super().open()

    async def read(self) -> InverterReading:
        self._history.append(os.urandom(65_536))
        return await super().read()


class LeaksDescriptors(SunSpecInverter):
    """Opens a log each time and never closes it."""

    async def open(self) -> None:
        await super().open()
        self._logs = [*getattr(self, "_logs", []), os.open(os.devnull, os.O_WRONLY)]


class LeaksThreads(SunSpecInverter):
    """Starts a watcher each time and never ends it."""

    async def open(self) -> None:
        await super().open()
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class OpensAgain(SunSpecInverter):
    """Opens by itself what was closed."""

    async def read(self) -> InverterReading:
        try:
            return await super().read()
        except DriverError:
            await self.open()
            return await super().read()


class ClosesOnce(SunSpecInverter):
    """Cannot be closed twice."""

    _open = False

    async def open(self) -> None:
        await super().open()
        self._open = True

    async def close(self) -> None:
        if not self._open:
            raise RuntimeError("not open")
        self._open = False
        await super().close()


class GivesUp(SunSpecInverter):
    """Never answers again after the first error."""

    _broken: DriverError | None = None

    async def read(self) -> InverterReading:
        if self._broken is not None:
            raise self._broken
        try:
            return await super().read()
        except DriverError as error:
            self._broken = error
            raise
