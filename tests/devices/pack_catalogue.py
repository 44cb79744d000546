"""The fault catalogue of the packs, tried out: what may come of each fault, and what did."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from bms_bench import PACK, Bench, Kind

from gridrig.devices.emulators.fault_spec import FaultParameter, FaultSpec
from gridrig.devices.emulators.pack_faults import STICKING
from gridrig.errors import DriverError

# A driver may end in these; any other kind of error, or any other exception, is a bug.
KINDS_OF_ERROR = {"timeout", "framing", "refused", "busy", "unavailable"}
PROTECTION = "cell_over_voltage"
READS = 5
REST_S = 300.0


def known_faults(kind: Kind) -> Mapping[str, FaultSpec]:
    """Return the faults that a pack of a kind can show on its line."""
    emulator = kind.emulator
    on_line = getattr(emulator, "faults_on", None)
    faults: Mapping[str, FaultSpec] = on_line("modbus-rtu") if on_line else emulator.FAULTS
    return faults


def arguments(spec: FaultSpec, source: random.Random) -> dict[str, Any]:
    """Draw what a fault takes, within what its specification allows."""
    own = {one.name: _value(one, source) for one in spec.parameters}
    occasion = source.choice(
        [{}, {"count": source.randrange(1, 12)}, {"probability": 0.5, "count": 6}, {"nth": 3}]
    )
    return {**own, **occasion}


def _value(one: FaultParameter, source: random.Random) -> Any:
    if one.name == "field":
        return source.choice(STICKING)
    if one.name == "protection":
        return PROTECTION
    if one.name == "baudrate":
        return source.choice([1200, 4800, 19200, 115200])
    low = max(one.low, -2000 if one.name == "i_a" else 0)
    high = min(one.high, 6 if one.name.endswith("_s") else 120 if one.kind is int else 3000)
    return source.randint(int(low), int(high)) if one.kind is int else source.uniform(low, high)


async def survive(kind: Kind, fault: str, seed: int) -> list[str]:
    """Arm a fault, read under it, and judge each outcome; returns them in words.

    The pack changes before every read. A value that is not the pack's own at this read, and not
    what a deceiving fault says of it, is an error: an answer to an older question, or an invented
    one. Once the fault is spent and the line has rested, the next read must be right.
    """
    source = random.Random(f"{fault}/{seed}")
    outcomes = []
    async with kind.bench(emulate={"seed": seed}) as bench:
        spec = bench.emulator._faults._known[fault]
        given = arguments(spec, source)
        told: set[tuple[Any, ...]] = set()
        for number in range(READS):
            bench.pack.change(
                v_v=(320 + number) / 10,
                i_a=number - 2.0,
                soc=(10 + number) / 100,
                temperature_c=20.0 + number,
                cells_mv=tuple(3200 + 10 * number + cell for cell in range(16)),
            )
            own = _fields(bench.pack.state)
            told.add(own)
            if number == 1:
                bench.emulator.arm(fault, **given)
            try:
                reading = await bench.driver.read()
            except DriverError as error:
                if error.kind not in KINDS_OF_ERROR:
                    raise
                outcomes.append(error.code)
                continue
            _judge(bench, spec, given, reading, told, own)
            outcomes.append("right")
        if bench.emulator._faults.quiet and fault != "unplug":
            await asyncio.sleep(REST_S)
            last = _fields(bench.pack.state)
            _judge(bench, spec, given, await bench.driver.read(), set(), last)
            outcomes.append("recovered")
    return outcomes


def _fields(state: Any) -> tuple[Any, ...]:
    return tuple(getattr(state, field) for field in STICKING)


def _judge(
    bench: Bench,
    spec: FaultSpec,
    given: dict[str, Any],
    reading: Any,
    told: set[tuple[Any, ...]],
    own: tuple[Any, ...],
) -> None:
    now = bench.pack.state  # differs from `own` by what a soc_jump changed inside the read
    for place, field in enumerate(STICKING):
        allowed = {getattr(now, field), own[place]}
        if spec.name == "stuck_value" and given["field"] == field:
            allowed |= {values[place] for values in told}
        found = getattr(reading, field)
        if field == "i_a" and spec.name == "over_range_current":
            allowed |= {given["i_a"], 327.67, -327.67}
        near = [value for value in allowed if _same(found, value, field)]
        assert near, (spec.name, given, field, found, sorted(allowed))
    extra = set(reading.protections) - {"charge_disabled", "discharge_disabled"}
    assert extra <= ({PROTECTION} if spec.name == "alarm" else set()), (spec.name, extra)
    assert (reading.charge_fet, reading.discharge_fet) == (PACK.charge_fet, PACK.discharge_fet)


def _same(found: Any, value: Any, field: str) -> bool:
    if field == "cells_mv":
        return bool(found == value)
    # The coarsest wire: Daly's 0.1 A, 0.1 %, 1 deg C.
    within = {"soc": 0.0051, "temperature_c": 0.5, "i_a": 0.0501}.get(field, 0.0501)
    return bool(abs(found - value) <= within)
