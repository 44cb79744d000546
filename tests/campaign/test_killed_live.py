"""A bench that is live when its command is killed: the watchdog takes the power away.

The judge is the process that serves the bench: its own log tells when power came on, and in which
state each instrument was left.
"""

import contextlib
import json
import os
import select
import signal
import socket
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from gridrig_process import begin, watchdog_of

from gridrig.campaign.builtin import PROCEDURES
from gridrig.rig.lease import LEASES

pytestmark = pytest.mark.alone

LIVE_WITHIN_S, SAFE_WITHIN_S = 60, 100
SAFE_AT_THE_END = {
    "pv-1": {"connected": False},
    "ac-1": {"output": False},
    "s3": {"closed": False},
    "rlc-1": {"r_w": 0.0},
}
CHECK = ("check", "outside.toml", "--energise", "--yes")
TEST = ("test", PROCEDURES / "grid_support" / "test_voltage_trip.py", "--rig", "outside.toml")


class Between:
    """Stands between a command and a device, and falls silent when told to."""

    def __init__(self, host: str, port: int) -> None:
        self._device = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.silent = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self._device)
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if not self.silent.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Take nobody any more."""
        self._server.close()


class Served:
    """The emulated bench in a process of its own; `outside.toml` points at it."""

    def __init__(self, folder: Path) -> None:
        self._process = begin(
            "emulate", "emulated-bench", "--write-rig", "outside.toml", cwd=folder
        )
        self.live = threading.Event()
        self._rows: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._process.stdout is not None
        assert any(line == "ready\n" for line in self._process.stdout)

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("{"):
                row = json.loads(line)
                self._rows.append(row)
                if row["kind"] == "output" and row["on"]:
                    self.live.set()

    def end(self) -> dict[str, Any]:
        """End it and return how it left what matters."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)
        self._reader.join()
        final = {row["device"]: row for row in self._rows if row["kind"] == "final_state"}
        return {n: {key: final[n][key] for key in keys} for n, keys in SAFE_AT_THE_END.items()}

    def kill(self) -> None:
        """End it whatever happened."""
        self._process.kill()
        self._process.wait()
        self._reader.join()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv(LEASES, str(tmp_path / "leases"))
    served = Served(tmp_path)
    yield served
    served.kill()


@pytest.mark.parametrize(
    "command",
    [pytest.param(CHECK, id="check"), pytest.param(TEST, id="test", marks=pytest.mark.soak)],
)
def test_a_command_that_is_killed_with_the_bench_live_leaves_it_without_power(
    served: Served, tmp_path: Path, command: tuple[str | Path, ...]
) -> None:
    process = begin(*command, cwd=tmp_path)
    try:
        assert served.live.wait(LIVE_WITHIN_S), "the bench was never live"
        watchdog = watchdog_of(process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with contextlib.suppress(ProcessLookupError):
        assert select.select([os.pidfd_open(watchdog)], [], [], SAFE_WITHIN_S)[0], "it did not end"
    assert served.end() == SAFE_AT_THE_END
    report = json.loads((tmp_path / f"gridrig-watchdog-{process.pid}.json").read_text())
    assert report["cause"] == "the run ended without a word"
    assert report["left_unsafe"] == []
    assert report["took_s"] < report["safe_within_s"]
    assert ("pv-1", "prove", "done") in [
        (step["device"], step.get("step"), step.get("result")) for step in report["steps"]
    ]


@pytest.mark.soak
def test_a_device_that_hangs_when_its_command_is_killed_is_safe_without_power(
    served: Served, tmp_path: Path
) -> None:
    path = tmp_path / "outside.toml"
    table = tomllib.loads(path.read_text())
    link = next(d["link"] for d in table["device"] if d["name"] == "pv-1")
    between = Between(link["host"], link["port"])
    link["port"] = between.port
    path.write_text(tomli_w.dumps(table))
    process = begin(*CHECK, cwd=tmp_path)
    try:
        assert served.live.wait(LIVE_WITHIN_S), "the bench was never live"
        watchdog = watchdog_of(process.pid)
        between.silent.set()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with contextlib.suppress(ProcessLookupError):
        assert select.select([os.pidfd_open(watchdog)], [], [], SAFE_WITHIN_S)[0], "it did not end"
    report = json.loads((tmp_path / f"gridrig-watchdog-{process.pid}.json").read_text())
    assert report["left_unsafe"] == []
    assert report["devices_end"]["pv-1"].startswith("safe: without power, pa-1 reads ")
    assert "could not be opened" in report["devices_end"]["pv-1"]
    assert report["not_restored"] == ["pv-1"]  # a limit; nobody opened its protection
    left = served.end()
    assert left["ac-1"] == {"output": False}
    assert left["s3"] == {"closed": False}
    between.close()
