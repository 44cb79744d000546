"""SCPI drivers under every fault of the wire: the right value or a named error, never another's."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from instrument_bench import instruments
from instrument_sweep import SUBJECTS, Fault, swept

from gridrig.devices.drivers.ac_source import AcSourceDriverParameters
from gridrig.devices.emulators.fault_spec import FaultSpec
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
ON = {"socket": TCP_FAULTS, "serial": LINE_FAULTS}
CASES = [(kind, name) for kind, known in ON.items() for name in known]
NAMES = list(SUBJECTS)
SEEDS, MIXTURES = 5, 100


def parameters(name: str, kind: str) -> dict[str, Any]:
    spec = ON[kind][name]
    later = {"gap_s": VALUES["gap_s"]} if fault_takes(spec, "gap_s") else {}
    return later | {key: VALUES[key] for key in spec}


def fault_takes(spec: FaultSpec, key: str) -> bool:
    return any(parameter.name == key for parameter in spec.parameters)


def drawn_fault(name: str, kind: str, draw: random.Random) -> Fault:
    how = parameters(name, kind)
    if name != "unplug":
        how |= {"count": draw.randint(1, 5), "nth": draw.randint(1, 9)}
    if "delay_s" in how:
        how["delay_s"] = draw.uniform(0.0, 5.0)
    return name, how


@pytest.mark.parametrize(
    ("kind", "fault", "name"),
    [(kind, fault, NAMES[n % len(NAMES)]) for n, (kind, fault) in enumerate(CASES)],
)
def test_under_a_fault_a_value_is_right_or_an_error_is_named(
    on_bench, kind: str, fault: str, name: str
) -> None:
    how = parameters(fault, kind)
    if fault != "unplug":
        # Only a client that comes again can be refused.
        how |= {"count": 3, "nth": 1 if fault == "max_clients" else 2}
    first: list[Fault] = [("reset", {"count": 1})] if fault == "max_clients" else []

    async def body(clock):
        return await swept(clock, name, kind, [*first, (fault, how)], calls=1)

    one = on_bench(body)
    fired = [d["fault"] for _, k, d in one.bench.events if k == "fault_fired"]
    assert fault in fired, "the fault never fired"


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
            bench.emulators["ac"].instrument.execute(b"INST:COUP ALL;:VOLT 77")
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
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_many_seeds_under(on_bench, kind: str, fault: str, name: str) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(SEEDS):
        draw = random.Random(f"{name}/{kind}/{fault}/{seed}")

        async def body(clock, draw=draw, seed=seed):
            faults = [drawn_fault(fault, kind, draw)]
            return await swept(clock, name, kind, faults, calls=2, seed=seed)

        outcomes += on_bench(body).outcomes
    print(name, kind, fault, dict(outcomes))
    assert (outcomes["right"] > 0) is (fault != "unplug")


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ON)
def test_under_seeded_mixtures_of_faults_no_value_is_ever_wrong(
    on_bench, kind: str, name: str
) -> None:
    known = [fault for fault in ON[kind] if fault != "unplug"]
    outcomes: Counter[str] = Counter()
    for seed in range(MIXTURES):
        draw = random.Random(f"{name}/{kind}/{seed}")

        async def body(clock, draw=draw, seed=seed):
            mixed = [drawn_fault(one, kind, draw) for one in draw.sample(known, draw.randint(1, 4))]
            return await swept(clock, name, kind, mixed, calls=2, seed=seed)

        outcomes += on_bench(body).outcomes
    print(name, kind, dict(outcomes))
    assert outcomes.total() - outcomes["right"] > MIXTURES  # they did bite
