"""One network given to both engines: the voltages agree, to gates that were measured beforehand.

Gates: 1e-6 pu where there are only lines, 5e-5 with transformers (pandapower puts half of the iron
loss at each winding, OpenDSS all of it at one), 1e-3 where phases differ (pandapower makes the
zero sequence of a transformer from data of its own).
"""

from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandapower
import pytest

from gridrig.grid import ENGINES, Network, Solution, load_network, make_feeder
from gridrig.grid.pandapower_net import describe

LINES, TRANSFORMERS, PHASES = 1e-6, 5e-5, 1e-3
RATED = {
    "pandapower:case33bw": LINES,
    "pandapower:cigre_network_mv": TRANSFORMERS,  # two lines end in the open
    "pandapower:kerber_dorfnetz": TRANSFORMERS,
    "pandapower:mv_oberrhein": TRANSFORMERS,  # two external grids
    "cigre_lv": TRANSFORMERS,
    "simbench:1-LV-urban6--2-no_sw": TRANSFORMERS,
    "simbench:1-MV-semiurb--0-sw": TRANSFORMERS,
}


def at_rating(network: Network) -> tuple[dict[str, float], dict[str, float]]:
    p_w: dict[str, float] = {}
    q_var: dict[str, float] = {}
    for load in network.loads:
        p_w[load.bus] = p_w.get(load.bus, 0.0) - load.draw_w
        q_var[load.bus] = q_var.get(load.bus, 0.0) - load.draw_var
    for sgen in network.sgens:
        p_w[sgen.bus] = p_w.get(sgen.bus, 0.0) + sgen.rating_w
    return p_w, q_var


def by_both(network: Network, pcc: str = "source") -> tuple[Solution, Solution]:
    one, other = (make_feeder(name, network, pcc).solve(*at_rating(network)) for name in ENGINES)
    assert one.buses == other.buses
    assert one.dead == other.dead
    return one, other


def worst(one: Solution, other: Solution) -> float:
    return max(
        float(np.abs(getattr(one, name) - getattr(other, name)).max())
        for name in ("v_pu", "v_low_pu", "v_high_pu")
    )


@pytest.mark.parametrize("name", list(RATED))
def test_engines_agree_at_the_rating_of_a_network(name: str) -> None:
    network = load_network(name)
    one, other = by_both(network)
    assert worst(one, other) < RATED[name]
    assert one.v_pu.max() - one.v_pu.min() > 1e-3  # something flows
    assert one.angle_deg == pytest.approx(other.angle_deg, abs=0.01)
    assert one.head_p_w == pytest.approx(other.head_p_w, rel=2e-4)
    assert one.line_loading_percent == pytest.approx(other.line_loading_percent, abs=0.01)


def test_losses_of_the_33_bus_feeder_are_those_of_the_literature() -> None:
    # M. E. Baran and F. F. Wu, IEEE Trans. Power Delivery 4(2), 1989: 202.7 kW, lowest 0.9131 pu.
    for solution in by_both(load_network("pandapower:case33bw")):
        assert solution.losses_w == pytest.approx(202.68e3, abs=10.0)
        assert solution.v_pu.min() == pytest.approx(0.9131, abs=5e-5)


def street_of_phases() -> object:
    """Return a street whose houses hang at one phase each, with its zero sequence."""
    net = pandapower.create_empty_network()
    high = pandapower.create_bus(net, 11.0, name="high")
    buses = [pandapower.create_bus(net, 0.416, name=f"low {k}") for k in range(4)]
    pandapower.create_ext_grid(
        net, high, s_sc_max_mva=10_000, rx_max=0.1, x0x_max=1.0, r0x0_max=0.1, name="grid"
    )
    pandapower.create_transformer_from_parameters(
        net, high, buses[0], sn_mva=0.8, vn_hv_kv=11.0, vn_lv_kv=0.416, vkr_percent=0.4,
        vk_percent=4.02, pfe_kw=0.0, i0_percent=0.0, shift_degree=30.0, vector_group="Dyn",
        vk0_percent=4.02, vkr0_percent=0.4, mag0_percent=100.0, mag0_rx=0.0, si0_hv_partial=0.9,
        name="station",
    )  # fmt: skip
    for k, (one, other) in enumerate(pairwise(buses)):
        pandapower.create_line_from_parameters(
            net, one, other, 0.1, r_ohm_per_km=0.446, x_ohm_per_km=0.071, c_nf_per_km=0.0,
            r0_ohm_per_km=1.505, x0_ohm_per_km=0.083, c0_nf_per_km=0.0, max_i_ka=0.2,
            name=f"cable {k}",
        )  # fmt: skip
    for k, (bus, phase) in enumerate([(1, "a"), (2, "b"), (3, "a"), (3, "c")]):
        drawn = {f"p_{phase}_mw": 0.008 * (k + 1) / 4, f"q_{phase}_mvar": 0.002}
        pandapower.create_asymmetric_load(net, buses[bus], name=f"house {k}", **drawn)
    return net


@pytest.fixture
def street(tmp_path: Path) -> Network:
    pandapower.to_json(street_of_phases(), str(tmp_path / "street.json"))
    return load_network("street.json", folder=tmp_path)


def test_engines_agree_on_every_phase_of_a_street(street: Network) -> None:
    one, other = by_both(street)
    assert one.v_high_pu.max() - one.v_low_pu.min() > 0.01  # the phases do differ
    assert worst(one, other) < PHASES
    assert one.losses_w == pytest.approx(other.losses_w, rel=0.01)
    assert one.line_loading_percent == pytest.approx(other.line_loading_percent, rel=0.01)
    assert one.v_at("low 3.1") < one.v_high_pu[one.buses.index("low 3")] - 0.01


def test_engines_agree_on_an_island_of_phases(street: Network) -> None:
    p_w, q_var = at_rating(street)
    found = []
    for name in ENGINES:
        feeder = make_feeder(name, street, "trafo:station")
        feeder.open_pcc("low 0", former_v_pu=1.02)
        found.append(feeder.solve(p_w, q_var))
    one, other = found
    assert one.former_p_w == pytest.approx(other.former_p_w, rel=1e-3)
    assert worst(one, other) < PHASES
    feeder.open_pcc()
    assert feeder.solve(p_w, q_var).dead == feeder.buses


@pytest.mark.soak
def test_engines_agree_on_every_phase_of_the_european_feeder() -> None:
    one, other = by_both(load_network("pandapower:ieee_european_lv_asymmetric"))
    assert worst(one, other) < PHASES
    assert one.v_high_pu.max() - one.v_low_pu.min() > 0.02


@pytest.mark.soak
@pytest.mark.parametrize("name", ["simbench:1-HV-mixed--0-sw", "simbench:1-MVLV-rural-1.108-0-sw"])
def test_engines_differ_by_where_a_transformer_has_its_iron_loss_and_by_nothing_else(
    name: str,
) -> None:
    network = load_network(name)
    assert worst(*by_both(network)) == pytest.approx(5e-5, rel=0.1)  # at the gate
    net = deepcopy(network.net)
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    ideal = describe(net, name=name, profile_code=network.profile_code)
    assert worst(*by_both(ideal)) < 1e-8


@pytest.mark.soak
@pytest.mark.parametrize(
    "name",
    [
        "pandapower:kerber_vorstadtnetz_kabel_1",
        "simbench:1-MV-rural--1-no_sw",
        "simbench:1-LV-semiurb4--1-sw",
        "simbench:1-MVLV-rural-1.108-0-sw",
    ],
)
def test_engines_agree_on_larger_networks(name: str) -> None:
    assert worst(*by_both(load_network(name))) < TRANSFORMERS
