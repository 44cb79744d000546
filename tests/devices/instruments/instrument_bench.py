"""A bench of instruments for tests: the circuit, the emulators on real wires, and their drivers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gridrig.circuit.bench_circuit import BenchCircuit
from gridrig.circuit.connections import (
    AnalyserConnection,
    DcConnection,
    InterlockConnection,
    LoadConnection,
    SourceConnection,
    SwitchConnection,
)
from gridrig.clock import Clock
from gridrig.devices.drivers.ac_source import ScpiAcSource
from gridrig.devices.drivers.analyser import ScpiAnalyser
from gridrig.devices.drivers.dc_source import ScpiDcSource
from gridrig.devices.drivers.interlock import ScpiInterlock
from gridrig.devices.drivers.load_bank import ScpiLoadBank
from gridrig.devices.drivers.switch import ScpiSwitch
from gridrig.devices.emulators.ac_source import AcSourceEmulator
from gridrig.devices.emulators.analyser import AnalyserEmulator
from gridrig.devices.emulators.dc_source import DcSourceEmulator
from gridrig.devices.emulators.interlock import InterlockEmulator
from gridrig.devices.emulators.load_bank import LoadBankEmulator
from gridrig.devices.emulators.switch import SwitchEmulator
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.plant import World

V_N = 400 / 3**0.5
COAST_S = 0.1
LINKS = {"socket": SocketLink("127.0.0.1", 0), "serial": SerialLink("auto", 115200)}
DRIVERS: dict[str, Any] = {
    "ac": ScpiAcSource,
    "dc": ScpiDcSource,
    "rlc": ScpiLoadBank,
    "s3": ScpiSwitch,
    "door": ScpiInterlock,
    "pa": ScpiAnalyser,
}


@dataclass
class InstrumentBench:
    """What a test works with; every instrument has an emulator, and a driver once opened."""

    clock: Clock
    world: World
    pv: int
    circuit: BenchCircuit
    emulators: dict[str, Any]
    events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)

    async def driver(self, name: str, parameters: Any = None) -> Any:
        driver = DRIVERS[name](name, self.emulators[name].endpoint_link, parameters)
        self.opened.append(driver)
        await driver.open()
        return driver

    async def drivers(self, *names: str) -> list[Any]:
        return [await self.driver(name) for name in names]

    def kinds(self, device: str) -> list[str]:
        return [kind for name, kind, _ in self.events if name == device]


@asynccontextmanager
async def instruments(
    clock: Clock, *, kind: str = "socket", **emulate: dict[str, Any]
) -> AsyncIterator[InstrumentBench]:
    """Serve every instrument; `emulate` adds to the emulate table of each by name."""
    world = World(f_nominal_hz=50.0, s_base_va=10_000.0, seed=1)
    pv = world.add_pv("pv-1", {"s_va": 10_000.0, "category": "II"})
    circuit = BenchCircuit(
        world,
        clock,
        f_nominal_hz=50.0,
        v_ll=400.0,
        phases=3,
        devices={"pv-1": pv},
        has_switch=True,
    )
    terminals: dict[str, tuple[Any, Any]] = {
        "ac": (AcSourceEmulator, SourceConnection(circuit)),
        "dc": (DcSourceEmulator, DcConnection(circuit, pv)),
        "rlc": (LoadBankEmulator, LoadConnection(circuit)),
        "s3": (SwitchEmulator, SwitchConnection(circuit)),
        "door": (InterlockEmulator, InterlockConnection(circuit)),
        "pa": (AnalyserEmulator, AnalyserConnection(circuit, ("pv-1", "switch"))),
    }
    bench = InstrumentBench(clock, world, pv, circuit, {})
    for name, (cls, terminal) in terminals.items():
        more = dict(emulate.get(name, {}))
        if name == "pa":
            more.setdefault("sees", ("pv-1", "switch"))

        def on_event(kind: str, *, name: str = name, **data: Any) -> None:
            bench.events.append((name, kind, data))

        parameters = cls.PARAMETERS(**more)
        bench.emulators[name] = cls(name, LINKS[kind], parameters, terminal, on_event)
        await bench.emulators[name].start()
    coasting = asyncio.create_task(_coast(circuit, clock))
    try:
        yield bench
    finally:
        coasting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await coasting
        for driver in bench.opened:
            await driver.close()
        for emulator in bench.emulators.values():
            await emulator.stop()


async def _coast(circuit: BenchCircuit, clock: Clock) -> None:
    while True:
        await clock.sleep(COAST_S)
        circuit.now_s()


async def energise(bench: InstrumentBench, ac: Any, dc: Any, s3: Any, p_w: float = 8000.0) -> None:
    """Bring the inverter onto the source at full sun and wait until it gives its power."""
    await dc.set_supply(800.0, p_w / 800.0)
    await dc.set_output(True)
    await ac.set_voltage_v([V_N] * 3)
    await ac.set_output(True)
    await s3.set_closed(True)
    bench.world.set_connect(bench.pv, True)
    await bench.clock.sleep(330.0)  # enter service: 300 s
