"""Signed bytes and signatures of every format, by code that shares nothing with the verifier."""

import hashlib
import json
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gridrig.errors import MeteringError, RigError
from gridrig.metering import CoseSigner, Verifier, load_keys, verify_file

VECTORS = Path(__file__).parent / "vectors"
CASES = sorted(path for path in (VECTORS / "metering_formats").iterdir() if path.is_dir())

sys.path.insert(0, str(VECTORS))
try:
    import format_oracle
    import keccak
    import secp192k1
finally:
    sys.path.remove(str(VECTORS))


def records(case: Path) -> list[bytes]:
    """Read the records of a case from lines of text, lines of hex, or an XML file."""
    if (case / "input.txt").exists():
        return (case / "input.txt").read_bytes().removesuffix(b"\n").split(b"\n")
    if (case / "input.hex").exists():
        return [bytes.fromhex(line) for line in (case / "input.hex").read_text().split()]
    root = ET.fromstring((case / "input.xml").read_bytes())
    return [(value.findtext("signedData") or "").strip().encode() for value in root]


def judged(case: Path) -> Iterator[tuple[bytes, dict[str, Any], dict[str, Any]]]:
    """Yield each readable record with what it reads as and its verdict."""
    expected = json.loads((case / "records.json").read_text())
    if all("fault" in record for record in expected):
        return
    verdicts = json.loads((case / "expected.json").read_text())
    for record, reading, verdict in zip(records(case), expected, verdicts, strict=True):
        if "fault" not in reading:
            yield record, reading, verdict


def unsigned_numbers(der: bytes) -> tuple[int, int]:
    """Read r and s as numbers without a sign, also where their zero octet is left out."""
    s_at = 4 + der[3]
    return int.from_bytes(der[4:s_at], "big"), int.from_bytes(der[s_at + 2 :], "big")


def holds(key_der: bytes, signed: format_oracle.Signed, encoding: str) -> bool:
    """Check a signature with `cryptography`, whatever its curve."""
    signature = signed.signature
    half = len(signature) // 2
    fixed = encoding == "fixed" or signature[0] != 0x30
    if key_der.startswith(secp192k1.SPKI_HEAD):
        r, s = unsigned_numbers(signature)
        x, y = (int.from_bytes(key_der[at : at + 24], "big") for at in (24, 48))
        return secp192k1.verify((x, y), signed.body, r, s)
    key = load_der_public_key(key_der)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed.body)
            return True
        assert isinstance(key, ec.EllipticCurvePublicKey)
        if fixed:
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        else:
            r, s = unsigned_numbers(signature)
        signature = utils.encode_dss_signature(r, s)
        key.verify(signature, signed.digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def test_there_are_cases_and_each_says_where_it_is_from() -> None:
    assert len(CASES) >= 25
    for case in CASES:
        about = tomllib.loads((case / "case.toml").read_text())
        assert all(about[field] for field in ("source", "licence", "why")), case.name


def test_keccak_gives_the_published_digests() -> None:
    """Vectors of the Keccak team for the padding from before SHA-3."""
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    abc = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    assert keccak.keccak_256(b"").hex() == empty
    assert keccak.keccak_256(b"abc").hex() == abc


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_signed_is_what_an_independent_reader_says(case: Path) -> None:
    for record, reading, _ in judged(case):
        if reading["signature"] is None:
            continue
        signed = format_oracle.READERS[reading["format"]](record)
        assert hashlib.sha256(signed.body).hexdigest() == reading["signed_sha256"]
        assert signed.signature.hex() == reading["signature"].lower()


def test_openssl_agrees_with_every_verdict_over_a_signature() -> None:
    """A signature is right where the verdict does not call it false, and false where it does."""
    seen: Counter[str] = Counter()
    for case in CASES:
        keys = tomllib.loads((case / "keys.toml").read_text())["key"]
        for record, reading, verdict in judged(case):
            code = verdict.get("code", "")
            named = [key for key in keys if key["serial"] == reading["serial"]]
            if reading["signature"] is None or len(named) != 1 or code == "metering.key_unknown":
                continue
            if code in ("metering.algorithm", "metering.signature_encoding"):
                continue
            signed = format_oracle.READERS[reading["format"]](record)
            der = bytes.fromhex(named[0]["public_key"])
            right = code != "metering.signature_false"
            assert holds(der, signed, reading["encoding"]) == right, (case.name, reading)
            seen[reading["format"]] += 1
    assert set(seen) == set(format_oracle.READERS)
    assert sum(seen.values()) >= 60


def verdicts_of(case: Path) -> list[dict[str, Any]]:
    """Verify the file of a case; a file that is refused whole is one verdict."""
    path = next(case.glob("input.*"))
    try:
        return [dict(verdict) for verdict in verify_file(path, load_keys(case / "keys.toml"))]
    except MeteringError as error:
        return [{"verdict": "undecided", "code": error.code, "meter": None}]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_of_records_gives_its_expected_verdicts(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    verdicts = verdicts_of(case)
    assert len(verdicts) == len(expected)
    for verdict, outcome in zip(verdicts, expected, strict=True):
        assert {name: verdict[name] for name in outcome} == outcome, verdict


def test_the_emulated_meter_writes_the_native_record_of_the_vectors() -> None:
    """Two encoders of deterministic CBOR, written apart, agree on a record of every field."""
    sys.path.insert(0, str(VECTORS))
    try:
        import make_format_cases as made
    finally:
        sys.path.remove(str(VECTORS))
    signer = CoseSigner(made.RIG.ed25519_key, made.SERIAL)
    time_ms, facts = (made.T0 + 1800) * 1000, {"contract": "socket 3", "operating_s": 86_400}
    record = signer.record(
        sequence=2,
        time_ms=time_ms,
        import_milliwh=2_000_000,
        export_milliwh=0,
        power_milliwatt=-1_500,
        status=0,
        **facts,  # type: ignore[arg-type]
    )
    assert record == records(VECTORS / "metering_formats" / "native")[1]


def test_an_emulated_meter_is_believed_once_its_key_is_enrolled() -> None:
    signer = CoseSigner.from_seed(7, "home", "GR-0007")
    verifier = Verifier()
    key = {"serial": "GR-0007", "public_key": signer.public_key_der, "algorithm": "ed25519"}
    verifier.enrol("home", valid_from_s=0, **key)
    record = signer.record(sequence=1, time_ms=1_000, import_milliwh=5, export_milliwh=2**40)
    reading = verifier.verify(record, at_s=2)
    assert (reading.meter, reading.import_milliwh, reading.export_milliwh) == ("home", 5, 2**40)


def test_made_cases_are_what_their_maker_writes(tmp_path: Path) -> None:
    sys.path.insert(0, str(VECTORS))
    try:
        import make_format_cases
    finally:
        sys.path.remove(str(VECTORS))
    make_format_cases.write(tmp_path)
    made = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*.*") if file.is_file())
    assert len(made) >= 100
    for file in made:
        committed = VECTORS / "metering_formats" / file
        assert committed.read_bytes() == (tmp_path / file).read_bytes(), str(file)


ISA = VECTORS / "metering_formats" / "field-isa-edl40-p"
BERLIN = 'utc_offset = "+01:00"\nsummer_time = "eu"\n'


def crc16_x25(data: bytes) -> bytes:
    """Return the checksum of SML, a bit at a time."""
    crc = 0xFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return (crc ^ 0xFFFF).to_bytes(2, "little")


def with_stated_offset(record: bytes, minutes: int) -> bytes:
    """Write another offset beside the sensor time, which is not signed, and fit the checksums."""
    begins = record.index(bytes.fromhex("760500000007"))
    ends = record.index(bytes.fromhex("630500000008".replace("63", "76"))) - 4
    message, stated = record[begins:ends], bytes.fromhex("53003c53003c")
    assert crc16_x25(message) == record[ends + 1 : ends + 3]
    assert crc16_x25(record[:-2]) == record[-2:]
    at = message.index(stated)
    other = b"\x53" + minutes.to_bytes(2, "big", signed=True) + b"\x53\x00\x00"
    message = message[:at] + other + message[at + len(stated) :]
    file = record[:begins] + message + b"\x63" + crc16_x25(message) + record[ends + 3 : -2]
    return file + crc16_x25(file)


def judged_under(tmp_path: Path, bound: str, record: bytes) -> tuple[str | None, int | None]:
    trust = (ISA / "keys.toml").read_text().replace('profiles = ["utc-offset-unsigned"]\n', bound)
    (tmp_path / "keys.toml").write_text(trust)
    (tmp_path / "records").write_text(record.hex())
    (verdict,) = verify_file(tmp_path / "records", load_keys(tmp_path / "keys.toml"))
    assert verdict["profiles"] in (None, [])
    return verdict["code"], verdict["time_s"]


def test_local_time_is_told_by_the_clock_bound_to_the_key(tmp_path: Path) -> None:
    genuine = records(ISA)[0]
    moved = with_stated_offset(genuine, 60)
    denied = with_stated_offset(genuine, 0)
    assert judged_under(tmp_path, "", genuine) == ("metering.deviation", None)
    assert judged_under(tmp_path, "", denied) == ("metering.deviation", None)
    assert judged_under(tmp_path, BERLIN, genuine) == (None, 1_597_122_560)
    for record in (moved, denied):
        assert judged_under(tmp_path, BERLIN, record) == ("metering.local_time", None)
    other = 'utc_offset = "-03:30"\n'
    assert judged_under(tmp_path, other, genuine) == ("metering.local_time", None)


def test_an_offset_of_the_trust_file_is_a_time_of_day(tmp_path: Path) -> None:
    for bound, fault in (
        ('utc_offset = "1"\n', "key[0].utc_offset"),
        ('summer_time = "eu"\n', "key[0].utc_offset"),
        ('utc_offset = "+01:00"\nsummer_time = "us"\n', "key[0].summer_time"),
    ):
        with pytest.raises(RigError) as refused:
            judged_under(tmp_path, bound, b"")
        assert [issue.key for issue in refused.value.issues] == [fault]
