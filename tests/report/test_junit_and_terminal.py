"""JUnit and the terminal table: red whenever the exit code is not zero."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.formats import json_bytes
from gridrig.campaign.measurements import Criterion, Measurement, Outcome, judge_all
from gridrig.campaign.records import DeviceRecord, RunRecord
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.report import print_verdicts, write_junit

LIMIT = Criterion("trip_time_s", "s", max=2.0, source="8.1 <&>")
DEVICES = (
    DeviceRecord("pv-1", "inverter", "sunspec", "emulated", {"serial": "S\x00\ud800"}),
    DeviceRecord("pv-2", "inverter", "sunspec", "hardware"),
)


def verdicts_of(value, **more) -> RunVerdicts:
    measured = [] if value is None else [Measurement("trip_time_s", "s", value, 0.01)]
    return RunVerdicts("Trip", judge_all([LIMIT], measured), **more)


def junit_of(path, verdicts: RunVerdicts) -> ET.Element:
    run = RunDirectory(path)
    run.add_run(RunRecord("Trip", 7, "virtual", "0.1.0", 0, 60, 60, devices=DEVICES))
    run.add_verdicts(verdicts)
    return ET.fromstring(write_junit(path).read_bytes())


@pytest.mark.parametrize(
    ("value", "tag", "kind"),
    [(1.0, None, None), (3.0, "failure", "FAIL"), (2.0, "error", "INCONCLUSIVE"),
     (None, "error", "INCONCLUSIVE")],
)  # fmt: skip
def test_each_outcome_becomes_what_a_ci_shows_as_such(tmp_path, value, tag, kind):
    root = junit_of(tmp_path / "run", verdicts_of(value))
    (case,) = root.iter("testcase")
    assert case.get("name") == "trip_time_s"
    assert [child.tag for child in case if child.tag != "system-out"] == ([tag] if tag else [])
    if tag:
        assert case.find(tag).get("type") == kind
        assert "limit ≤ 2" in case.find(tag).get("message")
    assert root.get("failures") == str(int(tag == "failure"))
    assert root.get("errors") == str(int(tag == "error"))


def test_properties_say_device_kind_seed_and_clock(tmp_path):
    root = junit_of(tmp_path / "run", verdicts_of(1.0))
    properties = {p.get("name"): p.get("value") for p in root.iter("property")}
    assert properties["seed"] == "7"
    assert properties["clock"] == "virtual"
    assert properties["device.pv-1"] == "emulated"
    assert properties["device.pv-2"] == "hardware"
    assert properties["device.pv-1.serial"] == r"S\x00\xd800"  # what XML cannot hold is shown
    assert root.find("testsuite").get("name").startswith("EMULATED")


@given(
    st.lists(st.sampled_from([0.5, 2.0, 9.0, None]), max_size=3),
    st.sampled_from([Outcome.PASS, Outcome.ERROR, Outcome.ABORTED]),
    st.booleans(),
)
def test_prop_junit_is_green_exactly_if_the_exit_code_is_zero(values, ended, unsafe):
    import tempfile
    from pathlib import Path

    criteria = [Criterion(f"c{n}", "s", max=2.0, source="s") for n in range(len(values))]
    measured = [Measurement(f"c{n}", "s", value, 0.1) for n, value in enumerate(values)]
    left = ("pv-1",) if unsafe else ()
    verdicts = RunVerdicts("T", judge_all(criteria, measured), ended, "why", left_unsafe=left)
    with tempfile.TemporaryDirectory() as folder:
        root = junit_of(Path(folder) / "run", verdicts)
    red = int(root.get("failures")) + int(root.get("errors"))
    assert (red == 0) == (verdicts.exit_code == 0)
    assert root.get("skipped") == "0"
    assert int(root.get("tests")) >= 1


def printed(verdicts: RunVerdicts, **options) -> str:
    text = io.StringIO()
    print_verdicts(verdicts, Console(file=text), **options)
    return text.getvalue()


def test_the_table_has_value_limit_margin_unit_and_outcome_in_one_line_of_a_log():
    (line,) = (one for one in printed(verdicts_of(1.5)).splitlines() if "trip_time_s" in one)
    assert re.split(r"\s{2,}", line.strip()) == [
        "trip_time_s", "1.5 ± 0.01", "≤ 2", "+0.5", "s", "✓ PASS"
    ]  # fmt: skip


def test_the_table_says_why_when_there_is_no_value_and_what_was_left_unsafe():
    text = printed(
        verdicts_of(None, left_unsafe=("pv-1",), devices_end={"pv-1": "unreachable: timeout"}),
        emulated=True,
    )
    for part in ("EMULATED · Trip", "not measured", "left unsafe: pv-1: unreachable: timeout",
                 "UNSAFE", "0 of 1 criterion passed"):  # fmt: skip
        assert part in text


def test_text_in_square_brackets_is_printed_not_obeyed():
    verdicts = RunVerdicts("[red]T[/]", (), Outcome.ERROR, "bad [bold]frame[/bold]")
    assert "bad [bold]frame[/bold]" in printed(verdicts)


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_appear_on_a_terminal_only(no_color, coloured, tmp_path):
    assert "\x1b[" not in printed(verdicts_of(3.0))
    (tmp_path / "v.json").write_bytes(json_bytes(verdicts_of(3.0).to_json()))
    code = (
        "import json, sys; from gridrig.report import print_verdicts;"
        "from gridrig.campaign.run_verdicts import RunVerdicts;"
        f"print_verdicts(RunVerdicts.from_json(json.load(open({str(tmp_path / 'v.json')!r}))))"
    )
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    if no_color:
        environment["NO_COLOR"] = no_color
    master, slave = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", code], stdout=slave, env=environment)
    os.close(slave)
    seen = b""
    try:
        while part := os.read(master, 4096):
            seen += part
    except OSError:  # the other end of a terminal has closed
        pass
    assert child.wait() == 0
    os.close(master)
    assert (b"\x1b[1;31m" in seen) == coloured
    assert "✗ FAIL" in seen.decode()


def test_written_verdicts_are_plain_json(tmp_path):
    junit_of(tmp_path / "run", verdicts_of(float("inf")))
    content = json.loads((tmp_path / "run/verdicts.json").read_text(), parse_constant=pytest.fail)
    assert content["criteria"][0]["value"] == "inf"
    assert content["outcome"] == "FAIL"
