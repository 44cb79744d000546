"""An exception in any step of a run ends it as ERROR, with every device safe and the cause named.

Where a part can fail by itself it is made to (a locked journal, a wire that swallowed a byte);
elsewhere one function of one part is replaced by one that raises, in the middle of an island.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gridrig_process import SAFELY_TOLD, events_of, last_commands
from small_street import OPENED_S, SAFE_ENDS, rig_file, run_here, scenario_file

from gridrig.campaign import account, control
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.run import Progress, RunResult
from gridrig.campaign.trading import Trading
from gridrig.clock.virtual import VirtualLoop
from gridrig.devices.drivers.signed_meter import SignedMeter
from gridrig.devices.drivers.sunspec import SunSpecInverter
from gridrig.errors import GridError
from gridrig.grid.feeder import Feeder

LATE_S = OPENED_S + 20  # well inside the island
FIRST_POSTED_S = 70  # the post of the last period is still to come
Patch = pytest.MonkeyPatch


def check_error(folder: Path, result: RunResult, *causes: str) -> None:
    verdicts = result.verdicts
    assert verdicts.ended is Outcome.ERROR
    assert verdicts.outcome.exit_code == 4, verdicts.left_unsafe
    for cause in causes:
        assert cause in verdicts.cause
    assert dict(verdicts.devices_end) == SAFE_ENDS
    assert last_commands(folder / "run") == SAFELY_TOLD
    kinds = [event["kind"] for event in events_of(folder / "run")]
    assert "island_formed" in kinds, "it failed before the island: the harder half is unproved"
    assert "Traceback" in (folder / "run" / "host.json").read_text()


def run_with(folder: Path, on_tick: Callable[[float], object] = lambda _: None) -> RunResult:
    return run_here(folder, rig_file(folder), scenario_file(folder), Progress(tick=on_tick))


def after_calls(count: int, act: Callable[..., Any], spoil: Callable[..., Any]) -> Callable:
    """Return `act`, and from its `count`th call on `spoil` instead."""
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        return (act if calls < count else spoil)(*args, **kwargs)

    return counted


def raising(error: BaseException) -> Callable[..., Any]:
    def act(*_: Any, **__: Any) -> Any:
        raise error

    return act


def test_a_driver_that_raises_what_no_driver_should_ends_safe(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    read = after_calls(4 * LATE_S, SunSpecInverter.read, raising(ZeroDivisionError("bug")))
    healed = {"read": read}

    async def reads(self: SunSpecInverter) -> Any:
        try:
            return await healed["read"](self)
        except ZeroDivisionError:
            healed["read"] = SunSpecInverter_read  # once is enough; the way home reads too
            raise

    SunSpecInverter_read = SunSpecInverter.read
    monkeypatch.setattr(SunSpecInverter, "read", reads)
    check_error(tmp_path, run_with(tmp_path), "ZeroDivisionError")


def test_an_engine_that_does_not_converge_ends_safe(tmp_path: Path, monkeypatch: Patch) -> None:
    error = GridError("grid.not_solved", "no solution after {steps} steps", steps=30)
    monkeypatch.setattr(Feeder, "solve", after_calls(LATE_S, Feeder.solve, raising(error)))
    check_error(tmp_path, run_with(tmp_path), "grid.not_solved", "30 steps")


def test_a_voltage_that_is_no_number_never_reaches_a_terminal(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    solve = Feeder.solve

    def without_a_number(*args: Any) -> Any:
        solution = solve(*args)
        return replace(solution, v_pu=np.full_like(solution.v_pu, np.nan))

    monkeypatch.setattr(Feeder, "solve", after_calls(LATE_S, solve, without_a_number))
    check_error(tmp_path, run_with(tmp_path), "plant.")


def test_an_exception_in_the_control_step_ends_safe(tmp_path: Path, monkeypatch: Patch) -> None:
    ramp = after_calls(2 * LATE_S, control.next_set_point, raising(RuntimeError("ramp broke")))
    monkeypatch.setattr(control, "next_set_point", ramp)
    check_error(tmp_path, run_with(tmp_path), "ramp broke")


def test_an_exception_while_a_meter_signs_ends_safe(tmp_path: Path, monkeypatch: Patch) -> None:
    # Seven meters gave their opening readings; the first period ends in the island.
    sign = after_calls(7 + 1, SignedMeter.sign, raising(ValueError("record torn")))
    monkeypatch.setattr(SignedMeter, "sign", sign)
    check_error(tmp_path, run_with(tmp_path), "record torn")


def test_an_exception_while_a_period_settles_ends_safe(tmp_path: Path, monkeypatch: Patch) -> None:
    settle = after_calls(1, account.settle_period, raising(OverflowError("too much money")))
    monkeypatch.setattr(account, "settle_period", settle)
    check_error(tmp_path, run_with(tmp_path), "too much money")


def test_an_exception_in_the_market_ends_safe(tmp_path: Path, monkeypatch: Patch) -> None:
    clear = after_calls(2, Trading.clear, raising(KeyError("no such order")))
    monkeypatch.setattr(Trading, "clear", clear)
    check_error(tmp_path, run_with(tmp_path), "no such order")


def test_what_is_no_exception_to_python_ends_safe_too(tmp_path: Path, monkeypatch: Patch) -> None:
    class Panic(BaseException):  # as a panic of the native core is
        pass

    ramp = after_calls(2 * LATE_S, control.next_set_point, raising(Panic("index out of bounds")))
    monkeypatch.setattr(control, "next_set_point", ramp)
    check_error(tmp_path, run_with(tmp_path), "index out of bounds")


def test_a_journal_that_somebody_locked_ends_safe(tmp_path: Path) -> None:
    lock: list[sqlite3.Connection] = []

    def on_tick(t_s: float) -> None:
        if t_s == FIRST_POSTED_S:
            lock.append(sqlite3.connect(tmp_path / "run" / "journal.sqlite"))
            lock[0].execute("BEGIN IMMEDIATE")

    def on_stage(text: str) -> None:
        if lock and text.startswith("driving"):
            lock[0].close()

    progress = Progress(tick=on_tick, stage=on_stage)
    result = run_here(tmp_path, rig_file(tmp_path), scenario_file(tmp_path), progress)
    check_error(tmp_path, result, "settlement.journal_unusable")


def test_a_wire_that_swallows_a_byte_is_named_and_the_bench_left_safe(tmp_path: Path) -> None:
    def on_tick(t_s: float) -> None:
        if t_s == LATE_S:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            near = loop.wires.connection("10.0.0.1:1", "10.0.0.2:2", accepted=False)
            loop.wires.connection("10.0.0.2:2", "10.0.0.1:1", accepted=True)
            near.wrote(1)

    result = run_with(tmp_path, on_tick)
    check_error(tmp_path, result, "clock.stalled", "10.0.0.1:1 to 10.0.0.2:2 (wrote 1 read 0")


def test_a_busy_port_is_told_with_its_place_and_no_device_counts_as_unsafe(
    tmp_path: Path,
) -> None:
    async def serve_and_run() -> None:  # only to hold a port while the run looks for it
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        def take(table: dict[str, Any]) -> None:
            table["device"][0]["link"]["port"] = port

        result = await asyncio.to_thread(
            run_here, tmp_path, rig_file(tmp_path, take), scenario_file(tmp_path)
        )
        server.close()
        assert result.verdicts.outcome.exit_code == 4
        assert f"{port}, which is busy" in result.verdicts.cause
        assert set(result.verdicts.devices_end.values()) == {"never opened"}

    asyncio.run(serve_and_run())
