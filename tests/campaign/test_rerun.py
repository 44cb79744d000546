"""A run that fails saves a bundle, and from it anybody gets the same failure, byte for byte."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from small_street import SCENARIO, rig_file, scenario_file

from gridrig.campaign.bundle import EXPECTED
from gridrig.cli import main

SLICE = ["--for-s", "60", "--tick-s", "5"]


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a run that fails: its limits ask for money from nowhere."""
    folder: Path = tmp_path_factory.mktemp("failed")
    strict = [
        {**c, "min": 1, "max": 1} if c["name"] == "ledger_sum_micro" else c
        for c in SCENARIO["criterion"]
    ]
    scenario, rig = scenario_file(folder, criteria=strict), rig_file(folder)
    words = ["run", str(scenario), "--rig", str(rig), *SLICE, "--seed", "5", "--engine", "opendss"]
    assert main([*words, "--out", str(folder / "run")]) == 1
    return folder / "run"


def test_a_bundle_alone_gives_the_same_failure_byte_for_byte(
    failed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "mailed.zip"
    shutil.copy(failed / "bundle.zip", bundle)
    assert main(["rerun", str(bundle), "--out", str(tmp_path / "again"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["differ"]) == ("FAIL", [])
    compared = json.loads(zipfile.ZipFile(bundle).read(EXPECTED))
    assert {"trace.parquet", "events.jsonl", "readings.jsonl", "report.html"} <= compared.keys()
    for name in [*compared, "bundle.zip"]:
        assert (failed / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_what_is_not_the_same_is_named(
    failed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(failed / "bundle.zip") as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "run.json":
                run = json.loads(data)
                run["seed"] += 1
                run["versions"]["numpy"] = "0.1"
                data = json.dumps(run).encode()
            new.writestr(name, data)
    assert main(["rerun", str(other), "--out", str(tmp_path / "again")]) == 1
    said = capsys.readouterr().out
    assert "differs: run.json" in said
    assert "differs: trace.parquet" in said
    assert "differs: version of numpy: 0.1, here" in said


def test_a_directory_that_was_changed_is_no_bundle(
    failed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "run"
    shutil.copytree(failed, changed)
    (changed / "scenario.toml").write_bytes((failed / "scenario.toml").read_bytes() + b"\n")
    assert main(["rerun", str(changed)]) == 2
    assert "scenario.toml: was changed" in capsys.readouterr().err
    (tmp_path / "no.zip").write_bytes(b"PK")
    assert main(["rerun", str(tmp_path / "no.zip")]) == 2
    assert "campaign.bundle" in capsys.readouterr().err
