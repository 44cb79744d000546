"""The shared vectors, run by the Python side through files, keys files and verdicts."""

import json
import sys
import tomllib
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gridrig.metering import load_keys, verify_file

VECTORS = Path(__file__).parent / "vectors"
CASES = sorted(path for path in (VECTORS / "metering").iterdir() if path.is_dir())


def test_there_are_cases_and_each_says_where_it_is_from() -> None:
    assert len(CASES) >= 30
    for case in CASES:
        about = tomllib.loads((case / "case.toml").read_text())
        assert all(about[field] for field in ("source", "licence", "why")), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_its_expected_verdicts(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    about = tomllib.loads((case / "case.toml").read_text())
    keys = load_keys(case / "keys.toml")
    verdicts = list(verify_file(case / "input.txt", keys, at_s=about.get("at_s")))
    blank = [n for n, v in enumerate(expected) if v.get("code") == "metering.format"]
    assert len(verdicts) == len(expected), f"a line without an outcome; format lines are {blank}"
    for verdict, outcome in zip(verdicts, expected, strict=True):
        assert {name: verdict[name] for name in outcome} == outcome, verdict


def test_cases_of_our_own_are_what_their_maker_writes(tmp_path: Path) -> None:
    sys.path.insert(0, str(VECTORS))
    try:
        import make_metering_cases
    finally:
        sys.path.remove(str(VECTORS))
    make_metering_cases.write(tmp_path)
    made = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*.*") if file.is_file())
    assert len(made) >= 100
    for file in made:
        committed = VECTORS / "metering" / file
        assert committed.read_bytes() == (tmp_path / file).read_bytes(), str(file)


def test_openssl_agrees_with_the_verdict_on_every_signature_it_can_read() -> None:
    """The signature alone, over the bytes between the pipes, by another implementation."""
    judged = 0
    for case in CASES:
        keys = {key.serial: key for key in load_keys(case / "keys.toml")}
        expected = json.loads((case / "expected.json").read_text())
        records = (case / "input.txt").read_bytes().removesuffix(b"\n").split(b"\n")
        for record, outcome in zip(records, expected, strict=True):
            right = outcome["verdict"] == "ok"
            false = outcome.get("code") == "metering.signature_false"
            if not (right or false) or len(keys) != 1 or case.name == "key-not-valid-then":
                continue
            _, payload, section = record.strip().split(b"|")
            signature = json.loads(section)
            if signature.get("SE") == "base64":
                continue
            key = load_der_public_key(next(iter(keys.values())).public_key)
            assert isinstance(key, ec.EllipticCurvePublicKey)
            try:
                key.verify(bytes.fromhex(signature["SD"]), payload, ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                assert false, case.name
            else:
                assert right, case.name
            judged += 1
    assert judged >= 30
