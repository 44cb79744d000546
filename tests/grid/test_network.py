"""Loading: the net is simbench's own, names are kept, and nothing is silently ignored."""

import dataclasses
from copy import deepcopy
from pathlib import Path

import pandapower
import pytest
import simbench

from gridrig.errors import GridError
from gridrig.grid import Network, Storage, load_network
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
    same = dataclasses.replace(
        network, name=again.name, repairs=(), profile_code=None, source=network.source
    )
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


def test_open_branch_switch_is_an_error(network: Network, tmp_path: Path) -> None:
    net = deepcopy(network.net)
    pandapower.create_switch(net, net.line.from_bus[0], 0, et="l", closed=False, name="S 1")
    with pytest.raises(GridError, match="'S 1'") as caught:
        load_network(saved(net, tmp_path))
    assert caught.value.code == "grid.open_switch"


def test_element_that_no_engine_here_models_is_an_error(network: Network, tmp_path: Path) -> None:
    net = deepcopy(network.net)
    pandapower.create_shunt(net, 3, q_mvar=-0.01)
    with pytest.raises(GridError, match="'shunt'") as caught:
        load_network(saved(net, tmp_path))
    assert caught.value.code == "grid.element_unsupported"


def test_repeated_bus_name_is_an_error(network: Network, tmp_path: Path) -> None:
    net = deepcopy(network.net)
    net.bus.loc[3, "name"] = BUS_4
    with pytest.raises(GridError, match=BUS_4) as caught:
        load_network(saved(net, tmp_path))
    assert caught.value.code == "grid.name_repeated"
