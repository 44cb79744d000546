"""What a register write does to the terminal, and when: reversion, curves, permits, both ages."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modbus_bench import Terminal, pv, storage
from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.inverter import InverterEmulator

Body = Callable[[], Awaitable[Any]]


def write(emulator: InverterEmulator, model: int, **values: float) -> ExcCodes | None:
    """Write points one after the other as a client would, scaled; return the first refusal."""
    block = emulator.block(model)
    for name, value in values.items():
        point = block.model.points[name]
        factor = 0 if point.scale is None else int(block.raw(point.scale) or 0)
        refused = block.write(point.offset, point.encode(round(value / 10.0**factor)))
        if refused is not None:
            return refused
    return None


def seen(emulator: InverterEmulator, model: int, name: str) -> float | None:
    """Return a point as a client reads it."""
    block = emulator.block(model)
    if block.refresh is not None:
        block.refresh(block)
    return block.value(name)


def test_a_limit_reverts_when_nobody_renews_it(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> list[float | None]:
        write(emulator, 704, WMaxLimPctEnaRvrt=1, WMaxLimPctRvrt=20.0, WMaxLimPctRvrtTms=60)
        write(emulator, 704, WMaxLimPct=50.0, WMaxLimPctEna=1)
        await asyncio.sleep(40)
        remaining = [seen(emulator, 704, "WMaxLimPctRvrtRem")]
        write(emulator, 704, WMaxLimPct=50.0)  # the same again: renewed
        await asyncio.sleep(40)
        remaining.append(seen(emulator, 704, "WMaxLimPctRvrtRem"))
        before = list(terminal.commands)
        await asyncio.sleep(21)
        assert before == 2 * [("limit_w", 5500.0)]
        return [*remaining, seen(emulator, 704, "WMaxLimPctRvrtRem")]

    assert run_fast(main) == [20, 20, 0]
    assert terminal.commands[2:] == [("limit_w", 2200.0)]
    assert emulator.block(704).raw("WMaxLimPctEna") == 1


def test_a_reversion_that_is_not_enabled_disables_the_control(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = storage(terminal=terminal)

    async def main() -> None:
        write(emulator, 704, WSet=-2000, WSetRvrtTms=10, WSetEna=1)
        await asyncio.sleep(11)

    run_fast(main)
    assert terminal.commands == [("power_w", -2000.0), ("power_w", 0.0)]
    assert emulator.block(704).raw("WSetEna") == 0


def test_a_stopped_device_reverts_nothing(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> None:
        write(emulator, 704, WMaxLimPctRvrtTms=5, WMaxLimPct=50.0, WMaxLimPctEna=1)
        await emulator.stop()
        await asyncio.sleep(10)

    run_fast(main)
    assert terminal.commands == [("limit_w", 5500.0)]


@pytest.mark.parametrize(
    ("writes", "command"),
    [
        ({"VarSetMod": 0, "VarSetPct": 50.0}, 5500.0),
        ({"VarSetMod": 1, "VarSetPct": -10.0}, -1100.0),
        ({"VarSetMod": 3, "VarSetPct": 20.0}, 2200.0),
        ({"VarSetMod": 4, "VarSet": 777}, 777.0),
    ],
)
def test_reactive_power_is_set_in_every_mode(
    run_fast: Any, writes: dict[str, float], command: float
) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> ExcCodes | None:
        return write(emulator, 704, **writes, VarSetEna=1)

    assert run_fast(main) is None
    assert terminal.commands == [("q_var", pytest.approx(command))]


def test_a_share_of_the_reactive_power_available_needs_a_plant_that_knows_it(run_fast: Any) -> None:
    async def main() -> ExcCodes | None:
        return write(pv(), 704, VarSetMod=2)

    assert run_fast(main) == ExcCodes.ILLEGAL_VALUE


def test_the_power_of_a_pv_inverter_is_set_as_a_limit(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> None:
        write(emulator, 704, WSetMod=0, WSetPct=30.0, WSetEna=1)
        write(emulator, 704, WMaxLimPct=10.0, WMaxLimPctEna=1)
        write(emulator, 704, WMaxLimPctEna=0)

    run_fast(main)
    limits = [3300.0, 1100.0, 3300.0]
    assert terminal.commands == [("limit_w", pytest.approx(limit)) for limit in limits]


def test_a_smaller_maximum_moves_what_is_a_share_of_it(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> list[ExcCodes | None]:
        write(emulator, 704, WMaxLimPct=50.0, WMaxLimPctEna=1)
        return [write(emulator, 702, WMax=8000), write(emulator, 702, WMax=12000)]

    assert run_fast(main) == [None, ExcCodes.ILLEGAL_VALUE]
    # The maximum is a limit of its own, stated after the share: the lower of the two holds.
    assert terminal.commands == [("limit_w", 5500.0), ("limit_w", 4000.0), ("limit_w", 4000.0)]


def test_every_permit_must_be_given(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> None:
        write(emulator, 703, ES=0)
        write(emulator, 123, Conn=0)
        write(emulator, 715, OpCtl=0)
        write(emulator, 703, ES=1)
        write(emulator, 123, Conn=1)
        assert terminal.commands == 5 * [("connect", False)]
        write(emulator, 715, OpCtl=1)

    run_fast(main)
    assert terminal.commands[5:] == [("connect", True)]


def test_model_123_reverts_after_its_time_and_begins_within_its_window(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> list[float]:
        loop, times = asyncio.get_running_loop(), []
        set_limit = terminal.set_limit_w

        def timed(p_w: float | None) -> None:
            times.append(loop.time())
            set_limit(p_w)

        terminal.set_limit_w = timed  # type: ignore[method-assign]
        write(emulator, 123, WMaxLimPct_WinTms=30, WMaxLimPct_RvrtTms=100, WMaxLimPct=40.0)
        write(emulator, 123, WMaxLim_Ena=1)
        await asyncio.sleep(200)
        return times

    begun_s, reverted_s = run_fast(main)
    assert 0 < begun_s < 30
    assert reverted_s == begun_s + 100
    assert terminal.commands == [("limit_w", 4400.0), ("limit_w", None)]


def test_the_lower_limit_of_both_ages_holds(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def main() -> None:
        write(emulator, 704, WMaxLimPct=50.0, WMaxLimPctEna=1)
        write(emulator, 123, WMaxLimPct=20.0, WMaxLim_Ena=1)
        write(emulator, 123, WMaxLim_Ena=0)

    run_fast(main)
    assert terminal.commands == [("limit_w", 5500.0), ("limit_w", 2200.0), ("limit_w", 5500.0)]


def test_model_124_bounds_and_demands_storage_power(run_fast: Any) -> None:
    terminal = Terminal()
    emulator = storage(terminal=terminal)  # charges with 4 kW, discharges with 5 kW

    async def main() -> ExcCodes | None:
        write(emulator, 704, WSet=-3000, WSetEna=1)
        write(emulator, 124, InWRte=50.0, StorCtl_Mod=1)
        write(emulator, 124, InWRte=-25.0)  # not into it, but out of it: at least 1 kW
        return write(emulator, 124, OutWRte=10.0, StorCtl_Mod=3)

    assert run_fast(main) == ExcCodes.ILLEGAL_VALUE  # 1 kW at least and 0.5 kW at most
    powers = [-3000.0, -2000.0, 1000.0]
    assert terminal.commands == [("power_w", power) for power in powers]


def curve(emulator: InverterEmulator, model: int, number: int, **values: float) -> None:
    word = "Ctl" if model == 711 else "Crv"
    named = {f"{word}[{number}].{name}": value for name, value in values.items()}
    assert write(emulator, model, **named) is None


def test_a_curve_that_is_none_is_not_adopted_and_changes_nothing(run_fast: Any) -> None:
    terminal = Terminal(functions=frozenset({"volt_var"}))
    emulator = pv(terminal=terminal, adopt_s=0.5)

    async def main() -> list[float | None]:
        write(emulator, 705, Ena=1)
        curve(emulator, 705, 2, **{"Pt[1].V": 99.0})  # beyond the second point's 98
        write(emulator, 705, AdptCrvReq=2)
        results = [seen(emulator, 705, "AdptCrvRslt")]
        busy = write(emulator, 705, AdptCrvReq=3)
        assert busy == ExcCodes.DEVICE_BUSY
        await asyncio.sleep(1)
        return [*results, seen(emulator, 705, "AdptCrvRslt"), seen(emulator, 705, "Crv[1].Pt[1].V")]

    assert run_fast(main) == [0, 2, 92.0]
    assert len(terminal.commands) == 1


def test_what_is_written_after_the_request_is_not_adopted(run_fast: Any) -> None:
    emulator = pv(adopt_s=0.5)

    async def main() -> float | None:
        curve(emulator, 706, 2, RspTms=2.0)
        write(emulator, 706, AdptCrvReq=2)
        curve(emulator, 706, 2, RspTms=9.0)
        await asyncio.sleep(1)
        return seen(emulator, 706, "Crv[1].RspTms")

    assert run_fast(main) == 2.0


def test_a_curve_reverts_to_the_one_named(run_fast: Any) -> None:
    terminal = Terminal(functions=frozenset({"frequency_droop"}))
    emulator = pv(terminal=terminal, adopt_s=0.0)

    async def main() -> None:
        write(emulator, 711, RvrtTms=30, RvrtCtl=3, Ena=1)
        curve(emulator, 711, 2, KOf=0.02)
        write(emulator, 711, AdptCtlReq=2)
        await asyncio.sleep(29)
        assert seen(emulator, 711, "RvrtRem") == 1
        await asyncio.sleep(2)

    run_fast(main)
    assert [settings["k_of"] for _, settings in terminal.commands] == [0.05, 0.02, 0.05]


def test_trip_curves_are_told_in_per_unit_and_seconds(run_fast: Any) -> None:
    functions = frozenset({"low_voltage_trip", "high_frequency_trip"})
    terminal = Terminal(functions=functions)
    emulator = pv(terminal=terminal, adopt_s=0.0)

    async def main() -> None:
        points = {"MustTrip.Pt[1].V": 50.0, "MustTrip.Pt[1].Tms": 2.0}
        points |= {"MustTrip.Pt[2].V": 88.0, "MustTrip.Pt[2].Tms": 21.0, "MustTrip.ActPt": 2}
        curve(emulator, 707, 2, **points)
        write(emulator, 707, AdptCrvReq=2, Ena=1)
        curve(emulator, 710, 3, **{"MustTrip.Pt[1].Hz": 62.0, "MustTrip.Pt[1].Tms": 0.16})
        curve(emulator, 710, 3, **{"MustTrip.ActPt": 1})
        write(emulator, 710, AdptCrvReq=3, Ena=1)
        await asyncio.sleep(1)

    run_fast(main)
    last = dict(terminal.commands)
    assert last["low_voltage_trip"]["must_trip"] == [(0.5, 2.0), (0.88, 21.0)]
    assert last["high_frequency_trip"]["must_trip"] == [(62.0, 0.16)]
    assert last["high_frequency_trip"]["momentary_cessation"] == []


@pytest.mark.parametrize(("fault", "result"), [("adoption_stuck", 0), ("adoption_failed", 2)])
def test_an_adoption_can_hang_or_fail_and_the_next_one_works(
    run_fast: Any, fault: str, result: int
) -> None:
    emulator = pv()

    async def main() -> list[float | None]:
        emulator.arm(fault)
        found = []
        for _ in range(2):
            write(emulator, 712, AdptCrvReq=2)
            await asyncio.sleep(1)
            found.append(seen(emulator, 712, "AdptCrvRslt"))
        return found

    assert run_fast(main) == [result, 1]


def test_a_function_the_plant_lacks_is_held_and_told(run_fast: Any) -> None:
    events: list[tuple[str, dict[str, object]]] = []

    def on_event(kind: str, **data: object) -> None:
        events.append((kind, data))

    terminal = Terminal()
    emulator = pv(terminal=terminal, on_event=on_event)

    async def main() -> float | None:
        write(emulator, 706, Ena=1)
        return seen(emulator, 702, "CtrlModes")

    assert run_fast(main) == 0b111  # limit, power and reactive power, nothing else
    assert terminal.commands == []
    assert events == [("set_function", {"function": "volt_watt", "on": True, "in_plant": False})]


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_phases_together_are_the_whole(run_fast: Any, phases: int) -> None:
    v_nominal_v = {1: 230.0, 2: 240.0, 3: 400.0}[phases]
    emulator = pv(phases=phases, v_nominal_v=v_nominal_v)

    async def main() -> tuple[float, ...]:
        whole = [seen(emulator, 701, name) or 0.0 for name in ("W", "A", "LNV", "LLV")]
        parts = sum(seen(emulator, 701, f"WL{phase + 1}") or 0.0 for phase in range(phases))
        assert seen(emulator, 701, f"WL{phases + 1}") is None if phases < 3 else True
        legacy = seen(emulator, 100 + phases, "W") or 0.0
        return (*whole, parts, legacy)

    p_w, amperes, neutral_v, line_v, parts_w, legacy_w = run_fast(main)
    assert parts_w == pytest.approx(p_w, abs=1.5)
    assert legacy_w == p_w
    # Apparent power from current and phase voltage, whatever the wiring.
    assert amperes * neutral_v == pytest.approx((4321.0**2 + 120.0**2) ** 0.5, rel=5e-3)
    assert line_v == pytest.approx(1.02 * v_nominal_v)
