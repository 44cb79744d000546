"""The signed meter and its driver: many units on one gateway, records checked by signature."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from modbus_bench import RTU, START_UTC_S, TCP, Run, Terminal

from gridrig.devices.capabilities import Meter, MeterReading
from gridrig.devices.drivers.signed_meter import SignedMeter, SignedMeterParameters
from gridrig.devices.emulators.meter import MeterParameters, SignedMeterEmulator
from gridrig.devices.links import ModbusTcpLink
from gridrig.devices.wire.modbus_server import ModbusTcpServer
from gridrig.errors import DriverError, MeteringError
from gridrig.metering import OcmfSigner, Verifier

QUICK = SignedMeterParameters(timeout_s=0.3, sign_timeout_s=2.0, poll_s=0.05)
WIRES = pytest.mark.parametrize("link", [TCP, RTU], ids=["tcp", "rtu"])


def checked(record: bytes, public_key_der: bytes) -> dict[str, Any]:
    """Return what a record says if the key signed it."""
    _, payload, signature = record.split(b"|")
    key = serialization.load_der_public_key(public_key_der)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    digest = ec.ECDSA(hashes.SHA256())
    key.verify(bytes.fromhex(json.loads(signature)["SD"]), payload, digest)
    return dict(json.loads(payload))


def values(said: dict[str, Any]) -> list[float]:
    """Return the two registers of a record, import then export. [Wh]"""
    return [reading["RV"] for reading in said["RD"]]


def meter(link: Any = TCP, terminal: Terminal | None = None, **options: Any) -> SignedMeterEmulator:
    name = f"meter-{link.unit}"
    parameters = MeterParameters(**{"seed": link.unit, **options})
    return SignedMeterEmulator(
        name, link, parameters, terminal or Terminal(), make_signer=OcmfSigner.from_seed
    )


async def signed_at(driver: SignedMeter, time_s: int) -> bytes:
    """Let the meter's clock come to a time and sign then."""
    await driver.sync_clock(time_s)
    return await driver.sign(time_s)


async def using(emulator: SignedMeterEmulator, use: Callable[[SignedMeter], Awaitable[Any]]) -> Any:
    await emulator.start()
    driver = SignedMeter(emulator.name, emulator.endpoint_link, QUICK)
    try:
        await driver.open()
        return await use(driver)
    finally:
        await driver.close()
        await emulator.stop()


@WIRES
def test_a_reading_turns_the_wires_sign_round_and_keeps_every_milliwatthour(
    run: Run,
    link: Any,
) -> None:
    async def use(driver: SignedMeter) -> MeterReading:
        assert isinstance(driver, Meter)
        return await driver.read()

    assert run(lambda: using(meter(link), use)) == MeterReading(
        p_w=4321.0,
        q_var=-120.0,
        v_v=408.0,
        f_hz=50.01,
        import_milliwh=1_500,
        export_milliwh=9_876_543,
    )


@WIRES
def test_the_record_arrives_as_signed_over_several_reads(run: Run, link: Any) -> None:
    async def use(driver: SignedMeter) -> tuple[bytes, bytes, bytes]:
        await driver.sync_clock(START_UTC_S)
        key = await driver.read_public_key()
        return key, await driver.sign(), await signed_at(driver, START_UTC_S + 900)

    key, first, second = run(lambda: using(meter(link), use))
    assert len(first) > 2 * 120  # more than one read
    said = checked(first, key)
    assert (said["PG"], values(said)) == ("T1", [1.5, 9876.543])
    assert said["RD"][0]["TM"][:18] == "2016-07-10T12:00:0"
    said = checked(second, key)
    assert (said["PG"], said["RD"][0]["TM"][:19]) == ("T2", "2016-07-10T12:15:00")


def test_the_registers_signed_are_those_of_the_command(run: Run) -> None:
    terminal = Terminal()

    async def use(driver: SignedMeter) -> dict[str, Any]:
        key = await driver.read_public_key()
        signing = asyncio.create_task(signed_at(driver, START_UTC_S))
        await asyncio.sleep(0.1)
        terminal.change(export_milliwh=99_999_999)
        return checked(await signing, key)

    said = run(lambda: using(meter(terminal=terminal, sign_s=0.3), use))
    assert values(said)[1] == 9876.543


@pytest.mark.parametrize("ahead_s", [-6, 6, 900])
def test_a_meter_signs_no_other_time_than_its_own(run: Run, ahead_s: int) -> None:
    async def use(driver: SignedMeter) -> str:
        await driver.sync_clock(START_UTC_S)
        with pytest.raises(DriverError) as failure:
            await driver.sign(START_UTC_S + ahead_s)
        return failure.value.code

    assert run(lambda: using(meter(), use)) == "meter.sign_refused"


def test_a_meter_whose_clock_was_never_set_refuses_to_sign(run: Run) -> None:
    async def use(driver: SignedMeter) -> str:
        with pytest.raises(DriverError) as caught:
            await driver.sign()
        return caught.value.code

    assert run(lambda: using(meter(), use)) == "meter.sign_refused"


def test_a_meter_that_never_finishes_is_a_timeout(run_fast: Run) -> None:
    async def use(driver: SignedMeter) -> str:
        with pytest.raises(DriverError) as caught:
            await signed_at(driver, START_UTC_S)
        return caught.value.code

    assert run_fast(lambda: using(meter(sign_s=30.0), use)) == "meter.sign_timeout"


@WIRES
def test_a_lost_acknowledgement_does_not_make_the_meter_sign_twice(run: Run, link: Any) -> None:
    emulator = meter(link)

    async def use(driver: SignedMeter) -> str:
        key = await driver.read_public_key()
        await driver.sync_clock(START_UTC_S)
        reply = emulator.reply

        def forget_the_acknowledgement(pdu: bytes) -> Any:
            if pdu[0] == 16:
                emulator.arm("no_reply")
            return reply(pdu)

        emulator.reply = forget_the_acknowledgement  # type: ignore[method-assign]
        return str(checked(await driver.sign(START_UTC_S), key)["PG"])

    assert run(lambda: using(emulator, use)) == "T1"


def test_a_lost_command_does_not_return_the_record_before(run_fast: Run) -> None:
    emulator = meter()

    async def use(driver: SignedMeter) -> str:
        await signed_at(driver, START_UTC_S)
        reply = emulator.reply
        emulator.reply = lambda pdu: None if pdu[0] == 16 else reply(pdu)  # type: ignore[method-assign]
        with pytest.raises(DriverError) as caught:
            await driver.sign(START_UTC_S + 1)
        return caught.value.code

    assert run_fast(lambda: using(emulator, use)) == "meter.sign_timeout"


@pytest.mark.parametrize("fault", ["altered_reading", "forged_reading"])
def test_a_false_record_is_delivered_and_fails_its_signature(run: Run, fault: str) -> None:
    emulator = meter()

    async def use(driver: SignedMeter) -> tuple[bytes, list[bytes]]:
        records = [await signed_at(driver, START_UTC_S)]
        emulator.arm(fault)
        records += [
            await signed_at(driver, START_UTC_S + 1),
            await signed_at(driver, START_UTC_S + 2),
        ]
        return await driver.read_public_key(), records

    key, records = run(lambda: using(emulator, use))
    assert checked(records[0], key)["PG"] == "T1"
    with pytest.raises(InvalidSignature):
        checked(records[1], key)
    assert checked(records[2], key)["PG"] == "T3"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("altered_reading", "metering.signature_false"),
        ("forged_reading", "metering.signature_false"),
        ("replayed_reading", "metering.replayed"),
    ],
)
def test_the_verifier_accepts_the_meter_and_refuses_each_false_record(
    run: Run, fault: str, code: str
) -> None:
    emulator = meter()

    async def use(driver: SignedMeter) -> tuple[list[int], str]:
        verifier = Verifier()
        identity, key = await driver.identify(), await driver.read_public_key()
        verifier.enrol(driver.name, serial=identity.serial, public_key=key, valid_from_s=0)
        read = [verifier.verify(await signed_at(driver, START_UTC_S), at_s=START_UTC_S)]
        emulator.arm(fault)
        record = await signed_at(driver, START_UTC_S + 900)
        with pytest.raises(MeteringError) as caught:
            verifier.verify(record, at_s=START_UTC_S + 900)
        later_s = START_UTC_S + 1800
        read.append(verifier.verify(await signed_at(driver, later_s), at_s=later_s))
        return [reading.export_milliwh for reading in read], caught.value.code

    assert run(lambda: using(emulator, use)) == ([9_876_543, 9_876_543], code)


def test_a_replayed_record_is_the_one_before_byte_for_byte(run: Run) -> None:
    emulator = meter()

    async def use(driver: SignedMeter) -> list[bytes]:
        emulator.arm("replayed_reading")  # waits for a record to repeat
        return [await signed_at(driver, START_UTC_S + n) for n in range(3)]

    records = run(lambda: using(emulator, use))
    assert records[0] == records[1] != records[2]


def test_a_meter_with_the_wrong_sign_signs_what_it_believes(run: Run) -> None:
    async def use(driver: SignedMeter) -> tuple[float, list[float]]:
        said = checked(await signed_at(driver, START_UTC_S), await driver.read_public_key())
        return (await driver.read()).p_w, values(said)

    assert run(lambda: using(meter(sign=-1), use)) == (-4321.0, [9876.543, 1.5])


def test_a_late_reply_never_mixes_two_records(run_fast: Run) -> None:
    emulator = meter(RTU)

    async def use(driver: SignedMeter) -> int:
        key = await driver.read_public_key()
        good, kinds = 0, set()
        for number in range(6):
            emulator.arm("late_reply", delay_s=0.4)
            try:
                record = await signed_at(driver, START_UTC_S + number)
            except DriverError as error:
                kinds.add(error.kind)
            else:
                checked(record, key)
                good += 1
        assert kinds <= {"timeout", "framing"}
        return good

    assert run_fast(lambda: using(emulator, use)) >= 3


def test_forty_meters_on_one_gateway_sign_side_by_side(run: Run) -> None:
    async def main() -> tuple[set[str], int, float]:
        probe = ModbusTcpServer("127.0.0.1", 0)
        await probe.start()
        await probe.stop()
        meters = [meter(ModbusTcpLink("127.0.0.1", probe.port, unit)) for unit in range(1, 41)]
        for emulator in meters:
            await emulator.start()
        drivers = [SignedMeter(m.name, m.endpoint_link, QUICK) for m in meters]
        for driver in drivers:
            await driver.open()
        server = meters[0]._running()
        assert isinstance(server, ModbusTcpServer)
        connections = len(server.connections)
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        records = await asyncio.gather(*(signed_at(driver, START_UTC_S) for driver in drivers))
        took_s = loop.time() - begin_s
        said = {
            checked(record, m.public_key_der)["GS"]
            for m, record in zip(meters, records, strict=True)
        }
        for driver in drivers:
            await driver.close()
        for emulator in meters:
            await emulator.stop()
        return said, connections, took_s

    said, connections, took_s = run(main)
    assert said == {f"meter-{unit}" for unit in range(1, 41)}
    assert connections == 1
    assert took_s < 40 * 0.2  # one after the other would take at least this
