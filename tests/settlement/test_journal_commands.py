"""The commands on a journal: proofs, audit, balance sheets, export; and what each tells."""

import csv
import json
import sqlite3
from itertools import chain
from pathlib import Path

import merkle_oracle as oracle
import pyarrow.parquet as pq
import pytest
from street import KEY, Street

from gridrig.cli import main
from gridrig.settlement import Journal
from gridrig.settlement.journal_reader import EntryRow, MeteredRow, PostRow


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir()
    with Journal(run / "journal.sqlite", key=KEY) as made:
        for settled, accepted in Street(1).posts(made, 3):
            made.post(settled, accepted=accepted)
    return run / "journal.sqlite"


def proof_of(journal: Path, capsys: pytest.CaptureFixture[str], *what: str) -> tuple[Path, str]:
    out = journal.parent / "proof.json"
    assert main(["prove", str(journal.parent), "--period", "1", *what, "--out", str(out)]) == 0
    return out, capsys.readouterr().out.split()[-1]


@pytest.mark.parametrize("what", [("--line", "2"), ("--meter", "bob")])
def test_a_proof_holds_against_its_root_alone(
    journal: Path, capsys: pytest.CaptureFixture[str], what: tuple[str, str]
) -> None:
    proof, root = proof_of(journal, capsys, *what)
    journal.unlink()
    assert main(["verify", str(proof), "--root", root]) == 0
    assert "proven" in capsys.readouterr().out
    held = json.loads(proof.read_text())
    # Once more with nothing of ours: the siblings, from the leaf to the root.
    title = {"entry": "gridrig entry 1", "metered": "gridrig metered 1"}[held["record"]]
    fields = dict(held["fields"])
    if "readings" in fields:
        fields["readings"] = bytes.fromhex(fields["readings"])
    top = oracle.sha256(b"\0", oracle.cbor([title, *fields.values()]))
    place, last = held["index"], held["leaf_count"] - 1
    for sibling in map(bytes.fromhex, held["path"]):
        while place == last and place % 2 == 0:
            place, last = place // 2, last // 2
        pair = (sibling, top) if place % 2 else (top, sibling)
        top = oracle.sha256(b"\1", *pair)
        place, last = place // 2, last // 2
    assert oracle.sha256(b"\2", held["leaf_count"].to_bytes(8, "big"), top).hex() == root


def test_a_proof_that_was_changed_is_not_proven(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof, root = proof_of(journal, capsys, "--line", "2")
    held = json.loads(proof.read_text())
    held["fields"]["amount_micro"] += 1
    proof.write_text(json.dumps(held))
    assert main(["verify", str(proof), "--root", root]) == 1
    assert main(["verify", str(proof), "--root", root, "--json"]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["proven"], told["code"]) == (False, "settlement.merkle_root_mismatch")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "gridrig proof 2"}, "format"),
        ({"record": "gift"}, "record: found 'gift', expected entry or metered"),
        ({"fields": {}}, "fields"),
        ({"index": -1}, "index: found -1"),
        ({"path": "ab"}, "path"),
        ({"path": ["xy"]}, "hex"),
        ({"path": ["ab"]}, "1 bytes, expected 32"),
        ({"fields.line": "two"}, "fields.line: found 'two', expected int"),
    ],
)
def test_a_malformed_proof_is_refused_with_the_place(
    journal: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], told: str
) -> None:
    proof, root = proof_of(journal, capsys, "--line", "2")
    held = json.loads(proof.read_text())
    for key, value in change.items():
        name, _, field = key.partition(".")
        if field:
            held[name][field] = value
        else:
            held[name] = value
    proof.write_text(json.dumps(held))
    assert main(["verify", str(proof), "--root", root]) == 2
    assert told in capsys.readouterr().err


def test_what_is_missing_is_told(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof, _ = proof_of(journal, capsys, "--line", "1")
    for arguments, told in (
        (["verify", str(proof)], "--root HEX"),
        (["verify", str(proof), "--root", "xy"], "expected 64 hex digits"),
        (["verify", str(proof), "--root", "00"], "expected 64 hex digits"),
        (["audit", str(journal), "--head", "3:abcd"], "3:abcd"),
        (["prove", str(journal), "--period", "1", "--line", "999"], "no line 999"),
        (["prove", str(journal), "--period", "9", "--meter", "bob"], "period 9"),
        (["audit", str(tmp_path)], "no journal"),
        (["balance", str(proof)], "not a database"),
    ):
        assert main(arguments) == 2, arguments
        assert told in capsys.readouterr().err, arguments


def test_a_file_that_cannot_be_written_is_named(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "nowhere" / "proof.json"
    what = ["--period", "1", "--line", "1", "--out", str(place)]
    assert main(["prove", str(journal), *what]) == 2
    assert f"settlement.output_unwritable: {place}: No such file" in capsys.readouterr().err
    assert main(["export", str(journal), "--out", str(journal)]) == 2
    assert f"settlement.output_unwritable: {journal}: File exists" in capsys.readouterr().err


def test_numbers_no_journal_has_are_refused_by_their_bound(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("--period", "--revision"):
        numbers = {"--period": "1", "--revision": "0", name: str(2**64)}
        with pytest.raises(SystemExit):
            main(["prove", str(journal), "--line", "1", *chain.from_iterable(numbers.items())])
        assert f"argument {name}: {2**64} is not at most" in capsys.readouterr().err


def test_an_audit_names_the_first_fault(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(journal), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["posts"], told["faults"]) == (3, [])
    assert told["signer"] == KEY.public_key().public_bytes_raw().hex()
    assert main(["audit", str(journal), "--head", told["head"]]) == 0
    assert main(["audit", str(journal), "--head", "3:" + "00" * 32]) == 1
    db = sqlite3.connect(journal)
    db.execute("DROP TRIGGER entry_no_update")
    db.execute("UPDATE entry SET amount_micro = amount_micro + 1 WHERE period = 1 AND line = 1")
    db.commit()
    db.close()
    capsys.readouterr()
    assert main(["audit", str(journal)]) == 1
    assert "BROKEN  period 1" in capsys.readouterr().out


def test_the_balance_sheet_closes_and_says_when_it_does_not(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["balance", str(journal), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(one["balance_micro"] for one in told["accounts"]) == 0
    alice = next(one for one in told["accounts"] if one["account"] == "alice")
    energy = alice["energy_milliwh"]
    assert alice["exported_milliwh"] == energy.get("delivered", 0) + energy.get("surplus", 0) > 0
    assert alice["balance_micro"] == sum(alice["amount_micro"].values())
    assert main(["balance", str(journal)]) == 0
    assert "closes" in capsys.readouterr().out
    db = sqlite3.connect(journal)
    db.execute("DROP TRIGGER metered_no_update")
    db.execute("UPDATE metered SET export_milliwh = export_milliwh + 1 WHERE period = 1")
    db.commit()
    db.close()
    assert main(["balance", str(journal)]) == 1
    assert "mWh exported" in capsys.readouterr().out


def test_exports_hold_every_row_in_both_forms(journal: Path, tmp_path: Path) -> None:
    for form in ("parquet", "csv"):
        out = tmp_path / form
        assert main(["export", str(journal), "--out", str(out), "--format", form]) == 0
    with Journal(journal) as opened:
        expected = {
            "entries": (EntryRow, list(opened.entries())),
            "metered": (MeteredRow, list(opened.metered())),
            "posts": (PostRow, opened.posts()),
        }
    for name, (row, rows) in expected.items():
        table = pq.read_table(tmp_path / "parquet" / f"{name}.parquet")
        assert [tuple(one.values()) for one in table.to_pylist()] == [tuple(one) for one in rows]
        with (tmp_path / "csv" / f"{name}.csv").open(newline="") as file:
            header, *lines = csv.reader(file)
        assert tuple(header) == row._fields
        texts = [
            [one.hex() if isinstance(one, bytes) else "" if one is None else str(one) for one in r]
            for r in rows
        ]
        assert lines == texts
    assert rows
