"""The same rig, scenario and seed give the same bytes, on an idle machine and on a busy one.

The runs hold an island that opens, synchronises and closes, trades, and periods that settle. Each
is a process of its own, with a hash seed of its own. The small street is run always; the shipped
street and scenario, a quarter of an hour of it, only where slow tests are.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gridrig_process import begin, call, ended, events_of
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign import records

# In one group, two workers do not make the same runs twice.
pytestmark = [pytest.mark.alone, pytest.mark.xdist_group("runs of one seed")]

SLICE = ("--from-s", "2700", "--for-s", "900", "--tick-s", "5", "--engine", "opendss")
BURN = "while True: pass"
CORES = 2


@contextmanager
def busy_machine() -> Iterator[None]:
    """Keep every core busy with something else, and then some."""
    burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(CORES)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def start(folder: Path, name: str, hash_seed: str, *what: str | Path) -> subprocess.Popen[str]:
    return begin("run", *what, "--out", name, cwd=folder, env={"PYTHONHASHSEED": hash_seed})


@pytest.fixture(scope="module", params=["small", pytest.param("shipped", marks=pytest.mark.slow)])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two runs of one seed; the second had to share a busy machine."""
    folder: Path = tmp_path_factory.mktemp("twice")
    what: tuple[str | Path, ...] = ("sunny-then-storm", "--rig", "emulated-street", *SLICE)
    if request.param == "small":
        what = (scenario_file(folder), "--rig", rig_file(folder))
    assert ended(start(folder, "first", "1", *what)).returncode in (0, 1)
    with busy_machine():
        assert ended(start(folder, "second", "3", *what)).returncode in (0, 1)
    return folder


def names(run: Path) -> set[str]:
    return {path.name for path in run.iterdir()} - set(records.BY_NATURE_DIFFERENT)


def test_a_run_repeated_on_a_busy_machine_gives_the_same_bytes(runs: Path) -> None:
    first, second = runs / "first", runs / "second"
    assert names(first) == names(second)
    assert {
        *(records.TRACE, records.ISLAND, records.EVENTS, records.READINGS, records.TRADES),
        *(records.ORDERS, records.CLEARING, records.ENTRIES, records.ENERGY, records.BALANCES),
        *(records.VERDICTS, records.REPORT, records.JUNIT, records.RUN),
    } <= names(first)
    different = [
        name
        for name in sorted(names(first))
        if (first / name).read_bytes() != (second / name).read_bytes()
    ]
    assert different == []


def test_what_was_repeated_holds_an_island_trades_and_settled_readings(runs: Path) -> None:
    kinds = {event["kind"] for event in events_of(runs / "first")}
    assert {"island_opened", "island_formed", "island_reclosed", "cleared"} <= kinds
    for name in (records.TRADES, records.ENTRIES, records.ENERGY):
        assert len((runs / "first" / name).read_text().splitlines()) > 1, name
    readings = (runs / "first" / records.READINGS).read_text().splitlines()
    assert len(readings) > 20
    assert all('"outcome":"verified"' in line for line in readings[:7])


def test_another_seed_gives_another_run(tmp_path: Path) -> None:
    rig, scenario = rig_file(tmp_path), scenario_file(tmp_path)
    paths = []
    for seed in (1, 8):
        paths.append(tmp_path / f"run-{len(paths)}")
        run_here(paths[-1], rig, scenario, seed=seed)
    for name in (records.TRACE, records.ISLAND, records.EVENTS):
        one, other = ((path / "run" / name).read_bytes() for path in paths)
        assert one != other, name


@pytest.mark.parametrize("name", [records.TRACE, records.ENTRIES, records.READINGS, records.REPORT])
def test_verify_names_the_file_in_which_one_byte_was_changed(runs: Path, name: str) -> None:
    file = runs / "second" / name
    whole = file.read_bytes()
    file.write_bytes(
        whole[: len(whole) // 2]
        + bytes([whole[len(whole) // 2] ^ 1])
        + whole[len(whole) // 2 + 1 :]
    )
    try:
        done = call("verify", runs / "second", cwd=runs)
    finally:
        file.write_bytes(whole)
    assert done.returncode == 1
    assert name in done.stdout
    assert call("verify", runs / "second", cwd=runs).returncode == 0
