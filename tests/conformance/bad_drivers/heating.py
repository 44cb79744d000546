"""Wrong drivers of a heat pump."""

import asyncio
import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace

from gridrig.devices.drivers.lambda_heat_pump import LambdaHeatPump
from gridrig.devices.heat_pump_capability import HeatPumpReading
from gridrig.devices.wire import lambda_registers as layout
from gridrig.errors import DriverError


class HeatsTheGrid(LambdaHeatPump):
    """Power that is drawn is positive."""

    async def read(self) -> HeatPumpReading:
        found = await super().read()
        return replace(found, p_w=-found.p_w)


class WholeDegrees(LambdaHeatPump):
    """Takes tenths of a degree for degrees, and rounds them."""

    async def read(self) -> HeatPumpReading:
        found = await super().read()
        return replace(found, room_c=None if found.room_c is None else float(round(found.room_c)))


class MissingIsCold(LambdaHeatPump):
    """Tells a sensor that is missing as the maker writes it."""

    async def read(self) -> HeatPumpReading:
        found = await super().read()
        room_c = layout.signed(layout.NO_SENSOR) / 10 if found.room_c is None else found.room_c
        return replace(found, room_c=room_c)


class AlwaysFollows(LambdaHeatPump):
    """Knows of no room."""

    async def read(self) -> HeatPumpReading:
        found = await super().read()
        return replace(found, state="own" if found.told_w is None else "told")


class NoneIsNothing(LambdaHeatPump):
    """Takes None for 0 W."""

    async def set_power_w(self, p_w: float | None) -> None:
        await super().set_power_w(0.0 if p_w is None else p_w)


class CutsPowers(LambdaHeatPump):
    """Cuts a power to what the pump can take, and says it is done."""

    async def set_power_w(self, p_w: float | None) -> None:
        most_w = self._p.p_w_max
        inside = None if p_w is None or math.isnan(p_w) else min(max(p_w, -most_w), 0.0)
        await super().set_power_w(inside)


class TellsOnce(LambdaHeatPump):
    """Tells a power once."""

    async def _tell_again(self, raw: int) -> None:
        await asyncio.Event().wait()


class TellsForEver(LambdaHeatPump):
    """Tells a power again, whoever lives."""

    async def _tell_again(self, raw: int) -> None:
        while True:
            await asyncio.sleep(self._p.revert_s / 3)
            with contextlib.suppress(DriverError):
                await self._opened().write(self._link.unit, layout.POWER, [raw], self._patience)


class LapsesInSilence(LambdaHeatPump):
    """Keeps to itself that a power went."""

    async def read(self) -> HeatPumpReading:
        told = self._told
        try:
            found = await super().read()
        except DriverError as error:
            if error.code != "driver.reverted":
                raise
            found = await super().read()
            self._told = told
        return found if self._told is None else replace(found, told_w=0.0 - self._told)


class SafeIsCold(LambdaHeatPump):
    """Takes a pump that is off for one that is safe."""

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        if set(safe_state) - {"power"}:
            raise DriverError("bad.unknown", "unknown key", kind="limit")
        await self.set_power_w(0.0)


class RestoresNothing(LambdaHeatPump):
    """Leaves what it told."""

    async def restore(self) -> None:
        self._let_go()


class OutlivesItself(LambdaHeatPump):
    """Has the pump told by a process of its own, which nobody ends with the driver's."""

    async def set_power_w(self, p_w: float | None) -> None:
        await super().set_power_w(p_w)
        if p_w is not None and hasattr(self._link, "host"):
            script = (
                "import socket,time,sys\n"
                "for _ in range(40):\n"
                "    s=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
                "    s.sendall(bytes.fromhex('00010000000901100066000102')"
                "+int(sys.argv[3]).to_bytes(2,'big'))\n"
                "    s.recv(64);s.close();time.sleep(0.5)\n"
            )
            where = (self._link.host, str(self._link.port), str(round(-p_w)))
            await asyncio.create_subprocess_exec(
                "setsid", "python3", "-c", script, *where, start_new_session=True
            )
