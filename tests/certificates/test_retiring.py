"""Watt-hours retired for a purpose: rounded up, out of several lots, once, or not at all."""

import pytest
from meters import Meters

from gridrig.errors import SettlementError
from gridrig.settlement.certificates_store import CertificateStore
from gridrig.settlement.retiring import retire_for


def filled(*energies_milliwh: int) -> CertificateStore:
    store = CertificateStore(":memory:")
    store.name("point", b"\x5a" * 32)
    store.enrol("pv", "pv", asset=b"\x5a" * 32)
    for period in Meters(["pv"]).exports("pv", energies_milliwh):
        store.mint(period, holder="roof", issuer="us")
    return store


def retire(store: CertificateStore, energy_milliwh: int, purpose: str = "job") -> int:
    return retire_for(store, energy_milliwh, holder="roof", purpose=purpose, beneficiary="alice")


@pytest.mark.parametrize(
    ("energy_milliwh", "retired_wh"), [(0, 0), (1, 1), (1000, 1), (1001, 2), (449_001, 450)]
)
def test_energy_is_rounded_up_to_whole_watt_hours(energy_milliwh: int, retired_wh: int) -> None:
    with filled(500_000) as store:
        assert retire(store, energy_milliwh) == retired_wh
        supply = store.supply()
        assert (supply.retired_wh, supply.held_wh) == (retired_wh, 500 - retired_wh)


def test_several_lots_are_used_oldest_first_and_a_repetition_takes_nothing() -> None:
    with filled(100_000, 100_000, 100_000) as store:
        assert retire(store, 150_000) == 150
        assert retire(store, 150_000) == 150
        assert retire(store, 30_000, "another") == 30
        used = [
            (lot.certificate, lot.energy_wh, lot.purpose)
            for lot in store.lots()
            if lot.state == "retired"
        ]
        first = min(lot.certificate for lot in store.lots())
        assert (first, 100, "job") in used
        assert sum(energy for _, energy, _ in used) == 180
        assert store.supply().held_wh == 120


def test_call_that_was_cut_short_is_made_whole() -> None:
    with filled(100_000, 100_000) as store:
        assert retire(store, 70_000) == 70
        assert retire(store, 150_000) == 150
        assert store.supply().retired_wh == 150


def test_too_little_retires_nothing_and_others_watt_hours_are_left_alone() -> None:
    with filled(100_000, 100_000) as store:
        (lot, *_) = store.lots()
        store.transfer(lot.certificate, lot.from_wh, 60, "roof", "bob")
        with pytest.raises(SettlementError) as caught:
            retire(store, 141_000)
        assert caught.value.code == "settlement.certificate_short"
        assert (caught.value.found, caught.value.expected) == (140, 141)
        assert store.supply().retired_wh == 0
        assert retire(store, 140_000) == 140
