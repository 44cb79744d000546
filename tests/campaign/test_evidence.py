"""Run directories: written in order, signed last, and every change found and named."""

import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.formats import (
    csv_bytes,
    csv_rows,
    json_line,
    parquet_bytes,
    parquet_columns,
)
from gridrig.campaign.manifest import is_finished, verify
from gridrig.campaign.records import (
    ClearingRow,
    EntryRow,
    LimitLine,
    Opening,
    OrderRow,
    ReadingRow,
    RunRecord,
    TradeRow,
)
from gridrig.campaign.signing import key_id, load_signing_key, load_trusted_keys
from gridrig.errors import CampaignError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def write_small_run(path: Path, *, key: Ed25519PrivateKey | None = KEY) -> RunDirectory:
    run = RunDirectory(path, device_order=["pv-1", "meter-1"])
    run.add_rig(b"[rig]\n")
    run.add_run(RunRecord("small", 1, "virtual", "0.1.0", 0, 60, 60))
    run.add_trace({"t_s": [0.0, 1.0], "bus.a.v_pu": [1.0, math.nan]})
    run.append_events([{"t_s": 0.0, "device": "", "kind": "run.started"}])
    run.append_readings([ReadingRow(0, "meter-1", b"OCMF|{}|{}", "verified", "", "00")])
    run.add_trades([TradeRow(0, 1, 1, "a", "bid", 1000, 10)])
    run.add_file("waveforms/trip.csv", b"t_s,v_v\n0,230\n")
    run.add_file("empty.txt", b"")
    if key is not None:
        run.finish(key)
    return run


def every_file(path: Path) -> list[Path]:
    files = sorted(item for item in path.rglob("*") if item.is_file())
    assert len(files) >= 9
    return files


# --- writing ---------------------------------------------------------------------------------


def test_a_directory_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "old.txt").write_text("precious")
    with pytest.raises(CampaignError, match="not empty"):
        RunDirectory(tmp_path)
    with pytest.raises(CampaignError, match="run_path_taken"):
        RunDirectory(tmp_path / "old.txt")
    assert (tmp_path / "old.txt").read_text() == "precious"
    RunDirectory(tmp_path / "a" / "b")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CampaignError, match=r"file/run: Not a directory"):
        RunDirectory(tmp_path / "file" / "run")


def test_a_file_is_written_once_and_only_inside(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.add_rig(b"")
    with pytest.raises(CampaignError, match="evidence_twice"):
        run.add_rig(b"")
    for name in ("../x", "/tmp/x", "", "."):
        with pytest.raises(CampaignError, match="evidence_outside"):
            run.add_file(name, b"")


def test_events_are_ordered_by_time_device_and_record_never_by_arrival(tmp_path):
    events = [
        {"t_s": 1.0, "device": "meter-1", "kind": "a"},
        {"t_s": 1.0, "device": "pv-1", "kind": "c", "z": math.nan, "b": np.float64(2.5)},
        {"t_s": 0.5, "device": "stranger", "kind": "d"},
        {"t_s": 1.0, "device": "pv-1", "kind": "b"},
        {"t_s": 1.0, "device": "", "kind": "e"},
    ]
    with RunDirectory(tmp_path / "run", device_order=["pv-1", "meter-1"]) as run:
        run.append_events(events[:2])
        assert (tmp_path / "run/events.jsonl").read_bytes().count(b"\n") == 2  # there already
        run.append_events(events[2:])
    lines = (tmp_path / "run/events.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["d", "e", "c", "b", "a"]
    assert lines[2] == '{"t_s":1.0,"device":"pv-1","kind":"c","b":2.5,"z":"nan"}'


def test_events_outlive_a_run_that_is_killed_and_are_said_once_by_one_that_is_not(tmp_path):
    event = {"t_s": 1.0, "device": "pv-1", "kind": "reading_missing"}
    killed = RunDirectory(tmp_path / "killed")
    killed.note(event)
    lines = (tmp_path / "killed" / "events.live.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [event]
    with RunDirectory(tmp_path / "ended") as ended:
        ended.note(event)
        ended.append_events([event])
    assert [path.name for path in (tmp_path / "ended").iterdir()] == ["events.jsonl"]


def test_orders_and_trades_are_ordered_by_period_and_id(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.add_orders(
        [OrderRow(1, 2, "a", "bid", 5, 6), OrderRow(0, 3, "b", "offer", 7, 8, "market.x")]
    )
    run.add_trades([TradeRow(0, 2, 3, "b", "offer", 7, 8), TradeRow(0, 1, 2, "a", "bid", 5, 6)])
    assert (tmp_path / "run/orders.csv").read_bytes() == (
        b"period,order_id,participant,side,energy_milliwh,price_micro_per_kwh,refused,why\n"
        b"0,3,b,offer,7,8,market.x,\n1,2,a,bid,5,6,,\n"
    )
    assert (tmp_path / "run/trades.csv").read_text().splitlines()[1].startswith("0,1,2,a")


def test_a_reading_survives_byte_for_byte_even_if_it_is_no_text(tmp_path):
    record = b"OCMF|\xff\xfe\x00\xc3|\n\xed\xa0\x80"
    with RunDirectory(tmp_path / "run") as run:
        run.append_readings([ReadingRow(0, "m", record, "metering.format", "no")])
    (line,) = (tmp_path / "run/readings.jsonl").read_bytes().splitlines()
    assert json.loads(line)["record"].encode("utf-8", "surrogateescape") == record


def test_rows_read_back_are_the_ones_written(tmp_path):
    entries = [
        EntryRow(1, 0, "delivery", 'a,"b"', "c", -5, 10**15, 3, None, "m", b"\x01\xff", None),
        EntryRow(2, 0, "losses\nx", "l", "c", 0, 0, 0),
    ]
    clearing = [ClearingRow(0, 900, None, 0, True), ClearingRow(1, 1800, 7, 5, False)]
    for row_type, rows in ((EntryRow, entries), (ClearingRow, clearing)):
        path = tmp_path / "rows.csv"
        path.write_bytes(csv_bytes(row_type, rows))
        assert csv_rows(row_type, path) == rows


@pytest.mark.parametrize("text", ["a,b\n", "", "period,start_utc_s\n0,0\n"])
def test_a_table_with_another_head_is_refused_with_its_line(tmp_path, text):
    path = tmp_path / "clearing.csv"
    path.write_text(text)
    with pytest.raises(CampaignError, match=r"clearing\.csv, line 1"):
        csv_rows(ClearingRow, path)


def test_parquet_has_the_same_bytes_for_the_same_data_and_gives_it_back(tmp_path):
    columns = {"t_s": np.arange(5000) / 7, "x": np.sin(np.arange(5000)), "gap": [math.nan] * 5000}
    written = parquet_bytes(columns)
    code = (
        "import numpy as np, math, sys\n"
        "from gridrig.campaign.formats import parquet_bytes\n"
        "c = {'t_s': np.arange(5000) / 7, 'x': np.sin(np.arange(5000)), 'gap': [math.nan] * 5000}\n"
        "sys.stdout.buffer.write(parquet_bytes(c))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", code]
    again = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert again.stdout == written
    (tmp_path / "x.parquet").write_bytes(written)
    read = parquet_columns(tmp_path / "x.parquet")
    assert list(read) == list(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(read[name], np.asarray(column))
    assert parquet_bytes({**columns, "x": np.cos(np.arange(5000))}) != written


def test_columns_of_different_lengths_or_a_time_that_stands_still_are_refused(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(CampaignError, match="columns_differ"):
        run.add_trace({"t_s": [0.0, 1.0], "x": [1.0]})
    with pytest.raises(CampaignError, match="time_not_rising"):
        run.add_trace({"t_s": [0.0, 0.0], "x": [1.0, 1.0]})
    with pytest.raises(CampaignError, match="time_column"):
        run.add_trace({"x": [1.0]})
    with pytest.raises(CampaignError, match="island_columns"):
        run.add_island({"t_s": [0.0]})


def test_a_run_record_read_back_is_the_one_written():
    record = RunRecord(
        "t", 1, "wall", "0.1.0", 0, 1, 1, opening=(Opening(1.0, 2.0, None, "x"),),
        limits=(LimitLine("f_hz", 47.0, "UF2"),), overrides={"pv-1": {"sign": -1}},
    )  # fmt: skip
    assert RunRecord.from_json(json.loads(json_line(record.to_json()))) == record


# --- signing ---------------------------------------------------------------------------------


def test_the_signing_key_is_made_at_first_use_for_its_owner_only(tmp_path, monkeypatch):
    path = tmp_path / "home" / "key.pem"
    monkeypatch.setenv("GRIDRIG_KEY", str(path))
    key = load_signing_key()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["key.pem"]
    assert load_signing_key().private_bytes_raw() == key.private_bytes_raw()


def test_the_signing_key_lies_in_the_home_folder_if_nothing_else_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("GRIDRIG_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    load_signing_key()
    assert (tmp_path / ".config/gridrig/signing-key.pem").is_file()


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    load_signing_key(path)
    path.chmod(0o644)
    with pytest.raises(CampaignError, match="key_exposed"):
        load_signing_key(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(CampaignError, match="key_unusable"):
        load_signing_key(path)


def test_no_private_key_ends_up_in_a_run_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDRIG_KEY", str(tmp_path / "run" / "key.pem"))
    run = write_small_run(tmp_path / "run", key=None)
    with pytest.raises(CampaignError, match="key_in_run"):
        run.finish()
    monkeypatch.setenv("GRIDRIG_KEY", str(tmp_path / "key.pem"))
    signer = run.finish()
    raw = load_signing_key().private_bytes_raw()
    secrets = (raw, raw.hex().encode(), b"PRIVATE")
    for file in every_file(tmp_path / "run"):
        assert not any(secret in file.read_bytes() for secret in secrets)
    assert verify(tmp_path / "run").signer == signer


def test_an_open_database_or_a_link_is_not_signed(tmp_path):
    run = write_small_run(tmp_path / "run", key=None)
    (tmp_path / "run/journal.sqlite-wal").write_bytes(b"x")
    with pytest.raises(CampaignError, match="evidence_open"):
        run.finish(KEY)
    (tmp_path / "run/journal.sqlite-wal").unlink()
    (tmp_path / "run/link").symlink_to("/etc/hostname")
    with pytest.raises(CampaignError, match="evidence_not_a_file"):
        run.finish(KEY)
    assert not is_finished(tmp_path / "run")


def test_a_finished_run_takes_nothing_more(tmp_path):
    run = write_small_run(tmp_path / "run")
    for late in (lambda: run.add_host({}), lambda: run.finish(KEY)):
        with pytest.raises(CampaignError, match="run_finished"):
            late()


def test_trusted_keys_are_read_as_hex_lines_and_pem(tmp_path):
    pem = STRANGER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = tmp_path / "keys"
    raw = KEY.public_key().public_bytes_raw().hex()
    path.write_text(f"# lab 3\n{raw} rig in lab 3\n\n{pem.decode()}")
    assert set(map(key_id, load_trusted_keys(path))) == {
        key_id(KEY.public_key()), key_id(STRANGER.public_key())
    }  # fmt: skip
    for text, code in (("# none\n", "trust_empty"), ("abcd\n", "trust_malformed")):
        path.write_text(text)
        with pytest.raises(CampaignError, match=code):
            load_trusted_keys(path)


# --- verification ----------------------------------------------------------------------------


def test_an_untouched_run_is_intact_and_says_what_is_known_of_its_signer(tmp_path):
    write_small_run(tmp_path / "run")
    unknown = verify(tmp_path / "run")
    assert (unknown.exit_code, unknown.summary.split(" (")[0]) == (0, "intact, signer unknown")
    known = verify(tmp_path / "run", [STRANGER.public_key(), KEY.public_key()])
    assert (known.exit_code, known.summary) == (0, f"intact, signed by {key_id(KEY.public_key())}")
    stranger = verify(tmp_path / "run", [STRANGER.public_key()])
    assert (stranger.exit_code, stranger.intact) == (1, True)
    assert "not a trusted key" in stranger.summary
    assert verify(tmp_path / "run", []).exit_code == 1


def test_a_run_copied_elsewhere_is_still_intact(tmp_path):
    import shutil

    write_small_run(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "mailed")
    assert verify(tmp_path / "mailed", [KEY.public_key()]).exit_code == 0


def test_one_byte_changed_anywhere_is_found_and_its_file_named(tmp_path):
    path = tmp_path / "run"
    write_small_run(path)
    trust = [KEY.public_key()]
    tried = 0
    for file in every_file(path):
        whole = file.read_bytes()
        # Every byte of the signature, every third of the manifest, some of each other file.
        step = {"manifest.sig": 1, "manifest.json": 4}.get(file.name, max(1, len(whole) // 16))
        for place in range(0, len(whole), step):
            changed = bytearray(whole)
            changed[place] ^= (0x01, 0x20, 0x80)[place % 3]  # 0x20 turns a letter's case
            file.write_bytes(changed)
            found = verify(path, trust)
            assert found.exit_code == 1
            named = {problem.file for problem in found.problems}
            assert file.relative_to(path).as_posix() in named, place
            tried += 1
        file.write_bytes(whole)
    assert tried > 500
    assert verify(path, trust).exit_code == 0


def test_a_file_cut_short_lengthened_removed_or_added_is_named(tmp_path):
    path = tmp_path / "run"
    write_small_run(path)
    for file in every_file(path):
        whole, name = file.read_bytes(), file.relative_to(path).as_posix()
        for changed in (whole[:-1], whole + b"\n", b""):
            if changed != whole:
                file.write_bytes(changed)
                assert name in {problem.file for problem in verify(path).problems}
        file.unlink()
        assert name in {problem.file for problem in verify(path).problems}
        assert verify(path).exit_code == 1
        file.mkdir()
        assert name in {problem.file for problem in verify(path).problems}
        file.rmdir()
        file.symlink_to("/dev/null")
        assert name in {problem.file for problem in verify(path).problems}
        file.unlink()
        file.write_bytes(whole)
    (path / "waveforms/new.csv").write_bytes(b"")
    (problem,) = verify(path).problems
    assert (problem.file, problem.kind) == ("waveforms/new.csv", "added")


def test_a_run_that_was_killed_is_recognised(tmp_path):
    write_small_run(tmp_path / "run", key=None)
    found = verify(tmp_path / "run")
    assert (found.exit_code, found.summary) == (1, "not verified: run did not finish")
    assert found.problems[0].text.startswith("no manifest: run did not finish")
    with pytest.raises(CampaignError, match="run_missing"):
        verify(tmp_path / "nowhere")


def test_a_run_signed_again_by_a_stranger_is_told_from_the_trusted_one(tmp_path):
    write_small_run(tmp_path / "run")
    for name in ("manifest.json", "manifest.sig"):
        (tmp_path / "run" / name).unlink()
    (tmp_path / "run/trades.csv").write_bytes(b"forged")
    from gridrig.campaign.manifest import write_manifest

    write_manifest(tmp_path / "run", STRANGER)
    assert "signer unknown" in verify(tmp_path / "run").summary
    assert verify(tmp_path / "run", [KEY.public_key()]).exit_code == 1


def test_a_manifest_written_another_way_is_blamed_alone(tmp_path):
    write_small_run(tmp_path / "run")
    manifest = tmp_path / "run/manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"version": 1', b'"version":  1'))
    (problem,) = verify(tmp_path / "run").problems
    assert problem.file == "manifest.json"


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b"{}", b"null", b'{"files":{},"public_key":"zz","version":1}', b"[" * 100_000],
)
def test_no_manifest_makes_the_verifier_crash(tmp_path, manifest):
    write_small_run(tmp_path / "run")
    (tmp_path / "run/manifest.json").write_bytes(manifest)
    (problem,) = verify(tmp_path / "run").problems
    assert problem.file == "manifest.json"
