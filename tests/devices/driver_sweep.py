"""SunSpec and meter drivers under each fault of the catalogue: right, or a named error.

The world changes before every call, so that a late, shifted or repeated answer shows in the value.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sunspec_pki
from fault_sweep import some_parameters
from modbus_bench import RUNNING, START_UTC_S, Terminal, pv, storage

from gridrig.clock import Clock, stream
from gridrig.devices.drivers.bsm_meter import BsmMeter, BsmMeterDriverParameters
from gridrig.devices.drivers.signed_meter import SignedMeter, SignedMeterParameters
from gridrig.devices.drivers.sunspec import (
    SunSpecInverter,
    SunSpecParameters,
    SunSpecStorageInverter,
)
from gridrig.devices.drivers.sunspec_meter import SunSpecMeter, SunSpecMeterParameters
from gridrig.devices.emulators.bsm_meter import BsmMeterEmulator, BsmMeterParameters
from gridrig.devices.emulators.fault_spec import FaultSpec
from gridrig.devices.emulators.meter import MeterParameters, SignedMeterEmulator
from gridrig.devices.emulators.modbus_face import ModbusEmulator
from gridrig.devices.emulators.sunspec_meter import (
    SunSpecMeterEmulator,
)
from gridrig.devices.emulators.sunspec_meter import (
    SunSpecMeterParameters as EmulatedMeterParameters,
)
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink
from gridrig.errors import DriverError
from gridrig.metering import OcmfSigner, Verifier

CALLS = 8
WAITS = {"timeout_s": 0.4, "retries": 1}
NAMED = {"timeout", "framing", "refused", "busy", "unavailable", "readback", "other"}


@dataclass
class Subject:
    """One driver with the device it drives."""

    driver: Any
    emulator: ModbusEmulator
    terminal: Terminal
    key: bytes = b""


def subject(name: str, kind: str, seed: int) -> Subject:
    """Make a driver and its device; the driver is not open yet."""
    link: Any = ModbusTcpLink("127.0.0.1", 0, 1)
    secured: dict[str, Any] = {}
    if kind == "modbus-rtu":
        link = ModbusRtuLink("auto", 115200, 1)
    if kind == "modbus-tls":
        link, secured = sunspec_pki.link("SuperAdministratorSunSpec"), sunspec_pki.of_server()
    terminal = Terminal()
    emulator: Any
    if name in ("sunspec", "sunspec-legacy"):
        generation = "ieee-1547" if name == "sunspec" else "legacy"
        emulator = pv(link, terminal, generation=generation, seed=seed, **secured)
    elif name == "sunspec-storage":
        emulator = storage(link, terminal, generation="ieee-1547", seed=seed, **secured)
    elif name == "sunspec-meter":
        options = EmulatedMeterParameters(seed=seed, **secured)
        emulator = SunSpecMeterEmulator("meter-1", link, options, terminal)
    elif name == "signed-meter":
        parameters = MeterParameters(seed=seed, serial="S-1", **secured)
        emulator = SignedMeterEmulator(
            "meter-1", link, parameters, terminal, make_signer=OcmfSigner.from_seed
        )
    else:
        bsm = BsmMeterParameters(seed=seed, serial="S-1", **secured)
        emulator = BsmMeterEmulator(
            "meter-1", link, bsm, terminal, make_signer=OcmfSigner.from_seed
        )
    key = getattr(emulator, "public_key_der", b"")
    return Subject(None, emulator, terminal, key)


def driver_of(name: str, one: Subject) -> Any:
    """Make the driver of a device that serves."""
    link = one.emulator.endpoint_link
    if name in ("sunspec", "sunspec-legacy"):
        return SunSpecInverter("dut", link, SunSpecParameters(**WAITS))
    if name == "sunspec-storage":
        return SunSpecStorageInverter("dut", link, SunSpecParameters(**WAITS))
    if name == "sunspec-meter":
        return SunSpecMeter("dut", link, SunSpecMeterParameters(**WAITS))
    if name == "signed-meter":
        signing = SignedMeterParameters(**WAITS, sign_timeout_s=3.0)
        return SignedMeter("dut", link, signing)
    return BsmMeter("dut", link, BsmMeterDriverParameters(**WAITS, sign_timeout_s=3.0))


def changed(terminal: Terminal, call: int) -> None:
    """Move the world on to a state that no other call saw."""
    terminal.change(
        p_w=RUNNING.p_w + 37.0 * call,
        q_var=-120.0 - 11.0 * call,
        f_hz=50.0 + 0.01 * call,
        v_pu=1.0 + 0.002 * call,
        import_milliwh=1_000_000 * (call + 1),
        export_milliwh=9_000_000 * (call + 1),
    )


def assert_read(terminal: Terminal, reading: Any, meter: bool) -> None:
    now = terminal.now
    assert abs(reading.p_w - now.p_w) <= 5.0
    assert abs(reading.q_var - now.q_var) <= 5.0
    assert abs(reading.f_hz - now.f_hz) < 0.0051
    assert abs(reading.v_v - 400.0 * now.v_pu) < 0.11
    if meter:
        assert (reading.import_milliwh, reading.export_milliwh) == (
            now.import_milliwh,
            now.export_milliwh,
        )


async def one_call(
    name: str, one: Subject, draw: Any, call: int, counters: set[int], clock: Clock
) -> str:
    """Do one thing with the driver, and check what came of it."""
    driver, terminal = one.driver, one.terminal
    if not name.endswith("meter"):
        if draw.random() < 0.5:
            assert_read(terminal, await driver.read(), meter=False)
            return "right"
        p_w = float(draw.randrange(0, 5_000))
        if name == "sunspec-storage":
            terminal.set_power_w = lambda p_w: terminal.commands.append(("power_w", p_w))  # type: ignore[method-assign]
            await driver.set_power_w(-p_w / 2)  # halves are rounded towards zero
            assert terminal.commands[-1] == ("power_w", float(-(p_w // 2)))
        else:
            await driver.set_limit_w(p_w)
            what, limit_w = terminal.commands[-1]
            assert what == "limit_w"
            assert p_w - 1.2 < limit_w <= p_w + 1e-6
        return "written"
    if name == "sunspec-meter" or draw.random() < 0.6:
        assert_read(terminal, await driver.read(), meter=True)
        return "right"
    await driver.sync_clock(START_UTC_S + 60 * call)
    record = await driver.sign(START_UTC_S + 60 * call)
    verifier = Verifier()
    verifier.enrol("dut", serial="S-1", public_key=one.key, valid_from_s=0)
    reading = verifier.verify(record, at_s=START_UTC_S + 60 * call)
    assert reading.import_milliwh == terminal.now.import_milliwh
    assert abs(reading.time_s - (START_UTC_S + 60 * call)) <= 5
    assert reading.counter not in counters, "a record came twice"
    counters.add(reading.counter)
    return "signed"


async def driver_swept(
    name: str, kind: str, specs: Sequence[FaultSpec], seed: int, clock: Clock
) -> Counter[str]:
    """Use a driver under faults drawn by a seed; return how often each outcome came."""
    draw = stream(seed, f"drivers/{name}/{kind}/{','.join(spec.name for spec in specs)}")
    one = subject(name, kind, seed)
    await one.emulator.start()
    one.driver = driver_of(name, one)
    outcomes: Counter[str] = Counter()
    counters: set[int] = set()

    async def attempt(doing: Callable[[], Awaitable[str]]) -> None:
        try:
            outcomes[await doing()] += 1
        except DriverError as error:
            if error.kind not in NAMED:
                raise
            outcomes[error.code] += 1

    async def opened() -> str:
        await one.driver.open()
        return "opened"

    early = draw.random() < 0.3
    try:
        if early:
            for spec in specs:
                one.emulator.arm(spec.name, **some_parameters(spec, draw))
        else:
            await attempt(opened)
        for call in range(CALLS):
            if call == 2:
                for spec in specs:
                    one.emulator.arm(spec.name, **some_parameters(spec, draw))
            changed(one.terminal, call)
            if not outcomes["opened"]:
                await attempt(opened)
            if not outcomes["opened"]:
                continue
            await clock.sleep(draw.choice([0.0, 0.1, 1.0]))
            await attempt(lambda call=call: one_call(name, one, draw, call, counters, clock))  # type: ignore[misc]
    finally:
        await one.driver.close()
        await one.emulator.stop()
    return outcomes
