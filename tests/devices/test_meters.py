"""Meters: SunSpec 201 to 204, snapshots that the Rust verifier accepts, and meters gone wrong."""

import asyncio
import json
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from modbus_bench import RTU, START_UTC_S, TCP, Run, Terminal
from test_sunspec_driver import failure
from test_sunspec_map import served, tcp_client

from gridrig.devices.capabilities import Meter, MeterReading
from gridrig.devices.drivers.bsm_meter import BsmMeter, BsmMeterDriverParameters
from gridrig.devices.drivers.sunspec_meter import SunSpecMeter, SunSpecMeterParameters
from gridrig.devices.emulators.bsm_meter import BsmMeterEmulator, BsmMeterParameters
from gridrig.devices.emulators.sunspec_meter import (
    SunSpecMeterEmulator,
)
from gridrig.devices.emulators.sunspec_meter import (
    SunSpecMeterParameters as EmulatedMeterParameters,
)
from gridrig.devices.wire import bsm
from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.errors import DriverError, MeteringError
from gridrig.metering import OcmfSigner, Verifier

VECTORS = Path(__file__).parents[1] / "vectors" / "metering_formats"
SERIAL = "001BZR1521070003"
QUICK = SunSpecMeterParameters(timeout_s=0.3)
DAY_MILLIWH = 86_400


def plain(terminal: Terminal | None = None, link: Any = TCP, **options: Any) -> Any:
    parameters = EmulatedMeterParameters(**options)
    return SunSpecMeterEmulator("meter-1", link, parameters, terminal or Terminal())


def snapshots(terminal: Terminal | None = None, link: Any = TCP, **options: Any) -> Any:
    parameters = BsmMeterParameters(**{"serial": SERIAL, "seed": 9, "meta1": "id-1", **options})
    return BsmMeterEmulator(
        "meter-1", link, parameters, terminal or Terminal(), make_signer=OcmfSigner.from_seed
    )


async def using(emulator: Any, use: Callable[[Any], Awaitable[Any]], record: str = "") -> Any:
    """Open the driver of a meter on its emulator, use it, close both."""
    await emulator.start()
    driver: SunSpecMeter
    if record:
        parameters = BsmMeterDriverParameters(
            timeout_s=0.3, record=record, sign_timeout_s=3.0, poll_s=0.05
        )
        driver = BsmMeter("meter-1", emulator.endpoint_link, parameters)
    else:
        driver = SunSpecMeter("meter-1", emulator.endpoint_link, QUICK)
    try:
        await driver.open()
        return await use(driver)
    finally:
        await driver.close()
        await emulator.stop()


@pytest.mark.parametrize(
    ("wiring", "v_nominal_v"),
    [("wye", 400.0), ("delta", 400.0), ("split", 240.0), ("single", 230.0)],
)
@pytest.mark.parametrize("numbers", ["scaled", "float"])
def test_every_wirings_model_reads_the_same_point(
    run: Run, wiring: str, v_nominal_v: float, numbers: str
) -> None:
    async def use(driver: SunSpecMeter) -> MeterReading:
        assert isinstance(driver, Meter)
        return await driver.read()

    meter = plain(wiring=wiring, v_nominal_v=v_nominal_v, numbers=numbers)
    found = run(lambda: using(meter, use))
    assert found == MeterReading(
        p_w=pytest.approx(4321.0, abs=5),
        q_var=pytest.approx(-120.0, abs=5),
        v_v=pytest.approx(1.02 * v_nominal_v),
        f_hz=pytest.approx(50.01),
        # Whole watt-hours; in floats what 24 bits keep.
        import_milliwh=1_000 if numbers == "scaled" else 1_500,
        export_milliwh=9_876_000 if numbers == "scaled" else pytest.approx(9_876_543, abs=1),
    )


@pytest.mark.parametrize(
    ("wiring", "model"),
    [("wye", 203), ("delta", 204), ("split", 202), ("wye", 213), ("delta", 214)],
)
def test_the_reference_client_reads_each_model(wiring: str, model: int) -> None:
    numbers = "float" if model > 210 else "scaled"

    def use(device: Any) -> tuple[Any, ...]:
        block = device.models[model][0]
        block.read()
        return block.W.cvalue, block.Hz.cvalue, block.WphA.cvalue + block.WphB.cvalue

    p_w, f_hz, phases_w = served(plain(wiring=wiring, numbers=numbers), tcp_client, use)
    assert (p_w, f_hz) == (pytest.approx(-4321.0, abs=5), pytest.approx(50.01))
    assert phases_w == pytest.approx(p_w if model == 202 else p_w * 2 / 3, abs=11)


def test_a_meter_that_does_not_sign_says_so(run: Run) -> None:
    async def use(driver: SunSpecMeter) -> list[str]:
        return [
            (await failure(driver.sign())).code,
            (await failure(driver.sync_clock(START_UTC_S))).code,
            (await failure(driver.read_public_key())).code,
        ]

    assert run(lambda: using(plain(), use)) == ["driver.unsupported"] * 3


def test_a_register_that_rolls_over_is_counted_on(run: Run) -> None:
    terminal = Terminal()
    terminal.change(import_milliwh=0, export_milliwh=0)
    emulator = plain(terminal, export_start_wh=(1 << 32) - 3)

    async def use(driver: SunSpecMeter) -> list[int | None]:
        found = [(await driver.read()).export_milliwh]
        terminal.change(export_milliwh=7_000)
        found.append((await driver.read()).export_milliwh)
        terminal.change(export_milliwh=9_000)
        return [*found, (await driver.read()).export_milliwh]

    start = ((1 << 32) - 3) * 1000
    assert run(lambda: using(emulator, use)) == [start, start + 7_000, start + 9_000]


@pytest.mark.parametrize(
    ("phases", "taken", "given"), [(1, 0, 2_000), (2, 2_000, 0), (3, 6_000, 0)]
)
def test_a_reversed_transformer_counts_the_other_way_from_that_moment(
    run: Run, phases: int, taken: int, given: int
) -> None:
    terminal = Terminal()
    terminal.change(import_milliwh=0, export_milliwh=5_000, p_w=3000.0)
    emulator = plain(terminal)

    async def use(driver: SunSpecMeter) -> list[Any]:
        before = await driver.read()
        emulator.arm("reversed_ct", phases=phases)
        terminal.change(export_milliwh=11_000)  # 6 Wh more, two for each phase
        after = await driver.read()
        return [
            (before.import_milliwh, before.export_milliwh),
            (after.import_milliwh, after.export_milliwh),
            after.p_w,
        ]

    before, after, p_w = run(lambda: using(emulator, use))
    assert before == (0, 5_000)
    assert after == (taken, 5_000 + given)
    assert p_w == pytest.approx(3000.0 * (3 - 2 * phases) / 3, abs=5)


def test_a_unit_slip_shows_kilowatt_hours_as_watt_hours(run: Run) -> None:
    emulator = plain()

    async def use(driver: SunSpecMeter) -> int | None:
        emulator.arm("unit_slip", factor=0.001)
        return (await driver.read()).export_milliwh

    assert run(lambda: using(emulator, use)) == 9_000  # of 9,876 Wh


def test_our_signed_bytes_are_those_a_genuine_meter_signed() -> None:
    case = VECTORS / "field-bsm-snapshot"
    (key,) = tomllib.loads((case / "keys.toml").read_text())["key"]
    public = load_der_public_key(bytes.fromhex(key["public_key"]))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    genuine = 0
    verdicts = json.loads((case / "expected.json").read_text())
    for line, verdict in zip((case / "input.hex").read_text().split(), verdicts, strict=True):
        if "code" in verdict or "error" in verdict:
            continue
        record = bytes.fromhex(line)
        words = [int.from_bytes(record[at : at + 2], "big") for at in range(0, len(record), 2)]
        snapshot = ModelRegisters(bsm.snapshot_model(), words)
        size = snapshot.number("BSig") or 0
        first = 2 * snapshot.model.points["Signature[1].Sig"].offset
        signature = record[first : first + size]
        public.verify(signature, bsm.signed_bytes(snapshot), ec.ECDSA(hashes.SHA256()))
        genuine += 1
    assert genuine >= 3


def verdict(record: bytes, key: bytes, at_s: int) -> Any:
    verifier = Verifier()
    verifier.enrol("meter-1", serial=SERIAL, public_key=key, valid_from_s=0)
    return verifier.verify(record, at_s=at_s)


@pytest.mark.parametrize("record", ["snapshot", "ocmf"])
@pytest.mark.parametrize("link", [TCP, RTU], ids=["tcp", "rtu"])
def test_the_verifier_accepts_what_the_meter_signed(run: Run, record: str, link: Any) -> None:
    terminal = Terminal()
    terminal.change(import_milliwh=12_345_678)

    async def use(driver: BsmMeter) -> list[Any]:
        key = await driver.read_public_key()
        await driver.sync_clock(START_UTC_S)
        signed = await driver.sign(START_UTC_S)
        again = await driver.sign()
        return [verdict(signed, key, START_UTC_S), verdict(again, key, START_UTC_S)]

    first, second = run(lambda: using(snapshots(terminal, link), use, record))
    whole = 12_345_000 if record == "snapshot" else 12_345_678  # model 64901 has whole Wh
    assert (first.import_milliwh, second.import_milliwh) == (whole, whole)
    assert (first.meter, first.time_s) == ("meter-1", START_UTC_S)
    assert second.counter == first.counter + 1


@pytest.mark.parametrize("fault", ["altered_reading", "forged_reading"])
def test_a_false_snapshot_is_refused(run: Run, fault: str) -> None:
    emulator = snapshots()

    async def use(driver: BsmMeter) -> str:
        key = await driver.read_public_key()
        await driver.sync_clock(START_UTC_S)
        emulator.arm(fault)
        with pytest.raises(MeteringError) as caught:
            verdict(await driver.sign(), key, START_UTC_S)
        return caught.value.code

    assert run(lambda: using(emulator, use, "snapshot")) == "metering.signature_false"


def test_a_replayed_snapshot_is_not_taken_for_a_new_one(run_fast: Run) -> None:
    emulator = snapshots()

    async def use(driver: BsmMeter) -> str:
        await driver.sync_clock(START_UTC_S)
        await driver.sign()
        emulator.arm("replayed_reading")
        return (await failure(driver.sign())).code

    assert run_fast(lambda: using(emulator, use, "snapshot")) == "meter.sign_timeout"


def test_a_record_is_not_taken_for_another_time(run: Run) -> None:
    async def use(driver: BsmMeter) -> str:
        await driver.sync_clock(START_UTC_S)
        return (await failure(driver.sign(START_UTC_S + 900))).code

    assert run(lambda: using(snapshots(), use, "snapshot")) == "meter.time"


def test_a_snapshot_that_would_turn_a_contactor_fails_as_not_enabled() -> None:
    emulator = snapshots()
    assert emulator.models[4].write(3, [bsm.UPDATING]) is None
    assert emulator.models[4].raw("St") == bsm.FAILED_NOT_ENABLED


@pytest.mark.parametrize(
    ("loses", "expected"), [("nothing", (2, True)), ("counter", (1, True)), ("clock", (2, False))]
)
def test_a_restarted_meter_is_silent_and_has_lost_what_it_lost(
    run_fast: Run, loses: str, expected: tuple[int, bool]
) -> None:
    emulator = snapshots()

    async def use(driver: BsmMeter) -> list[Any]:
        await driver.sync_clock(START_UTC_S)
        await driver.sign()
        emulator.arm("reboot", loses=loses, boot_s=2.0)
        silent = (await failure(driver.sign())).kind
        await asyncio.sleep(2.5)
        await driver.sign()
        snapshot = emulator.models[3]
        return [silent, snapshot.raw("RCnt"), (snapshot.raw("Epoch") or 0) > START_UTC_S - 1]

    silent, counter, on_time = run_fast(lambda: using(emulator, use, "snapshot"))
    assert silent == "timeout"
    assert (counter, on_time) == expected


def test_a_clock_that_drifts_is_seen_when_a_record_is_asked_for(run_fast: Run) -> None:
    emulator = snapshots()

    async def use(driver: BsmMeter) -> str:
        await driver.sync_clock(START_UTC_S)
        emulator.arm("clock_drift", ppm=10_000.0)  # 1 %: 9 s in a quarter of an hour
        await asyncio.sleep(900)
        return (await failure(driver.sign(START_UTC_S + 900))).code

    assert run_fast(lambda: using(emulator, use, "snapshot")) == "meter.time"


def test_parameters_that_no_meter_has_are_refused_by_name() -> None:
    for wrong in ({"wiring": "star"}, {"serial": "17 bytes are more"}, {"import_start_wh": -1}):
        with pytest.raises(DriverError, match=next(iter(wrong))):
            BsmMeterParameters(**wrong)
    with pytest.raises(DriverError, match="loses"):
        snapshots().arm("reboot", loses="everything")


def test_units_of_one_gateway_are_different_meters(run: Run) -> None:
    links = [replace(TCP, unit=unit) for unit in (1, 42)]

    async def use(driver: BsmMeter) -> bytes:
        return await driver.read_public_key()

    keys = [
        run(lambda link=link: using(snapshots(link=link, seed=link.unit), use, "ocmf"))
        for link in links
    ]
    assert keys[0] != keys[1]
