"""The audit of a run: the journal against the signed readings and the trades beside it."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.metering_rounds import ATTEMPTS
from gridrig.campaign.run_audit import run_faults
from gridrig.cli import main
from gridrig.metering import OcmfSigner

REVOKED, ROTATED, CAPPED = "meter-pv-3", "meter-pv-4", "meter-bus-3"
BEFORE = OcmfSigner.from_seed(99, ROTATED, "the meter before")


def bind(rig: dict[str, Any]) -> None:
    """Revoke one key before its last reading, put one after another, and cap a house."""
    keys = {key["meter"]: key for key in rig["key"]}
    keys[REVOKED]["revoked"] = "2016-06-29T13:16:30Z"
    keys[CAPPED]["import_power_w_max"] = 1
    before = {"serial": BEFORE.serial, "public_key": BEFORE.public_key_der.hex()}
    last = {**keys[ROTATED], **before, "valid_to": "2016-06-01T00:00:00Z"}
    keys[ROTATED]["valid_from"] = last["valid_to"]
    rig["key"].insert(0, last)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("audited")
    return run_here(folder, rig_file(folder, bind), scenario_file(folder)).path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_the_audit_of_a_run_holds(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in run.iterdir())
    assert main(["audit", str(run)]) == 0
    assert "holds" in capsys.readouterr().out
    assert main(["balance", str(run)]) == 0
    assert sorted(path.name for path in run.iterdir()) == before
    with sqlite3.connect(run / "journal.sqlite") as db:
        counts = [
            db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("entry", "reading")
        ]
    assert min(counts) > 0


def test_a_run_believes_its_meters_as_their_keys_say(run: Path) -> None:
    rows = [json.loads(line) for line in (run / "readings.jsonl").read_text().splitlines()]
    outcomes = {
        meter: [row["outcome"] for row in rows if row["meter"] == meter]
        for meter in (REVOKED, ROTATED)
    }
    revoked = ["metering.key_revoked"] * ATTEMPTS
    assert outcomes == {REVOKED: ["verified"] * 2 + revoked, ROTATED: ["verified"] * 3}
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    found = [event for event in events if event["kind"] == "reading_findings"]
    assert {event["device"] for event in found} == {CAPPED}
    assert any("import_over_capacity" in event["findings"] for event in found)


def rewrite_last_verified(run: Path, rewrite: Callable[[dict[str, Any]], list[str]]) -> None:
    lines = (run / "readings.jsonl").read_text().splitlines()
    last = max(n for n, line in enumerate(lines) if json.loads(line)["outcome"] == "verified")
    lines[last : last + 1] = rewrite(json.loads(lines[last]))
    (run / "readings.jsonl").write_text("\n".join(lines) + "\n")


def reading_changed(run: Path) -> None:
    def rewrite(row: dict[str, Any]) -> list[str]:
        row["record"] = row["record"].replace('"RV":', '"RV":1', 1)
        return [json.dumps(row)]

    rewrite_last_verified(run, rewrite)


def reading_lost(run: Path) -> None:
    rewrite_last_verified(run, lambda _: [])


def arrival_lost(run: Path) -> None:
    text = (run / "readings.jsonl").read_text()
    (run / "readings.jsonl").write_text(text.replace('"received_s"', '"received"'))


def trade_changed(run: Path) -> None:
    header, first, *rest = (run / "trades.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    cells["energy_milliwh"] = str(int(cells["energy_milliwh"]) + 1_000)
    (run / "trades.csv").write_text("\n".join([header, ",".join(cells.values()), *rest]) + "\n")


def trade_invented(run: Path) -> None:
    header, _, *rest = (run / "trades.csv").read_text().splitlines()
    (run / "trades.csv").write_text("\n".join([header, *rest]) + "\n")


def reading_torn(run: Path) -> None:
    with (run / "readings.jsonl").open("a") as file:
        file.write('{"meter": "meter-bus-3", "rec\n')


def trade_torn(run: Path) -> None:
    with (run / "trades.csv").open("a") as file:
        file.write("1,2,house\n")


def trades_lost(run: Path) -> None:
    (run / "trades.csv").unlink()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (reading_torn, "readings.jsonl line"),
        (arrival_lost, "was revoked"),
        (trade_torn, "trades.csv line"),
        (trades_lost, "was never made"),
        (reading_changed, "readings.jsonl line"),
        (reading_lost, "no such reading"),
        (trade_changed, "mWh settled"),
        (trade_invented, "was never made"),
    ],
)
def test_what_was_changed_beside_the_journal_is_found(
    run: Path, change: Callable[[Path], None], told: str
) -> None:
    assert list(run_faults(run)) == []
    change(run)
    faults = list(run_faults(run))
    assert any(told in fault for fault in faults), faults
    assert main(["audit", str(run)]) == 1
