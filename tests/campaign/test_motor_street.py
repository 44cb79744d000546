"""A motor named in the rig file, started by a scenario while the street is an island."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_street import SCENARIO, rig_file, run_here, scenario_file

from gridrig.campaign.outcomes import Outcome

BUS = "LV1.101 Bus 3"
PUMP: dict[str, Any] = {"name": "pump", "bus": BUS, "s_va": 3000, "runs": False}


def test_a_start_in_an_island_is_seen_in_voltage_meter_and_events(tmp_path: Path) -> None:
    rig = rig_file(tmp_path, lambda table: table.update(motor=[PUMP]))
    start = {"name": "pump on", "at_s": 40, "do": "start", "target": "pump"}
    stop = {"at_s": 60, "do": "stop", "target": "pump"}
    scenario = scenario_file(
        tmp_path,
        duration_s=120,
        events=[SCENARIO["event"][0], start, stop],
        criteria=[
            {"name": "island_v_min_pu", "unit": "pu", "min": 0.85, "source": "test"},
            {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"},
        ],
    )
    result = run_here(tmp_path, rig, scenario)
    assert {v.outcome for v in result.verdicts.verdicts} == {Outcome.PASS}
    events = [json.loads(line) for line in (result.path / "events.jsonl").read_text().splitlines()]
    (started,) = [event for event in events if event["kind"] == "island_motor_started"]
    assert started["device"] == BUS
    assert 0.2 < started["value"] < 2.0
    trace = pq.read_table(result.path / "trace.parquet").to_pydict()
    drawn = [-p for p in trace[f"load.{BUS}.p_w"]]
    assert drawn[55] - drawn[38] == pytest.approx(2400, rel=0.15)
    assert drawn[70] - drawn[38] == pytest.approx(0, abs=200)
