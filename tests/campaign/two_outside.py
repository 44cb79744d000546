"""Two inverters, each served by a process of its own, and a procedure that opens their trips.

`pv-1` hangs on a serial line, `pv-2` on TCP. Stopping a process (SIGSTOP) makes its device hang in
the middle of whatever it is asked; killing it makes it gone. What the processes log, and a Modbus
client that knows nothing of gridrig, judge how the devices were left.
"""

import json
import os
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w
from gridrig_process import GRIDRIG, watchdog_of
from pymodbus.client import ModbusTcpClient

from gridrig.campaign.builtin import RIGS
from gridrig.rig.enrolment import emulated_key_tables

WITHIN_S = 60.0
ESTABLISHED = "01"  # in the kernel's table of connections
VALID_FROM = "2016-01-01T00:00:00Z"
TRIPS = (707, 708, 709, 710)
PROTECTION = (703, 704, *TRIPS)
LOW_FREQUENCY, ENABLE = 709, 2  # a trip function, and where in its model its enable is
TEST = ("test", "test_trips.py", "--rig", "outside.toml", "--evidence", "evidence")
PROCEDURE = """
import asyncio
from pathlib import Path
from gridrig.campaign.procedures import Criterion, Mutant, procedure
from gridrig.devices.grid_support import TripSettings

HIGH = TripSettings(must_trip=((1.2, 13.0), (1.3, 0.16)))

@procedure(
    claim="none", clause="none", hazards="none", rig="one-inverter", needs=("inverter",),
    criteria=(Criterion("reads", "1", min=1, source="test"),),
    mutants=(
        Mutant("one", "inverter", {"trips": False}, "reads"),
        Mutant("two", "inverter", {"seed": 2}, "reads"),
    ),
)
async def test_opens_trips(lab):
    both = [lab.driver(name) for name in ("pv-1", "pv-2")]
    for pv in both:
        await pv.set_limit_w(4000.0)
        await pv.write_function("high_voltage_trip", HIGH, on=True)
        found = await pv.read_enter_service()
        await pv.write_enter_service(type(found)(**{**vars(found), "delay_s": 1.0}))
    Path("changed").touch()
    while not Path("enough").exists():
        for pv in both:
            await pv.read()
        await asyncio.sleep(0.05)
    Path("idle").touch()
    while not Path("go").exists():
        await asyncio.sleep(0.02)
    lab.record("reads", "1", 1)
    if Path("raise").exists():
        raise ValueError("a bug")


def test_ordinary_after_it():
    pass
"""
BREAKS = '''
from gridrig.devices.drivers.sunspec import SunSpecInverter

class Breaks(SunSpecInverter):
    """Cannot be made safe."""

    async def make_safe(self, safe_state):
        raise ValueError("a driver's bug")
'''


def install_driver(folder: Path, source: str) -> None:
    """Have the package of a driver `sunspec-breaks` where every process of `folder` finds it."""
    (folder / "breaks.py").write_text(source)
    info = folder / "breaks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: breaks\nVersion: 1.0\n")
    entry = "[gridrig.drivers]\nsunspec-breaks = breaks:Breaks\n"
    (info / "entry_points.txt").write_text(entry)


def rig_text(folder: Path, *, breaks: bool = False, dead: bool = False) -> Path:
    """Write the rig; with a driver that breaks at the end, or a third inverter that is missing."""
    table = tomllib.loads((RIGS / "one-inverter.toml").read_text())
    table["rig"]["watchdog_s"] = 2
    table.pop("key")
    inverter, meter = table["device"]
    inverter["emulate"].pop("relays")
    inverter["parameters"] = {"timeout_s": 0.5, "retries": 1}
    meter["parameters"] = {"timeout_s": 0.5, "retries": 1}
    table["device"] = []
    for number in (1, 2, 3) if dead else (1, 2):
        names = {"name": f"pv-{number}", "bus": f"bench-{number}"}
        table["device"].append({**inverter, **names, "emulate": {**inverter["emulate"]}})
        named = {"name": f"meter-{number}", "measures": f"pv-{number}"}
        emulate = {**meter["emulate"], "seed": 200 + number, "serial": f"GR-{number}"}
        table["device"].append({**meter, **named, "emulate": emulate})
    table["device"][0]["link"] = {
        "kind": "modbus-rtu",
        "port": "auto",
        "baudrate": 115200,
        "unit": 1,
    }
    # Silent, it keeps whoever asks waiting for some seconds, so that a test can be in the middle.
    table["device"][0]["parameters"] = {"timeout_s": 2.0, "retries": 1}
    if breaks:
        table["device"][2]["driver"] = "sunspec-breaks"
        table["device"][2]["emulate"]["emulator"] = "sunspec"
        install_driver(folder, BREAKS)
    path = folder / "two.toml"
    keys = "\n".join(emulated_key_tables(table, VALID_FROM))
    path.write_text(tomli_w.dumps(table) + "\n" + keys)
    return path


def waited(what: Callable[[], Any], told: str, within_s: float = WITHIN_S) -> Any:
    """Return what is there after a while; fail with `told` if it never is."""
    end_s = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < end_s, told
        time.sleep(0.02)
    return found


class Served:
    """Devices served by a process of their own, whose log is kept in a file."""

    def __init__(self, folder: Path, rig: Path, only: list[str], write: str) -> None:
        self.log = folder / f"{only[0]}.log"
        words = [word for name in only for word in ("--only", name)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(GRIDRIG), "emulate", str(rig), *words, "--write-rig", write],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment(folder),
            )
        assert self.process.stdout is not None
        self.endpoints: dict[str, dict[str, Any]] = {}
        for line in self.process.stdout:
            if line == "ready\n":
                break
            endpoint = json.loads(line)
            self.endpoints[endpoint["device"]] = endpoint
        assert list(self.endpoints) == only, self.log.read_text()

    def hang(self) -> None:
        """Answer nothing any more."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Be gone."""
        self.process.kill()
        self.process.wait()

    def events(self) -> list[dict[str, Any]]:
        """Return what happened, by its own log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[0] == "{"]

    def wait_connected(self, device: str) -> None:
        """Wait until somebody has connected to a device's socket, by the kernel's word."""
        port = f":{self.endpoints[device]['port']:04X}"

        def look() -> bool:
            rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
            return any(row[1].endswith(port) and row[3] == ESTABLISHED for row in rows)

        waited(look, f"nobody connects to {device}")

    def ended(self) -> list[dict[str, Any]]:
        """End it and return its whole log."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return self.events()

    def connected_at_the_end(self, device: str) -> bool:
        """End it and return whether it left a device connected."""
        final = [row for row in self.ended() if row["kind"] == "final_state"]
        (connected,) = [row["connected"] for row in final if row["device"] == device]
        return bool(connected)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of every process: leases, notes and drivers of this test only."""
    own = {"GRIDRIG_LEASES": "leases", "GRIDRIG_FOUND": "as-found"}
    return {
        **os.environ,
        **{name: str(folder / sub) for name, sub in own.items()},
        "PYTHONPATH": str(folder),
        "COLUMNS": "200",
    }


class TwoOutside:
    """Both devices served, and a command that drives them."""

    def __init__(self, folder: Path, *, breaks: bool = False, dead: bool = False) -> None:
        self.folder = folder
        rig = rig_text(folder, breaks=breaks, dead=dead)
        self.one = Served(folder, rig, ["pv-1", "meter-1"], "half.toml")
        self.two = Served(folder, folder / "half.toml", ["pv-2", "meter-2"], "outside.toml")
        if dead:
            self._third_is_not_there()
        (folder / "test_trips.py").write_text(PROCEDURE)
        self.process: subprocess.Popen[str] | None = None
        self.found = self.protection()

    def _third_is_not_there(self) -> None:
        """Make it a real one that nobody serves."""
        path = self.folder / "outside.toml"
        table = tomllib.loads(path.read_text())
        for device in table["device"]:
            if device["name"].endswith("-3"):
                del device["emulate"]
                device["link"]["port"] = 1 if device["name"] == "pv-3" else 2
                if device["name"] == "pv-3":
                    device["terminal"] = {"grid": True, "analyser": "meter-3"}
        path.write_text(tomli_w.dumps(table))

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; by default the test of the procedure."""
        words = arguments or TEST
        with (self.folder / "out").open("w") as out:
            self.process = subprocess.Popen(
                [str(GRIDRIG), *words],
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment(self.folder),
            )
        return self.process

    def call(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end; return its exit code and what it printed."""
        code = self.begin(*arguments).wait(timeout=WITHIN_S)
        return code, self.out()

    def out(self) -> str:
        """Return what the command printed so far."""
        return (self.folder / "out").read_text()

    def wait_changed(self) -> None:
        """Wait until the procedure has opened the trips."""
        assert self.process is not None
        process = self.process
        waited(
            lambda: (self.folder / "changed").exists() or process.poll() is not None, "no change"
        )
        assert process.poll() is None, self.out()

    def wait_idle(self) -> None:
        """Have the procedure ask nothing any more, until it is told to go on to its end."""
        (self.folder / "enough").touch()
        waited((self.folder / "idle").exists, "the procedure reads on")

    def touch(self, name: str) -> None:
        """Tell the procedure something."""
        (self.folder / name).touch()

    def watchdog(self) -> int:
        """Return the process id of the command's watchdog."""
        assert self.process is not None
        return watchdog_of(self.process.pid)

    def watchdog_report(self) -> dict[str, Any]:
        """Wait for what a watchdog wrote after it had acted."""
        path = self.folder / "evidence" / "executions" / "001-test_opens_trips" / "watchdog.json"
        waited(lambda: path.exists() and path.read_text().endswith("}\n"), "no watchdog report")
        content: dict[str, Any] = json.loads(path.read_text())
        return content

    def notes(self) -> list[str]:
        """Return the devices whose settings as found are still on disk."""
        folder = self.folder / "as-found"
        files = folder.glob("*.json") if folder.exists() else ()
        return sorted(json.loads(path.read_text())["device"] for path in files)

    def protection(self) -> dict[int, list[int]]:
        """Return the registers of the second inverter's protection, read by another client."""
        with self._client() as client:
            found = {
                model: _read(client, address, 2 + length)
                for model, (address, length) in _walk(client).items()
                if model in PROTECTION
            }
        assert len(found) == len(PROTECTION)
        del found[703][2]  # whether it may connect, which is the safe state's
        for model in TRIPS:
            del found[model][3:5]  # the last request to adopt a curve and its result
        return found

    def switch_off_a_trip(self) -> None:
        """Be another master that switches one of the second inverter's trips off."""
        with self._client() as client:
            address = _walk(client)[LOW_FREQUENCY][0] + ENABLE
            assert _read(client, address, 1) == [1], "another point"
            assert not client.write_registers(address, [0], device_id=1).isError()

    def _client(self) -> ModbusTcpClient:
        endpoint = self.two.endpoints["pv-2"]
        return ModbusTcpClient(str(endpoint["host"]), port=int(endpoint["port"]))

    def end(self) -> None:
        """End every process, whatever happened."""
        for served in (self.one, self.two):
            served.process.kill()
            served.process.wait()
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def _walk(client: ModbusTcpClient) -> dict[int, tuple[int, int]]:
    """Return address and length of each model of the map at 40000."""
    found, address = {}, 40002
    while (head := _read(client, address, 2))[0] != 0xFFFF:
        found[head[0]] = (address, head[1])
        address += 2 + head[1]
    return found


def _read(client: ModbusTcpClient, address: int, count: int) -> list[int]:
    registers: list[int] = []
    while len(registers) < count:
        most = min(120, count - len(registers))
        reply = client.read_holding_registers(address + len(registers), count=most, device_id=1)
        assert not reply.isError(), reply
        registers += reply.registers
    return registers
