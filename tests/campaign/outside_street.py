"""The small street served by another process, and runs that reach it as if it were real."""

import json
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrig_process import begin, ended
from small_street import METERS, scenario_file

TICKS_S = 10
LATENESS = {
    "name": "tick_lateness_max_s",
    "unit": "s",
    "max": 0.1,
    "source": "a tenth of the tick",
}
CEASED = {"connected": False, "p_w": 0.0}
SAFE_AT_THE_END: dict[str, dict[str, Any]] = {
    "pv-3": CEASED,
    "pv-4": CEASED,
    "storage-a": CEASED,
    "storage-b": CEASED,
    "battery-a": {"charge_fet": False, "discharge_fet": False},
    "battery-b": {"charge_fet": True, "discharge_fet": True},  # its wire cannot switch
    **{meter: {} for meter in METERS},
}


@dataclass
class Outside:
    """A rig whose devices are served by another process."""

    folder: Path
    emulators: subprocess.Popen[str]

    def run(self, *more: str, for_s: int = TICKS_S) -> subprocess.Popen[str]:
        """Start a run in ticks of a second; one of a minute or more trades."""
        scenario = scenario_file(self.folder, criteria=[LATENESS])
        length = ("--for-s", str(for_s), "--tick-s", "1", "--out", "run")
        arguments = ("run", scenario, "--rig", "outside.toml", *length)
        return begin(*arguments, *more, cwd=self.folder)

    def final_states(self) -> dict[str, Mapping[str, Any]]:
        """End the other process and return in which state it left each device."""
        self.emulators.send_signal(signal.SIGTERM)
        done = ended(self.emulators)
        assert done.returncode == 0
        rows = [json.loads(line) for line in done.stderr.splitlines() if "final_state" in line]
        return {row["device"]: {k: row[k] for k in SAFE_AT_THE_END[row["device"]]} for row in rows}
