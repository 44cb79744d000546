"""The plant on its own: a street with 100 kW of sun, two batteries and fourteen loads."""

from dataclasses import dataclass, field

import pytest

from gridrig.plant import MICROGRID_DROOP, Event, IslandTick, World, events_of

SYNC = {"df_hz": 0.25, "dv_pu": 0.1, "dtheta_deg": 20.0}


@dataclass
class Street:
    """A street, the time, and what happened."""

    world: World
    pv: list[int]
    former: int
    follower: int
    loads: list[int]
    t_s: float = 0.0
    events: list[Event] = field(default_factory=list)

    def closed(self, seconds: int) -> None:
        for _ in range(seconds):
            p_w, q_var = self.world.held()
            self.world.impose([1.0] * len(self.world), 50.0)
            self.world.set_head(-sum(p_w), -sum(q_var))
            self.world.integrate(1.0)
            self.world.advance(1.0)
            self.t_s += 1.0
        self.events += events_of(self.world)

    def island(self, seconds: float, *, share: bool = False, **options: float) -> IslandTick:
        """Run island ticks of a second; `share` shares the storages' power by rating."""
        for _ in range(round(seconds)):
            tick = self.world.island_tick(self.t_s, 1.0, 500.0, **options)
            self.t_s += 1.0
            self.events += events_of(tick)
            p_w, _ = self.world.held()
            self.world.impose([tick.v_mean_pu] * len(self.world), tick.f_mean_hz)
            self.world.integrate(1.0)
            if share:
                together = p_w[self.former] + p_w[self.follower]
                self.world.set_power_w(self.follower, max(-20e3, min(20e3, 0.4 * together)))
        return tick

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]


def street(*, soc: float = 0.97, sun_w: float = 100e3, load_w: float = 25e3, seed: int = 1):
    world = World(s_base_va=100e3, seed=seed)
    droop = dict(MICROGRID_DROOP)
    pack = {"cells": 96, "soc": soc, "capacity_ah": 600.0}
    amps = {"charge_a_max": 110.0, "discharge_a_max": 110.0}
    made = Street(
        world,
        [world.add_pv(f"pv-{i}", {"s_va": 14e3, **droop}) for i in range(8)],
        world.add_storage("former", {"s_va": 30e3, "forms_grid": True, "pack": {**pack, **amps}}),
        world.add_storage("follower", {"s_va": 20e3, **droop, "pack": {**pack, **amps}}),
        [world.add_load(f"load-{i}") for i in range(14)],
    )
    weather(made, sun_w, load_w)
    last_first = reversed(made.loads)
    world.set_shed_plan([(load, stage) for stage, load in enumerate(last_first, 1)])
    made.closed(5)
    return made


def weather(made: Street, sun_w: float, load_w: float) -> None:
    for pv in made.pv:
        made.world.set_available(pv, sun_w / 8)
    for load in made.loads:
        made.world.set_load(load, load_w / 14, 0.2 * load_w / 14)


def test_a_surplus_island_with_nearly_full_batteries_throttles_the_sun_and_trips_nothing():
    made = street()
    made.world.open_pcc(made.t_s)
    first = made.island(1)
    last = made.island(29)
    assert [event.value for event in made.of("opened")] == [pytest.approx(-75e3)]
    assert {event.name for event in made.of("throttled")} >= {f"pv-{i}" for i in range(8)}
    assert made.of("tripped") == made.of("shed") == made.of("dead") == []
    assert ("former", "charge") in {(event.name, event.detail) for event in made.of("limit")}
    assert made.of("formed")[0].value < 0.2
    assert first.v_min_pu > 0.75
    assert first.v_max_pu < 1.2
    assert first.f_max_hz < 51.0
    # It settles where the battery takes just what it accepts.
    assert last.f_max_hz - last.f_min_hz < 2e-3
    assert 50.2 < last.f_end_hz < 51.0
    accepted_w = made.world.pack(made.former).charge_limit_a * 320 / 0.96
    assert made.world.held()[0][made.former] == pytest.approx(-accepted_w, rel=0.1)
    assert {made.world.terminal(pv).status for pv in made.pv} == {"throttled"}


def test_an_empty_battery_lets_the_frequency_come_back():
    made = street(soc=0.5, sun_w=45e3)
    made.world.open_pcc(made.t_s)
    made.island(60)
    assert made.island(1).f_end_hz == pytest.approx(50.0, abs=0.04)
    assert made.of("limit") == []


def test_a_deficit_sheds_by_priority_until_the_formers_rating_is_enough():
    made = street()
    made.world.open_pcc(made.t_s)
    made.island(10)
    weather(made, 5e3, 70e3)
    made.island(30)
    shed = [event.name for event in made.of("shed")]
    assert shed == [f"load-{n}" for n in range(13, 13 - len(shed), -1)]  # stage 1 first
    assert 3 <= len(shed) <= 5  # 20 kW are missing, 5 kW a load
    assert {made.world.terminal(i).status for i in made.loads[14 - len(shed) :]} == {"shed"}
    assert made.of("tripped") == []
    last = made.island(1)
    assert last.f_min_hz > 49.0
    assert made.world.held()[0][made.former] <= 30e3 * 1.01
    times = [event.t_s for event in made.of("shed")]
    assert times == sorted(times)
    assert times[0] > 15.0


def test_a_storm_ends_in_a_gentle_reclosing_and_every_load_comes_back():
    made = street()
    made.world.open_pcc(made.t_s)
    made.island(10)
    weather(made, 5e3, 70e3)
    made.island(15)
    made.island(60, share=True)
    made.world.request_reclose(made.t_s, SYNC)
    for _ in range(90):
        if made.world.pcc_closed:
            break
        made.island(1, share=True, grid_v_pu=1.01, grid_f_hz=50.02)
    sync = {event.detail: event.value for event in made.of("sync")}
    assert {key: abs(sync[key]) <= limit for key, limit in SYNC.items()} == dict.fromkeys(
        SYNC, True
    )
    assert made.of("reclosed")[0].detail == "live bus"
    after = made.island(2, grid_v_pu=1.01, grid_f_hz=50.02)
    assert after.v_min_pu > 0.97
    assert after.f_end_hz == pytest.approx(50.02, abs=0.005)
    assert made.world.island_state == "closed"
    made.closed(90)
    restored = [event.name for event in made.of("restored")]
    assert restored == [event.name for event in reversed(made.of("shed"))]
    assert {made.world.terminal(i).status for i in made.loads} == {"running"}


def test_a_former_beyond_help_trips_and_the_street_goes_dark_until_the_grid_returns():
    made = street(sun_w=0.0, load_w=25e3)
    made.world.set_shed_plan([])
    made.world.open_pcc(made.t_s)
    weather(made, 0.0, 120e3)
    made.island(20)
    assert next((e.name, e.detail) for e in made.of("tripped")) in {
        ("former", "overload"),
        ("former", "undervoltage"),
    }
    assert len(made.of("dead")) == 1
    assert made.world.island_state == "dead"
    assert made.world.terminal(made.loads[0]).v_pu < 0.05
    before = made.world.terminal(made.loads[0]).import_milliwh
    made.island(1)
    assert made.world.terminal(made.loads[0]).import_milliwh - before < 10
    weather(made, 0.0, 25e3)
    made.world.request_reclose(made.t_s, SYNC)
    made.island(1)
    assert made.world.pcc_closed
    assert made.of("reclosed")[0].detail == "dead bus"
    made.closed(2)
    assert made.world.held()[0][made.loads[0]] == pytest.approx(-25e3 / 14)


def test_opening_the_formers_switch_takes_the_street_down():
    made = street(soc=0.5, sun_w=5e3)
    made.world.open_pcc(made.t_s)
    made.island(2)
    made.world.set_fets(made.former, False, False)
    made.island(4)
    assert ("former", "fet") in {(event.name, event.detail) for event in made.of("tripped")}
    assert made.world.island_state == "dead"


def test_a_former_told_to_disconnect_lets_the_island_go():
    made = street(soc=0.5, sun_w=0.0)
    made.world.open_pcc(made.t_s)
    made.island(2)
    made.world.set_connect(made.former, False)
    made.island(3)
    assert made.world.terminal(made.former).p_w == 0.0
    assert made.world.terminal(made.former).status == "off"
    assert made.world.island_state == "dead"


def test_registers_in_the_island_balance_with_the_losses():
    made = street(soc=0.5, sun_w=40e3)
    made.world.open_pcc(made.t_s)
    made.island(5)

    def net() -> int:
        terminals = [made.world.terminal(i) for i in range(len(made.world))]
        return sum(t.export_milliwh - t.import_milliwh for t in terminals)

    before = net()
    made.island(36)
    assert net() - before == pytest.approx(500 * 36 / 3.6, rel=0.02)  # 500 W of losses


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_trace(seed):
    ticks = []
    for _ in range(2):
        made = street(seed=seed)
        made.world.open_pcc(made.t_s)
        tick = made.island(2)
        ticks.append((tick.f_hz, tick.v_pu, tick.p_w, made.events))
    assert ticks[0] == ticks[1]


def test_how_the_island_is_cut_into_ticks_changes_nothing():
    ends = []
    for seconds in (0.1, 2.0):
        made = street(soc=0.5)
        made.world.open_pcc(5.0)
        steps = round(2.0 / seconds)
        for k in range(steps):
            tick = made.world.island_tick(5.0 + k * seconds, seconds, record_every=0)
        ends.append((tick.f_end_hz, tick.v_end_pu))
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)


@pytest.mark.parametrize(
    ("mutant", "trips"),
    [
        ({}, True),
        ({"detector": "none"}, False),
        ({"trips": False}, False),
        ({"trip_delay_s": 3.0}, False),
    ],
)
def test_an_unformed_island_is_left_within_two_seconds_unless_the_inverter_is_a_mutant(
    mutant, trips
):
    world = World(s_base_va=10e3, seed=3)
    wide = {"OF2": [55.0, 1000.0], "UF2": [45.0, 1000.0]}
    pv = world.add_pv("pv", {"s_va": 10e3, "relays": wide, **mutant})
    world.set_available(pv, 10e3)
    world.set_rlc(10e3, 1.0, 1.0)
    world.held()
    world.impose([1.0], 50.0)
    world.open_pcc(0.0)
    tick = world.island_tick(0.0, 2.0)
    assert (tick.v_end_pu < 0.05) is trips
    events = events_of(tick)
    assert ([e.detail for e in events if e.kind == "tripped"] == ["island"]) is trips
    if trips:
        dead = next(event for event in events if event.kind == "dead")
        assert dead.value < 2.0
        assert world.island_state == "dead"


def test_an_island_without_a_former_dies_with_its_inverters_tripped():
    made = street()
    made.world.set_connect(made.former, False)
    made.closed(1)
    made.world.open_pcc(made.t_s)
    made.island(5)
    tripped = {event.name for event in made.of("tripped")}
    assert tripped == {f"pv-{i}" for i in range(8)} | {"follower"}
    assert max(event.value for event in made.of("tripped")) < 2.0
    assert made.world.island_state == "dead"
