"""The worked examples of docs/market.md, run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gridrig.campaign.scenario import MarketRules
from gridrig.market.mechanisms import CLEARING
from gridrig.market.zones import Link
from gridrig.rig.issues import At, Issues
from gridrig.rig.network_tables import check_network
from gridrig.rig.schema import read_draft
from gridrig.rig.toml_file import parse_toml
from gridrig.rig.zone_file import read_zones

PAGE = Path(__file__).parents[1] / "docs" / "market.md"
BLOCKS = dict(
    re.findall(r"^```\w+ ([^\n]+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
)
COMMANDS = [name for name in BLOCKS if name.startswith("gridrig ")]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    for name in ("orders.csv", "zoned.csv", "zones.toml"):
        (folder / name).write_text(BLOCKS[name])
    return subprocess.run(
        [Path(sys.executable).parent / words[0], *words[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_has_its_examples() -> None:
    assert len(COMMANDS) == 3
    assert {"orders", "columns", "mechanism", "market", "errors", "pyproject.toml"} <= set(BLOCKS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_what_the_page_says(command: str, tmp_path: Path) -> None:
    done = run(tmp_path, *command.split())
    assert done.stdout == BLOCKS[command], done.stderr
    assert done.stderr == (BLOCKS["errors"] if "--network" in command else "")


def test_the_pages_contract_and_places_make_a_network(tmp_path: Path) -> None:
    (tmp_path / "zones.toml").write_text(BLOCKS["places"] + BLOCKS["contract"])
    network = read_zones(tmp_path / "zones.toml")
    assert network.links == (Link("hill", "valley", financial=True),)
    assert network.zone_of() == {
        "grid": None, "roof": "hill", "hut": "hill", "mill": "valley", "engine": "valley",
    }  # fmt: skip


def test_the_pages_zones_are_what_a_scenario_takes(tmp_path: Path) -> None:
    table = parse_toml(BLOCKS["zoned market"].encode(), "page").table["market"]
    issues = Issues("page")
    draft = read_draft(MarketRules, table, At("page"), issues)
    tables = draft.get("network")
    check_network(tables, At("page"), issues, tick_micro_per_kwh=1_000)
    assert len(issues.sorted()) == 5, "the posted prices and the gate, which other tables show"
    names = tables.network().complete().link_names()
    assert names == ["hill-valley", "grid-valley", "grid-hill"]
    (tmp_path / "zones.toml").write_text(BLOCKS["places"] + BLOCKS["grid link"])
    assert read_zones(tmp_path / "zones.toml").links == (
        Link("grid", "valley", forward_fee_micro_per_kwh=20_000),
    )


@pytest.mark.parametrize("name", ["orders", "columns"])
def test_what_python_asserts_on_the_page_holds(name: str) -> None:
    exec(compile(BLOCKS[name], str(PAGE), "exec"), {})


def test_the_pages_mechanism_works_once_it_is_installed(tmp_path: Path) -> None:
    (tmp_path / "my_market.py").write_text(BLOCKS["mechanism"])
    about = tmp_path / "my_market-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-market\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{CLEARING}]\nposted-price = my_market:PostedPrice\n")
    words = ("--mechanism", "posted-price", "--set", "posted_micro_per_kwh=160000")
    done = run(tmp_path, "gridrig", "clear", "orders.csv", *words)
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[4:] for line in done.stdout.splitlines()[1:]] == [
        [energy, "160000"] for energy in ("5000000", "4000000", "3000000", "6000000")
    ]
    typed = run(tmp_path, "mypy", "--strict", "my_market.py")
    assert typed.returncode == 0, typed.stdout


def test_the_pages_market_table_is_what_a_scenario_takes() -> None:
    table = parse_toml(BLOCKS["market"].encode(), "page").table["market"]
    issues = Issues("page")
    read_draft(MarketRules, table, At("page"), issues)
    missing = {"gate_closure_s"} | {
        f"{name}_micro_per_kwh" for name in ("feed_in", "retail", "long_price", "short_price")
    }
    assert {issue.key for issue in issues.sorted()} == missing
