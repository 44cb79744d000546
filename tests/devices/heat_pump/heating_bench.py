"""What the heat pump's tests share: a stated room, an emulator on it, a driver beside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gridrig.devices.drivers.lambda_heat_pump import LambdaHeatPump, LambdaParameters
from gridrig.devices.emulators.heating_terminal import HeatingState, Sensor
from gridrig.devices.emulators.lambda_heat_pump import (
    HeatPumpEmulator,
    HeatPumpEmulatorParameters,
)
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink

LINKS: dict[str, Any] = {
    "tcp": ModbusTcpLink("127.0.0.1", 0, 1),
    "rtu": ModbusRtuLink("auto", 19200, 1),
}
P_W_MAX = 3000.0
BEGINS = HeatingState(1234.0, 20.7, -3.4, 21.0, "own", 3702.0, 5_600_000)


@dataclass
class StatedRoom:
    """Stands where the plant is: says what it is told to say, keeps what it was told."""

    now: HeatingState = BEGINS
    told: list[float | None] = field(default_factory=list)
    sensor: Sensor = lambda true_c: true_c

    def state(self) -> HeatingState:
        return self.now

    def place(self, **values: Any) -> None:
        self.now = replace(self.now, **values)

    def tell(self, p_w: float | None) -> None:
        self.told.append(p_w)
        self.place(mode="own" if p_w is None else "told", p_w=1234.0 if p_w is None else p_w)

    def hold(self, set_point_c: float) -> None:
        self.place(set_point_c=set_point_c)

    def feel(self, sensor: Sensor) -> None:
        self.sensor = sensor


@dataclass
class Bench:
    """A driver that is open, and what it drives."""

    driver: LambdaHeatPump
    emulator: HeatPumpEmulator
    room: StatedRoom
    events: list[tuple[str, dict[str, object]]]

    def happened(self, kind: str) -> int:
        return sum(one == kind for one, _ in self.events)


@asynccontextmanager
async def bench(
    link: str = "tcp", parameters: dict[str, Any] | None = None, **emulate: Any
) -> AsyncIterator[Bench]:
    """Serve a heat pump on a stated room, open a driver on it, and end both."""
    room, events = StatedRoom(), list[tuple[str, dict[str, object]]]()
    emulator = HeatPumpEmulator(
        "pump",
        LINKS[link],
        HeatPumpEmulatorParameters(p_w_max=P_W_MAX, **emulate),
        room,
        lambda kind, **data: events.append((kind, data)),
    )
    await emulator.start()
    said = LambdaParameters(p_w_max=P_W_MAX, **(parameters or {}))
    driver = LambdaHeatPump("pump", emulator.endpoint_link, said)
    try:
        await driver.open()
        yield Bench(driver, emulator, room, events)
    finally:
        await driver.close()
        await emulator.stop()
