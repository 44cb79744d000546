"""The small street served by two processes, and runs that reach both as if they were real.

`pv-4` hangs on a serial line and is served, with its meter, by a process of its own, which a test
stops (its device hangs) or kills (it is gone). All others are served by the second, whose log is
the judge. `pv-3` has the driver of another package, which raises or waits where a test says so by
a file: a bug in set-up, run or tear-down.
"""

import subprocess
from pathlib import Path
from typing import Any

import tomli_w
from gridrig_process import GRIDRIG, watchdog_of
from outside_street import SAFE_AT_THE_END
from small_street import DEVICES, SCENARIO, rig_file
from two_outside import Served, environment, install_driver, waited

APART = ("pv-4", "meter-pv-4")
DRIVER = '''
import asyncio
from pathlib import Path
from gridrig.devices.drivers.sunspec import SunSpecInverter

class Breaks(SunSpecInverter):
    """Raises, or waits, where it is told to."""

    async def open(self):
        if Path("raise-in-set-up").exists():
            raise ValueError("a bug")
        await super().open()

    async def read(self):
        if Path("raise-in-run").exists() and not Path("hold").exists():
            raise ValueError("a bug")
        return await super().read()

    async def set_limit_w(self, p_w):
        while Path("hold").exists():
            await asyncio.sleep(0.02)
        await super().set_limit_w(p_w)

    async def make_safe(self, safe_state):
        if Path("raise-in-tear-down").exists():
            raise ValueError("a bug")
        await super().make_safe(safe_state)
'''


def _change(table: dict[str, Any]) -> None:
    table["rig"]["watchdog_s"] = 2
    for device in table["device"]:
        if device["name"] == "pv-3":
            device["driver"] = "sunspec-breaks"
            device["emulate"]["emulator"] = "sunspec"
        if device["name"] in APART:
            device["parameters"] = {"timeout_s": 2.0, "retries": 1}


class TwoStreets:
    """Both processes, and one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        install_driver(folder, DRIVER)
        rig = rig_file(folder, _change)
        self.one = Served(folder, rig, list(APART), "half.toml")
        others = [name for name in DEVICES if name not in APART]
        self.two = Served(folder, folder / "half.toml", others, "outside.toml")
        self.process: subprocess.Popen[str] | None = None

    def begin(self, for_s: int) -> None:
        """Start a run in ticks of a second, whose deadlines are nobody's affair here."""
        table = {**SCENARIO, "scenario": {**SCENARIO["scenario"], "duration_s": 600}}
        table |= {"event": [], "timing": {"missed_deadlines_max": 10_000}}
        table["criterion"] = [c for c in SCENARIO["criterion"] if "event" not in c]
        (self.folder / "minute.toml").write_text(tomli_w.dumps(table))
        words = ("run", "minute.toml", "--rig", "outside.toml", "--out", "run")
        length = ("--for-s", str(for_s), "--tick-s", "1")
        with (self.folder / "out").open("w") as out:
            self.process = subprocess.Popen(
                [str(GRIDRIG), *words, *length],
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment(self.folder),
            )

    def out(self) -> str:
        """Return what the run printed so far."""
        return (self.folder / "out").read_text()

    def wait_for(self, stage: str) -> None:
        """Wait until the run says that it is there."""
        process = self.process
        assert process is not None
        waited(lambda: stage in self.out() or process.poll() is not None, stage)
        assert process.poll() is None, self.out()

    def wait_read(self) -> None:
        """Wait until the run has read its devices: the first ticks are over."""
        live = self.folder / "run" / "events.live.jsonl"
        waited(lambda: live.exists() and '"kind":"cleared"' in live.read_text(), "no tick")

    def watchdog(self) -> int:
        """Return the process id of the run's watchdog."""
        assert self.process is not None
        return watchdog_of(self.process.pid)

    def touch(self, name: str) -> None:
        """Tell the driver something."""
        (self.folder / name).touch()

    def final_states(self, served: Served) -> dict[str, dict[str, Any]]:
        """End a process and return in which state it left each of its devices."""
        rows = [row for row in served.ended() if row["kind"] == "final_state"]
        return {r["device"]: {k: r[k] for k in SAFE_AT_THE_END[r["device"]]} for r in rows}

    def end(self) -> None:
        """End whatever is left of it."""
        for process in (self.process, self.one.process, self.two.process):
            if process is not None:
                process.kill()
                process.wait()
