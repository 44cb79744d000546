"""A run whose participants are in zones tells what of its trades is financial only."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign import records
from gridrig.campaign.formats import csv_rows
from gridrig.cli import main
from gridrig.report.wording import kwh_to_the_unit

CRITERIA = [{"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"}]


def apart(table: dict[str, Any]) -> None:
    """Put the roofs into one network and all else into another."""
    for participant in table["participant"]:
        if participant["agent"]["kind"] != "grid":
            roof = participant["agent"]["kind"] == "producer"
            participant["zone"] = "roofs" if roof else "houses"


def told(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, int]]:
    assert main(["relief", str(path), "--json"]) == 0
    return {one["zone"]: one for one in json.loads(capsys.readouterr().out)["zones"]}


def test_what_houses_bought_of_roofs_elsewhere_is_financial_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = scenario_file(tmp_path, events=(), criteria=CRITERIA)
    path = run_here(tmp_path, rig_file(tmp_path, apart), scenario).path
    capsys.readouterr()
    events = map(json.loads, (path / records.EVENTS).read_text().splitlines())
    contracts = [e["financial_only_milliwh"] for e in events if e["kind"] == "cleared"]
    trades = list(csv_rows(records.TradeRow, path / records.TRADES))
    grid_sold = [t for t in trades if t.participant == "grid" and t.side == "offer"]
    bought = [
        sum(t.energy_milliwh for t in trades
            if t.period == period and t.side == "bid" and t.participant != "grid")
        for period in range(len(contracts))
    ]  # fmt: skip
    assert not grid_sold  # the sun gives more than houses and batteries want
    assert contracts == bought
    assert sum(contracts) > 0
    zones = told(path, capsys)
    assert zones["roofs"]["financial_only_milliwh"] > 0
    assert zones["houses"]["financial_only_milliwh"] == -zones["roofs"]["financial_only_milliwh"]
    assert zones["roofs"]["local_milliwh"] == zones["houses"]["local_milliwh"] == 0

    assert main(["statement", str(path), "--of", "house-12", "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    met = sum(min(p["bought_milliwh"], p["imported_milliwh"]) for p in own["periods"])
    deliveries = own["deliveries_milliwh"]
    assert deliveries.pop("financial-only") == met > 0
    assert set(deliveries.values()) == {0}
    page = tmp_path / "page.html"
    assert main(["statement", str(path), "--of", "house-12", "--out", str(page)]) == 0
    shown = page.read_text()
    assert f"<dt>Financial only</dt><dd>{kwh_to_the_unit(met)} kWh" in shown
    assert f"<dt>Traded locally</dt><dd>{kwh_to_the_unit(0)} kWh" in shown


def test_a_run_without_zones_asks_for_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / records.RIG).write_text(rig_file(tmp_path).read_text())
    (tmp_path / "journal.sqlite").touch()
    assert main(["relief", str(tmp_path)]) == 2
    assert "settlement.zones_missing" in capsys.readouterr().err


def test_where_there_is_no_journal_nobody_is_asked_for_zones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        assert main(["relief", str(path)]) == 2
        assert f"settlement.journal_missing: no journal at {path}" in capsys.readouterr().err
