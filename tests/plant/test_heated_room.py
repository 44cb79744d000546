"""A heat pump's room against the closed form, its thermostats against orders and the weather."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.circuit.heat_pump import MARGIN_K, HeatPump
from gridrig.circuit.heated_homes import HeatedHomes
from gridrig.circuit.weathered_room import Outdoors, gains_w
from gridrig.devices.emulators.heating_settings import HeatingSettings
from gridrig.plant import World

START_UTC_S = 1_484_524_800  # 16 January 2017, 00:00
ROOM = {"conductance_w_per_k": 150.0, "capacity_wh_per_k": 4000.0, "cop": 3.0}
BAND = {"set_point_c": 21.0, "low_c": 20.0, "high_c": 22.5}
CALM = {"outdoor_c": 2.0, "swing_k": 0.0, "spread_k": 0.0, "seed": 1}


def pump(weather: dict[str, float] = CALM, **said: Any) -> tuple[HeatPump, World]:
    world = World(f_nominal_hz=50.0, s_base_va=10_000.0, seed=0)
    table: dict[str, Any] = {**ROOM, **BAND, "p_w_max": 3000.0, "gain_w_max": 0.0, **weather}
    return HeatPump(world, world.add_load("pump"), HeatingSettings(**{**table, **said})), world


def live(one: HeatPump, world: World, hours: float, dt_s: float = 60.0) -> list[float]:
    """Let it live and return the temperatures of its room."""
    seen = []
    for step in range(round(hours * 3600 / dt_s)):
        utc_s = START_UTC_S + step * dt_s
        one.follow(utc_s)
        world.impose([1.0], 50.0)
        one.advance(-world.held()[0][0], utc_s, dt_s)
        world.integrate(dt_s)
        seen.append(one.room_c)
    return seen


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 900.0])
def test_a_room_follows_the_closed_form_whatever_the_step(dt_s: float) -> None:
    one, world = pump(guards=False)
    one.tell(1200.0)
    live(one, world, 6.0, dt_s)
    ends_c = 2.0 + 3.0 * 1200.0 / 150.0
    expected = ends_c + (21.0 - ends_c) * math.exp(-6.0 * 150.0 / 4000.0)
    assert one.room_c == pytest.approx(expected, abs=1e-9)
    assert one.state().import_milliwh == pytest.approx(7_200_000, abs=1)


def test_it_draws_from_the_grid() -> None:
    one, world = pump()
    one.tell(1200.0)
    live(one, world, 0.1)
    assert world.held()[0] == [-1200.0]
    assert (one.state().p_w, one.state().heat_w) == (1200.0, 3600.0)


def test_its_own_thermostat_holds_the_set_point_in_this_weather() -> None:
    one, world = pump()
    live(one, world, 48.0)
    assert one.room_c == pytest.approx(21.0, abs=1e-6)
    assert one.state().p_w == pytest.approx(150.0 * 19.0 / 3.0)
    one.hold(22.0)
    live(one, world, 48.0)
    assert one.room_c == pytest.approx(22.0, abs=1e-3)


@pytest.mark.parametrize(("told_w", "end_c", "mode"), [(0.0, 20.0, "cold"), (3000.0, 22.5, "warm")])
def test_no_order_takes_the_room_out_of_its_band(told_w: float, end_c: float, mode: str) -> None:
    one, world = pump()
    one.tell(told_w)
    seen = live(one, world, 72.0, 300.0)
    assert min(seen) >= 20.0
    assert max(seen) <= 22.5
    assert abs(one.room_c - end_c) < MARGIN_K
    assert one.state().mode == mode


@pytest.mark.parametrize("felt_c", [20.3, 21.0, 22.2])
def test_inside_the_band_it_takes_what_it_is_told_to_the_watt(felt_c: float) -> None:
    one, world = pump(room_c=felt_c)
    for told_w in (0.0, 1.0, 1777.0, 3000.0):
        one.tell(told_w)
        one.follow(START_UTC_S)
        world.impose([1.0], 50.0)
        assert world.held()[0][0] == -told_w
        assert one.state().mode == "told"


def test_outside_the_band_it_heats_or_stops_whatever_it_is_told() -> None:
    cold, world = pump(room_c=19.5)
    cold.tell(0.0)
    live(cold, world, 1 / 60)
    assert (cold.state().p_w, cold.state().mode) == (pytest.approx(900.0 + 250.0), "cold")
    warm, world = pump(room_c=22.6)
    warm.tell(3000.0)
    live(warm, world, 1 / 60)
    assert (warm.state().p_w, warm.state().mode) == (0.0, "warm")


def test_a_mutant_lets_the_room_go() -> None:
    one, world = pump(guards=False)
    one.tell(0.0)
    assert live(one, world, 24.0)[-1] < 12.0


def test_without_a_sensor_it_heats_by_the_weather_and_follows_nothing() -> None:
    one, world = pump()
    one.feel(lambda _: None)
    one.tell(0.0)
    live(one, world, 24.0)
    assert (one.state().mode, one.state().p_w) == ("fault", pytest.approx(950.0))
    assert one.room_c == pytest.approx(21.0, abs=1e-6)


def test_a_sensor_that_is_off_misleads_its_thermostat_by_as_much() -> None:
    one, world = pump()
    one.feel(lambda true_c: true_c + 1.0)
    live(one, world, 96.0)
    assert one.room_c == pytest.approx(20.0 + 1.0 - 1500.0 / (1500.0 + 150.0), abs=0.1)


def test_below_its_least_power_it_switches_and_still_holds_the_room() -> None:
    one, world = pump(p_w_min=1500.0)
    seen = live(one, world, 48.0)
    assert one.state().p_w in {0.0, 1500.0}
    assert max(abs(c - 21.0) for c in seen[600:]) < 0.05
    one.tell(1400.0)  # what it cannot modulate down to it does not take
    live(one, world, 1 / 60)
    assert one.state().p_w == 0.0


def test_its_weather_and_gains_are_those_of_a_fleet_of_one() -> None:
    """The closed form is shared: a home of the aggregator and this one live the same day."""
    drawn = {"outdoor_c": 2.0, "swing_k": 3.0, "spread_k": 1.0, "gain_w_max": 200.0, "seed": 5}
    pairs = {key: (ROOM[key],) * 2 for key in ("conductance_w_per_k", "capacity_wh_per_k")}
    fleet: Any = {**pairs, **BAND, **drawn, "cop": 3.0, "p_w_max": 3000.0}
    homes = HeatedHomes(count=1, thermostat_w_per_k=500.0, **fleet)
    one, world = pump(drawn)
    for step in range(288):
        utc_s = START_UTC_S + 300 * step
        homes.advance(homes.power_w(utc_s), utc_s, 300.0)
        one.follow(utc_s)
        world.impose([1.0], 50.0)
        one.advance(-world.held()[0][0], utc_s, 300.0)
        assert one.room_c == float(homes.temperature_c[0])
        assert one.outdoor_c == homes.outdoor_c(utc_s)


def test_the_outdoors_swing_by_the_hour_and_differ_by_the_day() -> None:
    calm = Outdoors(3, 5.0, 4.0, 0.0)
    warmest = max(range(24), key=lambda hour: calm.at(START_UTC_S + 3600 * hour))
    assert (warmest, calm.at(START_UTC_S + 15 * 3600)) == (15, pytest.approx(9.0))
    drawn = [Outdoors(3, 5.0, 0.0, 2.0).at(START_UTC_S + 86_400 * k) for k in range(400)]
    assert np.mean(drawn) == pytest.approx(5.0, abs=0.3)
    assert 1.0 < np.std(drawn) < 2.0  # midnight is the mean of two noons: 2 / sqrt(2)


@settings(max_examples=40, deadline=None)
@given(
    told=st.lists(st.none() | st.floats(0, 3000), min_size=1, max_size=12),
    seed=st.integers(0, 50),
    p_w_min=st.sampled_from([0.0, 400.0]),
)
def test_prop_the_room_stays_in_its_band(
    told: list[float | None], seed: int, p_w_min: float
) -> None:
    """Whatever is told: within what one step of five minutes can do beyond the ends.

    That is the heat of people above, and a pump that cannot modulate so low below.
    """
    weather = {"outdoor_c": 0.0, "swing_k": 4.0, "spread_k": 1.0, "seed": seed}
    one, world = pump(weather, gain_w_max=200.0, p_w_min=p_w_min)
    for order in told:
        one.tell(order)
        seen = live(one, world, 3.0, 300.0)
        step_k = 300 / 3600 * 150.0 * (20.0 - (-8.0)) / 4000.0
        assert min(seen) >= 20.0 - step_k
        assert max(seen) <= 22.5 + 300 / 3600 * 200.0 / 4000.0
    assert (gains_w(seed, START_UTC_S, 200.0, 1) <= 200.0).all()
