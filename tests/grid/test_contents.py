"""What `gridrig feeder` prints: every name that an event may have."""

import json

import pytest

from gridrig.cli import main
from gridrig.grid import Network
from gridrig.grid.switching import branches

NAME = "simbench:1-LV-rural1--2-no_sw"


def test_command_prints_every_branch_bus_and_generator_of_a_network(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feeder", NAME]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{NAME}: 50 Hz, balanced"
    assert lines[1].startswith("15 buses, 13 lines, 1 transformers, 0 regulators, 28 loads")
    keys = {line.split("  ")[0] for line in lines}
    assert {*branches(network), *(f"bus {bus}" for bus in network.buses)} <= keys
    assert sum(line.startswith("generator ") for line in lines) == len(network.sgens)
    (trafo,) = (line for line in lines if line.startswith("trafo:"))
    assert "20/0.4 kV 160 kVA" in trafo


def test_a_program_reads_the_same(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feeder", NAME, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [bus["name"] for bus in told["buses"]] == list(network.buses)
    assert [line["max_i_a"] for line in told["lines"]] == [x.max_i_a for x in network.lines]
    assert sum(load["draw_w"] for load in told["loads"]) == sum(x.draw_w for x in network.loads)
    assert told["repairs"] == list(network.repairs)


def test_command_names_a_network_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feeder", "nowhere.dss"]) == 2
    assert "no network 'nowhere.dss'" in capsys.readouterr().err
