"""One instrument and its driver under faults: each call is right, or an error by name.

Before every call somebody at the front panel, or the bench itself, changes what the instrument
would say, so that a late, shifted or repeated answer shows in the value.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from instrument_bench import DRIVERS, InstrumentBench, instruments

from gridrig.clock import Clock
from gridrig.devices.bench_capabilities import CapturePlan
from gridrig.errors import DriverError

ENDED = {"timeout", "refused", "framing", "busy", "unavailable", "readback"}
MOVED_S = 0.5  # longer than the contactor's travel and bouncing
Fault = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Subject:
    """How one instrument is changed, asked and told, each by a number that no other call had."""

    change: Callable[[InstrumentBench, int], Awaitable[None]]
    ask: Callable[[InstrumentBench, Any, int], Awaitable[None]]
    tell: Callable[[InstrumentBench, Any, int], Awaitable[None]]


def panel(bench: InstrumentBench, name: str, message: str) -> list[float]:
    """Send a message past the wire; return the numbers it answers."""
    answer = bench.emulators[name].instrument.execute(message.encode()) or b""
    return [float(x) for x in answer.split(b";") if x]


async def _own(
    bench: InstrumentBench, name: str, message: str, read: Callable[[], Awaitable[Sequence[float]]]
) -> None:
    """See that what is read is what the instrument itself has, when asked or when it answered.

    An order whose acknowledgement was lost may be carried out in between.
    """
    before = panel(bench, name, message)
    found = await read()
    after = panel(bench, name, message)
    assert found == pytest.approx(before) or found == pytest.approx(after)


async def _volts(bench: InstrumentBench, k: int) -> None:
    panel(bench, "ac", f"INST:COUP ALL;:VOLT {100 + k}")


async def _read_volts(bench: InstrumentBench, driver: Any, k: int) -> None:
    async def read() -> Sequence[float]:
        reading = await driver.read()
        return [*reading.v_v, reading.f_hz]

    await _own(bench, "ac", "SOUR1:VOLT?;:SOUR2:VOLT?;:SOUR3:VOLT?;:FREQ?", read)


async def _set_volts(bench: InstrumentBench, driver: Any, k: int) -> None:
    await driver.set_voltage_v([200.0 + k] * 3)
    assert panel(bench, "ac", "SOUR1:VOLT?;:SOUR3:VOLT?") == pytest.approx([200.0 + k] * 2)


async def _supply(bench: InstrumentBench, k: int) -> None:
    panel(bench, "dc", f"OUTP 1;:CURR 1;:VOLT {300 + k}")


async def _read_supply(bench: InstrumentBench, driver: Any, k: int) -> None:
    async def read() -> Sequence[float]:
        reading = await driver.read()
        return [reading.output, reading.interlock_closed, reading.v_v]

    await _own(bench, "dc", "OUTP?;:SYST:INT?;:VOLT?", read)


async def _set_supply(bench: InstrumentBench, driver: Any, k: int) -> None:
    await driver.set_supply(500.0 + k, 2.0)
    assert panel(bench, "dc", "VOLT?;:CURR?") == pytest.approx([500.0 + k, 2.0])


async def _load(bench: InstrumentBench, k: int) -> None:
    panel(bench, "rlc", f"LOAD:RES {1000 + 100 * k};:LOAD:CAP {500 + 100 * k}")


async def _read_load(bench: InstrumentBench, driver: Any, k: int) -> None:
    async def read() -> Sequence[float]:
        reading = await driver.read()
        return [reading.r_w, reading.l_var, reading.c_var]

    await _own(bench, "rlc", "LOAD:RES?;:LOAD:IND?;:LOAD:CAP?", read)


async def _set_load(bench: InstrumentBench, driver: Any, k: int) -> None:
    steps = await driver.set_load(2000.0 + 100 * k, 300.0 + 100 * k, 400.0)
    assert (steps.r_w, steps.l_var) == pytest.approx((2000.0 + 100 * k, 300.0 + 100 * k))
    shown = panel(bench, "rlc", "LOAD:RES?;:LOAD:IND?;:LOAD:CAP?")
    assert shown == pytest.approx([2000.0 + 100 * k, 300.0 + 100 * k, 400.0])


async def _contact(bench: InstrumentBench, k: int) -> None:
    panel(bench, "s3", f"ROUT:{'CLOS' if k % 2 else 'OPEN'} (@1)")
    await bench.clock.sleep(MOVED_S)


async def _read_contact(bench: InstrumentBench, driver: Any, k: int) -> None:
    async def read() -> Sequence[float]:
        reading = await driver.read()
        return [reading.commanded, reading.closed]

    await _own(bench, "s3", "ROUT:CLOS? (@1);:SENS:CONT? (@1)", read)


async def _move(bench: InstrumentBench, driver: Any, k: int) -> None:
    on = not k % 2
    await driver.set_closed(on)
    assert panel(bench, "s3", "SENS:CONT? (@1)") == [float(on)]


async def _loop(bench: InstrumentBench, k: int) -> None:
    bench.circuit.interlock_closed = bool(k % 2)


async def _read_loop(bench: InstrumentBench, driver: Any, k: int) -> None:
    assert (await driver.read()).closed == bool(k % 2)


async def _grid(bench: InstrumentBench, k: int) -> None:
    """Put another voltage on the analyser's channels, through a contactor that is closed."""
    panel(bench, "ac", f"INST:COUP ALL;:VOLT {100 + k};:OUTP 1")
    panel(bench, "s3", "ROUT:CLOS (@1)")
    await bench.clock.sleep(MOVED_S)


async def _measure(bench: InstrumentBench, driver: Any, k: int) -> None:
    assert (await driver.read()).v_v == pytest.approx((100.0 + k,) * 6, rel=0.002)


async def _record(bench: InstrumentBench, driver: Any, k: int) -> None:
    await driver.abort()
    await driver.arm(CapturePlan(rate_hz=2000.0 + k, points=100 + k, source="command"))
    assert panel(bench, "pa", "TRAC:RATE?;:TRAC:POIN?") == pytest.approx([2000.0 + k, 100.0 + k])
    assert await driver.capture_state() == "waiting"


SUBJECTS: dict[str, Subject] = {
    "ac": Subject(_volts, _read_volts, _set_volts),
    "dc": Subject(_supply, _read_supply, _set_supply),
    "rlc": Subject(_load, _read_load, _set_load),
    "s3": Subject(_contact, _read_contact, _move),
    "door": Subject(_loop, _read_loop, _read_loop),
    "pa": Subject(_grid, _measure, _record),
}


@dataclass
class Disturbed:
    """One instrument with its driver on a bench."""

    name: str
    bench: InstrumentBench
    driver: Any
    outcomes: Counter[str]

    async def call(self, do: Callable[..., Awaitable[None]], k: int) -> None:
        """Do one thing and count how it ended."""
        try:
            await do(self.bench, self.driver, k)
            self.outcomes["right"] += 1
        except DriverError as error:
            if error.kind not in ENDED:
                raise
            self.outcomes[error.code] += 1

    async def use(self, calls: int) -> None:
        """Ask and tell in turn; three equal questions in a row come before each order."""
        subject = SUBJECTS[self.name]
        for k in range(4 * calls):
            await subject.change(self.bench, k)
            await self.call(subject.tell if k % 4 == 3 else subject.ask, k)
            await self.bench.clock.sleep(0.4)


async def swept(
    clock: Clock, name: str, kind: str, faults: Sequence[Fault], *, calls: int, seed: int = 0
) -> Disturbed:
    """Use one instrument under faults; what came of it is in `outcomes`.

    Once the faults are over and the line has rested, it is as if nothing had been.
    """
    async with instruments(clock, kind=kind, **{name: {"seed": seed}}) as bench:
        driver = await bench.driver(name, DRIVERS[name].PARAMETERS(retries=1))
        one = Disturbed(name, bench, driver, Counter())
        for fault, how in faults:
            bench.emulators[name].arm(fault, **how)
        await one.use(calls)
        ends = {fault for fault, _ in faults}.isdisjoint(("unplug", "half_open"))
        if ends and bench.emulators[name]._faults.quiet:
            # What was split byte by byte takes minutes to go out.
            await clock.sleep(300.0)
            await SUBJECTS[name].change(bench, 9)
            await SUBJECTS[name].ask(bench, driver, 9)
        return one
