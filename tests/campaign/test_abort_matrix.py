"""Whatever ends a test, and whenever: the bench is left safe, or is said not to be.

Two inverters, each served by a process of its own (`two_outside`), whose trips a procedure has
opened. The judges are the log of the processes, which says whether a device was left connected, and
a Modbus client of its own, which compares every register of the second inverter's protection with
what it read before. `docs/safety.md` shows the matrix.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from two_outside import TwoOutside, waited

from gridrig.campaign.manifest import verify

pytestmark = pytest.mark.alone

ENDS_WITHIN_S = 60.0
STOPS_WITHIN_S = 1.0
PASS, ERROR, ABORTED, UNSAFE, KILLED = 0, 4, 5, 6, -9


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for bench in BENCHES:
        bench.end()
    BENCHES.clear()


BENCHES: list[TwoOutside] = []


def served(folder: Path, *, breaks: bool = False, dead: bool = False) -> TwoOutside:
    BENCHES.append(bench := TwoOutside(folder, breaks=breaks, dead=dead))
    return bench


def in_set_up(bench: TwoOutside) -> None:
    """Be in the middle of opening: the second is open, the first's serial line is silent."""
    bench.one.hang()
    bench.begin()
    bench.two.wait_connected("pv-2")
    time.sleep(1.5)  # a silent open takes four seconds, the other's far less


def in_the_run(bench: TwoOutside) -> None:
    """Be where the trips are open."""
    bench.begin()
    bench.wait_changed()


def in_tear_down(bench: TwoOutside) -> None:
    """Be on the way to the safe state, where the first does not answer."""
    in_the_run(bench)
    bench.wait_idle()
    seen = len(bench.two.events())
    bench.one.hang()
    bench.touch("go")
    waited(lambda: len(bench.two.events()) > seen, "the second is not being made safe")


def code_of(bench: TwoOutside) -> int:
    assert bench.process is not None
    return bench.process.wait(timeout=ENDS_WITHIN_S)


def sent(number: signal.Signals) -> Callable[[TwoOutside], None]:
    def send(bench: TwoOutside) -> None:
        assert bench.process is not None
        bench.process.send_signal(number)

    return send


def watchdog_killed(bench: TwoOutside) -> None:
    os.kill(bench.watchdog(), signal.SIGKILL)


PHASES: dict[str, Callable[[TwoOutside], None]] = {
    "set-up": in_set_up,
    "run": in_the_run,
    "tear-down": in_tear_down,
}
EVENTS: dict[str, Callable[[TwoOutside], None]] = {
    "SIGINT": sent(signal.SIGINT),
    "SIGTERM": sent(signal.SIGTERM),
    "SIGHUP": sent(signal.SIGHUP),
    "SIGKILL": sent(signal.SIGKILL),
    "watchdog killed": watchdog_killed,
}


@dataclass(frozen=True)
class Left:
    """How a cell has to end: the exit code, and who is named unsafe."""

    code: int
    unsafe: tuple[str, ...] = ()


# In CI by default; the others are a soak.
QUICK = {("tear-down", "SIGKILL")}
STOPPED = [
    pytest.param(
        phase,
        event,
        id=f"{phase}-{event}",
        marks=[] if (phase, event) in QUICK else [pytest.mark.soak],
    )
    for phase in PHASES
    for event in EVENTS
]


def check_left(bench: TwoOutside, *, first_opened: bool, killed: bool = False) -> None:
    """Judge: nobody who was opened is connected, and nothing of the protection has changed.

    Its evidence is signed unless it was killed, and says what was written to the devices.
    """
    assert bench.protection() == bench.found
    assert bench.notes() == []
    assert not bench.two.connected_at_the_end("pv-2")
    connected = bench.one.connected_at_the_end("pv-1")
    assert connected != first_opened, "never opened is as somebody else left it"
    assert verify(bench.folder / "evidence").intact != killed
    (execution,) = (bench.folder / "evidence" / "executions").iterdir()
    said = execution / ("events.live.jsonl" if killed else "events.jsonl")
    events = [json.loads(line) for line in said.read_text().splitlines()] if said.exists() else []
    assert killed or "safe_step" in [event["kind"] for event in events]
    if (bench.folder / "changed").exists():
        written = {event["what"] for event in events if event["kind"] == "wrote"}
        assert {"limit_w", "high_voltage_trip", "enter_service"} <= written


@pytest.mark.parametrize(("phase", "event"), STOPPED)
def test_whatever_stops_it_the_bench_is_left_safe(folder: Path, phase: str, event: str) -> None:
    bench = served(folder)
    PHASES[phase](bench)
    seen = len(bench.two.events())
    begin_s = time.monotonic()
    EVENTS[event](bench)
    if event != "SIGKILL" and phase != "tear-down":
        # It stops while it waits for a device that does not answer, and turns to the others.
        waited(lambda: len(bench.two.events()) > seen, "not stopped", STOPS_WITHIN_S)
    if phase == "tear-down" and event != "SIGKILL":
        time.sleep(STOPS_WITHIN_S)  # what is on its way is not cut short
    bench.one.go_on()
    code = code_of(bench)
    if event == "SIGKILL":
        assert code == KILLED
        report = bench.watchdog_report()
        assert report["left_unsafe"] == report["not_restored"] == []
        assert report["took_s"] < report["safe_within_s"]
    else:
        assert code == ABORTED, bench.out()
    print(f"{phase} x {event}: {code}, {time.monotonic() - begin_s:.1f} s")
    # In set-up the first was never opened, but for the watchdog, which opens it to make it safe.
    killed = event == "SIGKILL"
    check_left(bench, first_opened=phase != "set-up" or killed, killed=killed)


@pytest.mark.soak
@pytest.mark.parametrize("gone", [False, True], ids=["hang", "device gone"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_device_that_hangs_or_is_gone_is_named_and_the_other_left_safe(
    folder: Path, phase: str, gone: bool
) -> None:
    bench = served(folder)
    lose = bench.one.kill if gone else bench.one.hang
    begin_s = time.monotonic()
    if phase == "set-up":
        lose()
        bench.begin()
    else:
        PHASES[phase](bench)
        begin_s = time.monotonic()
        lose()
        bench.touch("enough")
        bench.touch("go")
    code = code_of(bench)
    print(f"{phase} x {'gone' if gone else 'hang'}: {code}, {time.monotonic() - begin_s:.1f} s")
    # What was never opened was never written to either.
    assert code == (ERROR if phase == "set-up" else UNSAFE), bench.out()
    assert bench.protection() == bench.found
    assert not bench.two.connected_at_the_end("pv-2")
    if phase != "set-up":
        assert "pv-1" in bench.out().split("left unsafe", 1)[-1]
        assert bench.notes() == ["pv-1"]


@pytest.mark.soak
def test_after_a_bench_was_left_unsafe_nothing_more_is_tried_on_it(folder: Path) -> None:
    bench = served(folder)
    (folder / "test_twice.py").write_text((folder / "test_trips.py").read_text())
    words = ("test", "test_trips.py", "test_twice.py", "--rig", "outside.toml", "-rs")
    bench.begin(*words)
    bench.wait_changed()
    bench.one.kill()
    bench.touch("enough")
    bench.touch("go")
    assert code_of(bench) == UNSAFE
    told = "the bench is broken: test_opens_trips left pv-1 unsafe: high_voltage_trip not restored"
    assert told in bench.out()
    assert "outside.toml is broken, nothing more was tried on it" in bench.out()


@pytest.mark.soak
def test_an_exception_in_set_up_leaves_what_was_opened_safe(folder: Path) -> None:
    bench = served(folder, dead=True)
    bench.begin()
    assert code_of(bench) == ERROR, bench.out()
    assert "rig.cannot_open" in bench.out()
    check_left(bench, first_opened=True)


@pytest.mark.soak
def test_an_exception_in_the_run_leaves_the_bench_safe(folder: Path) -> None:
    bench = served(folder)
    in_the_run(bench)
    for name in ("raise", "enough", "go"):
        bench.touch(name)
    assert code_of(bench) == ERROR, bench.out()
    assert "ValueError: a bug" in bench.out()
    check_left(bench, first_opened=True)


@pytest.mark.soak
def test_an_exception_in_tear_down_is_named_and_the_other_left_safe(folder: Path) -> None:
    bench = served(folder, breaks=True)
    in_the_run(bench)
    bench.wait_idle()
    bench.touch("go")
    assert code_of(bench) == UNSAFE, bench.out()
    assert "unsafe: ValueError: a driver's bug" in bench.out()
    assert bench.protection() == bench.found
    assert not bench.one.connected_at_the_end("pv-1")
