"""Battery packs in the plant: a switch that opens at full power, and what the manager believes."""

import pytest

from gridrig.errors import PlantError
from gridrig.plant import World, events_of

FULL_W = 5e3


def storage(**settings: object) -> tuple[World, int]:
    pack = {"capacity_ah": 200.0, "soc": 0.6, **dict(settings.pop("pack", {}))}
    world = World(s_base_va=10e3, seed=1)
    index = world.add_storage("battery", {"s_va": FULL_W, "pack": pack, **settings})
    return world, index


def hold(world: World, seconds: int) -> None:
    for _ in range(seconds):
        world.held()
        world.impose([1.0] * len(world), 50.0)
        world.integrate(1.0)
        world.advance(1.0)


@pytest.mark.parametrize(
    ("p_w", "cause", "v_pu"),
    [(FULL_W, "dc_under_voltage", 0.6), (-FULL_W, "dc_over_voltage", 1.4)],
)
def test_switch_that_opens_at_full_power_kicks_the_dc_bus_and_trips_the_inverter(p_w, cause, v_pu):
    world, battery = storage(efficiency=1.0, enter_service_delay_s=300.0)
    world.set_power_w(battery, p_w)
    hold(world, 10)
    i_a = world.pack(battery).i_a
    assert abs(i_a) > 90
    world.set_fets(battery, False, False)
    # At once: no current, nothing at the terminal, and the three events that say why.
    assert world.pack(battery).i_a == 0.0
    assert world.held()[0][battery] == 0.0
    opened, bus, tripped = events_of(world)
    assert (opened.kind, opened.detail, opened.value) == ("fet_opened", "command", i_a)
    # Capacitors of 5 ms at rated power bear 2 ms of it: 1/2 C v^2 changes by 40 %.
    assert (bus.kind, bus.detail) == ("dc_bus", cause)
    assert bus.value**2 == pytest.approx(v_pu, rel=0.01)
    assert (tripped.kind, tripped.detail) == ("tripped", cause)
    terminal = world.terminal(battery)
    assert (terminal.status, terminal.trip_cause) == ("tripped", cause)
    # It enters service again after its delay and gives nothing while the switch is open.
    hold(world, 302)
    assert world.terminal(battery).status == "running"
    assert world.held()[0][battery] == 0.0
    world.set_fets(battery, True, True)
    hold(world, 330)  # the enter-service ramp
    assert world.held()[0][battery] == pytest.approx(p_w, rel=1e-3)


def test_switch_that_opens_at_a_fifth_of_the_power_only_ends_the_current():
    world, battery = storage()
    world.set_power_w(battery, FULL_W / 5)
    hold(world, 10)
    world.set_fets(battery, False, False)
    assert [event.kind for event in events_of(world)] == ["fet_opened"]
    assert world.terminal(battery).status == "running"
    assert (world.held()[0][battery], world.pack(battery).i_a) == (0.0, 0.0)


def test_protection_that_opens_under_full_power_trips_the_inverter_too():
    world, battery = storage(obeys_pack=False)
    world.set_power_w(battery, FULL_W)
    hold(world, 5)
    world.set_protection(battery, "discharge_over_current", 20.0)
    hold(world, 12)
    assert world.pack(battery).protections == ["discharge_over_current"]
    kinds = [(event.kind, event.detail) for event in events_of(world)]
    assert kinds == [
        ("fet_opened", "discharge_over_current"),
        ("dc_bus", "dc_under_voltage"),
        ("tripped", "dc_under_voltage"),
    ]


def test_hot_pack_stops_charging_before_it_stops_discharging():
    world, battery = storage()
    for t_c, fets in [(54.0, (True, True)), (56.0, (False, True)), (66.0, (False, False))]:
        world.set_pack_temperature(battery, t_c)
        hold(world, 3)
        pack = world.pack(battery)
        assert (pack.charge_fet, pack.discharge_fet) == fets
    world.set_pack_temperature(battery, 20.0)
    hold(world, 1)
    assert world.pack(battery).protections == []


def test_manager_believes_what_it_is_told_and_the_cells_do_not_change():
    world, battery = storage()
    cells = world.pack(battery).cells_mv
    world.set_counted_soc(battery, 0.95)
    pack = world.pack(battery)
    assert (pack.soc, pack.soc_counted) == (pytest.approx(0.6), 0.95)
    assert pack.cells_mv == cells
    assert pack.charge_limit_a == pytest.approx(50.0)  # the taper follows what it believes


@pytest.mark.parametrize(
    ("pack", "key"),
    [
        ({"protections": {"cell_over_voltage": [3.6, 1.0, 3.7]}}, "cell_over_voltage"),
        ({"protections": {"cell_over_volts": [3.6, 1.0, 3.4]}}, "cell_over_volts"),
        ({"parallel": 0}, "parallel"),
        ({"shunt_gain": 2.0}, "shunt_gain"),
    ],
)
def test_setting_that_no_pack_has_is_refused_with_its_place(pack, key):
    with pytest.raises(PlantError) as refusal:
        storage(pack=pack)
    assert refusal.value.facts["key"] == key
    assert str(refusal.value.facts["place"]).startswith("battery.pack")


def test_same_seed_gives_the_same_pack_bit_for_bit():
    def run() -> list[object]:
        world, battery = storage()
        seen: list[object] = []
        for step in range(200):
            world.set_power_w(battery, (step * 7919 % 10_000) - 5_000.0)
            hold(world, 1)
            pack = world.pack(battery)
            told = (pack.soc, pack.soc_counted, pack.v_v, pack.temperature_c, pack.heat_j)
            seen += [*(value.hex() for value in told), tuple(pack.cells_mv)]
        return seen

    assert run() == run()


def test_follower_that_loses_its_pack_in_an_island_trips_and_the_former_carries_on():
    world = World(s_base_va=20e3, seed=1)
    pack = {"capacity_ah": 200.0, "soc": 0.6}
    former = world.add_storage(
        "former", {"s_va": 20e3, "forms_grid": True, "pack": {**pack, "cells": 100}}
    )
    follower = world.add_storage("follower", {"s_va": FULL_W, "pack": pack})
    world.set_load(world.add_load("load"), 8e3, 0.0)
    world.set_power_w(follower, FULL_W)
    hold(world, 5)
    world.open_pcc(5.0)
    for second in range(5, 8):
        world.island_tick(float(second), 1.0)
        world.integrate(1.0)
    before_w = world.terminal(former).p_w
    world.set_fets(follower, False, False)
    tick = world.island_tick(8.0, 1.0)
    found = {(name, kind, detail) for _, kind, name, _, detail in tick.events}
    assert ("follower", "fet_opened", "command") in found
    assert ("follower", "tripped", "dc_under_voltage") in found
    assert world.island_state == "island"
    assert world.terminal(follower).p_w == 0.0
    assert world.terminal(former).p_w == pytest.approx(before_w + FULL_W, rel=0.02)
    assert tick.f_min_hz > 49.0
