"""The plant on the grid: what terminals give, what registers count, what inverters obey."""

import math

import pytest

from gridrig.errors import PlantError
from gridrig.plant import World, events_of


def world_of_one_pv(**settings: object) -> tuple[World, int]:
    world = World(s_base_va=10e3, seed=1)
    pv = world.add_pv("pv", {"s_va": 10e3, **settings})
    world.set_available(pv, 8e3)
    return world, pv


def hold(world: World, seconds: float, *, v_pu: float = 1.0, f_hz: float = 50.0, dt_s: float = 1.0):
    """Run quasi-static ticks at one voltage and frequency."""
    for _ in range(round(seconds / dt_s)):
        p_w, q_var = world.held()
        world.impose([v_pu] * len(world), f_hz)
        world.set_head(-sum(p_w), -sum(q_var))
        world.integrate(dt_s)
        world.advance(dt_s)


def test_a_tick_gives_the_power_of_each_device_with_the_sign_of_generation():
    world, pv = world_of_one_pv()
    load = world.add_load("load")
    world.set_load(load, 3e3, 1e3)
    assert world.held() == ([8e3, -3e3], [0.0, -1e3])
    hold(world, 3600, dt_s=60)
    assert world.terminal(pv).export_milliwh == 8_000_000
    assert world.terminal(load).import_milliwh == 3_000_000
    assert world.terminal(load).export_milliwh == 0
    assert world.head().import_milliwh == 5_000_000  # what the feeder sent up


def test_a_written_limit_is_followed_within_the_response_time():
    world, pv = world_of_one_pv(response_s=2.0)
    world.held()
    world.set_limit_w(pv, 3e3)
    hold(world, 2.0, dt_s=0.1)
    assert world.held()[0][pv] == pytest.approx(3e3 + 0.1 * 5e3, rel=1e-9)  # 90 % of the step
    hold(world, 20)
    assert world.held()[0][pv] == pytest.approx(3e3, rel=1e-6)
    assert world.terminal(pv).status == "throttled"
    assert world.terminal(pv).limit_w == 3e3


def test_the_response_does_not_depend_on_how_time_is_cut():
    coarse, pv = world_of_one_pv(response_s=60.0)
    fine, _ = world_of_one_pv(response_s=60.0)
    for world, dt_s in ((coarse, 60.0), (fine, 0.5)):
        world.held()
        world.set_limit_w(pv, 1e3)
        hold(world, 60, dt_s=dt_s)
    assert coarse.held()[0][pv] == pytest.approx(fine.held()[0][pv], rel=1e-9)


@pytest.mark.parametrize(
    ("v_pu", "f_hz", "relay", "delay_s"),
    [
        (1.15, 50.0, "OV1", 13.0),
        (1.25, 50.0, "OV2", 0.16),
        (0.80, 50.0, "UV1", 21.0),
        (0.30, 50.0, "UV2", 2.0),
        (1.00, 51.2, "OF1", 300.0),
        (1.00, 52.0, "OF2", 0.16),
        (1.00, 48.5, "UF1", 300.0),
        (1.00, 46.9, "UF2", 0.16),
    ],
)
def test_a_relay_trips_after_its_delay_and_names_itself(v_pu, f_hz, relay, delay_s):
    world, pv = world_of_one_pv()
    hold(world, 5)
    hold(world, 400, v_pu=v_pu, f_hz=f_hz, dt_s=0.5)
    trips = [event for event in events_of(world) if event.kind == "tripped"]
    assert [(event.name, event.detail) for event in trips] == [("pv", relay)]
    assert trips[0].t_s == pytest.approx(5 + delay_s, abs=1e-6)
    terminal = world.terminal(pv)
    assert (terminal.status, terminal.trip_cause, terminal.p_w) == ("tripped", relay, 0.0)


def test_a_tripped_inverter_enters_service_after_the_delay_and_ramps():
    world, pv = world_of_one_pv(enter_service_delay_s=60.0, enter_service_ramp_s=100.0)
    hold(world, 1, v_pu=1.25)
    hold(world, 59)
    assert world.terminal(pv).status == "starting"
    hold(world, 0.1, v_pu=1.06, dt_s=0.1)  # an excursion starts the delay again
    hold(world, 59)
    assert world.held()[0][pv] == 0.0
    hold(world, 2)
    assert world.terminal(pv).connected
    hold(world, 50)
    assert 4e3 < world.held()[0][pv] < 5.3e3  # half of the ramp to 10 kW
    hold(world, 100)
    assert world.held()[0][pv] == pytest.approx(8e3)


def test_withdrawing_the_permit_ceases_at_once():
    world, pv = world_of_one_pv()
    world.held()
    world.set_connect(pv, False)
    assert world.held()[0][pv] == 0.0
    assert world.terminal(pv).status == "off"
    assert not world.terminal(pv).connected


def test_over_frequency_reduces_power_along_the_droop():
    world, pv = world_of_one_pv()
    hold(world, 5)
    hold(world, 60, f_hz=50.53)
    # 8 kW - (0.53 - 0.03) / (50 x 0.05) of 10 kW
    assert world.held()[0][pv] == pytest.approx(6e3, rel=1e-3)
    hold(world, 60)
    assert world.held()[0][pv] == pytest.approx(8e3, rel=1e-3)


@pytest.mark.parametrize(
    ("mutant", "held_w"),
    [({"ignores_limit": True}, 8e3), ({"response_s": 60.0}, 3e3 + 5e3 * 0.1**0.5), ({}, 3e3)],
)
def test_mutants_of_the_power_limit_do_what_they_are_named_for(mutant, held_w):
    world, pv = world_of_one_pv(**mutant)
    world.held()
    world.set_limit_w(pv, 3e3)
    hold(world, 30)
    assert world.held()[0][pv] == pytest.approx(held_w, rel=1e-6)


@pytest.mark.parametrize(
    ("mutant", "at_s"), [({"trips": False}, None), ({"trip_delay_s": 3.0}, 3.16), ({}, 0.16)]
)
def test_mutants_of_the_trip_do_what_they_are_named_for(mutant, at_s):
    world, _ = world_of_one_pv(**mutant)
    hold(world, 10, v_pu=1.25, dt_s=0.1)
    trips = [event.t_s for event in events_of(world) if event.kind == "tripped"]
    assert trips == ([] if at_s is None else [pytest.approx(at_s)])


def world_of_one_battery(**pack: object) -> tuple[World, int]:
    world = World(s_base_va=10e3, seed=1)
    settings = {"s_va": 5e3, "pack": {"capacity_ah": 100.0, "charge_a_max": 100.0, **pack}}
    return world, world.add_storage("battery", settings)


def test_a_battery_follows_its_set_point_and_pays_for_both_directions():
    world, battery = world_of_one_battery(soc=0.5, discharge_a_max=100.0)
    world.set_power_w(battery, 2e3)
    hold(world, 600)
    assert world.held()[0][battery] == pytest.approx(2e3)
    pack = world.pack(battery)
    assert pack.i_a > 2e3 / pack.v_v
    world.set_power_w(battery, -2e3)
    hold(world, 600)
    assert world.pack(battery).i_a < 0
    assert world.pack(battery).soc < 0.5  # the losses of the round trip
    terminal = world.terminal(battery)
    assert abs(terminal.export_milliwh - terminal.import_milliwh) < 2000


def test_the_charge_limit_falls_to_zero_at_full_and_the_inverter_obeys():
    world, battery = world_of_one_battery(soc=0.94)
    assert world.pack(battery).charge_limit_a == pytest.approx(60.0)
    world.set_power_w(battery, -5e3)
    hold(world, 60, dt_s=0.5)
    assert -world.pack(battery).i_a <= world.pack(battery).charge_limit_a * 1.005  # a tick behind
    hold(world, 8 * 3600, dt_s=10)
    assert 0.99 < world.pack(battery).soc <= 1.0
    assert world.pack(battery).protections == []


def test_a_lowered_limit_wins_before_a_switch_has_to_open():
    world, battery = world_of_one_battery(soc=0.5, discharge_a_max=100.0)
    world.set_power_w(battery, 4e3)
    hold(world, 30)
    world.set_pack_limits(battery, None, 10.0)
    hold(world, 60)
    assert world.pack(battery).i_a == pytest.approx(10.0, rel=0.01)
    assert events_of(world) == []


def test_an_inverter_that_does_not_obey_its_pack_loses_it():
    world = World(s_base_va=10e3, seed=1)
    battery = world.add_storage("b", {"s_va": 5e3, "obeys_pack": False, "pack": {}})
    world.set_power_w(battery, 4e3)
    hold(world, 5)
    world.set_pack_limits(battery, None, 10.0)
    hold(world, 12)
    assert world.pack(battery).protections == ["discharge_over_current"]
    assert not world.pack(battery).discharge_fet
    assert world.held()[0][battery] == 0.0
    opened = [event for event in events_of(world) if event.kind == "fet_opened"]
    assert [(event.name, event.detail) for event in opened] == [("b", "discharge_over_current")]
    assert opened[0].value > 50.0


def test_an_open_switch_carries_nothing_in_its_direction_only():
    world, battery = world_of_one_battery(soc=0.5)
    world.set_power_w(battery, 1e3)
    hold(world, 5)
    world.set_fets(battery, True, False)
    assert world.held()[0][battery] == 0.0
    world.set_power_w(battery, -1e3)
    hold(world, 5)
    assert world.held()[0][battery] == pytest.approx(-1e3)
    assert [event.detail for event in events_of(world)] == ["command"]


def test_cells_differ_by_seed_and_repeat_with_it():
    cells = [World(s_base_va=1e4, seed=seed) for seed in (1, 1, 2)]
    seen = []
    for world in cells:
        world.add_storage("b", {"s_va": 5e3})
        seen.append(world.pack(0).cells_mv)
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]
    assert len(set(seen[0])) > 4


def test_a_dead_bus_gives_nothing_and_is_not_counted():
    world, pv = world_of_one_pv()
    world.held()
    world.impose([0.0], 50.0)
    world.integrate(3600)
    assert world.terminal(pv).p_w == 0.0
    assert world.terminal(pv).f_hz == 0.0
    assert world.terminal(pv).export_milliwh == 0


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda w: w.impose([math.nan], 50.0), "plant.value_wrong"),
        (lambda w: w.impose([-0.1], 50.0), "plant.value_wrong"),
        (lambda w: w.impose([1.0, 1.0], 50.0), "plant.length_wrong"),
        (lambda w: w.set_available(0, math.inf), "plant.value_wrong"),
        (lambda w: w.set_load(0, 1.0, 0.0), "plant.device_kind"),
        (lambda w: w.terminal(7), "plant.device_unknown"),
        (lambda w: w.pack(0), "plant.device_kind"),
        (lambda w: w.add_pv("pv", {"s_va": 1e3}), "plant.name_repeated"),
        (lambda w: w.add_pv("x", {}), "plant.setting_missing"),
        (lambda w: w.add_pv("x", {"s_va": -1}), "plant.setting_wrong"),
        (lambda w: w.add_pv("x", {"s_va": 1e3, "detector": "magic"}), "plant.setting_wrong"),
        (
            lambda w: w.add_pv("x", {"s_va": 1e3, "relays": {"OV3": [1]}}),
            "plant.setting_unknown",
        ),
        (lambda w: w.island_tick(0.0, 1.0), "plant.pcc_state"),
        (lambda w: w.advance(-1.0), "plant.value_wrong"),
        (lambda w: w.request_reclose(0.0, {}), "plant.setting_missing"),
    ],
)
def test_what_the_plant_cannot_hold_is_refused_by_name(call, code):
    world, _ = world_of_one_pv()
    before = world.held()
    with pytest.raises(PlantError) as refusal:
        call(world)
    assert refusal.value.code == code
    assert world.held() == before


def test_an_unknown_setting_names_the_key_and_the_near_miss():
    world = World(s_base_va=1e4, seed=1)
    with pytest.raises(PlantError, match="respons_s") as refusal:
        world.add_pv("pv", {"s_va": 1e3, "respons_s": 1.0})
    assert refusal.value.facts["near_miss"] == "response_s"
    assert refusal.value.facts["place"] == "pv"
