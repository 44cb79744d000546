"""Islands of many buses from a feeder engine's admittances, beside that engine's power flow."""

import numpy as np
import pandapower as pp
import pytest

from gridrig.errors import PlantError
from gridrig.plant import World, kron_reduced

S_BASE_VA = 100e3
V_BASE = 400.0


def feeder():
    """Return a low-voltage feeder in a row with a branch, and the buses that carry something."""
    net = pp.create_empty_network(f_hz=50.0, sn_mva=S_BASE_VA / 1e6)
    buses = [pp.create_bus(net, vn_kv=V_BASE / 1e3) for _ in range(7)]
    pp.create_ext_grid(net, buses[0], vm_pu=1.0)
    for a, b, km in [
        (0, 1, 0.1),
        (1, 2, 0.15),
        (2, 3, 0.2),
        (2, 4, 0.05),
        (4, 5, 0.1),
        (5, 6, 0.1),
    ]:
        pp.create_line_from_parameters(
            net,
            buses[a],
            buses[b],
            km,
            r_ohm_per_km=0.32,
            x_ohm_per_km=0.08,
            c_nf_per_km=0.0,
            max_i_ka=0.3,
        )
    return net


LOADS = {3: (9e3, 2e3), 6: (6e3, 1e3)}
SUN = {5: 12e3}


def solved(net, extra_w: float = 0.0):
    for bus, (p_w, q_var) in LOADS.items():
        pp.create_load(net, bus, p_mw=(p_w + extra_w) / 1e6, q_mvar=q_var / 1e6)
    for bus, p_w in SUN.items():
        pp.create_sgen(net, bus, p_mw=p_w / 1e6)
    pp.runpp(net, numba=False)
    ybus = net._ppc["internal"]["Ybus"].toarray()
    lookup = net._pd2ppc_lookups["bus"]
    return net.res_bus.vm_pu.to_numpy(), ybus, lookup


def test_an_island_settles_on_the_power_flow_of_pandapower():
    net = feeder()
    v_pu, ybus, lookup = solved(net)
    buses = [0, *LOADS, *SUN]
    reduced = kron_reduced(ybus, [int(lookup[bus]) for bus in buses])
    world = World(f_nominal_hz=50.0, s_base_va=S_BASE_VA, seed=1)
    # The former at the head stands for the slack: it holds 1.0 pu there by its secondary control.
    pack = {"cells": 100, "capacity_ah": 1000.0, "charge_a_max": 1e3, "discharge_a_max": 1e3}
    former = world.add_storage(
        "former", {"s_va": 50e3, "forms_grid": True, "pack": {**pack, "soc": 0.5}}
    )
    loads = [world.add_load(f"load-{bus}") for bus in LOADS]
    (pv,) = [
        world.add_pv(f"pv-{bus}", {"s_va": 15e3, "droop": False, "detector": "none"}) for bus in SUN
    ]
    for load, powers in zip(loads, LOADS.values(), strict=True):
        world.set_load(load, *powers)
    world.set_available(pv, 12e3)
    world.held()
    world.set_network([0, 1, 2, 3], reduced, 0)
    world.open_pcc(0.0)
    for second in range(60):
        world.island_tick(float(second), 1.0, record_every=0)
    at = {bus: world.terminal(i).v_pu for i, bus in enumerate(buses)}
    for bus in buses:
        assert at[bus] == pytest.approx(v_pu[bus], abs=1e-6), bus
    assert max(at.values()) - min(at.values()) > 0.005
    given_w, given_var = world.held()
    assert given_w[former] == pytest.approx(net.res_ext_grid.p_mw[0] * 1e6, rel=1e-3)
    assert given_var[former] == pytest.approx(net.res_ext_grid.q_mvar[0] * 1e6, rel=1e-3)


def test_a_sudden_load_reaches_a_far_bus_at_once_and_its_voltage_in_the_first_steps():
    _, ybus, lookup = solved(feeder())
    buses = [0, 3, 6]
    reduced = kron_reduced(ybus, [int(lookup[bus]) for bus in buses])
    world = World(f_nominal_hz=50.0, s_base_va=S_BASE_VA, seed=1)
    pack = {"cells": 100, "capacity_ah": 1000.0, "discharge_a_max": 1e3}
    world.add_storage("former", {"s_va": 50e3, "forms_grid": True, "pack": pack})
    near, far = world.add_load("near"), world.add_load("far")
    world.set_load(near, 1e3, 0.0)
    world.held()
    world.set_network([0, 1, 2], reduced)
    world.open_pcc(0.0)
    world.island_tick(0.0, 1.0)
    before = world.terminal(far).v_pu
    world.set_load(far, 15e3, 0.0)
    world.island_tick(1.0, 0.2)
    assert before - world.terminal(far).v_pu > 0.015
    assert world.terminal(near).v_pu - world.terminal(far).v_pu > 0.005


@pytest.mark.parametrize(
    ("buses", "y", "pcc", "code"),
    [
        ([0], np.zeros((2, 2), complex), 0, "plant.value_wrong"),
        ([2], np.array([[1, -1], [-1, 1]], complex), 0, "plant.value_wrong"),
        ([0, 1], np.array([[1, -1], [-1, 1]], complex), 0, "plant.length_wrong"),
        ([0], np.array([[1, -1], [-1, np.nan]], complex), 0, "plant.value_wrong"),
        ([0], np.array([[1, -1], [-1, 1]], complex), 2, "plant.value_wrong"),
        ([0], np.ones((2, 3), complex), 0, "plant.length_wrong"),
    ],
)
def test_a_network_that_cannot_be_is_refused_by_name(buses, y, pcc, code):
    world = World(s_base_va=S_BASE_VA, seed=1)
    world.add_load("load")
    with pytest.raises(PlantError) as refusal:
        world.set_network(buses, y, pcc)
    assert refusal.value.code == code


def test_a_device_the_network_does_not_know_keeps_the_switch_closed():
    world = World(s_base_va=S_BASE_VA, seed=1)
    world.add_load("load")
    world.set_network([0], np.zeros((1, 1), complex))
    world.add_load("late")
    with pytest.raises(PlantError, match="buses of devices has 1 values for 2 devices"):
        world.open_pcc(0.0)
    world.remove_network()
    world.open_pcc(0.0)
