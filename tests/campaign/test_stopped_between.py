"""A signal between two procedures of `gridrig test`: what was done is told, and the rest is not."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gridrig.cli import main

COMMAND = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from gridrig.cli import main
sys.exit(main())
"""
PROCEDURE = """
@procedure(
    claim="reads", clause="none", hazards="none", rig="one-inverter", needs=("inverter",),
    criteria=(Criterion("power_w", "W", max=1e9, source="any"),),
    mutants=(
        Mutant("reads high", "meter", {{"scale": 1.5}}, "power_w"),
        Mutant("reads higher", "meter", {{"scale": 2.5}}, "power_w"),
    ),
)
async def test_{name}(lab):
    lab.record("power_w", "W", (await lab.measured(lab.name_of("inverter"))).p_w)
"""
HEAD = """
import time
from pathlib import Path
from gridrig.campaign.procedures import Criterion, Mutant, procedure
"""
BETWEEN = """
def test_between():
    Path("between").touch()
    time.sleep(60)
"""
FILE = HEAD + PROCEDURE.format(name="first") + BETWEEN + PROCEDURE.format(name="last")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_two_procedures_ends_with_summary_and_signed_evidence(
    tmp_path: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_two.py").write_text(FILE)
    words = ["test", "test_two.py", "--evidence", "evidence"]
    started = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        while not (tmp_path / "between").exists():
            assert started.poll() is None
            time.sleep(0.02)
        started.send_signal(number)
        out, _ = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 5, out
    assert f"stopped by {number.name}" in out
    assert out.count("PASS  test_first on EMULATED one-inverter") == 1
    assert "test_last" not in out
    assert main(["verify", str(tmp_path / "evidence")]) == 0
    assert "intact" in capsys.readouterr().out
