"""A bench is used by one at a time; whoever dies has given it back."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridrig.campaign.renewal_fit import require_renewal
from gridrig.campaign.scenario import load_scenario
from gridrig.errors import RigError
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.lease import LEASES, take_lease, wires_of
from gridrig.rig.unattended import require_unattended

RIGS = Path(__file__).parents[2] / "rigs"
HOLDER = """
import sys
from gridrig.rig.description import load_rig
from gridrig.rig.lease import take_lease
lease = take_lease(load_rig(sys.argv[1]), sys.argv[2], wait_s=float(sys.argv[3]))
print(sys.argv[2], flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def _own_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEASES, str(tmp_path / "leases"))


@pytest.fixture
def rig() -> Rig:
    return load_rig(RIGS / "lab-example.toml")


def holder(what: str, wait_s: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(RIGS / "lab-example.toml"), what, str(wait_s)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )


def test_only_wires_to_real_devices_are_leased(rig: Rig) -> None:
    port = "/dev/serial/by-id/usb-FTDI_isolated_adapter-if00-port0"
    assert wires_of(rig) == (port, "192.0.2.20:502", "192.0.2.21:502")
    assert wires_of(load_rig(RIGS / "emulated-street.toml")) == ()


def test_a_bench_in_use_is_refused_with_its_owner_and_free_once_the_owner_is_killed(
    rig: Rig,
) -> None:
    process = holder("storm")
    assert process.stdout is not None
    assert process.stdout.readline() == "storm\n"
    with pytest.raises(RigError, match=rf"process {process.pid} \(storm, rig lab-example") as taken:
        take_lease(rig, "test")
    assert taken.value.code == "rig.bench_taken"
    process.send_signal(signal.SIGKILL)
    process.wait()
    with take_lease(rig, "test") as lease:
        assert lease.wires == wires_of(rig)


def test_a_copy_of_the_descriptors_keeps_the_lease(rig: Rig) -> None:
    lease = take_lease(rig, "run")
    kept = subprocess.Popen(["sleep", "60"], pass_fds=lease.descriptors)
    lease.give_back()
    with pytest.raises(RigError, match="is in use by process"):
        take_lease(rig, "test")
    kept.kill()
    kept.wait()
    take_lease(rig, "test").give_back()


def test_whoever_waits_is_served_in_order_of_arrival_and_the_dead_are_passed_over(
    rig: Rig,
) -> None:
    lease = take_lease(rig, "first")
    line = Path(os.environ[LEASES]) / f"{wires_of(rig)[0].strip('/').replace('/', '+')}.line"
    waiting = []
    for number, what in enumerate(("killed", "second", "third"), start=1):
        waiting.append(holder(what, 60.0))
        while not line.is_dir() or len(list(line.glob("[0-9]*"))) < number:
            assert waiting[-1].poll() is None
    waiting[0].kill()
    waiting[0].wait()
    with pytest.raises(RigError, match="first"):
        take_lease(rig, "impatient")
    lease.give_back()
    for process, what in zip(waiting[1:], ("second", "third"), strict=True):
        assert process.stdout is not None
        assert process.stdout.readline() == f"{what}\n"
        process.communicate("", timeout=30)


def test_a_bench_that_nothing_brings_to_rest_is_not_left_alone(rig: Rig) -> None:
    with pytest.raises(RigError) as refused:
        require_unattended(rig)
    assert [issue.key for issue in refused.value.issues] == [
        "device 'inverter-1': host_dead",
        "device 'battery-1': host_dead",
    ]
    require_unattended(load_rig(RIGS / "emulated-street.toml"))


def lab(tmp_path: Path, revert_s: int, **host_dead: str) -> Path:
    """Write the laboratory's example with what brings each device to rest."""
    text = (RIGS / "lab-example.toml").read_text()
    for capability, said in host_dead.items():
        line = f'capability = "{capability}"\n'
        text = text.replace(line, f'{line}host_dead = "{said}"\n')
    path = tmp_path / "bench.toml"
    path.write_text(text.replace("retries = 1 }", f"retries = 1, revert_s = {revert_s} }}"))
    return path


@pytest.mark.parametrize("said", ["relay", "reversion-timer"])
def test_a_device_says_what_brings_it_to_rest(tmp_path: Path, said: str) -> None:
    path = lab(tmp_path, 60, inverter=said, bms="relay")
    require_unattended(load_rig(path))
    path.write_text(path.read_text().replace(said, "relais"))
    with pytest.raises(RigError, match="host_dead"):
        load_rig(path)


def test_a_timer_that_no_driver_sets_brings_nothing_to_rest(tmp_path: Path) -> None:
    with pytest.raises(RigError) as refused:
        load_rig(lab(tmp_path, 0, inverter="reversion-timer", bms="reversion-timer"))
    assert [(issue.key, issue.expected) for issue in refused.value.issues] == [
        (
            "device 'inverter-1'.parameters.revert_s",
            'above 0 s, for host_dead = "reversion-timer"',
        ),
        (
            "device 'battery-1'.host_dead",
            '"relay" or "none": driver "jbd" sets no reversion timer',
        ),
    ]


def test_ticks_too_long_for_a_reversion_timer_are_refused(
    tmp_path: Path,
) -> None:
    text = (RIGS / "emulated-street.toml").read_text()
    line = 'name = "pv-1"\ncapability = "inverter"\n'
    assert line in text
    for revert_s, refused in ((599, True), (600, False)):
        path = tmp_path / f"{revert_s}.toml"
        path.write_text(text.replace(line, f"{line}parameters = {{ revert_s = {revert_s} }}\n"))
        scenario = load_scenario(
            RIGS / "scenarios" / "summer-day.toml", {"ledger_sum_micro": "micro"}
        )
        if not refused:
            require_renewal(load_rig(path), scenario)
            continue
        with pytest.raises(RigError) as caught:
            require_renewal(load_rig(path), scenario)
        (issue,) = caught.value.issues
        assert issue.key == "device 'pv-1'.parameters.revert_s"
        assert (issue.found, issue.expected) == ("599", "at least 600, 2 ticks of 300 s")
