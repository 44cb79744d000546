"""Every command from a shell: it teaches by example, works, and says no well."""

import json
from pathlib import Path

import pytest
from gridrig_process import call, verdicts_of
from small_street import DEVICES, METERS, rig_file, scenario_file

from gridrig.rig.description import load_rig

COMMANDS = ("demo", "run", "check", "emulate", "test", "verify", "readings", "clear", "report")
COMMANDS += ("bench", "sniff", "replay", "faults")

ORDERS = """\
order_id,participant,side,energy_milliwh,price_micro_per_kwh
1,sun,offer,2000000,100000
2,house,bid,1500000,200000
3,late,bid,1500000,50000
4,wrong,bid,1,200000
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a finished run of the small street, in which a meter lied once."""
    folder: Path = tmp_path_factory.mktemp("cli")
    rig = rig_file(folder)
    lie = {"device": "meter-bus-3", "at_s": 30, "name": "altered_reading"}
    scenario = scenario_file(folder, faults=[lie])
    options = ("--out", "run", "--json", "--capture")
    result = call("run", scenario, "--rig", rig, *options, cwd=folder)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == verdicts_of(folder / "run")
    return folder


@pytest.mark.parametrize("command", [*COMMANDS, "enrol"])
def test_help_teaches_by_example(tmp_path: Path, command: str) -> None:
    result = call(command, "--help", cwd=tmp_path)
    assert result.returncode == 0
    assert f"  gridrig {command}" in result.stdout


def test_a_capture_is_signed_with_the_run_and_shown_decoded(done: Path) -> None:
    manifest = json.loads((done / "run" / "manifest.json").read_text())
    assert "capture.jsonl" in json.dumps(manifest)
    assert call("verify", "run", cwd=done).returncode == 0
    shown = call("sniff", "run", cwd=done)
    assert shown.returncode == 0, shown.stderr
    assert "read holding registers: values 21365 28243" in shown.stdout  # the SunSpec marker
    assert "write registers: " in shown.stdout
    assert any(not line.strip().startswith("-") for line in shown.stdout.splitlines())


def test_a_rig_may_ask_for_a_capture(tmp_path: Path) -> None:
    assert not load_rig(rig_file(tmp_path)).capture
    path = rig_file(tmp_path, lambda table: table["rig"].update(capture=True))
    assert load_rig(path).capture


def test_a_name_nobody_knows_is_answered_with_those_that_are_built_in(tmp_path: Path) -> None:
    rig = call("run", "sunny-then-storm", "--rig", "nowhere", cwd=tmp_path)
    scenario = call("run", "nothing", "--rig", "emulated-street", cwd=tmp_path)
    assert (rig.returncode, scenario.returncode) == (2, 2)
    assert "'nowhere'" in rig.stderr
    assert "emulated-street" in rig.stderr
    assert "sunny-then-storm" in scenario.stderr


def test_a_rig_with_mistakes_is_answered_with_all_of_them_and_their_lines(tmp_path: Path) -> None:
    path = rig_file(tmp_path)
    text = path.read_text()
    text = text.replace('clock = "virtual"', 'clokc = "virtual"').replace("p_w_max", "p_max_w", 1)
    path.write_text(text)
    result = call("check", path, cwd=tmp_path)
    assert result.returncode == 2
    for part in ("2 issues", "did you mean 'clock'", "did you mean 'p_w_max'", f"{path.name}:"):
        assert part in result.stderr


def test_a_slice_that_cannot_be_is_refused_before_anything_opens(tmp_path: Path) -> None:
    for more in (
        ("--from-s", "100"),
        ("--from-s", "2700", "--for-s", "900", "--tick-s", "7"),
        ("--tick-s", "0"),
        ("--seed", "-1"),
    ):
        run = ("run", "sunny-then-storm", "--rig", "emulated-street", "--out", "run", *more)
        assert call(*run, cwd=tmp_path).returncode == 2, more
    assert not (tmp_path / "run").exists()


def test_check_identifies_reads_and_leaves_every_device_safe(tmp_path: Path) -> None:
    result = call("check", rig_file(tmp_path), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for name in DEVICES:
        assert name in result.stdout
    assert f"{len(DEVICES)} devices in their safe state" in result.stdout


def test_check_with_a_scenario_names_what_does_not_fit(tmp_path: Path) -> None:
    rig = rig_file(tmp_path)
    result = call("check", rig, "--scenario", "sunny-then-storm", cwd=tmp_path)
    assert result.returncode == 2
    assert '"meter-pv-5"' in result.stderr


def test_a_dry_run_shows_every_write_and_sends_none(tmp_path: Path) -> None:
    result = call("check", rig_file(tmp_path), "--dry-run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for name in ("pv-3", "pv-4", "storage-a", "battery-a", "storage-b"):
        assert f"would write {name}: " in result.stdout
    assert "nothing was written" in result.stdout


def test_enrol_reads_the_keys_that_the_rig_has_enrolled(tmp_path: Path) -> None:
    path = rig_file(tmp_path)
    result = call("enrol", path, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    keys = [line for line in result.stdout.splitlines() if line.startswith("public_key")]
    assert len(keys) == len(METERS)
    for key in keys:
        assert key.split('"')[1] in path.read_text(), "over the wire came another key"


def test_the_readings_of_a_run_are_verified_from_a_file(done: Path) -> None:
    rows = [json.loads(line) for line in (done / "run/readings.jsonl").read_text().splitlines()]
    (done / "received.txt").write_text("".join(f"{row['record']}\n" for row in rows))
    result = call("readings", "received.txt", "--keys", "small-street.toml", cwd=done)
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(verdicts) == len(rows)
    for row, verdict in zip(rows, verdicts, strict=True):
        assert (verdict["code"] or "verified") == row["outcome"]
    assert result.returncode == 1, "one of them was altered"
    assert [v["code"] for v in verdicts if v["code"]] == ["metering.signature_false"]


def test_clear_writes_trades_and_tells_refusals(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    result = call("clear", "orders.csv", cwd=tmp_path)
    assert result.returncode == 0
    header, *trades = result.stdout.splitlines()
    assert header.startswith("trade_id,order_id,participant,side")
    assert [trade.split(",")[2] for trade in trades] == ["sun", "house"]
    assert "order 4 refused: market.lot" in result.stderr


def test_report_rebuilds_the_same_bytes_from_a_run_directory(done: Path) -> None:
    result = call("report", "run", "--out", "again.html", cwd=done)
    assert result.returncode == 0, result.stderr
    assert (done / "again.html").read_bytes() == (done / "run/report.html").read_bytes()


def test_a_run_directory_is_never_written_over(done: Path) -> None:
    before = (done / "run/manifest.json").read_bytes()
    run = ("run", "minute.toml", "--rig", "small-street.toml", "--out", "run")
    result = call(*run, cwd=done)
    assert result.returncode == 2
    assert "never written over" in result.stderr
    assert (done / "run/manifest.json").read_bytes() == before
