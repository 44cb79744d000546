"""Zones beside deposits, stops of trading, islands and homes: the books close, the audit holds."""

import csv
import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.run_audit import run_faults
from gridrig.campaign.trading import Trading
from gridrig.cli import main
from gridrig.market.outcome import Outcome, Refused

SCENARIO = tomllib.loads((SCENARIOS / "promise-1-zones.toml").read_text())
SCENARIO["scenario"]["duration_s"] = 12 * 3_600


def paid_in(table: dict[str, Any]) -> None:
    """Let everybody pay in what lasts for some hours."""
    table["market"]["settlement"] = {
        "floor_micro_per_kwh": 0,
        "ceiling_micro_per_kwh": 400_000,
        "deposit_micro": 3_000_000,
    }


def stopped(table: dict[str, Any]) -> None:
    """Stop trading for two hours."""
    table["governance"] = {"delay_s": 0, "voters": ["shop"], "quorum": 1, "safety": ["officer"]}
    table["emergency_stop"] = [{"by": "officer", "at_s": 14_400, "until_s": 21_600}]


@pytest.mark.parametrize(
    ("change", "code"), [(paid_in, "market.reserve_short"), (stopped, "market.halted")]
)
def test_orders_that_never_reach_the_zones_are_left_out_by_the_audit_too(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], code: str
) -> None:
    table = tomllib.loads(tomli_w.dumps(SCENARIO))
    change(table)
    scenario, run = tmp_path / "other.toml", tmp_path / "run"
    scenario.write_text(tomli_w.dumps(table))
    rig = RIGS / "region-50hz.toml"
    assert main(["run", str(scenario), "--rig", str(rig), "--out", str(run)]) == 0
    with (run / "orders.csv").open() as file:
        assert code in {row["refused"] for row in csv.DictReader(file)}
    with (run / "trades.csv").open() as file:
        assert {"hill", "valley"} <= {row["zone"] for row in csv.DictReader(file)}
    assert list(run_faults(run)) == []
    text = (run / "orders.csv").read_text()
    (run / "orders.csv").write_text(text.replace(code, ""))
    assert list(run_faults(run)) != []


@pytest.mark.parametrize("code", ["market.reserve_short", "market.halted"])
def test_a_market_that_shuts_somebody_out_for_a_reason_that_there_is_not_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    real = Trading._outcome

    def without_house_2(self: Trading, period: Any, orders: Any, mechanism: Any) -> Outcome:
        shut_out = tuple(
            Refused(one.order_id, code, "") for one in orders if one.participant == "house-2"
        )
        numbers = {one.order_id for one in shut_out}
        left = [one for one in orders if one.order_id not in numbers]
        outcome = real(self, period, left, mechanism)
        return replace(outcome, refused=(*outcome.refused, *shut_out))

    monkeypatch.setattr(Trading, "_outcome", without_house_2)
    scenario, run = tmp_path / "other.toml", tmp_path / "run"
    scenario.write_text(tomli_w.dumps(SCENARIO))
    rig = RIGS / "region-50hz.toml"
    assert main(["run", str(scenario), "--rig", str(rig), "--out", str(run)]) == 0
    faults = list(run_faults(run))
    assert any("trades.csv line" in fault for fault in faults), faults
    assert any("orders.csv line" in fault for fault in faults), faults


def parted(path: Path) -> Path:
    """Put roofs into one zone of a small street and all else into another, over a wire."""
    table = tomllib.loads(path.read_text())
    table["market"] |= {
        "mechanism": "zonal",
        "network": {
            "main_grid": "grid",
            "zone": [{"name": "roofs"}, {"name": "houses"}],
            "link": [
                {
                    "between": ["roofs", "houses"],
                    "limit_milliwh": 5_000,
                    "fee_micro_per_kwh": 7_000,
                }
            ],
        },
    }
    path.write_text(tomli_w.dumps(table))
    return path


def apart(table: dict[str, Any]) -> None:
    for participant in table["participant"]:
        if participant["agent"]["kind"] != "grid":
            roof = participant["agent"]["kind"] == "producer"
            participant["zone"] = "roofs" if roof else "houses"


def test_an_island_clears_in_the_zones_that_the_rig_names(tmp_path: Path) -> None:
    scenario = parted(scenario_file(tmp_path))
    path = run_here(tmp_path, rig_file(tmp_path, apart), scenario).path
    events = [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]
    cleared = [event for event in events if event["kind"] == "cleared"]
    assert [event["islanded"] for event in cleared] == [False, True]
    with (path / "links.csv").open() as file:
        wire = [row for row in csv.DictReader(file) if row["link"] == "roofs-houses"]
    assert [row["fee_micro_per_kwh"] for row in wire if int(row["net_milliwh"])] == ["7000", "7000"]
    balances = dict(
        line.split(",") for line in (path / "balances.csv").read_text().splitlines()[1:]
    )
    assert sum(map(int, balances.values())) == 0
    assert int(balances["link:roofs-houses"]) == sum(int(row["fee_micro"]) for row in wire) > 0
    assert list(run_faults(path)) == []


def test_a_home_in_two_zones_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tomllib.loads(tomli_w.dumps(SCENARIO))
    hill, valley = table["market"]["network"]["zone"]
    hill["participants"], valley["participants"] = ["house-1"], ["solar-6"]
    scenario = tmp_path / "homes.toml"
    scenario.write_text(tomli_w.dumps(table))
    assert main(["check", str(RIGS / "emulated-street.toml"), "--scenario", str(scenario)]) == 2
    told = capsys.readouterr().err
    assert (
        "participant 'solar-6'.zone: found \"valley\" of a connection of home-1, expected" in told
    )
    assert "participant 'house-2'.zone: found nothing, expected its zone, or house-2 among" in told


def test_a_zone_of_the_rig_that_the_scenario_has_not_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def otherwise(table: dict[str, Any]) -> None:
        apart(table)
        table["participant"][0]["zone"] = "hoses"

    scenario = parted(scenario_file(tmp_path))
    rig = rig_file(tmp_path, otherwise)
    assert main(["check", str(rig), "--scenario", str(scenario)]) == 2
    assert "did you mean 'houses'?" in capsys.readouterr().err
