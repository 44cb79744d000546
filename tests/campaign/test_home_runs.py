"""Homes in a run: reasons in the records, a limit layer that cuts, and a hand that overrides."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import EVENTS, ORDERS, TRACE
from gridrig.campaign.rights import Right, rights_of, within_rights
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.errors import RigError
from gridrig.market.agents import BatteryView, Intent, Tariff, View
from gridrig.quantity import DeliveryPeriod
from gridrig.report.minds import explained
from gridrig.report.source import load_run
from gridrig.rig.description import load_rig

OVERRIDDEN_S, RELEASED_S = 70, 100
ASKED_W = -2_000.0


@pytest.fixture(scope="module")
def minded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("minded")
    events = [
        {"at_s": 5, "do": "overask", "target": "solar-3", "factor": 50.0},
        {"at_s": OVERRIDDEN_S, "do": "override", "target": "storage-b", "p_w": ASKED_W},
        {"at_s": RELEASED_S, "do": "release", "target": "storage-b"},
    ]
    criteria = [
        {"name": "orders_clamped", "unit": "1", "min": 1, "source": "the event"},
        {"name": "override_response_periods", "unit": "1", "max": 1, "source": "one period"},
    ]
    scenario = scenario_file(folder, duration_s=180, events=events, criteria=criteria)
    result = run_here(folder, rig_file(folder, homes=True), scenario)
    assert result.outcome is Outcome.PASS, result.verdicts
    return folder / "run"


def events_of(run: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run / EVENTS).read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


def test_every_order_of_a_home_says_why_and_the_report_shows_it(minded: Path) -> None:
    rows = list(csv.DictReader((minded / ORDERS).read_text().splitlines()))
    homes = {"house-3", "house-12", "solar-3", "solar-4", "battery-12"}
    assert {row["participant"] for row in rows if row["why"]} >= homes - {"battery-12"}
    assert all(bool(row["why"]) == (row["participant"] in homes) for row in rows)
    shown = next(row["why"] for row in rows if row["participant"] == "house-12")
    assert shown in explained(load_run(minded))


def test_what_a_mind_asks_beyond_its_inverter_is_cut_to_it_and_told(minded: Path) -> None:
    cut = events_of(minded, "order_clamped")
    assert {row["participant"] for row in cut} == {"solar-3"}
    (first, *_) = cut
    # 8,050 W for a minute.
    assert first["allowed_milliwh"] == 134_000
    assert first["asked_milliwh"] > 2 * first["allowed_milliwh"]
    rows = list(csv.DictReader((minded / ORDERS).read_text().splitlines()))
    offered = [int(row["energy_milliwh"]) for row in rows if row["participant"] == "solar-3"]
    assert max(offered) == 134_000


def test_a_hand_wins_over_the_mind_within_a_control_period_and_gives_back(minded: Path) -> None:
    trace = pq.read_table(minded / TRACE).to_pydict()
    power_w = dict(zip(trace["t_s"], trace["device.storage-b.p_w"], strict=True))
    assert power_w[OVERRIDDEN_S + 1] == pytest.approx(ASKED_W, abs=50)
    assert power_w[RELEASED_S] == pytest.approx(ASKED_W, abs=50)
    assert power_w[RELEASED_S + 10] != pytest.approx(ASKED_W, abs=50)
    # Cleared at 90 s for the third period, while somebody else has the battery: no orders for it.
    flags = [row for row in events_of(minded, "mind_flag") if row["period"] == 2]
    assert [row["home"] for row in flags if "manual control" in row["flag"]] == ["home-12"]


def test_targets_that_are_no_storage_and_no_participant_are_refused(tmp_path: Path) -> None:
    events = [
        {"at_s": 5, "do": "override", "target": "storage-b", "p_w": -9_000.0},
        {"at_s": 6, "do": "override", "target": "pv-3", "p_w": 0.0},
        {"at_s": 7, "do": "overask", "target": "solar-33", "factor": 5.0},
    ]
    rig, scenario = load_rig(rig_file(tmp_path)), scenario_file(tmp_path, events=events)
    assert [
        (i.key, i.found, i.near_miss) for i in check_together(rig, load_scenario(scenario))
    ] == [
        ("event[0].p_w", "-9000", None),
        ("event[1].target", '"pv-3"', None),
        ("event[2].target", '"solar-33"', "solar-3"),
    ]


def test_a_home_in_two_zones_or_with_a_reserve_of_sun_is_refused(tmp_path: Path) -> None:
    def change(table: dict[str, Any]) -> None:
        for participant in table["participant"]:
            if participant["name"] == "solar-3":
                participant["agent"] |= {"zone": "Europe/Lissabon", "reserve_soc": 0.2}
            if participant["name"] == "solar-4":
                participant["agent"] = {"kind": "storage"}

    with pytest.raises(RigError) as caught:
        load_rig(rig_file(tmp_path, change, homes=True))
    found = {(issue.found, issue.expected.split(",")[0]) for issue in caught.value.issues}
    assert found == {
        ('"Europe/Lissabon"', 'a time zone such as "Europe/Berlin"'),
        ("0.2", "nothing: only a battery keeps a reserve"),
        ('"storage"', '"producer" or "home" or "compute"'),
    }


def test_rights_follow_the_battery_above_its_reserve_and_are_used_up_order_by_order() -> None:
    shown = View(
        DeliveryPeriod(0, 0, 900),
        Tariff(80_000, 300_000, 1_000, 1_000, 20_000, 400_000),
        battery=BatteryView(
            stored_wh=400.0, room_wh=9_000.0, charge_w=3_000.0, discharge_w=3_000.0
        ),
        link_wh=1_000.0,
    )
    assert rights_of("load", None, shown)["offer"].energy_milliwh == 0
    rights = {"bid": Right(750_000, "power"), "offer": Right(400_000, "above the reserve")}
    asked = [Intent("offer", 300_000, 1), Intent("offer", 300_000, 2), Intent("offer", 1_000, 3)]
    allowed, cut = within_rights("battery", asked, rights, 1_000)
    assert [one.energy_milliwh for one in allowed] == [300_000, 100_000]
    assert [(c.asked_milliwh, c.allowed_milliwh, c.why) for c in cut] == [
        (300_000, 100_000, "above the reserve"),
        (1_000, 0, "above the reserve"),
    ]
