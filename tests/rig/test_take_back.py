"""A lost device is taken back over its own wire: itself, made safe, and set as it was."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from points import Point
from small_rig import small_rig
from test_rig_bench import Run

from gridrig.campaign.curtailment import Curtailment
from gridrig.campaign.sensing import Telemetry
from gridrig.devices.drivers.sunspec import SunSpecInverter
from gridrig.devices.drivers.sunspec_parameters import SunSpecParameters
from gridrig.errors import DriverError
from gridrig.events import EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.safe_order import DEFAULT_SAFE_ORDER, SafeStep

LIMIT_W = 3_000.0
TRIP = "high_voltage_trip"
WRITES = {"set_connect", "set_limit_w", "set_power_w", "set_fets"}


async def refusal(bench: Bench, name: str) -> DriverError:
    with pytest.raises(DriverError) as raised:
        await bench.take_back(name)
    assert bench.devices[name].lost
    return raised.value


def test_an_inverter_that_forgot_its_limit_in_a_reboot_has_it_again() -> None:
    async def reboots(bench: Bench, points: dict[str, Point]) -> Any:
        inverter = bench.devices["pv-1"]
        await inverter.set_limit_w(LIMIT_W)
        inverter.lost = True
        await inverter.driver.set_limit_w(None)  # as if it had restarted: nothing of it is left
        assert (await inverter.read()).limit_w is None
        rewritten = await bench.take_back("pv-1")
        return rewritten, inverter.lost, await inverter.read(), await inverter.driver.read_connect()

    rewritten, lost, reading, permitted = Run(reboots).result
    assert rewritten == ("limit_w", "connect")
    assert (lost, permitted, reading.limit_w) == (False, True, pytest.approx(LIMIT_W, rel=1e-3))


def test_it_is_driven_to_its_safe_state_before_it_is_permitted_again() -> None:
    async def back(bench: Bench, points: dict[str, Point]) -> None:
        bench.devices["pv-1"].lost = True
        bench._report("pv-1", "here")
        await bench.take_back("pv-1")

    run = Run(back, pv_1=4_000.0)
    assert run.error is None
    told = [
        event.data.get("on")
        for event in run.events.ordered()
        if (event.device, event.kind) == ("pv-1", "set_connect")
    ]
    assert told[:1] == [False]
    assert True in told
    assert told[-1] is False  # the end of the bench


def test_another_serial_number_in_its_place_is_named_and_nothing_is_sent_to_it() -> None:
    async def swapped(bench: Bench, points: dict[str, Point]) -> DriverError:
        bench.devices["pv-1"].lost = True
        bench.emulators["pv-1"].models[0].set_raw("SN", "SOMEBODY-ELSE")
        bench._report("pv-1", "here")
        error = await refusal(bench, "pv-1")
        bench._report("pv-1", "there")
        return error

    run = Run(swapped)
    assert run.error is None
    error = run.result
    assert isinstance(error, DriverError)
    assert error.code == "rig.other_device"
    assert "SOMEBODY-ELSE" in str(error)
    assert "serial='pv-1'" in str(error)
    kinds = run.kinds("pv-1")
    assert not WRITES & set(kinds[kinds.index("here") :]), "nor at the end of the bench"
    assert "SOMEBODY-ELSE" in run.report.devices["pv-1"]
    assert run.report.left_unsafe == ("pv-1",)


def test_one_that_was_itself_when_it_was_asked_is_asked_again_at_the_end() -> None:
    async def swapped(bench: Bench, points: dict[str, Point]) -> None:
        await bench.devices["pv-1"].set_limit_w(LIMIT_W)
        bench.devices["pv-1"].lost = bench.devices["pv-1"].answers = True
        bench.emulators["pv-1"].models[0].set_raw("SN", "SOMEBODY-ELSE")
        bench._report("pv-1", "here")

    run = Run(swapped)
    assert run.error is None
    kinds = run.kinds("pv-1")
    assert not WRITES & set(kinds[kinds.index("here") :]), "not even its settings as found"
    assert run.report.left_unsafe == ("pv-1",)


def test_one_whose_protection_is_not_as_it_was_found_stays_lost_and_ceased() -> None:
    async def altered(bench: Bench, points: dict[str, Point]) -> Any:
        inverter = bench.devices["pv-1"]
        inverter.lost = True
        stranger = SunSpecInverter("stranger", bench.link_of("pv-1"), SunSpecParameters())
        await stranger.open()  # or a restart that brings factory settings back
        found = await stranger.read_function(TRIP)
        await stranger.write_function(TRIP, found.settings, on=not found.on)
        error, permitted = await refusal(bench, "pv-1"), await inverter.driver.read_connect()
        await stranger.write_function(TRIP, found.settings, on=found.on)
        await stranger.close()
        rewritten = await bench.take_back("pv-1")
        return error, permitted, rewritten, await inverter.driver.read_connect()

    run = Run(altered)
    assert run.error is None
    error, permitted, rewritten, again = run.result  # type: ignore[misc]
    assert error.code == "rig.not_made_safe"
    assert f"{TRIP} is not as it was found" in str(error)
    assert not permitted
    # The first try has withdrawn the permit, and the second one knows that it was there.
    assert (rewritten, again) == (("limit_w", "connect"), True)


def test_a_trip_function_that_this_run_wrote_stays_as_it_was_found() -> None:
    async def opened(bench: Bench, points: dict[str, Point]) -> Any:
        inverter = bench.devices["pv-1"]
        found = await inverter.read_function(TRIP)
        await inverter.write_function(TRIP, found.settings, on=not found.on)
        inverter.lost = True
        rewritten = await bench.take_back("pv-1")
        return found, rewritten, await inverter.read_function(TRIP)

    run = Run(opened)
    assert run.error is None
    found, rewritten, back = run.result  # type: ignore[misc]
    assert rewritten == ("limit_w", "connect")
    assert back == found


def test_a_step_that_may_take_longer_than_opening_does_not_keep_a_device_away() -> None:
    patient = tuple(
        SafeStep(step.do, within_s=60.0) if step.do == "settle" else step
        for step in DEFAULT_SAFE_ORDER
    )

    async def settles_late(bench: Bench, points: dict[str, Point]) -> Any:
        bench.devices["pv-1"].lost = points["pv-1"].stuck = True
        asyncio.get_running_loop().call_later(40.0, setattr, points["pv-1"], "stuck", False)
        return await bench.take_back("pv-1")

    run = Run(settles_late, replace(small_rig(), safe_order=patient), pv_1=4_000.0)
    assert run.error is None
    assert run.result == ("limit_w", "connect")


def test_one_that_is_not_set_as_it_was_in_time_is_made_safe_again() -> None:
    async def hangs(bench: Bench, points: dict[str, Point]) -> Any:
        inverter = bench.devices["pv-1"]

        async def never() -> None:
            await inverter.driver.set_connect(True)
            await asyncio.sleep(1e6)

        inverter.standing["connect"] = never
        inverter.lost = True
        error = await refusal(bench, "pv-1")
        return error.code, await inverter.driver.read_connect()

    run = Run(hangs)
    assert run.error is None
    assert run.result == ("driver.timeout", False)


def test_one_that_comes_back_while_the_bench_ends_is_permitted_nothing() -> None:
    async def ends(bench: Bench, points: dict[str, Point]) -> Any:
        inverter = bench.devices["pv-1"]
        await inverter.set_limit_w(LIMIT_W)
        inverter.lost = True
        inverter.end()
        bench._report("pv-1", "here")
        return (await refusal(bench, "pv-1")).code

    run = Run(ends)
    assert run.error is None
    assert run.result == "rig.limit"
    events = [e for e in run.events.ordered() if e.device == "pv-1"]
    after = events[[e.kind for e in events].index("here") :]
    assert not any(e.data["on"] for e in after if e.kind == "set_connect")
    assert run.report.devices["pv-1"] == "safe"


def test_a_lost_device_is_sent_nothing_and_can_still_be_made_safe() -> None:
    async def lost(bench: Bench, points: dict[str, Point]) -> list[str]:
        storage = bench.devices["storage-1"]
        storage.lost = True
        refused = []
        for write in (lambda: storage.set_power_w(100.0), lambda: storage.set_connect(True)):
            with pytest.raises(DriverError, match="the device is lost") as raised:
                await write()
            refused.append(raised.value.code)
        await storage.driver.close()  # as a vain try to take it back leaves it
        return refused

    run = Run(lost)
    assert run.result == ["rig.limit", "rig.limit"]
    assert run.report.devices["storage-1"] == "safe"


def test_an_inverter_above_the_rigs_limit_is_limited_before_it_is_permitted() -> None:
    rig = small_rig(("p_w_max = 10000, s_va_max = 11000", "p_w_max = 8000, s_va_max = 11000"))

    async def back(bench: Bench, points: dict[str, Point]) -> Any:
        inverter = bench.devices["pv-1"]
        inverter.lost = True
        return await bench.take_back("pv-1"), (await inverter.read()).limit_w

    rewritten, limit_w = Run(back, rig).result  # type: ignore[misc]
    assert rewritten == ("limit_w", "connect")
    assert limit_w == pytest.approx(8_000, abs=20)


@pytest.mark.parametrize("had_w", [None, LIMIT_W])
def test_a_limit_of_the_safe_state_does_not_stay_behind(had_w: float | None) -> None:
    rig = small_rig(
        (
            'safe_state = { connect = false }\nemulate = { model = "pv"',
            'safe_state = { connect = false, limit_w = 0 }\nemulate = { model = "pv"',
        ),
        ("p_w_max = 10000, s_va_max = 11000", "p_w_max = 11000, s_va_max = 11000"),
    )

    async def back(bench: Bench, points: dict[str, Point]) -> Any:
        inverter = bench.devices["pv-1"]
        if had_w is not None:  # by somebody before this run
            await inverter.driver.set_limit_w(had_w)
        inverter.lost = True
        return await bench.take_back("pv-1"), (await inverter.read()).limit_w

    rewritten, limit_w = Run(back, rig).result  # type: ignore[misc]
    assert rewritten == ("limit_w", "connect")
    assert limit_w == (None if had_w is None else pytest.approx(had_w, rel=1e-3))


def test_a_pack_has_its_switches_closed_again_and_keeps_them_open_if_they_were() -> None:
    async def twice(bench: Bench, points: dict[str, Point]) -> Any:
        pack, found = bench.devices["battery-1"], []
        for closed in (None, True, False):
            if closed is not None:
                await pack.set_fets(closed, closed)
            pack.lost = True
            rewritten = await bench.take_back("battery-1")
            told = await pack.read()
            found.append((rewritten, told.charge_fet, told.discharge_fet))
        return found

    run = Run(twice)
    assert run.error is None
    as_found, *set_by_the_run = run.result  # type: ignore[misc]
    assert as_found == (("fets",), True, True)
    assert set_by_the_run == [(("fets",), True, True), (("fets",), False, False)]


def test_an_island_limits_one_that_is_back_as_it_limits_the_others() -> None:
    async def throttled(bench: Bench, points: dict[str, Point]) -> Any:
        events = EventLog(bench._clock, [])
        curtailment = Curtailment({"pv-1": 10_000.0}, bench.devices, events, 50.0)
        inverter, limits_w = bench.devices["pv-1"], []
        told = replace(await inverter.read(), f_hz=51.0, connected=True)
        for lost in (frozenset({"pv-1"}), frozenset({"pv-1"}), frozenset[str]()):
            telemetry = Telemetry(inverters={"pv-1": told}, lost=lost)
            await curtailment.step(telemetry, 1.0, islanded=True)
            told = replace(told, f_hz=50.0)  # from then on nothing is to be changed
            limits_w.append((await inverter.read()).limit_w)
        return curtailment.share, limits_w

    run = Run(throttled)
    assert run.error is None
    share, limits_w = run.result  # type: ignore[misc]
    assert share == pytest.approx(0.85)
    assert limits_w == [None, None, pytest.approx(8_500, abs=20)]
