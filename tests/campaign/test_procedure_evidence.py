"""`gridrig test --evidence`: one signed directory with all that a campaign of procedures was."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from gridrig.campaign.formats import parquet_columns
from gridrig.campaign.manifest import verify
from gridrig.campaign.signing import load_signing_key
from gridrig.cli import main

PROCEDURE = """
from gridrig.campaign.procedures import Criterion, Mutant, procedure

@procedure(
    claim="follows a limit", clause="none", hazards="none", rig="one-inverter",
    needs=("inverter",),
    criteria=(Criterion("power_w", "W", max=7000.0, source="less than is asked for"),),
    mutants=(
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "power_w"),
        Mutant("reads high", "meter", {"scale": 1.5}, "power_w"),
    ),
)
async def test_limit(lab):
    name = lab.name_of("inverter")
    lab.give(name, 10_000.0)
    await lab.driver(name).set_limit_w(LIMIT_W)
    await lab.pass_time(5.0)
    lab.record("power_w", "W", (await lab.measured(name)).p_w)
"""
RECORDED = "hil/islanding/test_intentional_reclose.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def campaign(folder: Path) -> Path:
    """Execute a procedure that fails, and one that passes with its two wrong devices."""
    for name, limit_w in (("fails", 8000), ("passes", 6000)):
        text = PROCEDURE.replace("LIMIT_W", str(limit_w)).replace("test_limit", f"test_{name}")
        (folder / f"test_{name}.py").write_text(text)
    assert execute(folder, folder / "campaign") == 1
    return folder / "campaign"


def execute(folder: Path, out: Path) -> int:
    captures = ["--captures", str(out / "captures")]
    files = [str(folder / "test_fails.py"), str(folder / "test_passes.py")]
    return main(["test", "--mutants", "--evidence", str(out), *captures, *files])


def of(campaign: Path, words: str) -> Path:
    (found,) = [path for path in (campaign / "executions").iterdir() if words in path.name]
    return found


def test_everything_is_in_the_directory_and_signed_by_this_machine(campaign: Path) -> None:
    found = verify(campaign, [load_signing_key().public_key()])
    assert found.lines() == [found.summary]
    assert found.trusted
    whole = json.loads((campaign / "campaign.json").read_text())
    assert whole["exit_code"] == 1
    names = sorted(path.name for path in (campaign / "executions").iterdir())
    assert names == [
        "001-test_fails",
        "002-test_passes",
        "003-test_passes-ignores_the_limit",
        "004-test_passes-reads_high",
    ]
    assert len(whole["executions"]) == len(names)
    for name in ("index.html", "junit.xml", "test_fails-one-inverter.html"):
        assert (campaign / name).is_file()
    assert len(list((campaign / "captures").iterdir())) == len(names)


def test_an_execution_says_what_was_tried_on_what_by_which_code(campaign: Path) -> None:
    mutated = of(campaign, "reads_high")
    facts = json.loads((mutated / "procedure.json").read_text())
    assert facts["mutant"]["emulate"] == {"scale": 1.5}
    assert facts["mutant"]["killed"] is True
    assert facts["versions"]["gridrig"]
    serials = {device["name"]: device["identity"]["serial"] for device in facts["devices"]}
    assert serials["meter-1"] == "GR-0201"
    assert "set_limit_w(6000)" in (mutated / "procedure.py").read_text()
    assert tomllib.loads((mutated / "rig.toml").read_text())["rig"]["name"] == "one-inverter"
    verdicts = json.loads((mutated / "verdicts.json").read_text())
    assert (verdicts["outcome"], verdicts["criteria"][0]["value"]) == ("FAIL", 9000.0)
    kinds = [json.loads(row)["kind"] for row in (mutated / "events.jsonl").open()]
    assert {"set_limit_w", "safe_step"} <= set(kinds)


def test_a_failure_is_made_again_from_the_bundle_inside(
    campaign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rerun", str(campaign / "bundles" / "test_fails-one-inverter.zip")]) == 0
    assert "the same FAIL" in capsys.readouterr().out


def test_a_changed_byte_anywhere_is_named(campaign: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(campaign, copy)
    changed = [
        "campaign.json",
        "index.html",
        "executions/001-test_fails/events.jsonl",
        "executions/002-test_passes/procedure.py",
        "captures/test_passes-one-inverter.jsonl",
    ]
    for name in changed:
        data = (copy / name).read_bytes()
        (copy / name).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert sorted(problem.file for problem in verify(copy).problems) == sorted(changed)


def test_what_instruments_recorded_is_kept_point_by_point(tmp_path: Path) -> None:
    path = tmp_path / "campaign"
    assert main(["test", RECORDED, "-k", "test_reclose", "--evidence", str(path)]) == 0
    execution = of(path, "test_reclose")
    listed = json.loads((execution / "recordings.json").read_text())
    assert len(listed) == 3
    for entry in listed:
        columns = parquet_columns(execution / entry["file"])
        assert list(columns) == ["t_s", *entry["tracks"]]
        np.testing.assert_allclose(np.diff(columns["t_s"]), entry["step_s"])
        assert columns["t_s"][0] < 0 < columns["t_s"][-1]
    # The report's own figure can be had from it: the bus is alive before the switch closes.
    before = parquet_columns(execution / listed[0]["file"])
    assert np.abs(before[next(t for t in before if t.startswith("V"))]).max() > 100.0


def test_a_directory_that_holds_something_is_refused_before_anything_is_executed(
    campaign: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path.name for path in campaign.rglob("*"))
    code = main(["test", str(folder / "test_passes.py"), "--evidence", str(campaign)])
    assert code == 2
    assert "is not empty" in capsys.readouterr().err
    assert sorted(path.name for path in campaign.rglob("*")) == before


def test_pages_that_cannot_be_made_are_told_and_the_evidence_is_signed_all_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "pages"
    taken.write_text("a file where a folder is wanted")
    words = ["--report", str(taken), "--evidence", str(tmp_path / "campaign")]
    assert main(["test", str(folder / "test_passes.py"), *words]) == 4
    assert "no pages: FileExistsError" in capsys.readouterr().out
    assert verify(tmp_path / "campaign").intact


def test_a_campaign_in_which_everything_was_skipped_says_so(folder: Path, tmp_path: Path) -> None:
    words = ["--rig", "emulated-chargers", "--evidence", str(tmp_path / "campaign")]
    assert main(["test", str(folder / "test_passes.py"), *words]) == 3
    whole = json.loads((tmp_path / "campaign" / "campaign.json").read_text())
    assert (whole["exit_code"], whole["executions"]) == (3, [])
    assert verify(tmp_path / "campaign").intact


def test_the_same_campaign_gives_the_same_bytes_but_for_the_times_in_junit(
    campaign: Path, folder: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    assert execute(folder, again) == 1
    for path in sorted(file for file in campaign.rglob("*") if file.is_file()):
        name = path.relative_to(campaign)
        if str(name) not in ("junit.xml", "manifest.json", "manifest.sig"):
            assert (again / name).read_bytes() == path.read_bytes(), name
