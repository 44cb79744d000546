"""SCPI drivers under every fault of the wire: the right value or a named error, never another's."""

import asyncio
import random
from typing import Any

import pytest
from instrument_bench import InstrumentBench, instruments

from gridrig.devices.drivers.ac_source import AcSourceDriverParameters
from gridrig.devices.emulators.wire_faults import LINE_FAULTS, TCP_FAULTS
from gridrig.errors import DriverError

# A value for each parameter that a fault cannot do without, longer than the driver waits.
VALUES: dict[str, Any] = {
    "delay_s": 3.0,
    "jitter_s": 4.0,
    "gap_s": 0.7,
    "within_s": 0.0005,
    "n_bytes": 9,
    "baudrate": 9600,
    "idle_s": 0.05,
    "clients": 0,
}
CASES = [("socket", name) for name in TCP_FAULTS] + [("serial", name) for name in LINE_FAULTS]
ENDED = {"timeout", "refused", "framing", "busy", "unavailable", "readback"}
READS, SOAK_READS = 1, 2


async def volts_behind(bench: InstrumentBench, volts: float) -> None:
    """Set the instrument at its front panel, so that each reading has a value of its own."""
    bench.emulators["ac"].instrument.execute(f"INST:COUP ALL;:VOLT {volts}".encode())


async def disturbed(
    bench: InstrumentBench, driver: Any, faults: list[tuple[str, dict]], reads: int = READS
) -> list[str]:
    """Read and write while faults fire; return the kinds of the errors that named them."""
    errors: list[str] = []
    for name, params in faults:
        bench.emulators["ac"].arm(name, **params)
    for k in range(reads):
        for volts in (10.0 + k, 20.0 + k, 30.0 + k):
            # One question again and again: an answer that comes late fits the next by its shape.
            await volts_behind(bench, volts)
            try:
                assert await driver._line.numbers(":SOUR1:VOLT?") == pytest.approx([volts])
            except DriverError as error:
                errors.append(error.kind)
            await bench.clock.sleep(0.4)
        await volts_behind(bench, 100.0 + k)
        try:
            reading = await driver.read()
            assert reading.v_v == pytest.approx((100.0 + k,) * 3)
            assert reading.f_hz == pytest.approx(50.0)
        except DriverError as error:
            errors.append(error.kind)
        try:
            await driver.set_voltage_v([200.0 + k] * 3)
            shown = bench.emulators["ac"].instrument.execute(b"SOUR1:VOLT?;:SOUR3:VOLT?")
            assert [float(x) for x in shown.split(b";")] == pytest.approx([200.0 + k] * 2)
        except DriverError as error:
            errors.append(error.kind)
        await bench.clock.sleep(0.1)
    assert set(errors) <= ENDED
    return errors


def parameters(name: str, kind: str) -> dict[str, Any]:
    spec = (TCP_FAULTS if kind == "socket" else LINE_FAULTS)[name]
    later = {"gap_s": VALUES["gap_s"]} if fault_takes(spec, "gap_s") else {}
    return later | {key: VALUES[key] for key in spec}


def fault_takes(spec: Any, key: str) -> bool:
    return any(parameter.name == key for parameter in spec.parameters)


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_under_a_fault_a_value_is_right_or_an_error_is_named(
    on_bench, kind: str, fault: str
) -> None:
    async def body(clock):
        async with instruments(clock, kind=kind) as bench:
            driver = await bench.driver("ac", AcSourceDriverParameters(retries=1))
            how = parameters(fault, kind) | ({} if fault == "unplug" else {"count": 3, "nth": 2})
            # Only a client that comes again can be refused.
            first = [("reset", {"count": 1})] if fault == "max_clients" else []
            if fault == "max_clients":
                how["nth"] = 1
            await disturbed(bench, driver, [*first, (fault, how)])
            fired = [k for _, k, d in bench.events if k == "fault_fired" and d["fault"] == fault]
            assert fired, "the fault never fired"
            if fault in ("unplug", "half_open"):
                return
            # Afterwards it is as if nothing had been.
            # What was split byte by byte takes minutes to go out.
            await clock.sleep(300.0 if fault in ("split", "echo_part") else 30.0)
            await volts_behind(bench, 77.0)
            assert (await driver.read()).v_v == pytest.approx((77.0,) * 3)

    on_bench(body)


@pytest.mark.parametrize("kind", ["socket", "serial"])
def test_an_outage_resets_everybody_and_ends_at_the_same_port(on_bench, kind: str) -> None:
    async def body(clock):
        async with instruments(clock, kind=kind) as bench:
            driver = await bench.driver("ac", AcSourceDriverParameters(retries=0))
            emulator = bench.emulators["ac"]
            at = emulator.endpoint
            emulator.arm("outage", down_s=2.0)
            for _ in range(2):
                with pytest.raises(DriverError) as caught:
                    await driver.read()
                assert caught.value.kind == "unavailable"
            await clock.sleep(2.5)
            assert emulator.endpoint == at
            await volts_behind(bench, 77.0)
            assert (await driver.read()).v_v == pytest.approx((77.0,) * 3)

    on_bench(body)


def test_an_idle_connection_is_closed_when_its_time_is_over_not_when_it_speaks_again(
    on_bench,
) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            at = bench.emulators["ac"].endpoint
            reader, writer = await asyncio.open_connection(at["host"], at["port"])
            writer.write(b"*OPC?\n")
            assert await reader.readline() == b"1\n"
            bench.emulators["ac"].arm("close_idle", idle_s=5.0)
            began_s = clock.now_s()
            assert await reader.read() == b""
            assert clock.now_s() - began_s == pytest.approx(5.0, abs=0.1)
            writer.close()

    on_bench(body)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["socket", "serial"])
def test_under_seeded_mixtures_of_faults_no_value_is_ever_wrong(on_bench, kind: str) -> None:
    known = TCP_FAULTS if kind == "socket" else LINE_FAULTS
    names = [name for name in known if name != "unplug"]
    errors = 0
    for seed in range(400):
        drawn = random.Random(seed)

        async def body(clock, drawn=drawn, seed=seed):
            async with instruments(clock, kind=kind, ac={"seed": seed}) as bench:
                driver = await bench.driver("ac", AcSourceDriverParameters(retries=1))
                faults = []
                for name in drawn.sample(names, drawn.randint(1, 4)):
                    how = parameters(name, kind)
                    how |= {"count": drawn.randint(1, 5), "nth": drawn.randint(1, 9)}
                    if "delay_s" in how:
                        how["delay_s"] = drawn.uniform(0.0, 5.0)
                    faults.append((name, how))
                return await disturbed(bench, driver, faults, SOAK_READS)

        errors += len(on_bench(body))
    assert errors > 100  # they did bite
