"""The PowerCell driver against its emulator on a real pty, on the virtual and on the wall clock."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.capabilities import StorageInverter
from gridrig.devices.emulators.terminal import TerminalState
from gridrig.devices.links import SerialLink
from gridrig.errors import DriverError

from gridrig_acme.driver import PowerCell, PowerCellParameters
from gridrig_acme.emulator import PowerCellEmulator, PowerCellFace
from gridrig_acme.wire import Decoder, Dropped, Frame, encode


class MemoryTerminal:
    """What the plant would be."""

    def __init__(self) -> None:
        self.now = TerminalState(1.01, 50.0, 0.0, 0.0, True, "running")

    def state(self) -> TerminalState:
        return self.now

    def set_power_w(self, p_w: float) -> None:
        self.now = replace(self.now, p_w=p_w)

    def set_limit_w(self, p_w: float | None) -> None:
        self.now = replace(self.now, limit_w=p_w)

    def set_connect(self, on: bool) -> None:
        self.now = replace(self.now, connected=on, p_w=self.now.p_w if on else 0.0)

    def set_q_var(self, q_var: float) -> None:
        raise AssertionError("this protocol sets no reactive power")


Body = Callable[[PowerCell, PowerCellEmulator, MemoryTerminal], Awaitable[None]]
QUICK = PowerCellParameters(timeout_s=0.2, gap_s=0.05, quiet_s=0.05, drain_s_max=0.5, retries=1)


def on_bench(runner: Callable[..., None], body: Body) -> None:
    async def main(clock: Clock) -> None:
        terminal, link = MemoryTerminal(), SerialLink("auto", 19200)
        emulator = PowerCellEmulator("cell", link, PowerCellFace(s_va=5000), terminal)
        await emulator.start()
        path = str(emulator.endpoint["port"])
        driver = PowerCell("cell", SerialLink(path, 19200), QUICK)
        try:
            await driver.open()
            await body(driver, emulator, terminal)
        finally:
            await driver.close()
            await emulator.stop()

    runner(main, start_utc_s=1_468_152_000)


@pytest.fixture(params=[run_virtual, run_wall])
def bench(request: pytest.FixtureRequest) -> Callable[[Body], None]:
    return lambda body: on_bench(request.param, body)


def test_power_is_positive_while_discharging_whatever_the_wire_says(bench) -> None:
    async def body(driver, emulator, terminal) -> None:
        assert isinstance(driver, StorageInverter)
        assert (await driver.identify()).serial == "PC-0001"
        await driver.set_power_w(3000.0)
        assert terminal.now.p_w == 3000.0
        assert (await driver.read()).p_w == 3000.0
        await driver.set_power_w(-2000.0)
        assert terminal.now.p_w == -2000.0

    bench(body)


def test_power_beyond_the_nameplate_sends_nothing(bench) -> None:
    async def body(driver, emulator, terminal) -> None:
        for wrong in (5001.0, -5001.0, float("nan")):
            with pytest.raises(DriverError) as caught:
                await driver.set_power_w(wrong)
            assert caught.value.kind == "limit"
        assert terminal.now.p_w == 0.0

    bench(body)


def test_set_point_that_does_not_take_is_a_readback_failure(bench) -> None:
    async def body(driver, emulator, terminal) -> None:
        emulator.arm("stuck_set_point")
        with pytest.raises(DriverError) as caught:
            await driver.set_power_w(1000.0)
        assert caught.value.kind == "readback"

    bench(body)


def test_safe_state_is_reached_and_restoring_does_not_undo_it(bench) -> None:
    async def body(driver, emulator, terminal) -> None:
        await driver.set_power_w(1000.0)
        await driver.make_safe({"connect": False, "power_w": 0, "limit_w": 100})
        assert (terminal.now.connected, terminal.now.p_w, terminal.now.limit_w) == (False, 0, 100)
        await driver.restore()
        assert (terminal.now.connected, terminal.now.p_w, terminal.now.limit_w) == (False, 0, 100)

    bench(body)


def test_settings_come_back_as_found(bench) -> None:
    async def body(driver, emulator, terminal) -> None:
        await driver.set_power_w(1000.0)
        await driver.set_limit_w(500.0)
        await driver.set_connect(False)
        await driver.restore()
        assert (terminal.now.connected, terminal.now.p_w, terminal.now.limit_w) == (True, 0, None)

    bench(body)


def test_late_answer_is_never_taken_for_a_later_one(bench) -> None:
    async def body(driver, emulator, terminal) -> None:
        for volts in range(400, 403):
            terminal.now = replace(terminal.now, v_pu=volts / 400)
            emulator.arm("late_reply", delay_s=0.25)
            assert (await driver.read()).v_v == volts

    bench(body)


@pytest.mark.parametrize("fault", sorted(set(PowerCellEmulator.FAULTS) - {"unplug"}))
def test_every_fault_ends_in_the_right_value_or_a_named_error(fault) -> None:
    chosen = {
        "delay_s": 0.3,
        "jitter_s": 0.3,
        "gap_s": 0.02,
        "within_s": 0.01,
        "n_bytes": 20,
        "piece_bytes": 3,
        "baudrate": 9600,
    }

    async def body(driver, emulator, terminal) -> None:
        needed = {key: chosen[key] for key in PowerCellEmulator.FAULTS[fault]}
        for volts in range(400, 404):
            terminal.now = replace(terminal.now, v_pu=volts / 400)
            emulator.arm(fault, **needed)
            try:
                assert (await driver.read()).v_v == volts
            except DriverError as error:
                if error.kind not in {"timeout", "framing"}:
                    raise

    on_bench(run_virtual, body)


def test_unplugged_device_is_unavailable(bench) -> None:
    async def body(driver, emulator, terminal) -> None:
        emulator.arm("unplug")
        await asyncio.sleep(0.05)
        with pytest.raises(DriverError) as caught:
            await driver.read()
        assert caught.value.kind == "unavailable"

    bench(body)


def test_decoder_finds_the_line_wherever_the_bytes_are_cut() -> None:
    line = encode(Frame(7, "RD", ("1.0", "-")))
    for cut in range(len(line)):
        decoder = Decoder()
        events = decoder.feed(b"noise" + line[:cut]) + decoder.feed(line[cut:])
        assert events == [Frame(7, "RD", ("1.0", "-"))]
    assert isinstance(Decoder().feed(line.replace(b"7", b"8", 1))[0], Dropped)
    assert isinstance(Decoder().feed(b"\xff" * 200)[0], Dropped)
