"""`gridrig test` and the pytest plugin: what is collected, printed, and given as exit code."""

import contextlib
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
import tomli_w

from gridrig.campaign.builtin import RIGS
from gridrig.cli import main
from gridrig.rig.lease import LEASES

RIG = RIGS / "one-inverter.toml"
HEAD = """
from gridrig.campaign.procedures import Criterion, Mutant, procedure

@procedure(
    claim="follows a limit", clause="IEEE 1547-2018 4.6.2", hazards="none", rig="one-inverter",
    needs=(%(needs)s),
    criteria=(Criterion("power_w", "W", max=%(limit)s, source="a limit of 8 kW"),),
    mutants=(
        Mutant("ignores the limit", "inverter", {"ignores_limit": True}, "power_w"),
        Mutant("reads high", "meter", {"scale": 1.5}, "power_w"),
    ),
)
async def test_limit(lab):
    name = lab.name_of("inverter")
    lab.give(name, 10_000.0)
    await lab.pass_time(2.0)
    await lab.driver(name).set_limit_w(8_000.0)
    await lab.pass_time(5.0)
    power_w = (await lab.measured(name)).p_w
"""
NUMBERS = itertools.count()
RECORD = "    lab.record('power_w', 'W', power_w)\n"


def written(folder: Path, body: str, *, limit: float = 8100.0, needs: str = '"inverter",') -> str:
    path = folder / f"test_written_{next(NUMBERS)}.py"  # all runs share this process's modules
    path.write_text(HEAD % {"limit": limit, "needs": needs} + body)
    return str(path)


def run(*arguments: str) -> int:
    return main(["test", *arguments])


@pytest.mark.parametrize(
    ("body", "limit", "code"),
    [
        (RECORD, 8100.0, 0),
        (RECORD, 7000.0, 1),
        ("", 8100.0, 3),
        (RECORD + "    raise ValueError('a bug')\n", 8100.0, 4),
        (RECORD + "    lab.bench.emulators[name].unplug()\n", 8100.0, 6),
        (RECORD + "    lab.bench.emulators[name].unplug()\n", 7000.0, 6),
    ],
    ids=["pass", "fail", "nothing recorded", "exception", "left unsafe", "fail and left unsafe"],
)
def test_exit_code_is_the_worst_of_what_happened(tmp_path, capsys, body, limit, code):
    assert run(written(tmp_path, body, limit=limit)) == code
    name = {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE", 4: "ERROR", 6: "UNSAFE"}[code]
    assert f"{name}  test_limit on EMULATED one-inverter" in capsys.readouterr().out


def test_an_exception_of_ours_is_told_by_its_sentence_and_any_other_with_its_trace(
    tmp_path, capsys
):
    body = "    from gridrig.errors import GridrigError\n"
    body += "    raise GridrigError('a.code', 'too bad')\n"
    assert run(written(tmp_path, body)) == 4
    shown = capsys.readouterr().out
    assert "ended as ERROR: a.code: too bad" in shown
    assert "Traceback" not in shown
    assert run(written(tmp_path, "    raise ValueError('a bug')\n")) == 4
    assert "Traceback" in capsys.readouterr().out


def test_a_long_procedure_that_is_left_out_is_named_with_how_to_run_it(tmp_path, capsys):
    path = tmp_path / f"test_written_{next(NUMBERS)}.py"
    path.write_text(HEAD % {"limit": 8100.0, "needs": '"inverter",'} + RECORD)
    other = path.read_text().split("\n@procedure", 1)[1].replace("test_limit", "test_long")
    path.write_text(f"{path.read_text()}\nimport pytest\n\n@pytest.mark.soak\n@procedure{other}")
    told = f"long, left out: test_long; to run: gridrig test {path} -m soak"
    for words in ([str(path), "-m", "not soak"], [f"{path}::test_limit"]):
        assert run(*words) == 0
        assert told in capsys.readouterr().out
    for words in ([str(path), "-m", "soak"], [str(path)], [str(path), "-k", "test_limit"]):
        assert run(*words) == 0
        assert "left out" not in capsys.readouterr().out


def test_every_criterion_is_printed_with_value_and_limit_and_verbosely_with_its_source(
    tmp_path, capsys
):
    path = written(tmp_path, RECORD)
    assert run(path) == 0
    short = capsys.readouterr().out
    assert "power_w  8000 W  at most 8100" in short
    assert "a limit of 8 kW" not in short
    assert run("-v", path) == 0
    assert "a limit of 8 kW" in capsys.readouterr().out


def test_error_is_shown_with_where_it_came_from(tmp_path, capsys):
    assert run(written(tmp_path, RECORD + "    raise ValueError('a bug')\n")) == 4
    out = capsys.readouterr().out
    assert "ValueError: a bug" in out
    assert "test_written_" in out


def test_mutants_are_killed_and_the_score_is_printed(tmp_path, capsys):
    assert run("--mutants", written(tmp_path, RECORD)) == 0
    out = capsys.readouterr().out
    assert "mutants: 2 of 2 killed, 100 %" in out
    assert "test_limit [reads high]  power_w = 1" in out


def test_weakened_criterion_lets_a_mutant_live_and_the_command_fails(tmp_path, capsys):
    assert run("--mutants", written(tmp_path, RECORD, limit=11_000.0)) == 1
    out = capsys.readouterr().out
    assert "mutants: 1 of 2 killed, 50 %" in out
    assert "LIVES      test_limit [ignores the limit]" in out
    assert "killed     test_limit [reads high]" in out


def test_mutant_that_crashes_is_not_killed(tmp_path, capsys):
    crash = RECORD + "    assert power_w < 9000.0\n"
    assert run("--mutants", written(tmp_path, crash)) == 1
    out = capsys.readouterr().out
    assert "PASS  test_limit" in out
    assert "mutants: 0 of 2 killed, 0 %" in out


def test_mutant_that_leaves_the_bench_unsafe_is_killed_and_still_told(tmp_path, capsys):
    breaks = "    if power_w > 9000.0:\n        lab.bench.emulators[name].unplug()\n"
    assert run("--mutants", "-k", "ignores", written(tmp_path, RECORD + breaks)) == 6
    assert "mutants: 1 of 1 killed" in capsys.readouterr().out


def test_mutants_are_not_tried_where_the_procedure_itself_does_not_pass(tmp_path, capsys):
    assert run("--mutants", written(tmp_path, RECORD, limit=7000.0)) == 1
    out = capsys.readouterr().out
    assert "mutants: 0 of 2 killed" in out
    assert "not tried  test_limit[reads high]" in out


def test_procedure_of_a_selected_mutant_is_executed_with_it(tmp_path, capsys):
    assert run("--mutants", "-k", "high", written(tmp_path, RECORD, limit=7000.0)) == 1
    assert "FAIL  test_limit" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "code"), [((), 3), (("--allow-skips",), 0)])
def test_missing_capability_is_inconclusive_unless_skips_are_allowed(
    tmp_path, capsys, options, code
):
    path = written(tmp_path, RECORD, needs='"inverter", "bms"')
    assert run(path, *options) == code
    assert "the rig one-inverter has no bms" in capsys.readouterr().out


def real_rig(folder: Path) -> Path:
    """Write a rig of real devices that do not answer."""
    table = tomllib.loads(RIG.read_text())
    table["rig"]["clock"] = "wall"
    for port, device in enumerate(table["device"], 1):  # nobody listens there
        device.pop("emulate")
        device["link"]["port"] = port
    table["device"][0]["terminal"] = {"grid": True, "analyser": "meter-1"}
    path = folder / "real.toml"
    path.write_text(tomli_w.dumps(table))
    return path


def test_nobody_leaves_alone_a_bench_that_nothing_brings_to_rest(tmp_path, capsys):
    rig = real_rig(tmp_path)
    assert run(written(tmp_path, RECORD), "--rig", str(rig), "--unattended") == 2
    err = capsys.readouterr().err
    assert "rig.needs_somebody" in err
    assert "'pv-1': host_dead" in err


def test_after_a_real_bench_did_not_open_nothing_more_is_tried_on_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(LEASES, str(tmp_path / "leases"))
    rig = real_rig(tmp_path)
    paths = [written(tmp_path, RECORD) for _ in range(2)]
    assert run(*paths, "--rig", str(rig), "-rs") == 4
    out = capsys.readouterr().out
    assert "SKIPPED [1]" in out
    assert "the bench is broken: rig.cannot_open" in out
    assert "real.toml is broken, nothing more was tried on it" in out


def test_a_failure_is_made_again_from_its_bundle_alone(tmp_path, capsys):
    path = written(tmp_path, RECORD, limit=7000.0)
    assert run(path, "--bundles", str(tmp_path / "bundles")) == 1
    (bundle,) = (tmp_path / "bundles").iterdir()
    assert f"again   gridrig rerun {bundle}" in capsys.readouterr().out
    Path(path).unlink()
    assert main(["rerun", str(bundle)]) == 0
    assert capsys.readouterr().out.endswith("the same FAIL: 1 criteria\n")
    # Another device is another result, and named.
    with zipfile.ZipFile(bundle) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    half = (b"p_max_w = 20000", b"p_max_w = 20000, scale = 0.5")
    content["rig.toml"] = content["rig.toml"].replace(*half)
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    assert main(["rerun", str(bundle)]) == 1
    out = capsys.readouterr().out
    assert "differs: outcome: FAIL, now PASS" in out
    assert "differs: power_w: 8000 W, now 4000 W" in out


def test_nothing_collected_is_a_usage_error(tmp_path, capsys):
    assert run(str(tmp_path)) == 2
    assert run(str(tmp_path / "nowhere")) == 2
    assert run("--no-such-option", written(tmp_path, RECORD)) == 2
    assert run("-k", "nothing_of_that_name", written(tmp_path, RECORD)) == 2


def test_rig_that_does_not_exist_is_a_usage_error_that_names_those_that_do(tmp_path, capsys):
    assert run("--rig", "no-rig", written(tmp_path, RECORD)) == 2
    assert "one-inverter" in capsys.readouterr().err


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside one that passes"])
def test_file_with_a_refused_procedure_is_a_usage_error(tmp_path, capsys, beside):
    refused = Path(written(tmp_path, RECORD))
    refused.write_text(refused.read_text().replace('1.5}, "power_w"', '1.5}, "nothing"'))
    paths = [str(refused), *([written(tmp_path, RECORD)] * beside)]
    assert run("--continue-on-collection-errors", *paths) == 2
    out = capsys.readouterr().out
    assert "each caught by one of the criteria" in out
    assert ("1 passed" in out) is beside


def test_ordinary_test_beside_a_procedure_counts(tmp_path, capsys):
    assert run(written(tmp_path, RECORD + "\ndef test_sum():\n    assert 1 + 1 == 3\n")) == 1
    assert run(written(tmp_path, RECORD + "\ndef test_sum():\n    assert 1 + 1 == 2\n")) == 0


def test_paths_and_options_may_come_in_any_order(tmp_path, capsys):
    path = written(tmp_path, RECORD)
    out = tmp_path / "out.xml"
    assert run("--junitxml", str(out), "-k", "limit", path, "--rig", "one-inverter") == 0
    assert out.exists()
    # Without a path it is the procedures that come with gridrig.
    assert run("--collect-only", "--junitxml", str(out)) == 0
    assert "test_a_day_conserves" in capsys.readouterr().out


def test_junit_file_says_what_was_emulated_and_what_was_found(tmp_path, capsys):
    out = tmp_path / "out.xml"
    assert run("--mutants", "--junitxml", str(out), written(tmp_path, RECORD, limit=7000.0)) == 1
    cases = ET.parse(out).getroot().findall("testsuite/testcase")
    assert len(cases) == 3
    facts = {p.get("name"): p.get("value") for p in cases[0].findall("properties/property")}
    assert facts["outcome"] == "FAIL"
    assert facts["clause"] == "IEEE 1547-2018 4.6.2"
    assert facts["device.pv-1"].startswith("emulated gridrig")
    assert facts["device.meter-1"].endswith("GR-0201 1.0")
    assert facts["device.pv-1.end"] == "safe"
    assert facts["criterion.power_w"] == "8000 W, at most 7000"
    failure = cases[0].find("failure")
    assert failure is not None
    assert "power_w" in (failure.text or "")


def test_json_is_all_that_standard_output_holds(tmp_path, capsys):
    assert run("--mutants", "--json", written(tmp_path, RECORD)) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert "2 of 2 killed" in told.err
    right, *wrong = document["executions"]
    assert document["exit_code"] == 0
    assert right["mutant"] is None
    assert right["verdicts"]["criteria"][0]["value"] == 8000
    assert [one["mutant"]["killed"] for one in wrong] == [True, True]


@pytest.mark.parametrize("terminal", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_the_time_left_is_told_on_a_terminal_only(tmp_path: Path, terminal: bool) -> None:
    path = written(tmp_path, RECORD)
    command = "import sys; from gridrig.cli import main; sys.exit(main())"
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", command, "test", "--mutants", path], stdout=theirs, cwd=tmp_path
    ) as started:
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # how a terminal ends on Linux
            while piece := os.read(ours, 65_536):
                said += piece
    os.close(ours)
    assert started.returncode == 0, said
    assert (b"1 of 3 done, about " in said) == terminal
    assert (b"\x1b[" in said) == terminal, "colours"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_procedure_as_aborted_with_the_bench_left_safe(tmp_path, number):
    forever = (
        "    open(__file__ + '.running', 'w').close()\n"
        "    while True:\n        await lab.pass_time(1.0)\n"
    )
    path = written(tmp_path, forever)
    command = [sys.executable, "-c", "import sys; from gridrig.cli import main; sys.exit(main())"]
    started = subprocess.Popen(
        [*command, "test", path], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        while not Path(f"{path}.running").exists():
            assert started.poll() is None
            time.sleep(0.02)
        started.send_signal(number)
        out, _ = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 5
    assert f"ended as ABORTED: stopped by {number.name}" in out
    assert "LEFT UNSAFE" not in out


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_plugin_imports_nothing_heavy_without_a_rig(tmp_path):
    (tmp_path / "test_plain.py").write_text(
        "import sys\n\n"
        "def test_light(request):\n"
        "    assert request.config.pluginmanager.has_plugin('gridrig')\n"
        "    assert not request.config.pluginmanager.has_plugin('gridrig-procedures')\n"
        "    heavy = {'pandapower', 'simbench', 'pymodbus', 'numpy', 'gridrig.plant',\n"
        "             'gridrig._core', 'gridrig.campaign.procedures'}\n"
        "    assert heavy & set(sys.modules) == set()\n"
    )
    done = pytest_in(tmp_path, "-p", "no:hypothesispytest")
    assert done.returncode == 0, done.stdout


def test_procedures_are_skipped_with_a_reason_without_a_rig(tmp_path):
    path = written(tmp_path, RECORD)
    done = pytest_in(tmp_path, "-rs", path)
    assert done.returncode == 0
    assert "1 skipped" in done.stdout
    assert "run it with gridrig test, or pytest --rig RIG" in done.stdout


def test_plain_pytest_with_a_rig_executes_and_gives_the_same_exit_code(tmp_path):
    path = written(tmp_path, "")
    done = pytest_in(tmp_path, "--rig", "one-inverter", path)
    assert done.returncode == 3, done.stdout
    assert "INCONCLUSIVE  test_limit on EMULATED one-inverter" in done.stdout


def test_mutants_without_a_rig_are_not_quietly_left_out(tmp_path):
    done = pytest_in(tmp_path, "--mutants", written(tmp_path, RECORD))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "need --rig" in done.stderr


def test_procedures_that_come_with_gridrig_are_found_by_their_path_outside_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run("hil/islanding", "--collect-only", "-q")
    assert "test_unintentional_islanding" in capsys.readouterr().out
    assert run("hil/nowhere", "--collect-only") == 2
    # A file of that path here is the one that is meant.
    (tmp_path / "hil" / "islanding").mkdir(parents=True)
    run("hil/islanding", "--collect-only", "-q")
    assert "test_unintentional_islanding" not in capsys.readouterr().out
