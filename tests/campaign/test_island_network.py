"""The network of an island: the plant's voltages at each bus are those that the feeder solves."""

from dataclasses import replace

import pytest

from gridrig.campaign.assembly import make_street
from gridrig.campaign.builtin import RIGS
from gridrig.campaign.flow import Physics
from gridrig.campaign.rig_grid import Grid, load_grid
from gridrig.rig.description import load_rig

START_S = 1_467_206_100  # 2016-06-29T13:15:00Z
SETTLED_S = 60


@pytest.fixture(scope="module")
def loaded() -> Grid:
    rig = load_rig(RIGS / "emulated-street.toml")
    assert rig.feeder is not None
    return load_grid(replace(rig, feeder=replace(rig.feeder, engine="opendss")), START_S, 600)


def islanded(loaded: Grid) -> Physics:
    """Return a street that has been an island until its former's voltage came back."""
    loaded.feeder.close_pcc()
    street = make_street(load_rig(RIGS / "emulated-street.toml"), loaded, seed=1)
    street.follow_profiles(START_S)
    physics = Physics(street, loaded.feeder)
    for tick in range(SETTLED_S):
        if tick == 2:
            physics.open_pcc(2.0)
        physics.step(float(tick), 1.0)
        physics.finish(1.0)
    return physics


def test_plant_has_the_voltages_that_the_feeder_solves_at_each_bus(loaded: Grid) -> None:
    physics = islanded(loaded)
    assert physics.network is not None
    assert physics.network.one_bus == ""
    assert len(physics.network.y_va) == 14
    assert physics.last is not None
    solved = physics.last.solution
    world, street = physics.world, physics.street
    world.island_tick(float(SETTLED_S), 1.0, 0.0, record_every=0)
    modelled = {bus: world.terminal(k).v_pu for k, bus in enumerate(street.buses)}
    assert max(modelled.values()) - min(modelled.values()) > 1e-3  # not one bus
    for bus, v_pu in modelled.items():
        assert v_pu == pytest.approx(solved.v_at(bus), abs=2e-6), bus


def test_island_with_a_dead_bus_is_one_bus_and_says_why(loaded: Grid) -> None:
    loaded.feeder.close_pcc()
    loaded.feeder.switch("line:LV1.101 Line 9", closed=False)
    try:
        physics = islanded(loaded)
    finally:
        loaded.feeder.close_pcc()
        loaded.feeder.switch("line:LV1.101 Line 9", closed=True)
    assert physics.network is not None
    assert physics.network.one_bus == "bus 'LV1.101 Bus 5' is not part of it"
    assert physics.last is not None
    assert physics.last.solution.dead == ("LV1.101 Bus 5", "LV1.101 Bus 6")
