"""A unit whose every register tells when it was asked, read under each fault of the catalogue.

Register `a` reads as a hash of `a` and the number of the call, so that any value that is late,
shifted, foreign or damaged shows. Every read must end as the right value or a named error.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gridrig.clock import Clock, stream
from gridrig.devices.drivers.modbus_line import Patience, join_line
from gridrig.devices.emulators.fault import no_log
from gridrig.devices.emulators.fault_spec import FaultSpec
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink
from gridrig.errors import DriverError

CALLS = 14
PATIENCE = Patience(timeout_s=0.4, retries=1)
NAMED = {"timeout", "framing", "refused", "busy", "unavailable"}


# With the end of a reply missing, what follows is taken for it where only TCP has a checksum: no
# driver can know, and docs/modbus.md says so.
FILLERS = frozenset({"noise", "noise_after", "duplicate", "line_feed"})


def deceives_together(kind: str, names: Sequence[str]) -> bool:
    """Return whether faults that are honest alone make up a reply that only looks right."""
    return kind != "modbus-rtu" and "truncate" in names and not FILLERS.isdisjoint(names)


def told(address: int, call: int) -> int:
    return (address * 40_503 + call * 2_654_435 + 7) & 0xFFFF


class Dated:
    """Registers that tell the call they are read in; writes are kept."""

    def __init__(self) -> None:
        self.call = 0
        self.written: dict[int, int] = {}

    def read(self, address: int, count: int) -> list[int]:
        return [self.written.get(a, told(a, self.call)) for a in range(address, address + count)]

    def write(self, address: int, values: Sequence[int]) -> None:
        self.written.update({address + k: value for k, value in enumerate(values)})


def some_parameters(spec: FaultSpec, draw: random.Random) -> dict[str, Any]:
    """Draw what a fault takes: small values, near the client's own waits and lengths."""
    near = {
        "delay_s": draw.choice([0.05, 0.35, 0.41, 0.6, 0.9, 1.7]),
        "jitter_s": draw.choice([0.1, 0.5, 1.0]),
        "gap_s": draw.choice([0.0, 0.01, 0.06, 0.2, 0.5]),
        "within_s": 0.2,
        "n_bytes": draw.randrange(1, 40),
        "at_byte": draw.randrange(0, 12),
        "piece_bytes": draw.randrange(1, 5),
        "keep_bytes": draw.randrange(0, 12),
        "down_s": draw.choice([0.1, 0.7, 3.0]),
        "idle_s": draw.choice([0.0, 0.05, 1.0]),
        "clients": draw.randrange(0, 2),
        "baudrate": draw.choice([4800, 9600, 38400, 57600]),
        "unit": draw.choice([0, 2, 9, 129]),
        "becomes": draw.choice([1, 4, 6, 16]),
        "off_by": draw.randrange(1, 65536),
        "protocol": draw.randrange(1, 65536),
        "code": draw.choice([1, 2, 3, 4, 5, 6, 10, 11]),
        "registers": draw.randrange(1, 20),
        "register": draw.randrange(0, 60),
    }
    said = {one.name: near[one.name] for one in spec.parameters}
    occasion = draw.randrange(4)
    if occasion == 0:
        said["count"] = draw.randrange(1, 6)
    elif occasion == 1:
        said |= {"for_s": draw.choice([0.5, 2.0, 5.0]), "probability": 0.5}
    elif occasion == 2:
        said |= {"nth": draw.randrange(1, 6), "count": 2}
    else:
        said["for_s"] = 3.0
    return said


async def swept(kind: str, specs: Sequence[FaultSpec], seed: int, clock: Clock) -> Counter[str]:
    """Read under faults drawn by a seed; return how often each outcome came."""
    draw = stream(seed, f"sweep/{kind}/{','.join(spec.name for spec in specs)}")
    registers = Dated()
    link: Any = ModbusTcpLink("127.0.0.1", 0, 1)
    if kind == "modbus-rtu":
        link = ModbusRtuLink("auto", 19200, 1)
    emulator = ModbusEmulator("dut", link, ModbusFaceParameters(seed=seed), registers, no_log)
    await emulator.start()
    line = join_line(emulator.endpoint_link)
    line.probe_at(1, range(100, 164))
    outcomes: Counter[str] = Counter()
    expected: dict[int, int] = {}
    try:
        for call in range(CALLS):
            if call in {2, 7}:
                for spec in specs:
                    emulator.arm(spec.name, **some_parameters(spec, draw))
            registers.call = call
            address, count = draw.randrange(0, 50), draw.choice([1, 2, 2, 2, 3, 10])
            if draw.random() < 0.3:
                await clock.sleep(draw.choice([0.01, 0.1, 1.0]))
            try:
                if draw.random() < 0.25:
                    values = [draw.randrange(65536) for _ in range(count)]
                    for k in range(count):
                        expected.pop(1000 + address + k, None)
                    await line.write(1, 1000 + address, values, PATIENCE)
                    # An acknowledged write is a write that took place.
                    assert [registers.written[1000 + address + k] for k in range(count)] == values
                    outcomes["written"] += 1
                    continue
                values = await line.read(1, address, count, PATIENCE)
            except DriverError as error:
                if error.kind not in NAMED:
                    raise
                outcomes[error.code] += 1
                continue
            right = [told(a, call) for a in range(address, address + count)]
            assert values == right, f"{kind} seed {seed} {[s.name for s in specs]} call {call}"
            outcomes["right"] += 1
    finally:
        await line.leave()
        await emulator.stop()
    return outcomes
