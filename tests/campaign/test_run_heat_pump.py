"""A heat pump in a run: its room lives, it follows a hand within a tick, its meter counts it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.metering.ocmf_signing import derive_private_key, public_key_der
from gridrig.rig.description import load_rig

PUMP = {
    "name": "pump",
    "capability": "heat_pump",
    "driver": "lambda-heat-pump",
    "bus": "LV1.101 Bus 13",
    "link": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": 0, "unit": 1},
    "terminal": "model",
    "parameters": {"p_w_max": 3000},
    "limits": {"p_w_max": 3000},
    "safe_state": {"power": "own"},
}
EMULATE = {
    "model": "heat_pump",
    "p_w_max": 3000,
    "capacity_wh_per_k": 400,  # so small that a minute shows
    "conductance_w_per_k": 120,
    "outdoor_c": 2,
    "gain_w_max": 0,
    "seed": 5,
}
METER = {
    "name": "meter-pump",
    "capability": "meter",
    "driver": "signed-meter",
    "measures": "pump",
    "link": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": 0, "unit": 9},
    "limits": {"clock_error_s_max": 60},
    "safe_state": {},
    "emulate": {"model": "meter", "seed": 305},
}
LEDGER = {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"}
HAND = [
    {"at_s": 20, "do": "override", "target": "pump", "p_w": -2500},
    {"at_s": 60, "do": "override", "target": "pump", "p_w": 0},
    {"at_s": 90, "do": "release", "target": "pump"},
]


def add_pump(table: dict[str, Any], **emulate: Any) -> None:
    table["device"] += [{**PUMP, "emulate": {**EMULATE, **emulate}}, METER]
    table["key"].append(
        {
            "meter": "meter-pump",
            "algorithm": "ecdsa-p256",
            "public_key": public_key_der(derive_private_key(305, "meter-pump")).hex(),
            "valid_from": "2016-01-01T00:00:00Z",
        }
    )
    agent = {"kind": "consumer"}
    table["participant"].append({"name": "heat", "meter": "meter-pump", "agent": agent})


def run_of(
    folder: Path, scenario: Mapping[str, Any] | None = None, **emulate: Any
) -> tuple[Path, dict[str, list[float]]]:
    folder.mkdir()
    rig = rig_file(folder, lambda table: add_pump(table, **emulate))
    said = {"events": HAND, "criteria": [LEDGER], **(scenario or {})}
    result = run_here(folder, rig, scenario_file(folder, **said))
    assert result.outcome is Outcome.PASS, result.verdicts
    return folder / "run", pq.read_table(folder / "run" / "trace.parquet").to_pydict()


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pumps")
    criterion = {
        "name": "override_response_periods",
        "unit": "1",
        "max": 1,
        "source": "a hand wins within one control period",
    }
    return run_of(folder / "one", {"criteria": [criterion, LEDGER]})


def test_a_hand_wins_within_one_control_period_and_lets_go(by_hand: Any) -> None:
    _, trace = by_hand
    p_w = trace["device.pump.p_w"]
    own_w = 120.0 * (21.0 - trace["room.pump.outdoor_c"][10]) / 3.0
    assert p_w[10] == pytest.approx(-own_w, rel=0.05)
    assert (p_w[21], p_w[60], p_w[61], p_w[90]) == (-2500.0, -2500.0, 0.0, 0.0)
    assert p_w[100] < -100.0
    told = trace["device.pump.told_w"]
    assert (told[30], told[70]) == (-2500.0, 0.0)
    assert told[100] != told[100]
    # What it tells is what its terminal takes.
    assert trace["device.pump.telemetry_p_w"][30] == p_w[30]


def test_the_room_follows_what_its_terminal_took(by_hand: Any) -> None:
    _, trace = by_hand
    room, outdoor = trace["room.pump.c"], trace["room.pump.outdoor_c"]
    taken = [-w for w in trace["device.pump.p_w"]]
    for k in range(1, len(room)):
        expected_w = 3.0 * taken[k - 1] - 120.0 * (room[k - 1] - outdoor[k - 1])
        assert room[k] - room[k - 1] == pytest.approx(expected_w / 400 / 3600, abs=2e-6)
    assert room[60] > room[20]
    assert trace["room.pump.telemetry_c"][60] == pytest.approx(room[60], abs=0.051)


def test_the_signed_meter_counts_what_it_took(by_hand: Any) -> None:
    run, trace = by_hand
    rows = [json.loads(line) for line in (run / "readings.jsonl").read_text().splitlines()]
    records = [row["record"].split("|")[1] for row in rows if row["meter"] == "meter-pump"]
    signed_wh = [json.loads(record)["RD"][0]["RV"] for record in records]
    drawn_wh = -sum(trace["device.pump.p_w"]) / 3600  # of ticks of a second
    assert signed_wh[-1] - signed_wh[0] == pytest.approx(drawn_wh, rel=1e-4)


def test_the_bench_leaves_it_its_own_and_tells_how_long_a_power_holds(by_hand: Any) -> None:
    run, _ = by_hand
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    reversion = next(e for e in events if e["kind"] == "reversion" and e["device"] == "pump")
    assert (reversion["revert_s"], reversion["set_points"]) == (300, ["power"])
    told = [e["kind"] for e in events if e["device"] == "pump"]
    assert told.count("told") == 2
    assert told.count("given_back") == 1


def test_same_seed_same_bytes(by_hand: Any, tmp_path: Path) -> None:
    run, _ = by_hand
    again, _ = run_of(tmp_path / "again")
    for name in ("trace.parquet", "readings.jsonl", "events.jsonl"):
        assert (run / name).read_bytes() == (again / name).read_bytes(), name
    other, _ = run_of(tmp_path / "other", seed=6)
    assert (run / "trace.parquet").read_bytes() != (other / "trace.parquet").read_bytes()


def test_one_that_only_says_that_it_follows_is_seen_at_its_terminal(tmp_path: Path) -> None:
    _, trace = run_of(tmp_path / "liar", follows=False)
    assert trace["device.pump.telemetry_p_w"][70] == 0.0
    assert trace["device.pump.p_w"][70] < -500.0


def test_a_broken_sensor_is_no_number_and_the_true_room_stays_in_sight(tmp_path: Path) -> None:
    fault = {"at_s": 30, "device": "pump", "name": "room_sensor_broken", "for_s": 40}
    _, trace = run_of(tmp_path / "blind", {"faults": [fault]})
    told, room = trace["room.pump.telemetry_c"], trace["room.pump.c"]
    assert told[40] != told[40]
    assert told[80] == pytest.approx(room[80], abs=0.051)
    assert abs(room[40] - 21.0) < 1.0
    # Without its sensor it follows nothing.
    assert trace["device.pump.p_w"][50] > -1500.0


@pytest.mark.parametrize(
    ("event", "key", "expected"),
    [
        ({"do": "override", "p_w": 500}, "p_w", "at most 0"),
        ({"do": "override", "p_w": -3001}, "p_w", "at least -3000: p_w_max of"),
        ({"do": "charge_limit", "p_w": 500}, "target", "emulated"),
    ],
)
def test_what_no_heat_pump_can_do_does_not_fit(
    tmp_path: Path, event: dict[str, Any], key: str, expected: str
) -> None:
    rig = load_rig(rig_file(tmp_path, add_pump))
    said = {**event, "at_s": 20, "target": "pump"}
    scenario = load_scenario(scenario_file(tmp_path, events=[said], criteria=[LEDGER]))
    issues = check_together(rig, scenario)
    found = {issue.key.rpartition(".")[2]: issue.expected for issue in issues}
    assert key in found
    if key == "p_w":
        assert expected in found[key]
