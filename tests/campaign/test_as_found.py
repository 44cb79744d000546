"""What a run changed comes back as it was found, whoever is left to do it.

The judge is a Modbus client of its own, which reads every register of the protection before and
after, and the log of the process that serves the device.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from two_outside import TwoOutside

pytestmark = pytest.mark.alone


@pytest.fixture
def both(tmp_path: Path) -> Iterator[TwoOutside]:
    bench = TwoOutside(tmp_path)
    yield bench
    bench.end()


def test_settings_come_back_even_if_the_run_and_its_watchdog_are_killed(both: TwoOutside) -> None:
    both.begin()
    both.wait_changed()
    assert both.protection() != both.found, "nothing was changed: nothing is proved"
    assert both.process is not None
    os.kill(both.watchdog(), signal.SIGKILL)
    both.process.kill()
    both.process.wait()
    assert both.protection() != both.found
    assert both.notes() == ["pv-1", "pv-2"]
    code, out = both.call("restore", "outside.toml")
    assert code == 0, out
    assert "pv-2: restored as found and read back" in out
    assert both.protection() == both.found
    assert both.notes() == []
    assert not both.one.connected_at_the_end("pv-1")
    assert not both.two.connected_at_the_end("pv-2")
    assert both.call("restore", "outside.toml")[1].startswith("nothing to restore")


@pytest.mark.soak
def test_a_device_of_which_another_master_switched_off_a_trip_is_left_unsafe(
    both: TwoOutside,
) -> None:
    both.begin()
    both.wait_changed()
    both.switch_off_a_trip()
    both.wait_idle()
    both.touch("go")
    assert both.process is not None
    assert both.process.wait(timeout=60) == 6, both.out()
    assert "low_frequency_trip is not as it was found" in both.out()


@pytest.mark.soak
def test_a_device_that_hung_when_its_run_died_is_restored_by_whoever_opens_it_next(
    both: TwoOutside,
) -> None:
    both.begin()
    both.wait_changed()
    watchdog, process = both.watchdog(), both.process
    assert process is not None
    both.two.hang()
    process.kill()
    process.wait()
    report = both.watchdog_report()
    assert report["left_unsafe"] == ["pv-2", "meter-2"]
    assert report["not_restored"] == ["pv-2"]
    assert both.notes() == ["pv-2"]
    both.two.go_on()
    assert both.protection() != both.found
    code, out = both.call("check", "outside.toml")
    assert code == 0, out
    assert "pv-2: settings that a run did not live to restore are restored" in out
    assert "(pv-2): " in out
    assert " requests to the safe state, 0.5 s each at most: " in out
    assert both.protection() == both.found
    assert both.notes() == []
    assert not Path(f"/proc/{watchdog}").exists()


@pytest.mark.soak
def test_another_device_at_the_same_address_is_not_given_what_was_found_of_the_first(
    both: TwoOutside,
) -> None:
    both.begin()
    both.wait_changed()
    assert both.process is not None
    os.kill(both.watchdog(), signal.SIGKILL)
    both.process.kill()
    both.process.wait()
    (path,) = [p for p in (both.folder / "as-found").iterdir() if "pv-2" in p.read_text()]
    text = path.read_text()
    assert '"serial": "' in text
    path.write_text(text.replace('"serial": "', '"serial": "OTHER-'))
    changed = both.protection()
    code, out = both.call("restore", "outside.toml")
    assert (code, "rig.found_other_device" in out) == (4, True), out
    assert both.protection() == changed
    code, out = both.call("restore", "outside.toml", "--forget", "pv-2")
    assert (code, "given up" in out) == (0, True), out
    assert both.notes() == []
