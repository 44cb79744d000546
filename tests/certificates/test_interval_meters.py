"""Meters that sign the energy of intervals: certified with what each leaves carried to the next."""

import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from meters import Meters

from gridrig._core import EnergyClaim, MeterPeriod, Verifier
from gridrig.errors import SettlementError
from gridrig.metering import EnrolledKey, enrol_all
from gridrig.settlement.certificates import CertificateStore

GENESIS_S, SLOT_S, SLOT = 1_700_352_000, 300, 170_001
ASSET = b"\x5a" * 32
MONITOR = ec.derive_private_key(77_000_777, ec.SECP256K1())


def glow(energies: dict[int, int]) -> list[MeterPeriod]:
    """Return the intervals of a Glow monitor, by slot, signed and verified. [mWh]"""
    key = MONITOR.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    verifier = Verifier()
    enrol_all(verifier, [EnrolledKey("roof", "7", "ecdsa-secp256k1", key, 0)])
    intervals = []
    for slot, energy in energies.items():
        report = struct.pack("<IIq", 7, SLOT + slot, energy)
        signed = MONITOR.sign(
            keccak(b"EquipmentReport" + report), ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        )
        numbers = utils.decode_dss_signature(signed)
        packet = report + b"".join(number.to_bytes(32, "big") for number in numbers)
        at_s = GENESIS_S + SLOT_S * (SLOT + slot + 1)
        intervals.append(MeterPeriod.of_interval("owner", verifier.verify(packet, at_s=at_s)))
    return intervals


def opened(path: Path | str = ":memory:", **source: int) -> CertificateStore:
    store = CertificateStore(path)
    store.name("roof", ASSET)
    store.enrol("roof", "7", asset=ASSET, **source)
    return store


def mint(store: CertificateStore, interval: MeterPeriod) -> EnergyClaim | None:
    return store.mint(interval, holder="owner", issuer="us")


def refused(store: CertificateStore, period: MeterPeriod, **asked: str) -> SettlementError:
    with pytest.raises(SettlementError) as refusal:
        store.mint(period, **({"holder": "owner", "issuer": "us"} | asked))
    return refusal.value


@given(
    energies=st.lists(st.integers(0, 2_500), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    carried=st.integers(0, 999),
    twice=st.booleans(),
)
@settings(max_examples=20, deadline=None, database=None, derandomize=True)
def test_intervals_in_any_order_mint_their_sum_rounded_down_once(
    energies: list[int], order: object, carried: int, twice: bool
) -> None:
    # A monitor reports no power as 2, and says nothing with less.
    intervals = glow({n: energy for n, energy in enumerate(energies) if energy > 2})
    order.shuffle(intervals)  # type: ignore[attr-defined]
    total = carried
    with opened(carried_milliwh=carried) as store:
        for interval in intervals:
            total += interval.export_milliwh
            minted = mint(store, interval)
            assert store.supply().minted_wh == total // 1_000, "after each, the sum so far"
            if twice:
                assert mint(store, interval) == minted, "the same again is the same claim"
        assert store.supply().minted_wh == total // 1_000
        events = len(store.claims())
        assert events == sum(interval.export_milliwh > 0 for interval in intervals)


def test_an_interval_below_a_watt_hour_is_taken_carried_and_there_when_opened_again(
    tmp_path: Path,
) -> None:
    first, second, third = glow({0: 400, 1: 500, 2: 1_200})
    path = tmp_path / "register.db"
    with opened(path) as store:
        assert mint(store, first) is None
        assert refused(store, first, issuer="others").code == "settlement.certificate_double_claim"
        assert mint(store, second) is None
        assert store.lots() == []
    with CertificateStore(path) as store:
        claim = mint(store, third)
        assert claim is not None
        assert (claim.energy_wh, claim.from_s) == (2, GENESIS_S + SLOT_S * (SLOT + 2))
        digest = third.opening.digest
        assert claim.backing == ("roof", "7", digest, digest, None, 2, 1_200)
        assert store.supply().minted_wh == 2
        assert mint(store, first) is None, "an interval that is carried already is carried once"
        assert store.supply().minted_wh == 2


def test_what_a_withdrawn_interval_carried_is_made_good_by_the_next() -> None:
    first, second, third, fourth = glow({0: 900, 1: 200, 2: 1_000, 3: 2_000})
    with opened() as store:
        mint(store, first)
        second_claim = mint(store, second)
        assert second_claim is not None
        assert second_claim.energy_wh == 1
        # The Wh of the second was mostly the first's: without the first it was not there.
        store.withdraw(first.opening.digest)
        assert mint(store, third) is None, "1000 mWh pay the debt of 800 and leave 200"
        last = mint(store, fourth)
        assert last is not None
        assert last.energy_wh == (200 + 1_000 + 2_000) // 1_000 - 1
        standing = sum(
            claim.energy_wh for claim in store.claims() if not store.is_frozen(claim.number)
        )
        assert standing == (200 + 1_000 + 2_000) // 1_000


def test_a_frozen_certificate_gives_back_what_others_had_left_it() -> None:
    first, second, third = glow({0: 900, 1: 200, 2: 1_100})
    with opened() as store:
        mint(store, first)
        mint(store, second)
        store.withdraw(second.opening.digest)
        claim = mint(store, third)
        assert claim is not None
        assert claim.energy_wh == 2, "900 of the first and 1100"


def test_only_whole_intervals_are_certified_one_by_one() -> None:
    one, other = glow({0: 5_000, 1: 5_000})
    with opened() as store:
        joined = MeterPeriod.join([one, other])
        assert refused(store, joined).code == "settlement.certificate_part"
        part = one.part(one.from_ms, one.from_ms + 150_000)
        assert refused(store, part).code == "settlement.certificate_part"
        estimate = MeterPeriod.estimated("owner", "roof", other.to_ms, other.to_ms + 300_000, one)
        assert refused(store, estimate).code == "settlement.certificate_part"


def test_a_meter_is_certified_by_its_registers_or_by_its_intervals() -> None:
    (interval,) = glow({0: 5_000})
    with opened() as store:
        claim = mint(store, interval)
        assert claim is not None
        meter, serial, opening, closing = claim.backing[:4]
        by_register = EnergyClaim(
            number=claim.number + 1,
            asset=ASSET,
            direction="export",
            first_quantum=claim.first_quantum + 1,
            quanta=1,
            energy_wh=1,
            scheme="certificate",
            issuer="us",
            holder="owner",
            backing=(meter, serial, opening, closing, 0, 1, None),
        )
        with pytest.raises(SettlementError) as mixed:
            store._core.enter(by_register)
        assert mixed.value.code == "settlement.certificate_mixed"


def test_a_forged_row_that_states_more_than_its_interval_is_found(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    (interval,) = glow({0: 5_400})
    with opened(path) as store:
        mint(store, interval)
        store._db.execute("DROP TRIGGER certificate_claim_no_update")
        store._db.execute("UPDATE certificate_claim SET energy_wh = 6, units = 6")
    with pytest.raises(SettlementError) as found:
        CertificateStore(path)
    assert found.value.code == "settlement.certificate_file_false"
    assert '5400 mWh of meter "roof" with 0 mWh carried' in str(found.value)


def test_a_storage_behind_an_interval_meter_mints_what_charged_it() -> None:
    intervals = glow({0: 5_000, 1: 3_000})
    charge = Meters(["pv"]).exports("pv", [4_000])[0]
    with opened(storage_permille=900) as store:
        assert refused(store, intervals[0]).code == "settlement.certificate_uncharged"
        store.name("point of pv", b"\xa5" * 32)
        store.enrol("pv", "pv", asset=b"\xa5" * 32)
        source = store.mint(charge, holder="owner", issuer="us")
        assert source is not None
        store.charge(source.number, 0, 4, "owner", ASSET)
        claim = mint(store, intervals[0])
        assert claim is not None
        assert (claim.energy_wh, claim.is_from_storage) == (3, True)
        assert refused(store, intervals[1]).code == "settlement.certificate_uncharged"
