"""What every battery driver keeps, over real ptys: the right value or a named error."""

import asyncio
import hashlib
from dataclasses import replace

import pytest
from bms_bench import (
    DALY,
    DALY_MODBUS,
    JBD,
    KINDS,
    PACK,
    PYLONTECH,
    START,
    Bench,
    Kind,
    MemoryPack,
)
from pack_catalogue import known_faults, survive

from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.capabilities import Bms
from gridrig.devices.emulators.pack_faults import PACK_FAULTS
from gridrig.devices.wire import daly, daly_registers, pylontech
from gridrig.errors import DriverError

SAFE = {"charge": False, "discharge": False}
SWITCHING = [JBD, DALY, DALY_MODBUS]
SOAK_SEEDS = 50


def virtually(main):
    return run_virtual(main, start_utc_s=START)


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request) -> Kind:
    return request.param


@pytest.fixture(params=SWITCHING, ids=["jbd", "daly", "daly-modbus"])
def switching(request) -> Kind:
    return request.param


# What a register map makes well formed and wrong no driver of it can know: docs/faults.md.
EVERY = [
    (name, fault)
    for name, kind in KINDS.items()
    for fault, spec in known_faults(kind).items()
    if fault in PACK_FAULTS or not spec.deceives
]


@pytest.mark.parametrize(("name", "fault"), EVERY)
def test_every_fault_of_the_catalogue_ends_in_the_right_value_or_a_named_error(name, fault):
    outcomes = [
        virtually(lambda _, seed=seed: survive(KINDS[name], fault, seed)) for seed in range(2)
    ]
    assert all(one[0] == "right" for one in outcomes)  # before it is armed


@pytest.mark.soak
@pytest.mark.parametrize(("name", "fault"), EVERY)
def test_every_fault_with_many_seeds(name, fault):
    for seed in range(2, 2 + SOAK_SEEDS):
        virtually(lambda _, seed=seed: survive(KINDS[name], fault, seed))


def test_catalogue_has_all_families_and_the_same_seed_gives_the_same_outcome(kind):
    families = {spec.family for spec in known_faults(kind).values()}
    assert {"timing", "framing", "connection", "state"} <= families

    def digest() -> str:
        seen = [virtually(lambda _, f=fault: survive(kind, f, 7)) for fault in ("noise", "jitter")]
        return hashlib.sha256(repr(seen).encode()).hexdigest()

    assert digest() == digest()


@pytest.mark.parametrize(
    ("fault", "params", "error_kind"),
    [
        ("corrupt", {}, "framing"),
        ("truncate", {"keep_bytes": 5}, "framing"),
        ("wrong_length", {}, "framing"),
        ("no_reply", {}, "timeout"),
        ("late_reply", {"delay_s": 30.0}, "timeout"),
    ],
)
def test_fault_that_lasts_ends_in_its_named_error_within_the_stated_time(
    kind, fault, params, error_kind
):
    async def main(clock: Clock):
        async with kind.bench() as bench:
            bench.emulator.arm(fault, count=50, **params)
            before_s = clock.now_s()
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value, clock.now_s() - before_s

    error, took_s = virtually(main)
    assert error.kind == error_kind
    assert took_s <= 3 * (2 * 1.0 + 2.0)


@pytest.mark.parametrize("fault", ["noise", "echo", "corrupt", "truncate", "no_reply", "duplicate"])
def test_fault_that_passes_is_survived_with_the_right_value(kind, fault):
    params = {"n_bytes": 40} if fault == "noise" else {}

    async def main(clock: Clock):
        async with kind.bench() as bench:
            bench.emulator.arm(fault, **params)
            reading = await bench.driver.read()
            assert "fault_fired" in bench.kinds()
            return reading

    assert virtually(main).cells_mv == PACK.cells_mv


def test_answer_that_comes_twice_is_not_taken_for_the_answer_to_the_same_question(kind):
    async def main(clock: Clock):
        async with kind.bench() as bench:
            look = bench.driver._basic if kind is JBD else bench.driver.identify
            await look()
            bench.emulator.arm("duplicate", gap_s=0.4)
            before = await look()
            if kind is not JBD:
                return True
            bench.pack.change(v_v=50.0)
            return (before.v_10mv, (await look()).v_10mv) == (5280, 5000)

    assert virtually(main)


def test_answer_to_a_cancelled_read_is_not_the_answer_to_the_next(kind):
    async def main(clock: Clock):
        async with kind.bench() as bench:
            bench.emulator.arm("late_reply", delay_s=0.5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(bench.driver.read(), 0.2)
            bench.pack.change(v_v=50.0)
            return (await bench.driver.read()).v_v

    assert virtually(main) == 50.0


@pytest.mark.parametrize("delay_s", [1.1, 1.9, 3.7])
def test_late_reply_is_never_the_answer_to_a_later_read(kind, delay_s):
    async def main(clock: Clock):
        async with kind.bench(parameters={"retries": 0}) as bench:
            bench.emulator.arm("late_reply", delay_s=delay_s)
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            assert caught.value.kind == "timeout"
            seen = []
            for v_v in (51.0, 52.0, 53.0, 54.0, 55.0):
                bench.pack.change(v_v=v_v)
                try:
                    seen.append((await bench.driver.read()).v_v == v_v)
                except DriverError as error:
                    seen.append(error.kind)
            return seen

    seen = virtually(main)
    assert set(seen) <= {True, "timeout"}
    assert seen[-1] is True


@pytest.mark.parametrize("run", [run_virtual, run_wall])
def test_pulled_plug_is_unavailable_at_once(kind, run):
    async def main(clock: Clock):
        async with kind.bench() as bench:
            assert isinstance(bench.driver, Bms)
            before_s = clock.now_s()
            bench.emulator.arm("unplug")
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value, clock.now_s() - before_s

    error, took_s = run(main, start_utc_s=START)
    assert error.kind == "unavailable"
    assert run is run_wall or took_s < 0.01  # a Modbus line is silent for a moment first


@pytest.mark.parametrize("run", [run_virtual, run_wall])
def test_an_outage_is_unavailable_at_once_and_over_at_the_same_port(kind, run):
    async def main(clock: Clock):
        async with kind.bench() as bench:
            at = bench.emulator.endpoint
            await bench.driver.read()
            bench.emulator.arm("outage", down_s=0.5)
            kinds = []
            for _ in range(2):
                with pytest.raises(DriverError) as caught:
                    await bench.driver.read()
                kinds.append(caught.value.kind)
            await clock.sleep(0.6)
            bench.pack.change(v_v=51.0)
            assert bench.emulator.endpoint == at
            return kinds, (await bench.driver.read()).v_v

    kinds, v_v = run(main, start_utc_s=START)
    assert kinds == ["unavailable", "unavailable"]
    assert v_v == pytest.approx(51.0, abs=0.05)


def test_plug_pulled_while_waiting_for_a_reply_ends_the_wait(kind):
    async def main(clock: Clock):
        async with kind.bench() as bench:
            bench.emulator.arm("no_reply")
            asyncio.get_running_loop().call_later(0.5, bench.emulator.unplug)
            before_s = clock.now_s()
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value.kind, clock.now_s() - before_s

    assert virtually(main) == ("unavailable", pytest.approx(0.5))


@pytest.mark.parametrize(
    ("emulate", "factor"), [({"sign": -1}, -1), ({"scale": 0.5}, 0.5), ({"telemetry": "frozen"}, 1)]
)
def test_mutant_tells_another_current_and_leaves_the_pack_alone(kind, emulate, factor):
    async def main(clock: Clock):
        async with kind.bench(emulate=emulate) as bench:
            await bench.driver.read()
            if "telemetry" in emulate:
                bench.pack.change(v_v=40.0, i_a=-5.0)
            return await bench.driver.read(), bench.pack.state.charge_fet

    reading, charge_fet = virtually(main)
    assert (reading.v_v, charge_fet) == (PACK.v_v, True)
    assert reading.i_a == pytest.approx(PACK.i_a * factor, abs=0.051)


# ------------------------------------------------------------------- what deceives


async def told(bench: Bench, fault: str, **params):
    await bench.driver.read()
    bench.emulator.arm(fault, **params)
    return await bench.driver.read()


def test_state_faults_are_told_as_the_device_tells_them(kind):
    async def main(clock: Clock):
        seen = {}
        for fault, params in {
            "soc_jump": {"soc": 0.9},
            "over_range_current": {"i_a": 300.0},
            "alarm": {"protection": "charge_over_current"},
            "counter_rollover": {},
        }.items():
            async with kind.bench() as bench:
                seen[fault] = await told(bench, fault, **params)
        async with kind.bench() as bench:
            bench.emulator.arm("stuck_value", field="v_v", count=2)
            for v_v in (50.0, 51.0, 52.0):
                bench.pack.change(v_v=v_v)
                seen[v_v] = (await bench.driver.read()).v_v
        return seen

    seen = virtually(main)
    assert seen["soc_jump"].soc == pytest.approx(0.9)
    assert seen["over_range_current"].i_a == 300.0  # beyond 276.7 A too
    assert "charge_over_current" in seen["alarm"].protections
    assert seen["counter_rollover"].v_v == PACK.v_v
    assert [seen[50.0], seen[51.0], seen[52.0]] == [50.0, 50.0, 52.0]


def test_faults_of_the_pack_are_documented_with_an_example(kind):
    for name, spec in PACK_FAULTS.items():
        assert spec.example.startswith(f'name = "{name}"')
        assert spec.meaning
    link = kind.link("auto", 9600)
    emulator = kind.emulator("x", link, kind.emulator.PARAMETERS(), MemoryPack())
    with pytest.raises(DriverError) as caught:
        emulator.arm("stuck_value", field="volts")
    assert (caught.value.code, caught.value.key) == ("emulator.fault_parameter", "field")
    with pytest.raises(DriverError) as caught:
        emulator.arm("late_replay", delay_s=1.0)
    assert caught.value.near_miss == "late_reply"


# ------------------------------------------------------------------------ switches


def test_switches_are_set_seen_and_restored_as_found(switching):
    async def main(clock: Clock):
        async with switching.bench(opened=False) as bench:
            bench.pack.change(i_a=0.5, discharge_fet=False)
            if switching is DALY:  # it keeps a command for each switch
                bench.emulator._commanded[False] = False
            if switching is DALY_MODBUS:
                bench.emulator._registers._commanded[daly_registers.DISCHARGE_SWITCH] = False
            await bench.driver.open()
            await bench.driver.set_fets(charge=False, discharge=True)
            between = bench.pack.state
            await bench.driver.set_fets(charge=False, discharge=False)
            await bench.driver.restore()
            return between, bench.pack.state

    between, after = virtually(main)
    assert (between.charge_fet, between.discharge_fet) == (False, True)
    assert (after.charge_fet, after.discharge_fet) == (True, False)


def test_restore_writes_nothing_when_nothing_was_set(switching):
    async def main(clock: Clock):
        async with switching.bench() as bench:
            await bench.driver.read()
            await bench.driver.restore()
            return bench.kinds()

    assert "fets" not in virtually(main)


def test_switch_is_not_opened_under_load(switching):
    async def main(clock: Clock):
        async with switching.bench() as bench:
            with pytest.raises(DriverError) as caught:
                await bench.driver.set_fets(**SAFE)
            return caught.value, bench.kinds()

    error, kinds = virtually(main)
    assert (error.code, error.kind, error.i_a) == ("bms.fet_under_load", "limit", 12.3)
    assert "fets" not in kinds


def test_make_safe_waits_for_the_current_to_fall(switching):
    async def main(clock: Clock):
        async with switching.bench() as bench:
            loop = asyncio.get_running_loop()
            loop.call_later(3.0, lambda: bench.pack.change(i_a=0.0))
            await bench.driver.make_safe(SAFE)
            return clock.now_s(), bench.pack.state

    t_s, state = virtually(main)
    assert 3.0 < t_s < 4.5
    assert (state.charge_fet, state.discharge_fet) == (False, False)


def test_make_safe_ends_in_a_named_error_when_the_current_does_not_fall(switching):
    async def main(clock: Clock):
        async with switching.bench() as bench:
            with pytest.raises(DriverError, match=r"bms\.fet_under_load"):
                await bench.driver.make_safe(SAFE)
            return clock.now_s()

    assert 4.5 < virtually(main) < 6.5


def test_make_safe_refuses_what_it_cannot_mean(switching):
    async def main(clock: Clock):
        async with switching.bench() as bench:
            for wrong in ({"chrge": False}, {"charge": 0}):
                with pytest.raises(DriverError, match=r"driver\.unsupported"):
                    await bench.driver.make_safe(wrong)

    virtually(main)


def test_switch_that_does_not_move_is_a_readback_error(switching):
    async def main(clock: Clock):
        async with switching.bench() as bench:
            bench.pack.change(i_a=0.0)
            bench.emulator.arm("fet_refused", count=2)
            with pytest.raises(DriverError) as caught:
                await bench.driver.set_fets(**SAFE)
            return caught.value

    error = virtually(main)
    assert error.kind == "readback"
    assert error.seen == (True, True)


@pytest.mark.parametrize("fault", ["late_reply", "corrupt", "no_reply", "duplicate", "stale_reply"])
def test_switching_under_wire_faults_is_done_or_named(switching, fault):
    params = {"delay_s": 1.7} if fault == "late_reply" else {}

    async def main(clock: Clock):
        outcomes = set()
        for nth in range(1, 7):
            async with switching.bench() as bench:
                bench.pack.change(i_a=0.0)
                bench.emulator.arm(fault, nth=nth, **params)
                try:
                    await bench.driver.set_fets(**SAFE)
                except DriverError as error:
                    outcomes.add(error.kind)
                else:
                    state = bench.pack.state
                    assert (state.charge_fet, state.discharge_fet) == (False, False)
                    outcomes.add("done")
        return outcomes

    assert virtually(main) <= {"done", "timeout", "framing", "readback"}


# ----------------------------------------------------------------------------- bus


@pytest.mark.parametrize("kind", [DALY, PYLONTECH], ids=["daly", "pylontech"])
def test_packs_on_one_bus_are_told_apart_and_a_dead_one_stops_no_other(kind):
    async def main(clock: Clock):
        async with (
            kind.bench(port="auto:rack", address=3, opened=False) as a,
            kind.bench(port="auto:rack", address=4, opened=False) as b,
            kind.bench(port="auto:rack", address=5, opened=False) as c,
        ):
            paths = {one.emulator.endpoint["port"] for one in (a, b, c)}
            for number, one in enumerate((a, b, c)):
                one.pack.change(v_v=50.0 + number)
                await one.driver.open()
            together = await asyncio.gather(*(one.driver.read() for one in (a, b, c)))
            b.emulator.unplug()
            dead = await asyncio.gather(b.driver.read(), return_exceptions=True)
            # It has failed once: from now on it costs the others one time-out and a drain.
            begin_s = clock.now_s()
            again = asyncio.ensure_future(b.driver.read())
            await asyncio.sleep(0)
            alive = [await one.driver.read() for one in (a, c)]
            took_s = clock.now_s() - begin_s
            await asyncio.gather(again, return_exceptions=True)
            volts = [r.v_v for r in together]
            return paths, volts, dead[0].kind, [r.v_v for r in alive], took_s

    paths, together, dead, alive, took_s = virtually(main)
    assert 1.2 <= took_s < 2.4
    assert len(paths) == 1
    assert together == [50.0, 51.0, 52.0]
    assert dead == "timeout"
    assert alive == [50.0, 52.0]


@pytest.mark.parametrize("kind", [DALY, PYLONTECH], ids=["daly", "pylontech"])
def test_an_outage_of_one_pack_is_the_whole_buss(kind):
    async def main(clock: Clock):
        async with (
            kind.bench(port="auto:rack", address=3) as a,
            kind.bench(port="auto:rack", address=4) as b,
        ):
            a.emulator.arm("outage", down_s=2.0)
            away = await asyncio.gather(*(x.driver.read() for x in (a, b)), return_exceptions=True)
            await clock.sleep(2.1)
            for number, one in enumerate((a, b)):
                one.pack.change(v_v=50.0 + number)
            back = [(await one.driver.read()).v_v for one in (a, b)]
            return [getattr(error, "kind", error) for error in away], back

    away, back = virtually(main)
    assert away == ["unavailable", "unavailable"]
    assert back == [50.0, 51.0]


@pytest.mark.parametrize("kind", [DALY, PYLONTECH], ids=["daly", "pylontech"])
def test_late_reply_of_one_pack_is_never_anothers(kind):
    async def main(clock: Clock):
        async with (
            kind.bench(port="auto:rack", address=3, opened=False, parameters={"retries": 0}) as a,
            kind.bench(port="auto:rack", address=4, opened=False) as b,
        ):
            for number, one in enumerate((a, b)):
                one.pack.change(v_v=50.0 + number)
                await one.driver.open()
            a.emulator.arm("late_reply", delay_s=1.3, count=3)
            seen = await asyncio.gather(a.driver.read(), b.driver.read(), return_exceptions=True)
            return getattr(seen[0], "kind", None), seen[1].v_v

    assert virtually(main) == ("timeout", 51.0)


@pytest.mark.parametrize("kind", [DALY, PYLONTECH], ids=["daly", "pylontech"])
def test_answer_of_another_pack_is_not_taken(kind):
    """Both packs answer one request: the other's reply comes first, well formed."""

    other = {"serial": "OTHER"} if kind is PYLONTECH else {}

    async def main(clock: Clock):
        async with (
            kind.bench(address=3, emulate=other) as a,
            kind.bench(address=4) as b,
        ):
            a.pack.change(v_v=40.0, cells_mv=(3000,) * 16)
            own = b.emulator.answer
            b.emulator.answer = lambda request: (
                a.emulator.answer(readdressed(kind, request)) + own(request)
            )
            b.emulator.arm("no_reply")  # so that the marker question is asked too
            return await b.driver.read()

    reading = virtually(main)
    assert (reading.v_v, reading.cells_mv) == (PACK.v_v, PACK.cells_mv)


def readdressed(kind: Kind, request: bytes) -> bytes:
    """Return a request to pack 4 as pack 3 would be asked."""
    if kind is DALY:
        (frame,) = daly.Decoder().feed(request)
        return daly.encode(replace(frame, address=daly.host_address(3)))
    (frame,) = pylontech.Decoder().feed(request)
    info = b"\x03" if frame.info == b"\x04" else frame.info
    return pylontech.encode(replace(frame, address=3, info=info))
