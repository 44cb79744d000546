"""Devices behind an AC source: what an analyser sees, step by step and phase by phase."""

import math

import numpy as np
import pytest

from gridrig.errors import PlantError
from gridrig.plant import Segment, World, events_of

S_VA = 30e3


def bench(**settings: object) -> tuple[World, int]:
    world = World(f_nominal_hz=60.0, s_base_va=S_VA, seed=1)
    pv = world.add_pv("eut", {"s_va": S_VA, "droop": False, **settings})
    world.set_available(pv, 24e3)
    return world, pv


def power_of(tick, device: int = 0):
    return (tick.v_pu * tick.i_va[device].conj()).sum(axis=1)


def trips_of(tick) -> list[tuple[float, str]]:
    return [(event.t_s, event.detail) for event in events_of(tick) if event.kind == "tripped"]


def test_an_analyser_sees_the_power_the_terminal_gives_in_every_phase():
    world, pv = bench()
    tick = world.source_tick([pv], 0.0, [Segment.hold(0.5, f_hz=60.0, v_pu=1.02)])
    assert tick.v_pu.shape == (500, 3)
    assert tick.i_va.shape == (1, 500, 3)
    assert np.abs(tick.v_pu[-1]) == pytest.approx([1.02] * 3)
    each = tick.v_pu[-1] * tick.i_va[0, -1].conj()
    assert each.real == pytest.approx([8e3] * 3, rel=1e-6)
    assert each.imag == pytest.approx([0.0] * 3, abs=1e-3)
    assert tick.times_s[[0, -1]] == pytest.approx([0.001, 0.5])
    assert world.held()[0] == [pytest.approx(24e3, rel=1e-6)]
    world.integrate(0.5)
    world.advance(0.5)
    assert world.terminal(pv).export_milliwh == pytest.approx(24e3 / 7.2, rel=1e-3)


def test_the_frame_turns_with_nominal_frequency_so_the_phasor_shows_the_deviation():
    world, pv = bench()
    tick = world.source_tick([pv], 0.0, [Segment.hold(1.0, f_hz=60.25)])
    turned = np.unwrap(np.angle(tick.v_pu[:, 0]))
    assert turned[-1] - turned[0] == pytest.approx(2 * math.pi * 0.25 * 0.999, rel=1e-9)


@pytest.mark.parametrize(
    ("v_pu", "relay", "after_s"),
    [((1.0, 1.0, 1.25), "OV2", 0.16), ((0.4, 1.0, 1.0), "UV2", 2.0), ((1.25,) * 3, "OV2", 0.16)],
)
def test_the_worst_phase_trips_and_the_switch_opens_at_that_time(v_pu, relay, after_s):
    world, pv = bench()
    lead_in = Segment.hold(1.0, f_hz=60.0)
    tick = world.source_tick([pv], 0.0, [lead_in, Segment.hold(3.0, f_hz=60.0, v_pu=v_pu)])
    ((at_s, cause),) = trips_of(tick)
    assert cause == relay
    # One cycle of the measuring window is all that may come on top.
    assert 1.0 + after_s <= at_s <= 1.0 + after_s + 1 / 60 + 1e-3
    opened = tick.times_s[np.argmin(tick.closed[0])]
    assert opened == pytest.approx(at_s, abs=1.1e-3)
    assert not power_of(tick)[tick.times_s > at_s + 2e-3].any()


def test_an_unequal_sag_keeps_balanced_currents_of_the_positive_sequence():
    world, pv = bench(feed_v_lag_s=0.0)
    sag = (1.0, 0.7, 0.7)
    tick = world.source_tick(
        [pv], 0.0, [Segment.hold(0.5, f_hz=60.0), Segment.hold(1.0, f_hz=60.0, v_pu=sag)]
    )
    currents = tick.i_va[0, -1]
    assert np.abs(currents) == pytest.approx([np.abs(currents[0])] * 3)
    # 24 kW over the positive sequence of 0.8 pu
    assert np.abs(currents[0]) == pytest.approx(24e3 / 0.8 / 3, rel=1e-6)
    assert power_of(tick)[-1].real == pytest.approx(24e3, rel=1e-6)


def test_a_jump_of_one_phase_is_seen_and_ridden_through():
    world, pv = bench()
    jump = Segment.hold(0.4, f_hz=60.0, angle_deg=(60.0, 0.0, 0.0))
    tick = world.source_tick([pv], 0.0, [Segment.hold(0.5, f_hz=60.0), jump])
    assert trips_of(tick) == []
    moved = np.angle(tick.v_pu[600, 0] / tick.v_pu[400, 0], deg=True)
    assert moved == pytest.approx(60.0)
    assert power_of(tick)[-1].real == pytest.approx(24e3, rel=1e-2)


def test_a_single_phase_inverter_gives_all_its_power_to_its_phase():
    world, pv = bench(phases="b")
    tick = world.source_tick([pv], 0.0, [Segment.hold(0.2, f_hz=60.0, v_pu=(1.0, 0.95, 1.0))])
    each = tick.v_pu[-1] * tick.i_va[0, -1].conj()
    assert each.real == pytest.approx([0.0, 24e3, 0.0], rel=1e-6)


def test_a_tick_that_begins_where_the_last_ended_goes_on_without_a_jump():
    whole, pv = bench()
    parts, _ = bench()
    ramp = Segment(1.0, (60.0, 61.0), (1.0,) * 3, (1.05,) * 3)
    rest = Segment.hold(1.0, f_hz=61.0, v_pu=1.05)
    one = whole.source_tick([pv], 1.0, [ramp, rest])
    two = [parts.source_tick([pv], 1.0 + n, [part]) for n, part in enumerate((ramp, rest))]
    assert np.array_equal(one.v_pu, np.concatenate([tick.v_pu for tick in two]))
    assert np.array_equal(one.i_va, np.concatenate([tick.i_va for tick in two], axis=1))


def test_the_test_load_and_the_loads_are_constant_impedances():
    world, _ = bench()
    load = world.add_load("load")
    world.set_load(load, 9e3, 3e3)
    world.set_rlc(12e3, 1.0, 1.01)
    tick = world.source_tick([load], 0.0, [Segment.hold(0.1, f_hz=60.0, v_pu=1.1)])
    taken = power_of(tick)[-1]
    assert taken == pytest.approx(-(9e3 + 3e3j) * 1.21)
    resonant = (tick.v_pu[-1] * tick.load_i_va[-1].conj()).sum()
    assert resonant == pytest.approx((12e3 - 0.01 * 12e3j) * 1.21)


def test_what_does_not_hang_behind_the_source_moves_with_the_world():
    world, pv = bench()
    other = world.add_storage("other", {"s_va": 5e3, "response_s": 1.0})
    world.held()
    world.set_power_w(other, 2e3)
    world.source_tick([pv], 0.0, [Segment.hold(1.0, f_hz=60.0)])
    world.integrate(1.0)
    world.advance(1.0)
    p_w, _ = world.held()
    assert p_w == [pytest.approx(24e3), pytest.approx(1.8e3)]


@pytest.mark.parametrize(
    ("devices", "segments", "code"),
    [
        ([0], [], "plant.value_wrong"),
        ([0], [Segment.hold(0.0105, f_hz=60.0)], "plant.value_wrong"),
        ([0], [Segment.hold(1.0, f_hz=60.0, v_pu=math.nan)], "plant.value_wrong"),
        ([0], [Segment.hold(1.0, f_hz=10.0)], "plant.value_wrong"),
        ([1], [Segment.hold(1.0, f_hz=60.0)], "plant.device_unknown"),
        ([0, 0], [Segment.hold(1.0, f_hz=60.0)], "plant.name_repeated"),
    ],
)
def test_what_a_source_cannot_play_is_refused_by_name(devices, segments, code):
    world, _ = bench()
    with pytest.raises(PlantError) as refusal:
        world.source_tick(devices, 0.0, segments)
    assert refusal.value.code == code
    world.open_pcc(0.0)
    with pytest.raises(PlantError, match="source_tick needs the PCC closed"):
        world.source_tick([0], 0.0, [Segment.hold(1.0, f_hz=60.0)])
