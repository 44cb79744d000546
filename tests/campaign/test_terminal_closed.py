"""A terminal that is closed, as a lost ssh session closes it, stops what it began; safely."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_street import SAFE_ENDS, rig_file
from test_run_signals import long_island

from gridrig.campaign.manifest import verify
from gridrig.campaign.stopping import Stop, stop_asked
from gridrig.stop_signals import handed

ENDS_WITHIN_S = 120.0
# Whoever runs the tests may have SIGHUP ignored; a terminal's own processes have not.
COMMAND = """
import os, signal, sys
os.login_tty(int(sys.argv.pop(1)))
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from gridrig.cli import main
sys.exit(main())
"""


def unheard(*_: object) -> None:
    raise AssertionError("SIGHUP was not taken")


@pytest.fixture
def hangs_up() -> Iterator[None]:
    # Not the default, which would end the tests where nobody hears it.
    former = signal.signal(signal.SIGHUP, unheard)
    yield
    signal.signal(signal.SIGHUP, former)


class OnTerminal:
    """The command line on a terminal of its own, its files beside it."""

    def __init__(self, folder: Path, *words: str | Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(theirs), *map(str, words)],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(self.temporary), "TERM": "dumb"},
            pass_fds=[theirs],
        )
        os.close(theirs)

    def wait_for(self, text: bytes) -> None:
        said = b""
        while text not in said:
            said += os.read(self._ours, 65_536)

    def close(self) -> int:
        """Close the terminal; return the exit code."""
        os.close(self._ours)
        try:
            return self._process.wait(ENDS_WITHIN_S)
        finally:
            self._process.kill()


def test_an_emulated_device_leaves_no_key_behind(tmp_path: Path) -> None:
    started = OnTerminal(tmp_path, "emulate", "secured-inverter")
    started.wait_for(b"ready\r\n")
    assert list(started.temporary.glob("gridrig-keys-*")) != []
    assert started.close() == 0
    assert list(started.temporary.glob("gridrig-keys-*")) == []


@pytest.mark.soak
def test_a_run_is_left_safe_and_its_evidence_is_written(tmp_path: Path) -> None:
    rig, scenario = rig_file(tmp_path), long_island(tmp_path)
    started = OnTerminal(tmp_path, "run", scenario, "--rig", rig, "--out", "run")
    started.wait_for(b"the island stands on its own")
    assert started.close() == 5
    verified = verify(tmp_path / "run")
    assert verified.intact
    text = (tmp_path / "run" / "verdicts.json").read_text()
    assert "stopped by SIGHUP" in text
    assert all(f'"{name}": "{state}"' in text for name, state in SAFE_ENDS.items())


@pytest.mark.usefixtures("hangs_up")
def test_every_way_to_stop_hears_it() -> None:
    heard: list[str] = []

    async def task() -> str:
        stop = Stop()
        signal.raise_signal(signal.SIGHUP)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return stop.cause
        return ""

    async def server() -> None:
        stop = stop_asked()
        signal.raise_signal(signal.SIGHUP)
        await stop.wait()

    assert asyncio.run(task()) == "stopped by SIGHUP"
    asyncio.run(server())
    signal.signal(signal.SIGHUP, unheard)
    with handed(heard.append):
        signal.raise_signal(signal.SIGHUP)
    assert heard == ["SIGHUP"]
    assert signal.getsignal(signal.SIGHUP) is unheard


@pytest.mark.usefixtures("hangs_up")
def test_under_nohup_it_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    heard: list[str] = []

    async def main() -> bool:
        stop = stop_asked()
        signal.raise_signal(signal.SIGHUP)
        await asyncio.sleep(0)
        return stop.is_set()

    assert not asyncio.run(main())
    with handed(heard.append):
        signal.raise_signal(signal.SIGHUP)
    assert heard == []
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
