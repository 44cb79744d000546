"""An EV charger in a run: its car loads the feeder and the island, its meter and the books."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_street import OPENED_S, rig_file, run_here, scenario_file

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.metering.ocmf_signing import derive_private_key, public_key_der
from gridrig.rig.description import load_rig

CAR_W = 4000.0
CHARGER = {
    "name": "charger",
    "capability": "ev_charger",
    "driver": "ocpp",
    "bus": "LV1.101 Bus 13",
    "link": {
        "kind": "ocpp",
        "host": "127.0.0.1",
        "port": 0,
        "charge_point": "CP-1",
        "version": "2.0.1",
    },
    "terminal": "model",
    "limits": {"p_w_max": 11000},
    "safe_state": {"charge": False},
    "emulate": {"model": "ev_charger", "p_w_max": CAR_W, "autostart": True, "seed": 5},
}
METER = {
    "name": "meter-charger",
    "capability": "meter",
    "driver": "signed-meter",
    "measures": "charger",
    "link": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": 0, "unit": 9},
    "limits": {"clock_error_s_max": 60},
    "safe_state": {},
    "emulate": {"model": "meter", "seed": 305},
}


def add_charger(table: dict[str, Any], version: str = "2.0.1", **emulate: Any) -> None:
    own = {"link": {**CHARGER["link"], "version": version}}  # type: ignore[dict-item]
    own["emulate"] = {**CHARGER["emulate"], **emulate}  # type: ignore[dict-item]
    table["device"] += [CHARGER | own, METER]
    public = public_key_der(derive_private_key(305, "meter-charger")).hex()
    table["key"].append(
        {
            "meter": "meter-charger",
            "algorithm": "ecdsa-p256",
            "public_key": public,
            "valid_from": "2016-01-01T00:00:00Z",
        }
    )
    agent = {"kind": "consumer"}
    table["participant"].append({"name": "car", "meter": "meter-charger", "agent": agent})


def run_of(
    folder: Path,
    scenario: Mapping[str, Any] | None = None,
    version: str = "2.0.1",
    **emulate: Any,
) -> tuple[Path, dict[str, list[float]]]:
    folder.mkdir()
    rig = rig_file(folder, lambda table: add_charger(table, version, **emulate))
    result = run_here(folder, rig, scenario_file(folder, **(scenario or {})))
    assert result.outcome is Outcome.PASS, result.verdicts
    return folder / "run", pq.read_table(folder / "run" / "trace.parquet").to_pydict()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("cars")
    return run_of(folder / "there"), run_of(folder / "away", plugged=False)


def test_what_the_car_takes_is_taken_from_the_feeder_and_in_an_island_from_its_former(
    two: Any,
) -> None:
    (_, there), (_, away) = two
    before, island = OPENED_S - 2, OPENED_S + 30
    assert there["device.charger.p_w"][before] == pytest.approx(-CAR_W)
    assert there["device.charger.p_w"][island] == pytest.approx(-CAR_W, rel=0.02)
    assert set(away["device.charger.p_w"]) == {0.0}

    def more_w(column: str, row: int) -> float:
        return there[column][row] - away[column][row]

    # The main grid gives it and the losses of the way; alone, the street's own devices do.
    assert CAR_W < more_w("feeder.head_p_w", before) < 1.1 * CAR_W
    devices = ("storage-a", "storage-b", "pv-3", "pv-4")
    given_w = sum(more_w(f"device.{name}.p_w", island) for name in devices)
    shed_w = sum(more_w(c, island) for c in there if c.startswith("load."))
    assert given_w + shed_w == pytest.approx(CAR_W, rel=0.05)
    assert there["bus.LV1.101 Bus 13.v_pu"][before] < away["bus.LV1.101 Bus 13.v_pu"][before]


def test_the_charger_tells_what_its_terminal_and_its_signed_meter_count(two: Any) -> None:
    (run, there), _ = two
    told = there["device.charger.telemetry_p_w"]
    assert told[10] == pytest.approx(-CAR_W)
    soc = there["vehicle.charger.soc"]
    assert soc[-1] > soc[0]
    rows = [json.loads(line) for line in (run / "readings.jsonl").read_text().splitlines()]
    records = [row["record"].split("|")[1] for row in rows if row["meter"] == "meter-charger"]
    signed_wh = [json.loads(record)["RD"][0]["RV"] for record in records]
    drawn_wh = -sum(there["device.charger.p_w"]) / 3600  # of ticks of a second
    assert signed_wh[-1] - signed_wh[0] == pytest.approx(drawn_wh, rel=1e-4)
    verdicts = json.loads((run / "verdicts.json").read_text())
    ledger = next(c for c in verdicts["criteria"] if c["name"] == "ledger_sum_micro")
    assert ledger["outcome"] == "PASS"


def test_a_scenario_brings_a_car_limits_it_over_the_wire_and_takes_it_away(tmp_path: Path) -> None:
    events = [
        {"at_s": 5, "do": "plug_in", "target": "charger", "soc": 0.55},
        {"at_s": 20, "do": "charge_limit", "target": "charger", "p_w": 2000},
        {"at_s": 50, "do": "plug_out", "target": "charger"},
    ]
    run, seen = run_of(tmp_path / "events", {"duration_s": 60, "events": events}, plugged=False)
    drawn_w, soc = seen["device.charger.p_w"], seen["vehicle.charger.soc"]
    assert drawn_w[4] == 0.0
    assert drawn_w[15] == pytest.approx(-CAR_W)
    assert soc[6] == pytest.approx(0.55, abs=0.002)
    # The limit stands long after its three ticks: readings renew it.
    assert drawn_w[30] == drawn_w[45] == pytest.approx(-2000.0)
    assert seen["device.charger.allowed_w"][45] == 2000.0
    assert drawn_w[55] == pytest.approx(0.0, abs=1.0)
    told = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    (reversion,) = (e for e in told if e["kind"] == "reversion" and e["device"] == "charger")
    assert (reversion["revert_s"], reversion["set_points"]) == (3, ["limit"])


def test_a_car_gives_on_in_an_island_that_a_battery_holds_to_its_reserve_and_takes_it_again(
    tmp_path: Path,
) -> None:
    events = [
        {"at_s": 5, "do": "charge_power", "target": "charger", "p_w": 1500},
        {"at_s": 10, "do": "open", "target": "pcc"},
        {"at_s": 45, "do": "charge_power", "target": "charger", "p_w": -1500},
    ]
    car = {"capacity_wh": 1000, "soc": 0.509, "reserve_soc": 0.5}
    car |= {"vehicle_w_max": 1500, "discharge_w_max": 1500, "control_s": 1}
    scenario = {"duration_s": 60, "events": events}
    run, seen = run_of(tmp_path / "gives", scenario, "2.1", **car)
    given_w, soc = seen["device.charger.p_w"], seen["vehicle.charger.soc"]
    former_w = seen["device.storage-a.p_w"]
    ends = next(row for row in range(10, 60) if given_w[row] < 1000)
    assert 20 < ends < 40
    assert given_w[3] == pytest.approx(-1500.0)
    # It stands long after its three ticks: readings renew it.
    assert given_w[9] == pytest.approx(1500.0)
    assert given_w[10:ends] == pytest.approx([1500.0] * (ends - 10), rel=0.02)
    # What the car gives no more, the battery gives that forms the island.
    assert former_w[ends + 3] - former_w[ends - 1] > 1300
    assert max(given_w[ends + 2 :]) < 1.0
    # The car looks once a second, in which it gives 0.4 Wh of 1,000.
    assert min(soc) >= 0.5 - 0.0005
    assert given_w[55] == pytest.approx(-1500.0, rel=0.02)
    told = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert not [e for e in told if e["kind"] == "write_failed"]


def test_a_limit_beyond_the_rigs_own_and_a_car_at_no_charger_are_refused(tmp_path: Path) -> None:
    events = [
        {"at_s": 5, "do": "charge_limit", "target": "charger", "p_w": 12_000},
        {"at_s": 6, "do": "charge_limit", "target": "pv-3", "p_w": 1000},
        {"at_s": 7, "do": "plug_in", "target": "chargr"},
        {"at_s": 8, "do": "charge_power", "target": "charger", "p_w": -12_000},
    ]
    rig = load_rig(rig_file(tmp_path, add_charger))
    scenario = load_scenario(scenario_file(tmp_path, events=events))
    assert [(i.key, i.found, i.near_miss) for i in check_together(rig, scenario)] == [
        ("event[0].p_w", "12000", None),
        ("event[1].target", '"pv-3"', None),
        ("event[2].target", '"chargr"', "charger"),
        ("event[3].p_w", "-12000", None),
        ("event[3].do", '"charge_power"', None),  # OCPP 2.0.1 has limits only
    ]
