"""The durable ledger: batches, repeats, forks and their proof, kill -9 at any point."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gridrig.errors import MeteringError
from gridrig.metering import (
    ABSENT,
    VERIFIED,
    EnrolledKey,
    OcmfSigner,
    ReadingLedger,
    Verifier,
    enrol_all,
)
from gridrig.metering.ledger_store import LedgerStore
from gridrig.metering.reading_ledger import HISTORY
from gridrig.metering.verification import proofs_command, readings_command
from gridrig.metering.words import CODES, STATUSES

T0 = 1_466_424_900
SIGNERS = [OcmfSigner.from_seed(7, name, name) for name in ("meter-1", "meter-2")]
KEYS = [EnrolledKey(s.serial, s.serial, "ecdsa-p256", s.public_key_der, 0) for s in SIGNERS]
KEYS_FILE = "".join(
    f'[[key]]\nmeter = "{s.serial}"\nalgorithm = "ecdsa-p256"\n'
    f'public_key = "{s.public_key_der.hex()}"\nvalid_from = "2016-01-01T00:00:00Z"\n'
    for s in SIGNERS
)


def record(n: int, meter: int = 0, import_milliwh: int | None = None) -> bytes:
    taken = 1_000 * n if import_milliwh is None else import_milliwh
    return SIGNERS[meter].sign(n, T0 + 900 * n, taken, 7)


def words(verdicts: object, codes: bool = True) -> list[str | None]:
    places = range(len(verdicts))  # type: ignore[arg-type]
    if codes:
        return [verdicts.code_of(place) for place in places]  # type: ignore[attr-defined]
    return [STATUSES[status] for status in verdicts.status]  # type: ignore[attr-defined]


MIXED = [
    record(1),
    record(1, meter=1),
    record(2),
    record(2),
    record(2, import_milliwh=5_000),
    record(5),
    record(4),
    record(6).replace(b"6.000", b"7.000"),
    b"not a record",
    record(7, import_milliwh=1),
]
MIXED_CODES = [
    None,
    None,
    None,
    "metering.replayed",
    "metering.equivocation",
    None,
    "metering.counter_back",
    "metering.signature_false",
    "metering.format",
    "metering.register_fell",
]


def test_a_batch_answers_in_columns(tmp_path: Path) -> None:
    with ReadingLedger(KEYS, tmp_path / "ledger") as ledger:
        verdicts = ledger.verify(MIXED, at_s=T0 + 90_000)
    assert words(verdicts) == MIXED_CODES
    good = verdicts.status == VERIFIED
    assert np.flatnonzero(good).tolist() == [0, 1, 2, 5]
    assert [verdicts.meters[m] for m in verdicts.meter[good]] == [
        "meter-1",
        "meter-2",
        "meter-1",
        "meter-1",
    ]
    assert verdicts.meter[8] == -1
    assert verdicts.import_milliwh[good].tolist() == [1_000, 1_000, 2_000, 5_000]
    assert verdicts.counter[good].tolist() == [1, 1, 2, 5]
    assert verdicts.missing[good].tolist() == [0, 0, 0, 2]
    assert (verdicts.time_ms[5], verdicts.start_ms[5]) == ((T0 + 4_500) * 1_000, ABSENT)
    assert verdicts.found("gap").nonzero()[0].tolist() == [5]
    assert verdicts.found("key_equivocated").nonzero()[0].tolist() == [5]
    assert (verdicts.import_milliwh[~good] == ABSENT).all()
    reading = verdicts.outcome(5)
    assert verdicts.digest[5].tobytes() == reading.digest  # type: ignore[union-attr]
    assert words(verdicts, codes=False)[3:5] == ["repeated", "false"]
    assert set(filter(None, MIXED_CODES)) <= set(CODES)


def test_threads_buffers_and_single_records_give_the_same_verdicts() -> None:
    records = MIXED * 3
    offsets = np.cumsum([0, *map(len, records)])
    plain = ReadingLedger(KEYS).verify(records)
    threaded = ReadingLedger(KEYS, threads=3).verify(records)
    joined = ReadingLedger(KEYS).verify((b"".join(records), offsets))
    single = Verifier()
    enrol_all(single, KEYS)
    codes = [getattr(one, "code", None) for one in single.verify_batch(records, at_s=2**62)]
    assert words(plain) == words(threaded) == words(joined) == codes
    for name in ("import_milliwh", "counter", "missing", "findings", "time_ms", "meter"):
        assert (getattr(plain, name) == getattr(threaded, name)).all()
        assert (getattr(plain, name) == getattr(joined, name)).all()


def test_what_is_no_batch_is_refused_and_leaves_nothing_open() -> None:
    ledger = ReadingLedger(KEYS)
    for records, code in [
        ((b"abc", np.array([0, 9])), "metering.batch_offset"),
        ([b""] * 65_537, "metering.batch_bound"),
    ]:
        with pytest.raises(MeteringError) as refused:
            ledger.verify(records)  # type: ignore[arg-type]
        assert refused.value.code == code
    with pytest.raises(MeteringError) as refused:
        ledger.verify([record(1)], format="ocmv")
    assert refused.value.code == "metering.format_unknown"
    assert words(ledger.verify([record(1)])) == [None]


def test_a_staged_batch_holds_the_ledger_until_it_is_closed() -> None:
    verifier = Verifier()
    enrol_all(verifier, KEYS)
    first = verifier.authenticate([record(1)], at_s=T0 + 900)
    second = verifier.authenticate([record(1)], at_s=T0 + 900)
    verifier.stage(first)
    with pytest.raises(MeteringError) as refused:
        verifier.stage(second)
    assert refused.value.code == "metering.batch_open"
    with pytest.raises(MeteringError) as refused:
        verifier.verify(record(2), at_s=T0 + 9_000)
    assert refused.value.code == "metering.batch_open"
    verifier.roll_back()
    assert verifier.ledger_rows() == []
    assert verifier.stage(second).outcome(0).counter == 1  # type: ignore[union-attr]
    with pytest.raises(MeteringError) as refused:
        verifier.commit() or verifier.stage(second)  # type: ignore[func-returns-value]
    assert refused.value.code == "metering.batch_used"


def test_a_ledger_is_remembered_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with ReadingLedger(KEYS, path) as ledger:
        list(ledger.verify_all([MIXED[:3], MIXED[3:]]))
    with ReadingLedger(KEYS, path) as ledger:
        again = ledger.verify([*MIXED, record(8)])
        assert again.found("key_equivocated")[-1]
    replayed = "metering.replayed"
    assert words(again) == [replayed] * 4 + [MIXED_CODES[4], replayed, *MIXED_CODES[6:], None]


def test_what_memory_forgot_the_file_recalls(tmp_path: Path) -> None:
    with ReadingLedger(KEYS, tmp_path / "ledger") as ledger:
        ledger.verify([record(n) for n in range(HISTORY + 20)])
        old = ledger.verify([record(3), record(3, import_milliwh=3_001)])
        assert words(old) == ["metering.replayed", "metering.equivocation"]
        assert len(list(ledger.forks())) == 1


def test_a_file_that_cannot_be_written_admits_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with ReadingLedger(KEYS, path) as ledger, ReadingLedger(KEYS, path) as other:
        ledger.verify([record(1)])
        with pytest.raises(MeteringError) as refused:
            other.verify([record(1, meter=1)])
        assert refused.value.code == "metering.ledger_two_writers"
        assert other.verifier.ledger_rows() == []
        blocker = sqlite3.connect(path)
        blocker.executescript("PRAGMA user_version = 9")
        blocker.close()
    with pytest.raises(MeteringError) as refused:
        ReadingLedger(KEYS, path)
    assert refused.value.code == "metering.ledger_foreign"


def test_a_ledger_of_other_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with ReadingLedger(KEYS, path) as ledger:
        ledger.verify([record(1)])
    with pytest.raises(MeteringError) as refused:
        ReadingLedger(KEYS[1:], path)
    assert refused.value.code == "metering.ledger_key_unknown"
    moved = EnrolledKey("meter-9", "meter-1", "ecdsa-p256", SIGNERS[0].public_key_der, 0)
    with pytest.raises(MeteringError) as refused:
        ReadingLedger([moved], path)
    assert refused.value.code == "metering.ledger_meter_other"


def test_no_row_of_a_ledger_changes_or_goes(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with ReadingLedger(KEYS, path) as ledger:
        ledger.verify(MIXED)
    db = sqlite3.connect(path)
    for table, column in (("reading", "counter"), ("fork", "counter"), ("key", "meter")):
        for change in (f"UPDATE {table} SET {column} = 9", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="append_only"):
                db.execute(change)
    db.close()


def test_a_fork_is_proof_that_needs_no_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, ledger, received = (tmp_path / name for name in ("keys.toml", "ledger", "received.txt"))
    keys.write_text(KEYS_FILE)
    with pytest.raises(MeteringError) as missing:
        proofs_command(keys, ledger)
    assert missing.value.code == "metering.ledger_missing"
    received.write_bytes(b"\n".join(MIXED[:5]))
    assert readings_command(received, keys, ledger=ledger) == 1
    assert readings_command(received, keys, ledger=ledger) == 1
    capsys.readouterr()
    assert proofs_command(keys, ledger) == 1
    proof = capsys.readouterr().out
    (facts,) = map(json.loads, proof.splitlines())
    assert (facts["meter"], facts["context"], facts["counter"]) == ("meter-1", "T", 2)
    assert [bytes.fromhex(facts[name]) for name in ("first", "second")] == [MIXED[2], MIXED[4]]
    assert bytes.fromhex(facts["public_key"]) == SIGNERS[0].public_key_der
    handed_on = tmp_path / "proof.jsonl"
    handed_on.write_text(proof)
    assert readings_command(handed_on, keys) == 1
    checked = [json.loads(line)["code"] for line in capsys.readouterr().out.splitlines()]
    assert checked == [None, "metering.equivocation"]


WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from test_metering_ledger import KEYS, record
from gridrig.metering import ReadingLedger
with ReadingLedger(KEYS, sys.argv[1]) as ledger:
    first = int(sys.argv[2])
    batches = ([record(n) for n in range(at, at + 5)] for at in range(first, first + 5_000, 5))
    for verdicts in ledger.verify_all(batches):
        assert not verdicts.status.any()
        print(int(verdicts.counter[-1]), flush=True)
"""


def test_a_writer_killed_at_any_point_leaves_whole_batches_and_all_it_told(tmp_path: Path) -> None:
    path, told = tmp_path / "ledger", -1
    rounds = int(os.environ.get("GRIDRIG_KILLS", "6"))
    for told_before_kill in range(rounds):
        first = _last_counter(path) + 1
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(first), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(1 + 3 * told_before_kill):
            told = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest = child.communicate()[0].splitlines()
        told = int(rest[-1]) if rest and rest[-1].isdigit() else told
        last = _last_counter(path)
        assert last >= told, "a verdict was told before it was durable"
        assert (last + 1) % 5 == 0, "part of a batch is in the file"
    with ReadingLedger(KEYS, path) as ledger:
        assert ledger.store is not None
        counters = [row[2] for row in ledger.store.rows()]
    assert counters == list(range(len(counters)))


def _last_counter(path: Path) -> int:
    if not path.exists():
        return -1
    store = LedgerStore(path)
    counters = [row[2] for row in store.rows()]
    store.close()
    return max(counters, default=-1)
