"""The feeder: signs, islands, dead buses, and refusals, for each engine."""

from copy import deepcopy

import numpy as np
import pandapower
import pytest
from feeder_injections import street_load

from gridrig.errors import GridError
from gridrig.grid import ENGINES, Feeder, Network, Pcc, make_feeder
from gridrig.grid.engine import ComplexArray, EngineState, Topology
from gridrig.grid.opendss_engine import OpenDssEngine
from gridrig.grid.pandapower_net import describe

FORMER = "LV1.101 Bus 12"


def test_buses_are_those_behind_the_pcc_in_the_network_s_order(
    feeder: Feeder, network: Network
) -> None:
    assert feeder.buses == network.buses[1:]


def test_load_makes_the_main_grid_deliver_and_generation_makes_it_take(feeder: Feeder) -> None:
    drawn = feeder.solve({"LV1.101 Bus 7": -10e3}, {"LV1.101 Bus 7": -4e3})
    assert drawn.head_p_w > 10e3
    assert drawn.head_q_var > 3e3
    fed = feeder.solve({"LV1.101 Bus 7": 10e3}, {})
    assert -10e3 < fed.head_p_w < -9.9e3
    assert fed.v_at("LV1.101 Bus 7") > drawn.v_at("LV1.101 Bus 7")


def test_island_has_no_head_and_the_former_is_the_residual(feeder: Feeder) -> None:
    feeder.open_pcc(FORMER, former_v_pu=0.99)
    p_w, q_var = street_load(14)
    deficit = feeder.solve(p_w, q_var)
    assert (deficit.head_p_w, deficit.head_q_var) == (0.0, 0.0)
    assert deficit.v_at(FORMER) == pytest.approx(0.99, abs=1e-9)
    assert deficit.former_p_w == pytest.approx(42e3 + deficit.losses_w, abs=0.1)
    assert deficit.former_q_var > 12e3
    assert deficit.trafo_loading_percent.max() == 0.0
    surplus = feeder.solve(-p_w, np.zeros(14))
    assert surplus.former_p_w == pytest.approx(-42e3 + surplus.losses_w, abs=0.1)


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("pcc", ["trafo:0", "trafo:0@hv"])
def test_losses_are_exactly_what_the_meters_around_them_leave_over(
    network: Network, engine: str, pcc: str
) -> None:
    feeder = make_feeder(engine, network, pcc)
    p_w, q_var = street_load(14)
    solution = feeder.solve(p_w, q_var)
    assert solution.losses_w > 30.0
    assert solution.losses_w == pytest.approx(solution.head_p_w + p_w.sum(), abs=0.1)
    # The transformer burns 460 W of iron loss and some copper: inside only if metered at HV.
    assert (solution.losses_w > 500.0) == (pcc == "trafo:0@hv")


def test_topology_change_is_never_answered_with_the_old_one(
    feeder: Feeder, network: Network
) -> None:
    p_w, q_var = street_load(14)
    before = feeder.solve(p_w, q_var)
    feeder.open_pcc(FORMER)
    island = feeder.solve(p_w, q_var)
    assert island.v_at(FORMER) == pytest.approx(1.0, abs=1e-9)
    assert np.abs(island.v_pu - before.v_pu).max() > 1e-3
    feeder.open_pcc("LV1.101 Bus 6")
    moved = feeder.solve(p_w, q_var)
    assert moved.v_at("LV1.101 Bus 6") == pytest.approx(1.0, abs=1e-9)
    feeder.former_v_pu = 1.02
    assert feeder.solve(p_w, q_var).v_at("LV1.101 Bus 6") == pytest.approx(1.02, abs=1e-9)
    feeder.close_pcc()
    after = feeder.solve(p_w, q_var)
    assert after.v_pu == pytest.approx(before.v_pu, abs=1e-9)
    assert (after.former_bus, after.former_p_w) == (None, 0.0)


def test_sag_of_the_main_grid_reaches_the_buses(feeder: Feeder) -> None:
    p_w, q_var = street_load(14)
    before = feeder.solve(p_w, q_var)
    feeder.source_v_pu = 0.9
    assert (before.v_pu - feeder.solve(p_w, q_var).v_pu).min() > 0.1


def test_repeated_injections_are_answered_anew_after_a_change(feeder: Feeder) -> None:
    p_w, q_var = street_load(14)
    first = feeder.solve(p_w, q_var)
    assert feeder.solve(p_w.copy(), q_var) is first
    p_w[3] += 1.0
    assert feeder.solve(p_w, q_var).head_p_w == pytest.approx(first.head_p_w - 1.0, abs=0.05)
    with pytest.raises(ValueError, match="read-only"):
        first.v_pu[0] = 2.0


def test_island_without_a_former_is_dead_and_takes_no_power(feeder: Feeder) -> None:
    feeder.open_pcc()
    solution = feeder.solve(*street_load(14))
    assert solution.dead == feeder.buses
    assert not solution.v_pu.any()
    assert not solution.p_w.any()
    assert (solution.head_p_w, solution.former_p_w, solution.losses_w) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("engine", list(ENGINES))
def test_bus_without_a_source_is_dead_at_zero_and_takes_no_power(
    network: Network, engine: str
) -> None:
    # pandapower has NaN there and says it converged, OpenDSS reads 0.0.
    net = deepcopy(network.net)
    net.line.loc[net.line["name"] == "LV1.101 Line 9", "in_service"] = False
    feeder = make_feeder(engine, describe(net, name="cut"), "trafo:0")
    p_w, q_var = street_load(14)
    solution = feeder.solve(p_w, q_var)
    assert solution.dead == ("LV1.101 Bus 5", "LV1.101 Bus 6")
    assert solution.v_at("LV1.101 Bus 5") == 0.0
    assert solution.p_w.sum() == -36e3
    assert np.isfinite(solution.v_pu).all()
    assert solution.head_p_w == pytest.approx(36e3 + solution.losses_w, abs=0.1)
    feeder.open_pcc("LV1.101 Bus 6")
    island = feeder.solve(p_w, q_var)
    assert len(island.dead) == 12
    assert island.former_p_w == pytest.approx(6e3 + island.losses_w, abs=0.1)


def test_overload_is_an_error_with_engine_and_bus_and_the_next_solve_is_sound(
    feeder: Feeder,
) -> None:
    p_w, q_var = street_load(14)
    before = feeder.solve(p_w, q_var)
    for _ in range(2):
        with pytest.raises(GridError) as caught:
            feeder.solve(30 * p_w, 30 * q_var)
        assert caught.value.code == "grid.not_converged"
        assert caught.value.engine == feeder.engine_name
        assert caught.value.bus in feeder.buses
        assert caught.value.mismatch_va > 1e3
        assert "with the PCC closed" in str(caught.value)
    after = feeder.solve(p_w, q_var)
    assert after is not before
    assert after.v_pu == pytest.approx(before.v_pu, abs=1e-9)


@pytest.mark.parametrize("engine", list(ENGINES))
def test_engine_says_itself_that_a_warm_run_did_not_converge(network: Network, engine: str) -> None:
    # Neither raises: pandapower not when it recycles and reads only voltages, OpenDSS never.
    solver = ENGINES[engine](network)
    live = frozenset(network.buses)
    solver.arrange(Topology(frozenset(), True, None, live), 1.025, 1.0)
    p_w, q_var = street_load(15)
    injected_va = p_w + 1j * q_var
    assert solver.solve(injected_va).converged
    assert not solver.solve(30 * injected_va).converged


def test_load_keeps_its_power_at_a_low_voltage(feeder: Feeder) -> None:
    # OpenDSS's default turns a load below 0.95 pu into an impedance, and draws less.
    feeder.source_v_pu = 0.85
    p_w, q_var = street_load(14, -6e3)
    solution = feeder.solve(p_w, q_var)
    assert solution.v_pu.max() < 0.85
    assert solution.head_p_w == pytest.approx(84e3 + solution.losses_w, abs=0.1)
    assert solution.mismatch_va < 0.1


def test_voltage_at_which_a_load_would_change_its_nature_is_refused(feeder: Feeder) -> None:
    feeder.open_pcc(FORMER, former_v_pu=1.49)
    with pytest.raises(GridError, match=r"between 0\.5 and 1\.5 pu") as caught:
        feeder.solve({"LV1.101 Bus 5": 90e3}, {})
    assert caught.value.code == "grid.voltage_range"
    assert caught.value.v_pu > 1.5
    with pytest.raises(GridError, match=r"a source at 1\.6 pu"):
        feeder.open_pcc(FORMER, former_v_pu=1.6)


class ForgetfulEngine(OpenDssEngine):
    """A real engine that drops a tenth of the power and still says it converged."""

    def solve(self, injected_va: ComplexArray) -> EngineState:
        return super().solve(0.9 * injected_va)


def test_engine_that_says_it_converged_but_is_not_balanced_is_refused(network: Network) -> None:
    feeder = Feeder(ForgetfulEngine(network), network, Pcc.parse("trafo:0"))
    with pytest.raises(GridError, match="is not balanced") as caught:
        feeder.solve({"LV1.101 Bus 7": -10e3}, {})
    assert caught.value.code == "grid.unbalanced"
    assert caught.value.bus == "LV1.101 Bus 7"
    assert caught.value.mismatch_va == pytest.approx(1e3, abs=1.0)


def test_two_opendss_engines_do_not_share_a_circuit(network: Network) -> None:
    # Engines, not feeders: a feeder would notice the other's circuit and write its own anew.
    one, other = OpenDssEngine(network), OpenDssEngine(network)
    live = frozenset(network.buses)
    one.arrange(Topology(frozenset(), True, None, live), 1.025, 1.0)
    trafo = f"trafo:{network.transformers[0].name}"
    other.arrange(Topology(frozenset({trafo}), True, 3, live), 1.025, 0.95)
    p_w, q_var = street_load(15)
    injected_va = p_w + 1j * q_var
    before = one.solve(injected_va)
    other.solve(2 * injected_va)
    assert np.abs(one.solve(injected_va).v_pu - before.v_pu).max() < 1e-9


def test_injection_that_is_not_a_number_never_reaches_an_engine(feeder: Feeder) -> None:
    with pytest.raises(GridError, match=r"'LV1\.101 Bus 7' is not finite") as caught:
        feeder.solve({"LV1.101 Bus 7": float("nan")}, {})
    assert caught.value.code == "grid.injection"


def test_injection_of_another_shape_is_refused(feeder: Feeder) -> None:
    with pytest.raises(GridError, match="14 buses") as caught:
        feeder.solve(np.zeros(15), np.zeros(15))
    assert caught.value.code == "grid.injection"


def test_unknown_bus_names_the_near_miss(feeder: Feeder) -> None:
    with pytest.raises(GridError, match=r"did you mean 'LV1\.101 Bus 7'") as caught:
        feeder.solve({"LV1.101 Bus7": 1.0}, {})
    assert caught.value.code == "grid.bus_unknown"
    with pytest.raises(GridError, match=r"MV1\.101 Bus 4"):
        feeder.open_pcc("MV1.101 Bus 4")


@pytest.mark.parametrize("text", ["bus:3", "trafo:", "line:", "trafo:0@mv", "0"])
def test_pcc_that_is_no_branch_is_refused(text: str) -> None:
    with pytest.raises(GridError, match="expected source, line:<n or name>") as caught:
        Pcc.parse(text)
    assert caught.value.code == "grid.pcc_unsupported"


def test_pcc_that_does_not_separate_the_feeder_is_refused(network: Network) -> None:
    net = deepcopy(network.net)
    pandapower.create_line_from_parameters(
        net, 0, 7, 1.0, r_ohm_per_km=1, x_ohm_per_km=1, c_nf_per_km=0, max_i_ka=1, name="bypass"
    )
    with pytest.raises(GridError, match=r"leaves bus 'LV1\.101 Bus 4' connected") as caught:
        make_feeder("opendss", describe(net, name="meshed"), "trafo:0")
    assert caught.value.code == "grid.pcc_does_not_island"


def test_unknown_engine_and_transformer_are_refused(network: Network) -> None:
    with pytest.raises(GridError, match="pandapower or opendss"):
        make_feeder("gridlabd", network, "trafo:0")
    with pytest.raises(GridError, match="no transformer '1': it has 1"):
        make_feeder("opendss", network, "trafo:1")
