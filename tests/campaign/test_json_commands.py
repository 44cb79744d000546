"""What a program reads: `--json` of the commands about a bench, a catalogue and faults.

Standard output is one document and nothing else, whatever happens; people are told on standard
error.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gridrig.campaign.builtin import RIGS
from gridrig.cli import main
from gridrig.conformance.catalogue import STATED
from gridrig.rig.found_store import FOUND
from gridrig.rig.lease import LEASES


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEASES, str(tmp_path / "leases"))
    monkeypatch.setenv(FOUND, str(tmp_path / "found"))


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """Return exit code and the document on standard output."""
    capsys.readouterr()
    code = main(list(words))
    return code, json.loads(capsys.readouterr().out)


def test_a_check_says_who_is_there_what_it_reads_and_how_it_was_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, document = told(capsys, "check", "one-inverter", "--json")
    assert code == document["exit_code"] == 0
    inverter, meter = document["devices"]
    assert inverter["identity"]["serial"] == "pv-1"
    assert inverter["reading"]["f_hz"] == 50.0
    assert inverter["left"] == meter["left"] == "safe"
    assert document["would_write"] == document["issues"] == []
    assert document["safe_within_s"] is None, "nothing on it outlives this process"


def test_a_dry_run_says_every_write_and_sends_none(capsys: pytest.CaptureFixture[str]) -> None:
    code, document = told(capsys, "check", "one-inverter", "--dry-run", "--json")
    assert code == 0
    first, *_, last = document["would_write"]
    assert first == {"device": "pv-1", "what": "limit_w", "value": 0.0}
    assert last == {"device": "pv-1", "what": "safe_state", "value": {"connect": False}}
    assert [device["left"] for device in document["devices"]] == [None, None]


def test_a_rig_that_is_wrong_is_a_document_of_its_issues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text((RIGS / "one-inverter.toml").read_text().replace("p_w_max", "p_max"))
    code, document = told(capsys, "check", str(path), "--json")
    assert code == document["exit_code"] == 2
    near = [issue["near_miss"] for issue in document["issues"] if issue["near_miss"]]
    assert near == ["p_w_max"]
    assert {issue["file"] for issue in document["issues"]} == {str(path)}
    assert all(issue["line"] for issue in document["issues"])


def test_a_real_bench_that_does_not_open_says_why_and_what_its_watchdog_may_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tomllib.loads((RIGS / "one-inverter.toml").read_text())
    table["rig"]["clock"] = "wall"
    for port, device in enumerate(table["device"], 1):  # nobody listens there
        device.pop("emulate")
        device["link"]["port"] = port
    table["device"][0]["terminal"] = {"grid": True, "analyser": "meter-1"}
    path = tmp_path / "real.toml"
    path.write_text(tomli_w.dumps(table))
    code, document = told(capsys, "check", str(path), "--json")
    assert code == document["exit_code"] == 4
    assert "rig.cannot_open" in document["cause"]
    assert document["safe_within_s"] > 0
    assert document["devices"][0]["host_dead"] == "none"
    assert document["devices"][0]["identity"] is None
    code, document = told(capsys, "restore", str(path), "--json")
    assert (code, document["restored"], document["not_restored"]) == (0, [], [])


def test_the_catalogue_has_every_case_with_its_limits(capsys: pytest.CaptureFixture[str]) -> None:
    code, document = told(capsys, "catalogue", "--json")
    assert code == 0
    cases = {case["id"]: case for case in document["cases"]}
    assert {case.id for case in STATED} <= set(cases)
    assert len(cases) == len(document["cases"])
    for name, case in cases.items():
        assert all(case[key] for key in ("limits", "stimulus", "not_covered", "why")), name
    assert cases["fault.late_reply"]["may_fail"] is True
    assert not {f"fault.{name}" for name in document["without_case"]} & set(cases)


def test_the_faults_are_those_that_a_scenario_can_arm(capsys: pytest.CaptureFixture[str]) -> None:
    code, document = told(capsys, "faults", "--json")
    assert code == 0
    (late,) = [fault for fault in document["faults"] if fault["name"] == "late_reply"]
    assert late["family"] == "timing"
    assert [one["name"] for one in late["parameters"]] == ["delay_s"]
    assert {"count", "for_s"} <= {one["name"] for one in document["occasion"]}


def test_a_folder_nobody_can_make_is_named_and_no_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["sweep", "summer-day", "--rig", "emulated-street", "--seeds", "1..1", "--out"]
    assert main([*words, "/proc/nowhere"]) == 4
    assert "gridrig sweep: [Errno 2] No such file or directory: '/proc/nowhere'" in (
        capsys.readouterr().err
    )
