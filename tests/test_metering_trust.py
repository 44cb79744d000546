"""Who is believed, when, and what is found beside a valid signature: from the trust file on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridrig.errors import RigError
from gridrig.metering import OcmfSigner, ReadingLedger, Verdicts, load_keys

T0 = 1_466_424_900
OLD = OcmfSigner.from_seed(1, "meter", "device-1")
NEW = OcmfSigner.from_seed(2, "meter", "device-1")
OTHER = OcmfSigner.from_seed(3, "meter", "device-2")
HOUR = 3_600


def at(offset_s: int) -> str:
    return datetime.fromtimestamp(T0 + offset_s, tz=UTC).isoformat()


def table(signer: OcmfSigner, **more: str | int | list[str]) -> str:
    fields: dict[str, object] = {
        "meter": "meter",
        "serial": signer.serial,
        "algorithm": "ecdsa-p256",
        "public_key": signer.public_key_der.hex(),
        "valid_from": at(0),
        **more,
    }
    return "[[key]]\n" + "".join(f"{name} = {value!r}\n" for name, value in fields.items())


def verify(tmp_path: Path, trust: str, records: list[bytes], at_s: int | None = None) -> Verdicts:
    path = tmp_path / "trust.toml"
    path.write_text(trust)
    return ReadingLedger(load_keys(path)).verify(records, at_s=at_s)


def codes(verdicts: Verdicts) -> list[str | None]:
    return [verdicts.code_of(place) for place in range(len(verdicts))]


def findings(verdicts: Verdicts) -> list[list[str]]:
    return [verdicts.outcome(n).findings for n in range(len(verdicts))]  # type: ignore[union-attr]


def test_a_rotated_key_counts_in_its_time_and_the_registers_go_on(tmp_path: Path) -> None:
    trust = table(OLD, valid_to=at(HOUR)) + table(NEW, valid_from=at(HOUR))
    verdicts = verify(
        tmp_path,
        trust,
        [
            OLD.sign(8, T0, 1_000, 0),
            NEW.sign(1, T0, 1_000, 0),
            NEW.sign(1, T0 + HOUR, 999, 0),
            NEW.sign(1, T0 + HOUR, 1_001, 0),
            OLD.sign(9, T0 + HOUR, 1_002, 0),
        ],
    )
    false = "metering.signature_false"
    assert codes(verdicts) == [None, false, "metering.register_fell", None, false]


def test_a_stolen_key_cannot_sign_itself_back_before_its_revocation(tmp_path: Path) -> None:
    trust = table(OLD, revoked=at(HOUR))
    honest, late = OLD.sign(1, T0, 1, 0), OLD.sign(2, T0 + HOUR, 2, 0)
    revoked = "metering.key_revoked"
    assert codes(verify(tmp_path, trust, [honest], T0 + HOUR - 1)) == [None]
    # Signed before, and arrived after: whoever has the key can write that.
    assert codes(verify(tmp_path, trust, [honest], T0 + HOUR)) == [revoked]
    assert codes(verify(tmp_path, trust, [late], T0 + HOUR - 1)) == [revoked]
    # Nobody knows when it arrived.
    assert codes(verify(tmp_path, trust, [honest])) == [revoked]


def test_records_of_a_retired_key_arrive_in_time_or_not_at_all(tmp_path: Path) -> None:
    trust = table(OLD, valid_to=at(HOUR), arrives_by=at(2 * HOUR))
    record = OLD.sign(1, T0, 1, 0)
    assert codes(verify(tmp_path, trust, [record], T0 + 2 * HOUR - 1)) == [None]
    assert codes(verify(tmp_path, trust, [record], T0 + 2 * HOUR)) == ["metering.key_retired"]


def test_an_exchanged_meter_counts_from_its_start_register(tmp_path: Path) -> None:
    trust = table(OLD, valid_to=at(HOUR)) + table(
        OTHER, valid_from=at(HOUR), start_import_milliwh=50, start_export_milliwh=0
    )
    verdicts = verify(
        tmp_path,
        trust,
        [
            OLD.sign(1, T0, 900_000, 0),
            OTHER.sign(1, T0 + HOUR, 49, 0),
            OTHER.sign(1, T0 + HOUR, 50, 0),
        ],
    )
    assert codes(verdicts) == [None, "metering.below_start", None]


def test_a_key_of_one_format_signs_no_other(tmp_path: Path) -> None:
    trust = table(OLD, format="bsm-snapshot")
    assert codes(verify(tmp_path, trust, [OLD.sign(1, T0, 1, 0)])) == ["metering.key_unknown"]


def test_energy_beyond_what_a_place_can_do_is_found_beside_a_valid_signature(
    tmp_path: Path,
) -> None:
    trust = table(OLD, import_power_w_max=10_000, export_power_w_max=0)
    verdicts = verify(
        tmp_path,
        trust,
        [
            OLD.sign(1, T0, 0, 0),
            OLD.sign(2, T0 + HOUR, 10_000_000, 0),
            OLD.sign(3, T0 + 2 * HOUR, 21_000_000, 0),
            OLD.sign(4, T0 + 3 * HOUR, 21_000_000, 1_000),
            OLD.sign(6, T0 + 4 * HOUR, 2_000_000_000, 1_000),
        ],
    )
    assert findings(verdicts) == [
        [],
        [],
        ["import_over_capacity"],
        ["reversed_ct"],
        ["gap", "import_over_capacity", "unit_slip"],
    ]


def test_every_fault_of_a_trust_file_is_told_with_its_near_miss(tmp_path: Path) -> None:
    path = tmp_path / "trust.toml"
    path.write_text(
        table(OLD, key_form="spky", format="ocmv", profiles=["der-unpaded"], revoked="soon")
        + table(NEW, import_power_w_max=-1, power_tolerance_permille="5", arives_by=at(0))
    )
    with pytest.raises(RigError) as refused:
        load_keys(path)
    assert [(issue.key, issue.near_miss) for issue in refused.value.issues] == [
        ("key[0].key_form", "spki"),
        ("key[0].format", "ocmf"),
        ("key[0].profiles", "der-unpadded"),
        ("key[0].revoked", None),
        ("key[1].arives_by", "arrives_by"),
        ("key[1].power_tolerance_permille", None),
        ("key[1].import_power_w_max", None),
    ]
