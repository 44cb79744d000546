"""A heat pump over its wire: what it tells, what it follows, and when that is over."""

from typing import Any

import pytest
from heating_bench import LINKS, P_W_MAX, Bench, bench

from gridrig.clock import Clock, run_virtual
from gridrig.devices.drivers.lambda_heat_pump import LambdaParameters
from gridrig.devices.heat_pump_capability import HeatPump, HeatPumpReading
from gridrig.errors import DriverError


def on_bench(body: Any, link: str = "tcp", **options: Any) -> Any:
    async def main(clock: Clock) -> Any:
        async with bench(link, **options) as one:
            return await body(one, clock)

    return run_virtual(main, start_utc_s=0)


@pytest.mark.parametrize("link", LINKS)
def test_every_quantity_is_told_in_its_unit_and_with_its_sign(link: str) -> None:
    async def body(one: Bench, _: Clock) -> tuple[HeatPumpReading, HeatPumpReading]:
        assert isinstance(one.driver, HeatPump)
        before = await one.driver.read()
        await one.driver.set_power_w(-2000.4)
        return before, await one.driver.read()

    before, after = on_bench(body, link)
    assert before == HeatPumpReading(-1234.0, 20.7, -3.4, 21.0, None, P_W_MAX, "own")
    assert after == HeatPumpReading(-2000.0, 20.7, -3.4, 21.0, -2000.0, P_W_MAX, "told")


@pytest.mark.parametrize("link", LINKS)
def test_what_is_told_is_given_back_and_nothing_is_told_for_none(link: str) -> None:
    async def body(one: Bench, _: Clock) -> list[float | None]:
        await one.driver.set_power_w(None)
        for p_w in (-500.0, 0.0, -P_W_MAX, None):
            await one.driver.set_power_w(p_w)
        assert (await one.driver.read()).state == "own"
        return one.room.told

    assert on_bench(body, link) == [500.0, 0.0, P_W_MAX, None]


@pytest.mark.parametrize("p_w", [1.0, -3000.5, float("nan"), float("-inf")])
def test_a_power_that_it_cannot_take_never_leaves(p_w: float) -> None:
    async def body(one: Bench, _: Clock) -> None:
        with pytest.raises(DriverError) as caught:
            await one.driver.set_power_w(p_w)
        assert (caught.value.code, caught.value.kind) == ("driver.limit", "limit")
        assert one.room.told == []

    on_bench(body)


@pytest.mark.parametrize("manager", ["off", "manual"])
def test_a_pump_that_takes_no_powers_says_so_and_is_not_told_any(manager: str) -> None:
    async def body(one: Bench, _: Clock) -> None:
        assert (await one.driver.read()).state == "off"
        with pytest.raises(DriverError) as caught:
            await one.driver.set_power_w(-1000.0)
        assert caught.value.code == "driver.unsupported"
        assert one.room.told == []
        await one.driver.make_safe({"power": "own"})

    on_bench(body, manager=manager)


def test_a_power_is_told_again_as_long_as_the_rig_reads_and_no_longer() -> None:
    async def body(one: Bench, clock: Clock) -> None:
        await one.driver.set_power_w(-1500.0)
        for _ in range(30):
            await clock.sleep(60)
            assert (await one.driver.read()).told_w == -1500.0
        silent_s = clock.now_s()
        while one.room.told[-1] is not None and clock.now_s() < silent_s + 3600:
            await clock.sleep(10)
        # The rig counts as alive for 300 s, and 300 s after the last writing it lapses.
        assert 300 <= clock.now_s() - silent_s <= 610
        with pytest.raises(DriverError) as caught:
            await one.driver.read()
        assert caught.value.code == "driver.reverted"
        assert (await one.driver.read()).state == "own"
        await clock.sleep(3600)
        assert one.room.told == [*[1500.0] * (len(one.room.told) - 1), None]

    on_bench(body)


def test_a_run_with_long_control_periods_keeps_what_it_told_between_them() -> None:
    async def body(one: Bench, clock: Clock) -> None:
        told = await one.driver.use_control_period(900.0)
        assert told == {"revert_s": 300, "stated": True, "set_points": ["power"]}
        await one.driver.set_power_w(-1500.0)
        for _ in range(4):
            await clock.sleep(900)
            assert (await one.driver.read()).told_w == -1500.0

    on_bench(body)


def test_a_driver_that_is_gone_leaves_the_pump_its_own_after_five_minutes() -> None:
    async def body(one: Bench, clock: Clock) -> None:
        await one.driver.set_power_w(-1500.0)
        await one.driver.close()
        await clock.sleep(299)
        assert one.room.told == [1500.0]
        await clock.sleep(2)
        assert one.room.told == [1500.0, None]
        assert one.happened("lapsed") == 1

    on_bench(body)


def test_a_pump_that_never_lets_a_power_go_is_one_of_the_mutants() -> None:
    async def body(one: Bench, clock: Clock) -> None:
        await one.driver.set_power_w(-1500.0)
        await one.driver.close()
        await clock.sleep(86_400)
        assert one.room.told == [1500.0]

    on_bench(body, lapses=False)


@pytest.mark.parametrize(("mode", "state"), [("cold", "cold"), ("warm", "warm"), ("told", "told")])
def test_a_room_that_wins_over_an_order_is_told(mode: str, state: str) -> None:
    async def body(one: Bench, _: Clock) -> None:
        await one.driver.set_power_w(-100.0)
        one.room.place(mode=mode, p_w=900.0)
        reading = await one.driver.read()
        assert (reading.state, reading.told_w, reading.p_w) == (state, -100.0, -900.0)

    on_bench(body)


def test_a_missing_sensor_is_told_as_none_and_a_broken_one_is_a_fault() -> None:
    async def body(one: Bench, _: Clock) -> None:
        one.emulator.arm("outdoor_sensor_broken")
        reading = await one.driver.read()
        assert (reading.outdoor_c, reading.room_c, reading.state) == (None, 20.7, "own")
        one.emulator.arm("room_sensor_broken", for_s=60)
        assert one.room.sensor(20.7) is None
        reading = await one.driver.read()
        assert (reading.outdoor_c, reading.room_c, reading.state) == (-3.4, None, "fault")

    on_bench(body)


def test_a_sensor_sticks_or_is_off_for_the_thermostat_too() -> None:
    async def body(one: Bench, clock: Clock) -> None:
        one.emulator.arm("room_sensor_off", off_k=1.5, for_s=60)
        assert (await one.driver.read()).room_c == 22.2
        assert one.room.sensor(20.7) == pytest.approx(22.2)
        await clock.sleep(61)
        one.emulator.arm("room_sensor_stuck", for_s=60)
        assert (await one.driver.read()).room_c == 20.7
        one.room.place(room_c=18.0)
        assert (await one.driver.read()).room_c == one.room.sensor(18.0) == 20.7
        await clock.sleep(61)
        assert (await one.driver.read()).room_c == one.room.sensor(18.0) == 18.0

    on_bench(body)


@pytest.mark.parametrize("how", ["fault", "mutant"])
def test_one_that_only_says_that_it_follows_says_what_it_was_told(how: str) -> None:
    async def body(one: Bench, _: Clock) -> None:
        if how == "fault":
            one.emulator.arm("power_pretended")
        await one.driver.set_power_w(-2500.0)
        reading = await one.driver.read()
        assert (reading.p_w, reading.state, one.room.told) == (-2500.0, "told", [None])

    on_bench(body, follows=how == "fault")


@pytest.mark.parametrize(
    ("emulate", "told"), [({"scale": 0.5}, -617.0), ({"telemetry": "frozen"}, -1234.0)]
)
def test_what_is_told_can_be_wrong(emulate: dict[str, Any], told: float) -> None:
    async def body(one: Bench, _: Clock) -> None:
        assert (await one.driver.read()).p_w == told
        one.room.place(p_w=2000.0, room_c=19.0)
        reading = await one.driver.read()
        frozen = "telemetry" in emulate
        assert reading.p_w == (-1234.0 if frozen else -1000.0)
        assert reading.room_c == (20.7 if frozen else 19.0)

    on_bench(body, **emulate)


def test_a_pump_that_tells_power_into_the_grid_cannot_be_meant() -> None:
    async def main(_: Clock) -> None:
        with pytest.raises(DriverError, match="cannot be meant") as caught:
            async with bench(sign=-1):
                raise AssertionError("it opened")
        assert (caught.value.code, caught.value.kind) == ("lambda.malformed", "framing")

    run_virtual(main, start_utc_s=0)


def test_made_safe_it_is_its_own_and_restored_it_stays_so() -> None:
    async def body(one: Bench, _: Clock) -> None:
        await one.driver.set_power_w(-1500.0)
        assert one.driver.found
        with pytest.raises(DriverError) as caught:
            await one.driver.make_safe({"power": "off"})
        assert caught.value.code == "driver.safe_state"
        await one.driver.make_safe({"power": "own"})
        assert one.room.told == [1500.0, None]
        assert not one.driver.found
        await one.driver.restore()
        assert one.room.told == [1500.0, None]

    on_bench(body)


def test_restored_it_is_given_back() -> None:
    async def body(one: Bench, _: Clock) -> None:
        await one.driver.set_power_w(-1500.0)
        await one.driver.restore()
        assert one.room.told == [1500.0, None]

    on_bench(body)


def test_a_write_that_is_not_carried_out_is_no_success() -> None:
    async def body(one: Bench, _: Clock) -> None:
        one.emulator.arm("write_ignored", function=16, count=3)
        with pytest.raises(DriverError) as caught:
            await one.driver.set_power_w(-1500.0)
        assert (caught.value.code, caught.value.kind) == ("driver.readback", "readback")

    on_bench(body)


def test_a_lost_answer_on_a_serial_line_is_never_taken_for_the_next() -> None:
    kinds = set()

    async def body(one: Bench, _: Clock) -> None:
        for step in range(12):
            one.emulator.arm("late_reply", delay_s=1.3)
            one.room.place(room_c=18.0 + step / 10, p_w=1000.0 + step)
            try:
                reading = await one.driver.read()
            except DriverError as error:
                kinds.add(error.kind)
                continue
            assert reading.room_c == pytest.approx(18.0 + step / 10)
            assert reading.p_w == -1000.0 - step
        assert (await one.driver.read()).room_c == pytest.approx(19.1)

    on_bench(body, "rtu")
    assert kinds <= {"timeout", "framing", "refused"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"p_w_max": 0.0},
        {"p_w_max": 40_000.0},
        {"p_w_max": 3000.0, "pump": 4},
        {"p_w_max": 3000.0, "circuit": 0},
        {"p_w_max": 3000.0, "revert_s": 0},
    ],
)
def test_parameters_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DriverError, match="expected"):
        LambdaParameters(**wrong)


@pytest.mark.parametrize(
    ("before_w", "wanted_w", "found"),
    [
        (-1000.0, None, "state 1 shows 1000 W, expected no power as written"),
        (None, -500.0, "state 3 shows no power, expected 500 W as written"),
    ],
)
def test_a_write_without_effect_is_named_in_watts(
    before_w: float | None, wanted_w: float | None, found: str
) -> None:
    async def body(one: Bench, _: Clock) -> str:
        await one.driver.set_power_w(before_w)
        one.emulator.arm("write_ignored", for_s=60)
        with pytest.raises(DriverError) as caught:
            await one.driver.set_power_w(wanted_w)
        return str(caught.value)

    assert found in on_bench(body)
