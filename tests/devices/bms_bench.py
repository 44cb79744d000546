"""A bench for battery tests: a pack in memory, an emulator and a driver on a real pty."""

import json
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gridrig.devices.drivers.daly import DalyDriver
from gridrig.devices.drivers.daly_modbus import DalyModbusDriver
from gridrig.devices.drivers.jbd import JbdDriver
from gridrig.devices.drivers.pylontech import PylontechDriver
from gridrig.devices.emulators.daly import DalyEmulator
from gridrig.devices.emulators.daly_modbus import DalyModbusEmulator
from gridrig.devices.emulators.jbd import JbdEmulator
from gridrig.devices.emulators.pylontech import PylontechEmulator
from gridrig.devices.emulators.terminal import PackState, ProtectionSetting
from gridrig.devices.links import ModbusRtuLink, SerialLink
from gridrig.devices.wire import daly_registers
from gridrig.errors import PlantError

START = 1_468_152_000
VECTORS = Path(__file__).parents[1] / "vectors" / "devices"

PACK = PackState(
    soc=0.55,
    v_v=52.8,
    i_a=12.3,
    cells_mv=(3300, 3301, 3299, 3300) * 4,
    temperature_c=24.6,
    charge_fet=True,
    discharge_fet=True,
    charge_limit_a=90.0,
    discharge_limit_a=110.0,
    capacity_ah=200.0,
    cycles=17,
    settings=(
        ProtectionSetting("cell_over_voltage", 3.65, 2.0, 3.45),
        ProtectionSetting("charge_over_current", 111.0, 10.0, 32.0),
        ProtectionSetting("discharge_over_current", 122.0, 10.0, 32.0),
    ),
    charge_a_max=100.0,
    discharge_a_max=120.0,
)


@dataclass
class MemoryPack:
    """The plant's place: a pack that does what it is told."""

    state: PackState = PACK

    def pack(self) -> PackState:
        return self.state

    def set_fets(self, charge: bool, discharge: bool) -> None:
        self.change(charge_fet=charge, discharge_fet=discharge)

    def set_counted_soc(self, soc: float) -> None:
        self.change(soc=soc)

    def set_protection(self, name: str, trip: float) -> None:
        if name == "charge_over_current" and trip > 300:
            raise PlantError("plant.value_wrong", "{name} is {trip}", name=name, trip=trip)
        settings = [replace(s, trip=trip) if s.name == name else s for s in self.state.settings]
        self.change(settings=tuple(settings))

    def change(self, **values: Any) -> None:
        self.state = replace(self.state, **values)


@dataclass
class Bench:
    """One emulator and its driver."""

    pack: MemoryPack
    emulator: Any
    driver: Any
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


@dataclass(frozen=True)
class Kind:
    """How to make a bench of one protocol."""

    baudrate: int
    emulator: type[Any]
    driver: type[Any]
    driver_parameters: dict[str, Any]
    link: Callable[..., Any] = SerialLink

    @asynccontextmanager
    async def bench(
        self,
        *,
        emulate: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        baudrate: int | None = None,
        address: int | None = None,
        port: str = "auto",
        opened: bool = True,
    ) -> AsyncIterator[Bench]:
        pack, events = MemoryPack(), []

        def on_event(kind: str, **data: object) -> None:
            events.append((kind, data))

        emulator = self.emulator(
            "pack-1",
            self.link(port, self.baudrate, address),
            self.emulator.PARAMETERS(**(emulate or {})),
            pack,
            on_event,
        )
        await emulator.start()
        link = emulator.endpoint_link
        if baudrate is not None:
            link = self.link(link.path, baudrate, address)
        settings = self.driver.PARAMETERS(**(self.driver_parameters | (parameters or {})))
        driver = self.driver("pack-1", link, settings)
        try:
            if opened:
                await driver.open()
            yield Bench(pack, emulator, driver, events)
        finally:
            await driver.close()
            await emulator.stop()


def cases(codec: str) -> list[Path]:
    """Return the vector folders of one codec; an empty list would test nothing and is an error."""
    found = [
        case.parent
        for case in sorted(VECTORS.glob("*/case.toml"))
        if tomllib.loads(case.read_text()).get("codec") == codec
    ]
    assert len(found) >= 4, f"{codec} has only {len(found)} vectors in {VECTORS}"
    return found


def load(case: Path) -> tuple[str, str, Any]:
    """Return a case's content kind, input text and expectation; its provenance must be there."""
    about = tomllib.loads((case / "case.toml").read_text())
    assert all(about[key] for key in ("source", "licence", "why"))
    (given,) = case.glob("input.*")
    return (
        about["content"],
        given.read_text().strip(),
        json.loads((case / "expected.json").read_text()),
    )


def plain(value: Any) -> Any:
    """Return a dataclass's fields as JSON would hold them."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


LIMITS = {"charge_a_max": 100.0, "discharge_a_max": 120.0}
JBD = Kind(9600, JbdEmulator, JbdDriver, LIMITS)
DALY = Kind(9600, DalyEmulator, DalyDriver, LIMITS)
PYLONTECH = Kind(115200, PylontechEmulator, PylontechDriver, {"alarms": True})


def modbus_link(port: str, baudrate: int, unit: int | None = None) -> ModbusRtuLink:
    return ModbusRtuLink(port, baudrate, unit or daly_registers.UNIT)


DALY_MODBUS = Kind(9600, DalyModbusEmulator, DalyModbusDriver, LIMITS, modbus_link)
KINDS = {"jbd": JBD, "daly": DALY, "daly-modbus": DALY_MODBUS, "pylontech": PYLONTECH}
