"""Emulated instruments and their drivers: what they do, refuse and measure."""

import asyncio
import math
from typing import Any

import numpy as np
import pytest
from instrument_bench import LINKS, V_N, InstrumentBench, energise, instruments

from gridrig.circuit.connections import AnalyserConnection
from gridrig.devices.bench_capabilities import CapturePlan, SequenceStep
from gridrig.devices.drivers.analyser import ScpiAnalyser
from gridrig.devices.drivers.scpi_instrument import ScpiDriverParameters
from gridrig.devices.emulators.analyser import AnalyserEmulator, AnalyserParameters
from gridrig.devices.emulators.iv_curve import IvCurve
from gridrig.errors import DriverError


def steps(*rows: tuple[float, float, float]) -> list[SequenceStep]:
    """Balanced steps of (voltage [V], frequency [Hz], dwell [s])."""
    return [SequenceStep((v,) * 3, (0.0,) * 3, f, dwell) for v, f, dwell in rows]


async def captured(bench: InstrumentBench, pa: Any, tracks: list[str]) -> Any:
    async with asyncio.timeout(300):
        while await pa.capture_state() != "done":
            await bench.clock.sleep(0.2)
    return await pa.fetch(tracks)


async def refused(driver: Any, *commands: str) -> int:
    with pytest.raises(DriverError) as caught:
        await driver._line.command(*commands)
    assert caught.value.kind == "refused"
    return int(caught.value.number)


def test_an_inverter_on_the_bench_is_measured_within_the_stated_uncertainty(on_bench) -> None:
    async def body(clock):
        async with instruments(clock, pa={"accuracy_percent": 0.2, "seed": 7}) as bench:
            ac, dc, s3, pa = await bench.drivers("ac", "dc", "s3", "pa")
            await energise(bench, ac, dc, s3)
            reading = await pa.read()
            assert (await dc.read()).p_w == pytest.approx(8000, rel=1e-6)
            return reading

    found = on_bench(body)
    assert found.f_hz == pytest.approx(50.0, abs=1e-6)
    assert found.angle_deg[:3] == pytest.approx((0, -120, 120), abs=1e-6)
    for channel in range(6):  # the inverter's terminals, then the switch: the same power
        assert abs(found.v_v[channel] - V_N) <= found.u_v_v[channel]
        assert abs(found.p_w[channel] - 8000 / 3) <= found.u_p_w[channel]
        assert abs(found.q_var[channel]) <= found.u_p_w[channel]
    assert sum(found.p_w[:3]) != pytest.approx(8000, abs=0.01)  # it does err


def test_the_stated_uncertainty_covers_the_truth_as_often_as_it_says(on_bench) -> None:
    async def body(clock):
        misses = 0
        async with instruments(clock) as bench:
            (ac,) = await bench.drivers("ac")
            await ac.set_voltage_v([V_N] * 3)
            await ac.set_output(True)
            bench.circuit.move([(0.0, True, True)])
            await clock.sleep(1.0)
            for seed in range(25):
                parameters = AnalyserParameters(sees=("switch",), seed=seed)
                terminal = AnalyserConnection(bench.circuit, ("switch",))
                emulator = AnalyserEmulator("x", LINKS["socket"], parameters, terminal)
                await emulator.start()
                driver = ScpiAnalyser("x", emulator.endpoint_link)
                await driver.open()
                found = await driver.read()
                misses += sum(abs(v - V_N) > u for v, u in zip(found.v_v, found.u_v_v, strict=True))
                await driver.close()
                await emulator.stop()
        return misses

    # Even errors lie within 2 / sqrt(3) of their half-width always; noise may add a little.
    assert on_bench(body) <= 1


def test_a_sequence_is_played_by_the_source_and_recorded_on_one_time_base(on_bench) -> None:
    async def body(clock):
        clocks = {"clock_offset_s": 1000.0, "clock_drift_ppm": 50.0}
        async with instruments(clock, pa=clocks, ac={"clock_offset_s": -5.0}) as bench:
            ac, s3, pa = await bench.drivers("ac", "s3", "pa")
            await ac.set_voltage_v([V_N] * 3)
            await ac.set_output(True)
            await s3.set_closed(True)
            await clock.sleep(1.0)
            dip = steps((0.5 * V_N, 50.0, 0.16), (V_N, 50.0, 0.2), (V_N, 52.0, 0.5))
            dip[2] = SequenceStep((V_N,) * 3, (0.0,) * 3, 52.0, 0.5, ramp=True)
            await ac.load_sequence(dip)
            await ac.arm()
            plan = CapturePlan(function="rms", rate_hz=100, points=150, source="source")
            await pa.arm(plan)
            begun_s = await ac.trigger()
            return begun_s, await captured(bench, pa, ["V1", "F", "D1"]), (await ac.read()).f_hz

    begun_s, recording, f_hz = on_bench(body)
    times = recording.since_trigger_s()
    v, f = recording.tracks["V1"], recording.tracks["F"]
    # The trigger is marked in the recording itself; the two clocks need not agree.
    assert times[np.flatnonzero(recording.tracks["D1"])[0]] == pytest.approx(0.0, abs=0.011)
    assert recording.trigger_s == pytest.approx((begun_s + 5.0) * (1 + 50e-6) + 1000.0, abs=2e-3)
    low = times[v < 0.75 * V_N]
    assert low[0] == pytest.approx(0.0, abs=0.011)
    assert low[-1] == pytest.approx(0.15, abs=0.011)
    ramp = f[(times > 0.40) & (times < 0.80)]
    assert np.all(np.diff(ramp) > 0)
    assert np.diff(ramp).mean() / 0.01 == pytest.approx(2.0 / 0.5, rel=0.02)  # Hz/s
    assert f_hz == pytest.approx(52.0)  # the last step stays


def test_a_step_that_ends_inside_a_millisecond_is_no_ramp_into_the_next(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            ac, s3, pa = await bench.drivers("ac", "s3", "pa")
            await ac.set_voltage_v([V_N] * 3)
            await ac.set_output(True)
            await s3.set_closed(True)
            await clock.sleep(1.0)
            await ac.load_sequence(steps((1.2 * V_N, 50.0, 0.1833), (V_N, 50.0, 0.2)))
            await ac.arm()
            await pa.arm(CapturePlan(function="rms", rate_hz=1000, points=300, source="source"))
            await ac.trigger()
            return await captured(bench, pa, ["V1"])

    recording = on_bench(body)
    times, v = recording.since_trigger_s(), recording.tracks["V1"]
    high = times[v > 1.15 * V_N]
    assert (high[0], high[-1]) == pytest.approx((0.0, 0.183), abs=0.0011)
    assert np.count_nonzero((v > 1.01 * V_N) & (v < 1.19 * V_N)) <= 1


def test_a_dip_of_one_phase_trips_on_the_worst_phase(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            ac, dc, s3, pa = await bench.drivers("ac", "dc", "s3", "pa")
            await energise(bench, ac, dc, s3)
            one = (V_N, 0.3 * V_N, V_N)
            balanced = (V_N,) * 3
            await ac.load_sequence(
                [
                    SequenceStep(one, (0.0,) * 3, 50.0, 0.5),
                    SequenceStep(balanced, (0.0,) * 3, 50.0, 0.5),
                ]
            )
            await ac.arm()
            plan = CapturePlan(function="rms", rate_hz=100, points=120, source="source")
            await pa.arm(plan)
            await ac.trigger()
            recording = await captured(bench, pa, ["V1", "V2", "V3", "I1", "I2", "I3"])
            return recording, bench.world.terminal(bench.pv).trip_cause

    recording, cause = on_bench(body)
    times, tracks = recording.since_trigger_s(), recording.tracks
    dip = (times > 0.05) & (times < 0.45)
    assert tracks["V2"][dip] == pytest.approx(0.3 * V_N, rel=0.01)
    assert tracks["V1"][dip] == pytest.approx(V_N, rel=0.01)
    assert cause == "UV2"  # the positive sequence, at 0.77 pu, would have waited for ever
    for channel in ("I1", "I2", "I3"):
        flows = times[tracks[channel] > 1.0]
        assert flows[-1] == pytest.approx(0.16, abs=0.04)


def test_an_island_is_opened_by_the_switch_and_its_end_is_timed_by_one_instrument(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            ac, dc, s3, pa, rlc = await bench.drivers("ac", "dc", "s3", "pa", "rlc")
            await energise(bench, ac, dc, s3)
            await rlc.set_load(8000.0, 8000.0, 8000.0)
            await rlc.set_connected(True)
            await clock.sleep(1.0)
            balance = await pa.read()
            plan = CapturePlan(
                function="rms", rate_hz=200, points=800, source="contact", rising=False
            )
            await pa.arm(plan)
            await s3.set_closed(False)
            recording = await captured(bench, pa, ["V1", "I1", "D2"])
            return balance, recording, await s3.read()

    balance, recording, switch = on_bench(body)
    assert abs(sum(balance.p_w[3:])) <= 0.02 * 8000  # what the switch carried before
    times, v, i = recording.since_trigger_s(), recording.tracks["V1"], recording.tracks["I1"]
    assert not switch.closed
    assert recording.tracks["D2"][times < -0.01].all()
    alive = times[(v > 0.05 * V_N) & (i > 0.05 * 8000 / 3 / V_N)]
    assert 0.05 < alive[-1] < 2.0  # detected and tripped


def test_instruments_refuse_what_real_ones_refuse(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            ac, dc, rlc, pa, s3, door = await bench.drivers("ac", "dc", "rlc", "pa", "s3", "door")
            found = {
                "source beyond its voltage": await refused(ac, ":VOLT 301"),
                "source beyond its frequency": await refused(ac, ":FREQ 71"),
                "no such channel": await refused(ac, ":SOUR4:VOLT 1"),
                "armed without a list": await refused(ac, ":INIT"),
                "triggered without arming": await refused(ac, "*TRG"),
                "lists of other lengths": await refused(
                    ac, ":OUTP ON", ":LIST:DWEL 1,1,1", ":LIST:VOLT 1,2", ":INIT"
                ),
                "armed with the output off": await refused(
                    ac, ":LIST:CLE", ":LIST:DWEL 1", ":LIST:VOLT 1", ":OUTP OFF", ":INIT"
                ),
                "set while armed": await refused(ac, ":OUTP ON", ":INIT", ":VOLT 230"),
                "armed twice": await refused(ac, ":INIT"),
                "too long a list": await refused(ac, ":ABOR", ":LIST:VOLT " + "1," * 1000 + "1"),
                "a curve that is none": await refused(
                    dc, ":FUNC:MODE SAS", ":SAS:VMP 900;:OUTP ON"
                ),
                "mode while on": await refused(dc, "*RST", ":OUTP ON", ":FUNC:MODE SAS"),
                "load beyond its branches": await refused(rlc, ":LOAD:RES 20001"),
                "nothing recorded": await refused(pa, ":TRAC:DATA? V1"),
                "nothing measured": await refused(pa, ":FETC:RMS?"),
                "recording too long": await refused(pa, ":TRAC:POIN 1E6;:TRAC:RATE 1;:INIT"),
                "no such switch": await refused(s3, ":ROUT:CLOS (@2)"),
                "missing parameter": await refused(s3, ":ROUT:CLOS"),
                "parameter not allowed": await refused(door, "*RST 1"),
                "an input is not set": await refused(door, ":INP:STAT 1"),
            }
            bench.emulators["door"].arm("open_interlock")
            found["output with the interlock open"] = await refused(ac, ":OUTP ON")
            found["DC output with the interlock open"] = await refused(dc, ":OUTP ON")
            return found

    assert on_bench(body) == {
        "source beyond its voltage": -222,
        "source beyond its frequency": -222,
        "no such channel": -114,
        "armed without a list": -213,
        "triggered without arming": -211,
        "lists of other lengths": -226,
        "armed with the output off": -221,
        "set while armed": -221,
        "armed twice": -213,
        "too long a list": -223,
        "a curve that is none": -221,
        "mode while on": -221,
        "load beyond its branches": -222,
        "nothing recorded": -230,
        "nothing measured": -230,
        "recording too long": -223,
        "no such switch": -222,
        "missing parameter": -109,
        "parameter not allowed": -108,
        "an input is not set": -113,
        "output with the interlock open": -221,
        "DC output with the interlock open": -221,
    }


def test_a_broken_safety_loop_drops_the_output_and_it_does_not_come_back_alone(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            ac, door = await bench.drivers("ac", "door")
            await ac.set_voltage_v([V_N] * 3)
            await ac.set_output(True)
            bench.emulators["door"].arm("open_interlock")
            broken = await ac.read(), await door.read()
            bench.emulators["door"].arm("close_interlock")
            return broken, await ac.read(), bench.circuit.source_on

    (source, door), after, on = on_bench(body)
    assert not source.output
    assert not source.interlock_closed
    assert not door.closed
    assert after.interlock_closed
    assert not after.output
    assert not on


def test_a_weld_and_a_lying_status_contact_are_failed_read_backs(on_bench) -> None:
    async def body(clock, status="true"):
        async with instruments(clock, s3={"status": status}) as bench:
            (s3,) = await bench.drivers("s3")
            if status == "true":
                await s3.set_closed(True)
                bench.emulators["s3"].arm("weld")
            with pytest.raises(DriverError) as caught:
                await s3.set_closed(status != "true")
            return caught.value.kind, bench.circuit.main

    assert on_bench(body) == ("readback", True)  # told to open; it is still closed
    assert on_bench(lambda clock: body(clock, "stuck_open")) == ("readback", True)


def test_a_stuck_output_relay_is_a_failed_read_back(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            (ac,) = await bench.drivers("ac")
            bench.emulators["ac"].arm("output_stuck")
            with pytest.raises(DriverError) as caught:
                await ac.set_output(True)
            return caught.value.kind

    assert on_bench(body) == "readback"


def test_drivers_check_before_they_send_and_restore_what_they_found(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            ac, rlc = await bench.drivers("ac", "rlc")
            for wrong in ([301.0] * 3, [math.nan] * 3, [230.0]):
                with pytest.raises(DriverError) as caught:
                    await ac.set_voltage_v(wrong)
                assert caught.value.kind == "limit"
            with pytest.raises(DriverError):
                await ac.load_sequence([])
            assert "setting" not in bench.kinds("ac")
            await ac._line.command(":VOLT 120")
            await ac.set_voltage_v([100.0, 110.0, 90.0])
            await ac.set_frequency_hz(60.0)
            await ac.restore()
            restored = await ac.read()
            with pytest.raises(DriverError):
                await ac.make_safe({"outptu": False})
            await rlc.set_load(1003.0, 0.0, 0.0)  # in steps of 10 W
            await ac.make_safe({"output": False})
            return restored, await rlc.read()

    restored, load = on_bench(body)
    assert restored.v_v == (120.0, 120.0, 120.0)
    assert restored.f_hz == 50.0
    assert load.r_w == 1000.0


def test_another_instrument_than_the_rig_says_is_refused_by_name(on_bench) -> None:
    async def body(clock):
        async with instruments(clock) as bench:
            with pytest.raises(DriverError) as caught:
                await bench.driver("s3", ScpiDriverParameters(identity="Acme,X1"))
            return caught.value

    error = on_bench(body)
    assert error.expected == "Acme,X1"
    assert "gridrig,contactor" in error.found


def test_a_single_phase_is_lowered_alone_and_the_phases_are_those_of_the_wiring(on_bench) -> None:
    async def body(clock):
        async with instruments(clock, pa={"v_order": (1, 3, 2), "ct": (1, 1, -1)}) as bench:
            ac, s3, pa = await bench.drivers("ac", "s3", "pa")
            await ac.set_voltage_v([V_N, 100.0, V_N])
            await ac.set_output(True)
            await s3.set_closed(True)
            await clock.sleep(1.0)
            return await pa.read()

    found = on_bench(body)
    assert found.v_v[:3] == pytest.approx((V_N, V_N, 100.0), rel=0.002)
    assert found.angle_deg[:3] == pytest.approx((0, 120, -120), abs=0.1)
    assert found.v_v[3:] == pytest.approx((V_N, 100.0, V_N), rel=0.002)


def test_the_same_seeds_give_the_same_recording_and_others_another(on_bench) -> None:
    async def body(clock, seed):
        async with instruments(clock, pa={"seed": seed}) as bench:
            ac, s3, pa = await bench.drivers("ac", "s3", "pa")
            await ac.set_voltage_v([V_N] * 3)
            await ac.set_output(True)
            await s3.set_closed(True)
            await pa.arm(CapturePlan(points=400, source="immediate", pretrigger=0.0))
            recording = await captured(bench, pa, ["V1", "I2"])
            return [recording.tracks[name].tobytes() for name in ("V1", "I2")]

    first = on_bench(lambda clock: body(clock, 1))
    assert on_bench(lambda clock: body(clock, 1)) == first
    assert on_bench(lambda clock: body(clock, 2)) != first


def test_the_array_curve_meets_its_catalogue_values() -> None:
    curve = IvCurve(voc_v=800.0, isc_a=12.0, vmp_v=660.0, imp_a=11.2)
    assert curve.right()
    assert curve.i_a(0.0, 1000.0) == pytest.approx(12.0)
    assert curve.i_a(800.0, 1000.0) == pytest.approx(0.0, abs=1e-9)
    assert curve.i_a(660.0, 1000.0) == pytest.approx(11.2, rel=0.003)
    voltages = np.linspace(0, 800, 8001)
    powers = [v * curve.i_a(v, 600.0) for v in voltages]
    assert curve.p_max_w(600.0) == pytest.approx(max(powers), rel=1e-6)
    v_v = curve.v_at(3000.0, 1000.0)
    assert v_v * curve.i_a(v_v, 1000.0) == pytest.approx(3000.0)
    assert v_v > 660.0
    assert not IvCurve(700.0, 10.0, 800.0, 9.0).right()
