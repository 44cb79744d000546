"""The audit of a run: the journal against the signed readings and the trades beside it."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.run_audit import run_faults
from gridrig.cli import main


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("audited")
    return run_here(folder, rig_file(folder), scenario_file(folder)).path


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


def reading_changed(run: Path) -> None:
    lines = (run / "readings.jsonl").read_text().splitlines()
    row = json.loads(lines[-1])
    row["record"] = row["record"].replace('"RV":', '"RV":1', 1)
    (run / "readings.jsonl").write_text("\n".join([*lines[:-1], json.dumps(row)]) + "\n")


def reading_lost(run: Path) -> None:
    lines = (run / "readings.jsonl").read_text().splitlines()
    (run / "readings.jsonl").write_text("\n".join(lines[:-1]) + "\n")


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
