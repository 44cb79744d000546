"""A run that fails saves a bundle, and from it anybody gets the same failure, byte for byte."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandapower
import pytest
from small_street import SCENARIO, rig_file, scenario_file

from gridrig.campaign.bundle import EXPECTED, read_bundle
from gridrig.cli import main
from gridrig.grid import load_network

SLICE = ["--for-s", "60", "--tick-s", "5"]


def fail(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Path:
    """Run what fails, for its limits ask for money from nowhere, and return the directory."""
    strict = [
        {**c, "min": 1, "max": 1} if c["name"] == "ledger_sum_micro" else c
        for c in SCENARIO["criterion"]
    ]
    scenario, rig = scenario_file(folder, criteria=strict), rig_file(folder, change)
    words = ["run", str(scenario), "--rig", str(rig), *SLICE, "--seed", "5", "--engine", "opendss"]
    assert main([*words, "--out", str(folder / "run")]) == 1
    return folder / "run"


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a run that fails."""
    return fail(tmp_path_factory.mktemp("failed"))


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


def test_a_bundle_carries_a_network_of_its_own_to_another_machine(tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "nets").mkdir(parents=True)
    net = load_network("simbench:1-LV-rural1--2-no_sw").net
    pandapower.to_json(net, str(here / "nets" / "street.json"))

    def on_json(table: dict[str, Any]) -> None:
        table["feeder"] |= {"network": "nets/street.json", "profiles": "rated"}

    run = fail(here, on_json)
    kept = run / "feeder" / "nets" / "street.json"
    assert kept.read_bytes() == (here / "nets" / "street.json").read_bytes()
    bundle, again = tmp_path / "mailed.zip", tmp_path / "again"
    shutil.copy(run / "bundle.zip", bundle)
    trace = (run / "trace.parquet").read_bytes()
    shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(here)
    assert main(["rerun", str(bundle), "--out", str(again)]) == 0
    assert (again / "trace.parquet").read_bytes() == trace
    assert (again / "bundle.zip").read_bytes() == bundle.read_bytes()
    of_directory = read_bundle(tmp_path / "run", tmp_path)
    assert (Path(of_directory.recipe.rig.path).parent / "nets" / "street.json").is_file()


def test_a_bundle_that_leads_out_of_itself_is_refused(
    failed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wicked = tmp_path / "wicked.zip"
    shutil.copy(failed / "bundle.zip", wicked)
    with zipfile.ZipFile(wicked, "a") as archive:
        archive.writestr("feeder/../../planted", b"x")
    assert main(["rerun", str(wicked)]) == 2
    assert "feeder/../../planted leads out of the bundle" in capsys.readouterr().err


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
