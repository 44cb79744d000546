"""An instrument of another process, real to the run, is not waited for as a device is."""

import signal
import time
import tomllib

import pytest
import tomli_w
from gridrig_process import begin, ended, events_of, verdicts_of, wait_for_line
from outside_street import SAFE_AT_THE_END, Outside
from small_street import scenario_file

pytestmark = pytest.mark.alone

HANGS_S = 8.0
LEDGER = {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"}


@pytest.mark.parametrize("outside", [("pv-4", "meter-pv-4")], indirect=True)
def test_a_run_that_waits_for_an_inverter_does_not_wait_for_what_measures_it(
    outside: Outside,
) -> None:
    path = scenario_file(outside.folder, events=[], criteria=[LEDGER])
    table = tomllib.loads(path.read_text())
    table["scenario"]["away_s_max"] = 60
    path.write_text(tomli_w.dumps(table))
    length = ("--for-s", "30", "--tick-s", "1", "--out", "run")
    process = begin("run", path, "--rig", "outside.toml", *length, cwd=outside.folder)
    wait_for_line(process, "running")
    time.sleep(3)
    outside.emulators.send_signal(signal.SIGSTOP)
    time.sleep(HANGS_S)
    outside.emulators.send_signal(signal.SIGCONT)
    ended(process)
    verdicts = verdicts_of(outside.folder / "run")
    assert verdicts["ended"] == "ERROR"
    assert "device meter-pv-4 did not answer 3 times in a row" in verdicts["cause"]
    lost = [e for e in events_of(outside.folder / "run") if e["kind"] == "device_lost"]
    assert [(e["device"], e["away_s_max"]) for e in lost] == [("pv-4", 60), ("meter-pv-4", 0)], (
        "the inverter was waited for, until its instrument was lost"
    )
    # Both are there again on the way to the safe state, which reaches the inverter too.
    assert set(verdicts["devices_end"].values()) == {"safe"}
    assert outside.final_states()["pv-4"] == SAFE_AT_THE_END["pv-4"]
