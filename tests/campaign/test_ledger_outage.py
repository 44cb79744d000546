"""The ledger is down for a while: control goes on, and what is settled later is the same."""

import csv
import json
from pathlib import Path
from typing import Any

from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.measurements import Outcome
from gridrig.campaign.records import BALANCES, ENTRIES, EVENTS, JOURNAL, TRACE
from gridrig.campaign.run import RunResult
from gridrig.settlement.journal_reader import JournalReader

DOWN = {"at_s": 30, "do": "ledger_down", "target": "ledger"}
UP = {"at_s": 100, "do": "ledger_up", "target": "ledger"}
CRITERIA = [
    {"name": "periods_not_settled", "unit": "1", "max": 0, "source": "test"},
    {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"},
]


def run_of(folder: Path, *events: dict[str, Any], duration_s: int = 120) -> RunResult:
    folder.mkdir()
    scenario = scenario_file(folder, duration_s=duration_s, events=events, criteria=CRITERIA)
    return run_here(folder, rig_file(folder), scenario)


def events_of(run: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run / EVENTS).read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


def test_periods_that_waited_for_the_ledger_settle_to_the_same_entries_and_roots(
    tmp_path: Path,
) -> None:
    results = run_of(tmp_path / "never"), run_of(tmp_path / "down", DOWN, UP)
    assert [result.outcome for result in results] == [Outcome.PASS] * 2
    never, down = (result.path for result in results)
    waited = events_of(down, "journal_down")
    assert [(row["period"], row["waiting"]) for row in waited] == [(0, 1)]
    assert (down / TRACE).read_bytes() == (never / TRACE).read_bytes()
    for name in (ENTRIES, BALANCES):
        assert (down / name).read_bytes() == (never / name).read_bytes()
    assert list(csv.reader((down / ENTRIES).read_text().splitlines()))[1:]
    heads = [JournalReader(run / JOURNAL).head() for run in (never, down)]
    assert heads[0] == heads[1]


def test_a_ledger_that_never_comes_back_is_an_error_that_names_it(tmp_path: Path) -> None:
    result = run_of(tmp_path / "lost", DOWN, duration_s=60)
    assert result.outcome is Outcome.ERROR
    assert "journal.sqlite: database is locked" in result.verdicts.cause
    assert [row["waiting"] for row in events_of(result.path, "journal_down")] == [1]
