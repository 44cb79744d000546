"""Keys, the emulated meter's signer, files of readings and the ledger behind them."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridrig import _core
from gridrig.errors import MeteringError, RigError
from gridrig.metering import (
    EnrolledKey,
    OcmfSigner,
    Refusal,
    VerifiedReading,
    Verifier,
    derive_private_key,
    enrol_all,
    exit_code,
    load_keys,
    verify_file,
)
from gridrig.metering.ocmf_signing import P256_ORDER, ocmf_payload
from gridrig.metering.verification import readings_command

T0 = 1_466_424_900
SIGNER = OcmfSigner.from_seed(7, "meter-12", "serial-12")


def key_of(signer: OcmfSigner, meter: str = "meter-12") -> EnrolledKey:
    return EnrolledKey(meter, signer.serial, "ecdsa-p256", signer.public_key_der, 0)


def verifier() -> Verifier:
    made = Verifier()
    enrol_all(made, [key_of(SIGNER)])
    return made


def keys_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(text, encoding="utf-8")
    return path


def table(**changes: str) -> str:
    fields = {
        "meter": "meter-12",
        "serial": "serial-12",
        "algorithm": "ecdsa-p256",
        "public_key": SIGNER.public_key_der.hex(),
        "valid_from": "2016-01-01T00:00:00Z",
    }
    fields.update(changes)
    return "[[key]]\n" + "".join(f'{name} = "{text}"\n' for name, text in fields.items())


def test_a_signed_reading_comes_back_verified_to_the_milliwatt_hour() -> None:
    record = SIGNER.sign(4, T0, 1_234_567, 89)
    reading = verifier().verify(record, at_s=T0)
    assert (reading.meter, reading.serial, reading.counter) == ("meter-12", "serial-12", 4)
    assert (reading.import_milliwh, reading.export_milliwh) == (1_234_567, 89)
    assert (reading.time_s, reading.time_ms, reading.clock_status) == (T0, T0 * 1000, "S")
    assert reading.context == "T"
    assert len(reading.digest) == len(reading.key_id) == 32


def test_the_payload_is_written_byte_for_byte() -> None:
    payload = ocmf_payload(
        serial="SN", pagination=9, time_s=T0, import_milliwh=1_234_567, export_milliwh=0
    )
    assert payload == (
        b'{"FV":"1.4","GI":"gridrig","GS":"SN","GV":"1.0","PG":"T9","MV":"gridrig",'
        b'"MM":"emulated","MS":"SN","IS":false,"RD":[{"TM":"2016-06-20T12:15:00,000+0000 S",'
        b'"TX":"C","RV":1234.567,"RI":"1-b:1.8.0","RU":"Wh","ST":"G"},'
        b'{"RV":0.000,"RI":"1-b:2.8.0","RU":"Wh"}]}'
    )


def test_a_negative_register_is_never_signed() -> None:
    with pytest.raises(ValueError, match="not negative"):
        SIGNER.sign(1, T0, -1, 0)


def test_signing_twice_gives_the_same_bytes_and_keys_come_from_seed_and_name() -> None:
    assert SIGNER.sign(1, T0, 5, 6) == SIGNER.sign(1, T0, 5, 6)
    numbers = {
        derive_private_key(seed, name).private_numbers().private_value
        for seed in (0, 1, -1, 2**70)
        for name in ("meter-1", "meter-2", "zähler")
    }
    assert len(numbers) == 12
    assert all(1 <= number < P256_ORDER for number in numbers)


def test_the_derived_key_is_the_one_it_always_was() -> None:
    """Another value would orphan the evidence of every run made so far."""
    assert derive_private_key(7, "meter-12").private_numbers().private_value == int(
        "7804c54cf460bb2aef9a1fb87b53ad8a45823d32a66fd10e65892a1933e75738", 16
    )


def test_a_verified_reading_has_no_constructor() -> None:
    with pytest.raises(TypeError, match="cannot create"):
        VerifiedReading()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        type("Forged", (VerifiedReading,), {})
    reading = verifier().verify(SIGNER.sign(1, T0, 0, 0), at_s=T0)
    with pytest.raises(AttributeError):
        reading.import_milliwh = 1  # type: ignore[misc]


def test_a_refusal_raises_with_code_outcome_and_meter() -> None:
    record = bytearray(SIGNER.sign(1, T0, 1_000, 0))
    record[record.index(b"1.000")] ^= 2
    with pytest.raises(MeteringError) as refused:
        verifier().verify(bytes(record), at_s=T0)
    assert refused.value.code == "metering.signature_false"
    assert (refused.value.outcome, refused.value.meter) == ("false", "meter-12")


def test_a_message_with_braces_is_told_as_it_is() -> None:
    record = b'OCMF|{"PG":"T1","MS":"{x}{0}","RD":[{"TM":"{y}"}]}|{"SD":""}'
    with pytest.raises(MeteringError, match=r"\{y\}"):
        verifier().verify(record, at_s=T0)


def test_a_batch_answers_once_per_record_in_order() -> None:
    records = [SIGNER.sign(n, T0 + n, n, 0) for n in range(5)]
    records[2] = records[1]
    outcomes = verifier().verify_batch(records, at_s=T0 + 9)
    assert [type(outcome) for outcome in outcomes] == [
        VerifiedReading,
        VerifiedReading,
        Refusal,
        VerifiedReading,
        VerifiedReading,
    ]
    refusal = outcomes[2]
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.outcome) == ("metering.replayed", "repeated")


def test_a_ledger_goes_through_rows_of_plain_values() -> None:
    first = verifier()
    first.verify(SIGNER.sign(1, T0, 1, 2), at_s=T0)
    reading = first.verify(SIGNER.sign(2, T0 + 900, 3, 4), at_s=T0 + 900)
    rows = first.ledger_rows()
    time_ms = (T0 + 900) * 1000
    registers = (3, 4, None, None)
    assert rows[1] == (reading.key_id, "T", 2, time_ms, "S", None, *registers, reading.digest)
    second = verifier()
    second.restore(rows)
    assert second.ledger_rows() == rows
    with pytest.raises(MeteringError) as refused:
        second.verify(SIGNER.sign(2, T0 + 900, 3, 4), at_s=T0 + 900)
    assert refused.value.code == "metering.replayed"
    with pytest.raises(MeteringError) as refused:
        second.restore(rows)
    assert refused.value.code == "metering.ledger_not_empty"


def test_keys_come_from_hex_base64_and_toml_times(tmp_path: Path) -> None:
    next_key = OcmfSigner.from_seed(8, "meter-12", "meter-12").public_key_der
    text = base64.b64encode(next_key).decode()
    later = table(public_key=text, valid_from="2017-01-01T01:00:00+01:00").replace(
        'serial = "serial-12"\n', "valid_to = 2018-01-01T00:00:00Z\n"
    )
    keys = load_keys(keys_file(tmp_path, table(valid_to="2017-01-01T00:00:00Z") + later))
    assert [key.serial for key in keys] == ["serial-12", "meter-12"]
    assert [key.public_key for key in keys] == [SIGNER.public_key_der, next_key]
    assert (keys[1].valid_from_s, keys[1].valid_to_s) == (1_483_228_800, 1_514_764_800)


def test_keys_may_stand_in_a_rig_file_among_its_other_tables(tmp_path: Path) -> None:
    assert len(load_keys(keys_file(tmp_path, '[rig]\nname = "r"\n[feeder]\n' + table()))) == 1


def test_every_fault_of_a_keys_file_is_told_at_once(tmp_path: Path) -> None:
    text = (
        "[metre]\nx = 1\n"
        + table(algorithm="ecdsa-p265", public_key="!!", valid_from="2016-01-01T00:00:00")
        + table().replace("meter =", "metre =")
        + table(valid_to="2016-01-01T00:00:00Z")
        + table(public_key=SIGNER.public_key_der[:-1].hex())
    )
    with pytest.raises(RigError) as refused:
        load_keys(keys_file(tmp_path, text))
    told = [(issue.key, issue.near_miss) for issue in refused.value.issues]
    assert told == [
        ("metre", None),
        ("key[0].algorithm", "ecdsa-p256"),
        ("key[0].public_key", None),
        ("key[0].valid_from", None),
        ("key[1].metre", "meter"),
        ("key[2].valid_to", None),
        ("key[3].public_key", None),
    ]


def test_a_keys_file_that_cannot_be_opened_is_an_issue_with_its_name(tmp_path: Path) -> None:
    for path in (tmp_path / "no-such-keys.toml", tmp_path):
        with pytest.raises(RigError) as refused:
            load_keys(path)
        assert refused.value.code == "metering.keys_file"
        (issue,) = refused.value.issues
        assert issue.file == str(path)


@pytest.mark.parametrize("text", ["", "key = 3", "[[key]", "[rig]\n"])
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RigError):
        load_keys(keys_file(tmp_path, text))


def test_a_key_of_another_curve_cannot_be_enrolled() -> None:
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    der = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(RigError, match=r"metering\.enrol_key"):
        enrol_all(Verifier(), [EnrolledKey("m", "s", "ecdsa-p256", der, 0)])


def test_a_file_of_readings_gives_one_verdict_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "received.txt"
    stranger = OcmfSigner.from_seed(1, "stranger", "stranger")
    good = [SIGNER.sign(n, T0 + n, n, 0) for n in (1, 2)]
    path.write_bytes(good[0] + b"\r\n\n" + good[1] + b"\n" + stranger.sign(1, T0, 0, 0))
    keys = keys_file(tmp_path, table())
    assert readings_command(path, keys) == 3
    verdicts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(v["line"], v["verdict"], v["code"]) for v in verdicts] == [
        (1, "ok", None),
        (3, "ok", None),
        (4, "undecided", "metering.key_unknown"),
    ]
    path.write_bytes(good[0].replace(b"0.001", b"0.003") + b"\n" + good[0])
    assert exit_code(verify_file(path, load_keys(keys))) == 1
    path.write_bytes(good[0] + b"\n" + good[0])
    assert exit_code(verify_file(path, load_keys(keys))) == 0, "a repeat is no news, and no lie"
    path.write_bytes(good[0])
    assert exit_code(verify_file(path, load_keys(keys))) == 0
    path.write_bytes(b"\n")
    assert exit_code(verify_file(path, load_keys(keys))) == 2


def test_a_line_without_end_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "received.txt"
    path.write_bytes(b"OCMF|" + b"x" * 300_000 + b"\n" + SIGNER.sign(1, T0, 0, 0))
    verdicts = list(verify_file(path, [key_of(SIGNER)]))
    assert [(v["line"], v["code"]) for v in verdicts] == [(1, "metering.format"), (2, None)]


def test_a_missing_file_of_readings_is_an_error_by_name(tmp_path: Path) -> None:
    with pytest.raises(MeteringError, match=r"nowhere\.txt"):
        list(verify_file(tmp_path / "nowhere.txt", [key_of(SIGNER)]))


def test_no_native_object_can_be_changed_and_no_class_subclassed() -> None:
    order = _core.Order(1, "a", "bid", 1, 1)
    for target in (order, verifier()):
        with pytest.raises(AttributeError):
            target.forged = 1  # type: ignore[union-attr]
    for native in (_core.Order, _core.Trade, _core.VerifiedReading, _core.Verifier, _core.Settled):
        with pytest.raises(TypeError):
            type("Forged", (native,), {})
