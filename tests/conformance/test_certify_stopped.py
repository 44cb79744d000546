"""However `gridrig certify` is stopped: no certificate, and no process of the driver is left.

The driver blocks for ever in the middle of a call, so nothing can be asked of it. What it is tried
on is emulated inside the command and ends with it; the devices of a bench are never touched.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gridrig.campaign.manifest import verify

GRIDRIG = Path(sys.executable).parent / "gridrig"
WITHIN_S = 60.0
DRIVER = '''
import os
import time
from pathlib import Path
from gridrig.devices.drivers.sunspec import SunSpecInverter

class Blocks(SunSpecInverter):
    """Never comes back from a reading, and lets nothing else go on in its process."""

    async def read(self):
        Path("reading").write_text(f"{os.getpid()}\\n")
        while True:
            time.sleep(0.01)
'''


def begun(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Begin to certify the driver; return the command, and the process in which it blocks."""
    info = folder / "blocks-1.0.dist-info"
    info.mkdir()
    (folder / "blocks.py").write_text(DRIVER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: blocks\nVersion: 1.0\n")
    (info / "RECORD").write_text("blocks.py,,\n")
    (info / "entry_points.txt").write_text("[gridrig.drivers]\nblocks = blocks:Blocks\n")
    words = ("certify", "blocks", "--rig", "driver-bench", "--device", "pv-tcp", "--out", "out")
    command = subprocess.Popen(
        [str(GRIDRIG), *words, "--only", "reading.inverter"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "GRIDRIG_KEY": str(folder / "key.pem")},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "err").open("wb"),
    )
    end_s = time.monotonic() + WITHIN_S
    while not (told := _text(folder / "reading")).endswith("\n"):
        assert command.poll() is None, _text(folder / "err")
        assert time.monotonic() < end_s, "the driver was never asked to read"
        time.sleep(0.02)
    return command, int(told)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.soak),
        pytest.param(signal.SIGHUP, marks=pytest.mark.soak),
        pytest.param(signal.SIGKILL, marks=pytest.mark.soak),
    ],
)
def test_stopped_while_a_driver_blocks_nothing_is_certified_and_nothing_left(
    tmp_path: Path, number: signal.Signals
) -> None:
    command, driver = begun(tmp_path)
    begin_s = time.monotonic()
    command.send_signal(number)
    code = command.wait(timeout=WITHIN_S)
    print(f"{number.name}: {code} after {time.monotonic() - begin_s:.2f} s")
    if number is signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 5
        assert f"stopped by {number.name}: nothing is certified" in _text(tmp_path / "err")
    end_s = time.monotonic() + WITHIN_S
    while Path(f"/proc/{driver}").exists():
        assert time.monotonic() < end_s, "the driver's process outlived the command"
        time.sleep(0.02)
    assert not (tmp_path / "out" / "certificate.json").exists()
    assert not verify(tmp_path / "out" / "evidence").intact
