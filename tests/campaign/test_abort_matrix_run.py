"""Whatever ends a run, and whenever: its street is left safe, or is said not to be.

As `test_abort_matrix` for `gridrig test`; here a whole street is driven, tick by tick, on the wall
clock, and trades. The judges are the logs of the two processes that serve it (`two_streets`).
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gridrig_process import verdicts_of
from outside_street import SAFE_AT_THE_END
from two_outside import waited
from two_streets import APART, TwoStreets

from gridrig.campaign.manifest import verify

pytestmark = [pytest.mark.alone, pytest.mark.soak]

ENDS_WITHIN_S = 120.0
STOPS_WITHIN_S = 1.0
LONG_S, SHORT_S = 600, 3
ERROR, ABORTED, UNSAFE, KILLED = 4, 5, 6, -9
PHASES = ("set-up", "run", "tear-down")


@pytest.fixture
def street(tmp_path: Path) -> Iterator[TwoStreets]:
    street = TwoStreets(tmp_path)
    yield street
    street.end()


def in_set_up(street: TwoStreets) -> None:
    """Be in the middle of opening: all are open but one, whose serial line is silent."""
    street.one.hang()
    street.begin(LONG_S)
    street.two.wait_connected("pv-3")
    time.sleep(1.5)  # a silent open takes four seconds, the others' far less


def in_the_run(street: TwoStreets) -> None:
    """Be in a tick that waits for a device that does not answer."""
    street.begin(LONG_S)
    street.wait_for("running")
    street.wait_read()
    street.one.hang()
    time.sleep(1.5)  # a tick has begun since


def in_tear_down(street: TwoStreets) -> None:
    """Be at the first step of the safe sequence, with one device that does not answer."""
    street.begin(SHORT_S)
    street.wait_for("running")
    street.touch("hold")
    street.wait_for("driving the bench to its safe state")
    street.one.hang()
    seen = len(street.two.events())
    (street.folder / "hold").unlink()
    waited(lambda: len(street.two.events()) > seen, "the others are not being made safe")


REACH: dict[str, Callable[[TwoStreets], None]] = {
    "set-up": in_set_up,
    "run": in_the_run,
    "tear-down": in_tear_down,
}
NUMBERS = {name: signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")}


def code_of(street: TwoStreets) -> int:
    assert street.process is not None
    return street.process.wait(timeout=ENDS_WITHIN_S)


def check_left(street: TwoStreets, code: int, *, never_opened: bool = False) -> None:
    """Judge: every device is safe but the one that was never opened; evidence is signed."""
    safe = {name: state for name, state in SAFE_AT_THE_END.items() if name not in APART}
    assert street.final_states(street.two) == safe
    connected = street.final_states(street.one)["pv-4"]["connected"]
    assert connected == never_opened, "never opened is as somebody else left it"
    assert verify(street.folder / "run").intact != (code == KILLED)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("event", [*NUMBERS, "watchdog killed"])
def test_whatever_stops_a_run_its_street_is_left_safe(
    street: TwoStreets, phase: str, event: str
) -> None:
    REACH[phase](street)
    assert street.process is not None
    seen, begin_s = len(street.two.events()), time.monotonic()
    if event == "watchdog killed":
        os.kill(street.watchdog(), signal.SIGKILL)
    else:
        street.process.send_signal(NUMBERS[event])
    if event != "SIGKILL" and phase != "tear-down":
        # It stops while it waits for a device that does not answer, and turns to the others.
        waited(lambda: len(street.two.events()) > seen, "not stopped", STOPS_WITHIN_S)
        stopped_s = time.monotonic() - begin_s
        print(f"{phase} x {event}: stopped after {stopped_s:.2f} s")
    street.one.go_on()
    code = code_of(street)
    assert code == (KILLED if event == "SIGKILL" else ABORTED), street.out()
    if event == "SIGKILL":
        report = street.folder / "run" / "watchdog.json"
        waited(lambda: report.exists() and report.read_text().endswith("}\n"), "no report")
        told = json.loads(report.read_text())
        assert told["left_unsafe"] == []
        assert told["took_s"] < told["safe_within_s"]
    print(f"{phase} x {event}: {code}, {time.monotonic() - begin_s:.1f} s")
    check_left(street, code, never_opened=phase == "set-up" and event != "SIGKILL")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("event", ["hang", "device gone"])
def test_a_device_that_hangs_or_is_gone_is_named_and_the_others_left_safe(
    street: TwoStreets, phase: str, event: str
) -> None:
    REACH[phase](street)
    if event == "device gone":
        street.one.kill()
    code = code_of(street)
    # What was never opened was never written to either.
    assert code == (ERROR if phase == "set-up" else UNSAFE), street.out()
    verdicts = verdicts_of(street.folder / "run")
    assert verdicts["left_unsafe"] == ([] if phase == "set-up" else ["pv-4"])
    assert "pv-4" in street.out()
    safe = {name: state for name, state in SAFE_AT_THE_END.items() if name not in APART}
    assert street.final_states(street.two) == safe
    assert verify(street.folder / "run").intact


@pytest.mark.parametrize("phase", PHASES)
def test_an_exception_is_told_and_whoever_can_be_is_left_safe(
    street: TwoStreets, phase: str
) -> None:
    if phase == "run":
        street.begin(LONG_S)
        street.wait_for("running")
        street.wait_read()
    street.touch(f"raise-in-{phase}")
    if phase != "run":
        street.begin(SHORT_S)
    code = code_of(street)
    assert code == (UNSAFE if phase == "tear-down" else ERROR), street.out()
    assert "a bug" in street.out()
    left = {**street.final_states(street.two), **street.final_states(street.one)}
    raised = left.pop("pv-3")
    # In set-up it was never opened; in tear-down its driver cannot make it safe, and is named.
    assert raised["connected"] == (phase != "run")
    assert left == {name: s for name, s in SAFE_AT_THE_END.items() if name != "pv-3"}
    unsafe = verdicts_of(street.folder / "run")["left_unsafe"]
    assert unsafe == (["pv-3"] if phase == "tear-down" else [])
