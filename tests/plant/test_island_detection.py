"""Island detection that can be switched off, and what an island tick tells step by step."""

import pytest

from gridrig.plant import World, events_of

OPEN = {"OV1": False, "OV2": [1.2, 0.16], "UV1": False, "UV2": False}
QUIET = {**OPEN, "OF1": False, "OF2": False, "UF1": False, "UF2": False}


def islanded(**settings: object) -> World:
    """Return an inverter that was just left alone with a load that suits it."""
    world = World(s_base_va=1e4, seed=1)
    table = {"s_va": 1e4, "relays": QUIET, "momentary_cessation": False, "droop": False}
    pv = world.add_pv("pv", {**table, **settings})  # type: ignore[dict-item]
    world.set_available(pv, 1e4)
    world.impose([1.0], 50.0)
    world.advance(5.0)
    world.set_rlc(1e4, 1.0, 1.0)
    return world


def test_switched_off_an_island_lives_and_switched_on_again_it_ends() -> None:
    world = islanded()
    world.set_functions(0, {"island_detection": False})
    assert world.functions(0)["island_detection"] is False
    world.open_pcc(0.0)
    tick = world.island_tick(0.0, 10.0)
    assert [event.kind for event in events_of(tick)] == ["opened"]
    assert tick.v_end_pu == pytest.approx(1.0, abs=0.05)
    world.set_functions(0, {"island_detection": True})
    ended = events_of(world.island_tick(10.0, 2.0))
    assert [(event.kind, event.detail) for event in ended][:1] == [("tripped", "island")]


def test_reactive_power_is_told_for_every_step() -> None:
    world = islanded(reactive_mode="constant", constant_q_pu=0.3)
    world.open_pcc(0.0)
    tick = world.island_tick(0.0, 0.2)
    p_w, q_var = world.held()
    assert len(tick.q_var[0]) == len(tick.times_s) == 200
    assert sum(tick.q_var[0]) / 200 == pytest.approx(q_var[0], abs=1e-6)
    assert sum(tick.p_w[0]) / 200 == pytest.approx(p_w[0], abs=1e-6)
    assert tick.q_var[0][0] == pytest.approx(3000.0, rel=0.1)
