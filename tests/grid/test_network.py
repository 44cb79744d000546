"""Loading: the net is simbench's own, names are kept, and nothing is silently ignored."""

import dataclasses
from copy import deepcopy
from pathlib import Path

import pandapower
import pytest
import simbench

from gridrig.errors import GridError
from gridrig.grid import Network, Storage, load_network, make_feeder
from gridrig.grid.simbench_grid import profile_folder, read_profile_rows, read_simbench_net

CODE = "1-LV-rural1--2-no_sw"
BUS_4 = "LV1.101 Bus 4"


def saved(net: object, folder: Path) -> str:
    path = folder / "net.json"
    pandapower.to_json(net, str(path))
    return str(path)


def test_quick_reading_gives_exactly_the_net_that_simbench_builds() -> None:
    quick, whole = read_simbench_net(CODE), simbench.get_simbench_net(CODE)
    whole["profiles"] = quick["profiles"] = {}
    assert len(quick.load) == 28
    assert pandapower.toolbox.nets_equal(quick, whole)


def test_network_speaks_of_elements_by_name(network: Network) -> None:
    assert len(network.buses) == 15
    assert len(network.lines) == 13
    assert len(network.loads) == 28
    assert len(network.sgens) == 8
    assert sum(x.rating_w for x in network.sgens) == pytest.approx(468_200)
    assert network.loads_by_bus()["LV1.101 Bus 7"][0].name == "LV1.101 Load 9"
    assert network.transformers[0].lv_bus == BUS_4
    assert network.source.v_pu == 1.025


def test_ignored_tap_of_simbench_is_repaired_and_stated(network: Network) -> None:
    trafo = network.transformers[0]
    assert trafo.tap_ratio == pytest.approx(1.025)
    assert len(network.repairs) == 1
    assert "ignore tap +1 x 2.5 %" in network.repairs[0]
    assert list(network.net.trafo.tap_changer_type) == ["Ratio"]


def test_ignored_tap_of_a_json_file_is_an_error(network: Network, tmp_path: Path) -> None:
    net = deepcopy(network.net)
    net.trafo["tap_changer_type"] = None
    with pytest.raises(GridError) as caught:
        load_network(saved(net, tmp_path))
    assert caught.value.code == "grid.tap_ignored"
    assert caught.value.steps == 1


def test_json_file_gives_the_same_network(network: Network, tmp_path: Path) -> None:
    again = load_network(Path(saved(network.net, tmp_path)).name, folder=tmp_path)
    same = dataclasses.replace(network, name=again.name, repairs=(), profile_code=None)
    assert again == same


def test_storage_has_a_place_and_a_size_but_no_profile(network: Network) -> None:
    # The reason: in the data the storages discharge all year and are never charged.
    folder = profile_folder(CODE)
    columns = sorted(set(network.net.storage.profile))
    whole_year = read_profile_rows(folder / "StorageProfile.csv", columns, 0, 35_136)
    assert whole_year.max() > 0.5
    assert whole_year.min() >= 0.0
    assert {f.name for f in dataclasses.fields(Storage)} == {
        "name", "bus", "rating_w", "energy_wh",
    }  # fmt: skip
    assert [round(x.energy_wh) for x in network.storages] == [
        146_700, 67_000, 61_100, 36_700, 100_500,
    ]  # fmt: skip


def test_unknown_simbench_code_names_the_near_miss() -> None:
    with pytest.raises(GridError, match="did you mean '1-LV-rural1--2-no_sw'") as caught:
        load_network("simbench:1-LV-rural1-2-no_sw")
    assert caught.value.code == "grid.network_unknown"


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GridError, match=r"nowhere\.json") as caught:
        load_network("nowhere.json", folder=tmp_path)
    assert caught.value.code == "grid.network_unknown"


def test_closed_bus_switches_are_fused_and_stated() -> None:
    network = load_network("cigre_lv")
    assert any("'Bus R0' is part of bus 'Bus 0'" in text for text in network.repairs)
    assert "Bus R0" not in network.buses
    assert network.transformers[0].hv_bus == "Bus 0"


def test_open_line_switch_leaves_the_line_ending_in_the_open(
    network: Network, tmp_path: Path
) -> None:
    net = deepcopy(network.net)
    end = net.line.to_bus[0]
    pandapower.create_switch(net, end, 0, et="l", closed=False, name="S 1")
    opened = load_network(saved(net, tmp_path))
    name = network.lines[0].name
    assert opened.lines[0].to_bus == f"{name} open end"
    assert any(f"line {name!r} ends in the open" in text for text in opened.repairs)
    lost = set(network.buses) - opened.reachable([opened.source.bus], opened.out_of_service)
    assert lost  # what hung on the line is without a source


def test_line_open_at_both_ends_and_transformer_with_an_open_switch_are_out(
    network: Network, tmp_path: Path
) -> None:
    net = deepcopy(network.net)
    for bus in (net.line.from_bus[0], net.line.to_bus[0]):
        pandapower.create_switch(net, bus, 0, et="l", closed=False)
    pandapower.create_switch(net, net.trafo.hv_bus[0], 0, et="t", closed=False)
    opened = load_network(saved(net, tmp_path))
    line, trafo = network.lines[0].name, network.transformers[0].name
    assert opened.out_of_service == {f"line:{line}", f"trafo:{trafo}"}


def test_element_that_no_engine_here_models_is_an_error(network: Network, tmp_path: Path) -> None:
    net = deepcopy(network.net)
    pandapower.create_xward(net, 3, 0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 1.0, name="equivalent")
    with pytest.raises(GridError, match="'xward', the first 'equivalent'") as caught:
        load_network(saved(net, tmp_path))
    assert caught.value.code == "grid.element_unsupported"


def test_element_that_only_pandapower_solves_is_named_to_whoever_asks_opendss(
    network: Network, tmp_path: Path
) -> None:
    net = deepcopy(network.net)
    pandapower.create_shunt(net, 3, q_mvar=-0.01)
    with_shunt = load_network(saved(net, tmp_path))
    with pytest.raises(GridError, match="1 elements of kind 'shunt'") as caught:
        make_feeder("opendss", with_shunt, "trafo:0")
    assert caught.value.code == "grid.engine_unfit"
    solution = make_feeder("pandapower", with_shunt, "trafo:0").solve({}, {})
    bare = make_feeder("pandapower", network, "trafo:0").solve({}, {})
    assert solution.head_q_var - bare.head_q_var == pytest.approx(-1e4, rel=0.1)


def test_generator_holds_its_voltage_and_gives_its_power(network: Network, tmp_path: Path) -> None:
    net = deepcopy(network.net)
    pandapower.create_gen(net, 7, p_mw=0.02, vm_pu=1.01, name="machine")
    feeder = make_feeder("pandapower", load_network(saved(net, tmp_path)), "trafo:0")
    solution = feeder.solve({"LV1.101 Bus 1": -10e3}, {})
    assert solution.v_at(network.buses[7]) == pytest.approx(1.01, abs=1e-9)
    assert solution.losses_w == pytest.approx(solution.head_p_w + 20e3 - 10e3, abs=0.1)


def test_every_name_becomes_one_of_its_own_and_that_is_stated(
    network: Network, tmp_path: Path
) -> None:
    net = deepcopy(network.net)
    net.bus.loc[3, "name"] = BUS_4
    net.line.loc[0, "name"] = None
    named = load_network(saved(net, tmp_path))
    assert {f"{BUS_4} #{index}" for index in net.bus.index[net.bus["name"] == BUS_4]} <= set(
        named.buses
    )
    assert BUS_4 not in named.buses  # a rig that says it is asked which one it means
    assert named.lines[0].name == "line 0"
    assert any(f"several bus elements are called {BUS_4!r}" in text for text in named.repairs)
    assert any("1 of 13 line elements have no name" in text for text in named.repairs)


def test_share_of_a_load_that_follows_its_voltage_is_stated(
    network: Network, tmp_path: Path
) -> None:
    net = deepcopy(network.net)
    net.load.loc[0, "const_z_p_percent"] = 40.0
    told = load_network(saved(net, tmp_path)).repairs
    assert any("constant impedance or current are taken as constant power" in x for x in told)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pandapower:case33b", "did you mean 'case33bw'"),
        ("pandapower:dickert_lv_feeders", "without arguments"),
        ("street.xlsx", "pandapower .json or OpenDSS .dss file that exists, from"),
    ],
)
def test_network_that_is_not_there_is_named(name: str, words: str) -> None:
    with pytest.raises(GridError, match=words) as caught:
        load_network(name)
    assert caught.value.code == "grid.network_unknown"


def test_json_that_is_no_net_is_named(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text('{"a": 1}')
    with pytest.raises(GridError, match=r"net\.json") as caught:
        load_network("net.json", folder=tmp_path)
    assert caught.value.code == "grid.network_unreadable"


def test_missing_zero_sequence_names_element_and_column(network: Network, tmp_path: Path) -> None:
    net = deepcopy(network.net)
    pandapower.create_asymmetric_load(net, 3, p_a_mw=0.001, name="house")
    with pytest.raises(GridError, match=r"line 'LV1\.101 Line 1' has no r0_ohm_per_km") as caught:
        load_network(saved(net, tmp_path))
    assert caught.value.code == "grid.zero_sequence_missing"
