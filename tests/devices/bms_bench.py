"""A bench for battery tests: a pack in memory, an emulator and a driver on a real pty."""

import json
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gridrig.devices.emulators.terminal import PackState
from gridrig.devices.links import SerialLink
from gridrig.errors import DriverError

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
)


@dataclass
class MemoryPack:
    """The plant's place: a pack that does what it is told."""

    state: PackState = PACK

    def pack(self) -> PackState:
        return self.state

    def set_fets(self, charge: bool, discharge: bool) -> None:
        self.change(charge_fet=charge, discharge_fet=discharge)

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

    @asynccontextmanager
    async def bench(
        self,
        *,
        emulate: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        baudrate: int | None = None,
        opened: bool = True,
    ) -> AsyncIterator[Bench]:
        pack, events = MemoryPack(), []

        def on_event(kind: str, **data: object) -> None:
            events.append((kind, data))

        emulator = self.emulator(
            "pack-1",
            SerialLink("auto", self.baudrate),
            self.emulator.PARAMETERS(**(emulate or {})),
            pack,
            on_event,
        )
        await emulator.start()
        link = emulator.endpoint_link
        if baudrate is not None:
            link = SerialLink(link.path, baudrate)
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


async def fault_run(
    kind: Kind,
    count: int,
    pick: Callable[[int], tuple[str, dict[str, Any]] | None],
    now_s: Callable[[], float],
) -> list[str]:
    """Read `count` times under faults; the pack changes before every read.

    Every reading must be of the pack as it is since the read began, never older: the voltage
    counts upward, so a stale or foreign answer shows. Returns what happened, line by line.
    """
    log: list[str] = []
    async with kind.bench() as bench:
        for number in range(count):
            tenths = 300 + number
            bench.pack.change(v_v=tenths / 10, soc=(number % 100) / 100, i_a=number / 10 - 10)
            fault = pick(number)
            if fault is not None:
                name, params = fault
                bench.emulator.arm(name, **params)
            try:
                reading = await bench.driver.read()
            except DriverError as error:
                if error.kind not in {"timeout", "framing", "refused"}:
                    raise
                log.append(f"{now_s():.6f} {number} {fault} {error.code}")
                continue
            assert reading.v_v == tenths / 10
            assert abs(reading.soc - (number % 100) / 100) < 1e-3
            assert abs(reading.i_a - (number / 10 - 10)) < 1e-9
            assert reading.cells_mv == PACK.cells_mv
            log.append(f"{now_s():.6f} {number} {fault} {reading}")
        log += [f"{what} {data}" for what, data in bench.events]
    return log
