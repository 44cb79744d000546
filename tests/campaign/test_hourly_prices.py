"""A run on prices by the hour, with a change of the rules: orders, entries, journal and bills."""

import csv
import json
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from small_street import read

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.run import run as run_scenario
from gridrig.campaign.run_audit import run_faults
from gridrig.cli import main
from gridrig.report import plots_market
from gridrig.report.source import load_run

CHEAP = (SCENARIOS / "promise-3-cheap-hours.toml").read_text()
RULES = """
[governance]
delay_s = 1800
voters = ["house"]
quorum = 1

[[rule_change]]
name = "dearer imbalance"
announced_s = 0
effective_s = 7200
votes = [{ by = "house", at_s = 1 }]
set = { short_price_micro_per_kwh = 460000 }

"""
# From 05:00 by the clock on the wall. Period 8 begins with the change, but its gate closed before.
SHORT = dict(enumerate([250_000] * 4 + [450_000] * 5 + [460_000] * 3))
RETAIL = dict(enumerate([150_000] * 4 + [350_000] * 8))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("hourly")
    head = CHEAP[: CHEAP.index("# Whether a set-point")].replace("86400", "10800", 1)
    head = head.replace("T20:00:00Z", "T03:00:00Z", 1)
    market = CHEAP[CHEAP.index("[market]") : CHEAP.index("[[event]]")]
    scenario = folder / "three-hours.toml"
    scenario.write_text(head + market + RULES + CHEAP[CHEAP.index("[[criterion]]") :])
    rig, described = read(RIGS / "two-tariff-home.toml", scenario)
    done = run_scenario(rig, described, folder / "run", seed=1, render=lambda _: None)
    assert done.outcome is Outcome.PASS
    return done.path


def rows_of(run: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((run / name).read_text().splitlines()))


def test_who_orders_follows_the_prices_of_the_period_also_after_a_change(run: Path) -> None:
    limits: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row in rows_of(run, "orders.csv"):
        key = f"{row['participant']} {row['side']}"
        limits[key][int(row["period"])] = int(row["price_micro_per_kwh"])
    assert limits["grid offer"] == RETAIL
    assert limits["grid bid"] == dict.fromkeys(range(12), 60_000)
    assert limits["house bid"] == SHORT


def test_imbalance_settles_at_the_prices_of_the_period_and_the_journal_keeps_them(
    run: Path,
) -> None:
    found = {
        (int(row["period"]), int(row["price_micro_per_kwh"]))
        for row in rows_of(run, "entries.csv")
        if row["kind"] in ("excess", "losses")
    }
    assert len(found) == len(SHORT)
    assert found == set(SHORT.items())
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    told = {one["period"]: one for one in events if one["kind"] == "tariff_posted"}
    assert {k: one["short_price_micro_per_kwh"] for k, one in told.items()} == SHORT
    assert {k: one["retail_micro_per_kwh"] for k, one in told.items()} == RETAIL
    assert list(run_faults(run)) == []


def test_the_audit_of_a_run_knows_the_prices_of_each_hour(run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "run"))
    text = (other / "scenario.toml").read_text()
    (other / "scenario.toml").write_text(text.replace("to_hour = 6", "to_hour = 5", 1)
                                         .replace("from_hour = 6", "from_hour = 5", 1))  # fmt: skip
    assert list(run_faults(other)) == [
        f"period {k}: short_price_micro_per_kwh 250000 is posted, by the scenario it is 450000"
        for k in range(4)
    ]
    (other / "scenario.toml").write_text(text.replace("quorum = 1", "quorum = 1\nveto = []", 1))
    assert list(run_faults(other)) == []
    late = text.replace("effective_s = 7200", "effective_s = 8200", 1)
    (other / "scenario.toml").write_text(late)
    faults = list(run_faults(other))
    assert [one.split(":")[0] for one in faults] == ["period 9"]


def test_bills_and_statement_take_the_same_hours(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = [150_000] * 6 + [350_000] * 16 + [150_000] * 2
    tariff = tmp_path / "tariff.toml"
    tariff.write_text(
        f"[utility]\nimport_micro_per_kwh = {hours}\nexport_micro_per_kwh = 60000\n"
        'network_micro_per_kwh = 0\nzone = "Europe/Berlin"\n[market]\nnetwork_micro_per_kwh = 0\n'
    )
    assert main(["bills", str(run), "--tariff", str(tariff), "--json"]) == 0
    bills = {one["participant"]: one for one in json.loads(capsys.readouterr().out)["bills"]}
    used: defaultdict[int, int] = defaultdict(int)
    for row in rows_of(run, "entries.csv"):
        if row["debit"] == "house" and row["kind"] in ("taken", "excess"):
            used[RETAIL[int(row["period"])]] += int(row["energy_milliwh"])
    due = sum((energy * price + 500_000) // 1_000_000 for price, energy in used.items())
    assert bills["house"]["utility_micro"] == due
    words = ["statement", str(run), "--of", "house", "--tariff", str(tariff)]
    assert main([*words, "--out", str(tmp_path / "page.html")]) == 0
    assert f"{bills['house']['utility_micro'] / 1e6:.4f}" in (tmp_path / "page.html").read_text()


def test_the_report_draws_what_was_posted(run: Path) -> None:
    plot = plots_market.prices(load_run(run))
    assert plot is not None
    assert "retail" in plot.svg
    assert "feed-in" in plot.svg
