"""Sweeps as an operator makes them: killed and resumed, spread over a cluster, redone, noted.

The points are runs of the small street in processes of their own. What they come to must not
depend on who ran them when: each is compared, byte for byte, with the same run made here alone.
"""

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alone import SLICE, attempts_of, point_of, write_files
from gridrig_process import begin, call, ended, wait_for_line

from gridrig.campaign import records
from gridrig.campaign.recipe import Recipe
from gridrig.campaign.run import run
from gridrig.clock.stopwatch import now_ns
from gridrig.clock.wall_time import sleep
from gridrig.commands import render
from gridrig.rig.description import load_rig
from gridrig.rig.toml_file import read_toml

pytestmark = pytest.mark.slow

WITHIN_S = 90


def same_files(one: Path, other: Path) -> set[str]:
    """Return the names of files in two run directories, after finding them equal."""
    found = [
        {path.name: path.read_bytes() for path in run.iterdir() if path.name not in
         records.BY_NATURE_DIFFERENT}
        for run in (one, other)
    ]  # fmt: skip
    assert found[0].keys() == found[1].keys()
    assert [name for name, content in found[0].items() if found[1][name] != content] == []
    return set(found[0])


def run_alone(folder: Path, seed: int) -> Path:
    """Make a point's run in this process, with nothing beside it."""
    scenario, rig = folder / "alone.toml", folder / "small-street.toml"
    recipe = Recipe(read_toml(rig), read_toml(scenario), seed=seed, for_s=60, tick_s=10)
    out = folder / f"alone-{seed}"
    run(*recipe.prepare()[:2], out, seed=seed, render=render)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files, and in it a sweep that was killed and then resumed."""
    folder: Path = tmp_path_factory.mktemp("sweep")
    scenario, rig = write_files(folder)
    words = ("sweep", scenario, "--rig", rig, *SLICE, "--seeds", "1,2", "--jobs", "1")
    sweep = begin(*words, "--out", "here", cwd=folder)
    wait_for_line(sweep, "1/2 point 1 PASS")
    wait_until((folder / "here" / "points" / "0002" / "running").exists)
    sweep.kill()
    sweep.wait()
    first = json.dumps(point_of(folder / "here", 1))
    resumed = call("sweep", "--resume", "here", "--jobs", "1", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert json.dumps(point_of(folder / "here", 1)) == first
    return folder


def wait_until(holds: object) -> None:
    assert callable(holds)
    deadline_ns = now_ns() + WITHIN_S * 10**9
    while not holds():
        assert now_ns() < deadline_ns
        sleep(0.02)


@pytest.mark.soak
def test_a_sweep_that_was_killed_goes_on_and_runs_nothing_twice(folder: Path) -> None:
    sweep = folder / "here"
    assert attempts_of(sweep, 1) == ["1"]
    assert attempts_of(sweep, 2) == ["1", "cut-short-1"]
    results = json.loads((sweep / "results.json").read_text())
    assert (results["outcome"], results["left"]) == ("PASS", 0)
    assert [(p["seed"], p["outcome"], p["cut_short"]) for p in results["points"]] == [
        (1, "PASS", 0),
        (2, "PASS", 1),
    ]
    assert "cut short 1 time" in (sweep / "overview.html").read_text()
    assert call("verify", sweep, cwd=folder).returncode == 0


@pytest.mark.soak
def test_a_point_of_a_sweep_is_the_run_it_would_be_alone(folder: Path) -> None:
    names = same_files(folder / "here" / "points" / "0002" / "1" / "run", run_alone(folder, 2))
    assert {records.TRACE, records.READINGS, records.REPORT, records.VERDICTS} <= names


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[tuple[subprocess.Popen[str], Path]]]]:
    """Start a scheduler and two workers; give its address, and each worker with its folder."""
    dask = Path(sys.executable).parent / "dask"
    where = folder / "scheduler.json"
    quiet = ["--no-dashboard"]
    started = [
        subprocess.Popen(
            [dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *quiet,
             "--scheduler-file", where],
            stderr=subprocess.DEVNULL, text=True,
        )
    ]  # fmt: skip
    workers = []
    try:
        wait_until(where.exists)
        address = json.loads(where.read_text())["address"]
        for name in ("worker-a", "worker-b"):
            home = folder / name
            home.mkdir()
            worker = subprocess.Popen(
                [dask, "worker", address, "--nthreads", "1", "--no-nanny", *quiet,
                 "--local-directory", home],
                stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            started.append(worker)
            workers.append((worker, home))
        yield address, workers
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


@pytest.mark.soak
def test_a_cluster_that_loses_a_worker_comes_to_the_same_bytes(folder: Path) -> None:
    with cluster(folder) as (address, workers):
        scenario, rig = folder / "alone.toml", folder / "small-street.toml"
        words = ("sweep", scenario, "--rig", rig, *SLICE, "--seeds", "1,2", "--out", "there")
        sweep = begin(*words, "--scheduler", address, cwd=folder)
        victim, home = workers[0]
        wait_until(lambda: list(home.rglob("gridrig-point-*/run/events*")))
        os.kill(victim.pid, signal.SIGKILL)
        done = ended(sweep)
    assert done.returncode == 0, done.stderr
    for number in (1, 2):
        assert attempts_of(folder / "there", number) == ["1"]
        here, there = (folder / f"{n}/points/{number:04d}/1/run" for n in ("here", "there"))
        same_files(here, there)
    for name in ("results.csv", "junit.xml"):
        assert (folder / "here" / name).read_bytes() == (folder / "there" / name).read_bytes()


@pytest.mark.soak
def test_a_point_that_is_redone_keeps_what_it_was_and_a_note_is_signed(folder: Path) -> None:
    sweep = folder / "here"
    before = (sweep / "results.csv").read_bytes()
    assert call("points", sweep, "--note", "2", "fan <on>", cwd=folder).returncode == 0
    again = call("sweep", "--resume", sweep, "--redo", "2", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert attempts_of(sweep, 2) == ["1", "2", "cut-short-1"]
    assert (sweep / "results.csv").read_bytes() == before
    page = (sweep / "overview.html").read_text()
    assert "redone; before: PASS" in page
    assert "fan &lt;on&gt;" in page
    assert call("verify", sweep, cwd=folder).returncode == 0
    note = sweep / "notes.jsonl"
    note.write_text(note.read_text().replace("<on>", "<off>"))
    assert "notes.jsonl" in call("verify", sweep, cwd=folder).stdout
    refused = call("sweep", "--resume", sweep, "--redo", "2", cwd=folder)
    assert refused.returncode == 2
    assert "sweep.changed" in refused.stderr


@pytest.mark.soak
def test_fifty_runs_in_parallel_do_not_touch_each_other(tmp_path: Path) -> None:
    scenario, rig = write_files(tmp_path)
    # The street's links say port 0 and `auto`, so all fifty take their ports and ptys at once.
    words = ("sweep", scenario, "--rig", rig, *SLICE, "--seeds", "1..50", "--jobs", "50")
    sweep = begin(*words, "--out", "fifty", cwd=tmp_path)
    out, err = sweep.communicate(timeout=1800)
    assert sweep.returncode == 0, out + err
    runs = [tmp_path / f"fifty/points/{n:04d}/1/run" for n in range(1, 51)]
    same_files(runs[6], run_alone(tmp_path, 7))
    used = [json.loads((run / "host.json").read_text())["endpoints"] for run in runs]
    assert all(len(endpoints) == len(used[0]) for endpoints in used)
    suites = ET.fromstring((tmp_path / "fifty" / "junit.xml").read_bytes())
    assert len(suites.findall("testsuite")) == 50
    assert suites.get("failures") == suites.get("errors") == "0"


def test_a_sweep_leaves_one_signed_result_that_links_its_runs(tmp_path: Path) -> None:
    scenario, rig = write_files(tmp_path)
    sweep = tmp_path / "one"
    key = "rig.device.pv-3.emulate.s_va"
    words = ("sweep", scenario, "--rig", rig, *SLICE, "--set", f"{key}=6000", "--out", sweep)
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"1/1 point 1 PASS {key}=6000, seed=1" in done.stderr
    header, row = (sweep / "results.csv").read_text().splitlines()
    assert header.startswith(f"point,{key},seed,outcome,")
    assert row.startswith("1,6000,1,PASS,")
    assert 'href="points/0001/1/run/report.html"' in (sweep / "overview.html").read_text()
    made = load_rig(sweep / "points" / "0001" / "1" / "run" / "rig.toml")
    assert made.device("pv-3").emulate == load_rig(rig).device("pv-3").emulate | {"s_va": 6000}
    assert call("verify", sweep, cwd=tmp_path).returncode == 0


def test_a_point_whose_process_does_not_end_is_an_error_and_never_green(tmp_path: Path) -> None:
    scenario, rig = write_files(tmp_path)
    sweep = tmp_path / "killed"
    words = ("sweep", scenario, "--rig", rig, *SLICE, "--within-s", "1", "--out", sweep)
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "not at its end after 1 s" in point_of(sweep, 1)["cause"]
    suites = ET.fromstring((sweep / "junit.xml").read_bytes())
    assert suites.get("errors") == "1"
