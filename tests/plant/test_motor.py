"""A motor as a user of the plant sees it: on a feeder, then starting in an island."""

import pytest

from gridrig.errors import PlantError
from gridrig.plant import World, events_of


def workshop() -> tuple[World, int]:
    """Return a microgrid with a mill that stands still beside 5 kW of other load."""
    world = World(s_base_va=100e3, seed=1)
    mill = world.add_load("mill")
    pack = {"cells": 96, "soc": 0.5, "capacity_ah": 600.0, "discharge_a_max": 300.0}
    world.add_storage("former", {"s_va": 60e3, "forms_grid": True, "pack": pack})
    world.set_load(mill, 5e3, 1e3)
    world.set_motor(mill, {"s_va": 15e3, "runs": False})
    world.impose([1.0, 1.0], 50.0)
    return world, mill


def test_a_motor_on_a_feeder_runs_up_and_its_load_takes_both_powers():
    world, mill = workshop()
    world.switch_motor(mill, True)
    world.advance(2.0)
    (started,) = events_of(world)
    assert (started.kind, started.name) == ("motor_started", "mill")
    assert 0.3 < started.value < 1.5
    motor = world.motor(mill)
    assert motor.closed
    assert 0.95 < motor.speed < 1.0
    assert motor.p_w == pytest.approx(0.8 * 15e3, rel=0.07)
    assert world.held()[0][mill] == pytest.approx(-5e3 - motor.p_w)
    assert world.held()[1][mill] == pytest.approx(-1e3 - motor.q_var)


def test_a_start_in_an_island_dips_its_voltage_and_is_told_with_its_time():
    world, mill = workshop()
    world.open_pcc(0.0)
    quiet = world.island_tick(0.0, 1.0)
    world.switch_motor(mill, True)
    tick = world.island_tick(1.0, 3.0)
    assert quiet.v_min_pu > 0.98
    assert 0.7 < tick.v_min_pu < 0.92
    assert [event.kind for event in events_of(tick) if event.name == "mill"] == ["motor_started"]
    assert tick.v_end_pu > 0.97


def test_settings_that_are_wrong_are_refused_by_name():
    world, mill = workshop()
    with pytest.raises(PlantError, match="mill has an unknown setting torque"):
        world.set_motor(mill, {"s_va": 15e3, "torque": 1.0})
    with pytest.raises(PlantError, match="torque_pu is 3"):
        world.set_motor(mill, {"s_va": 15e3, "torque_pu": 3.0})
    with pytest.raises(PlantError, match="former is no load"):
        world.set_motor(mill + 1, {"s_va": 15e3})
    with pytest.raises(PlantError, match="former is no load with a motor"):
        world.switch_motor(mill + 1, True)
