"""Many steps on one open register: together or not at all, and no step reads the file again."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from meters import QUARTER_S, Meters

from gridrig._core import MeterPeriod
from gridrig.errors import SettlementError
from gridrig.settlement import certificates_store
from gridrig.settlement.certificates import CertificateStore
from gridrig.settlement.certificates_batch import mint_batch, whole
from gridrig.settlement.vault import Vault

ASSET = b"\x5a" * 32
QUARTERS = 40
PERIODS = Meters(["pv"]).exports("pv", [2_000] * QUARTERS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "certificates.db"
    with CertificateStore(path) as store:
        store.name("roof", ASSET)
        store.enrol("pv", "pv", asset=ASSET)
    return path


@pytest.fixture
def read_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give how many events each look at the file brought."""
    rows: list[int] = []
    genuine = certificates_store.events_after

    def counted(db: sqlite3.Connection, number: int) -> list[Any]:
        found = genuine(db, number)
        rows.append(len(found))
        return found

    monkeypatch.setattr(certificates_store, "events_after", counted)
    return rows


def minted(store: CertificateStore, period: MeterPeriod, holder: str = "ann") -> None:
    store.mint(period, holder=holder, issuer="us")


def test_batches_and_refusals_on_an_open_register_read_nothing_again(
    path: Path, read_rows: list[int]
) -> None:
    with CertificateStore(path) as store:
        assert sum(read_rows) == 2, "the point and its meter"
        for period in PERIODS:
            mint_batch(store, [period], holder="ann", issuer="us")
            with pytest.raises(SettlementError, match="double_claim"):
                minted(store, period, "eve")
        assert len(store.claims()) == QUARTERS
        assert sum(read_rows) == 2
        assert len(read_rows) < 4 * QUARTERS
    # Batches on a file read all of it, once each.
    read_rows.clear()
    mint_batch(path, PERIODS[:1], holder="ann", issuer="us")
    assert sum(read_rows) == 2 + QUARTERS


def test_several_steps_are_seen_together_and_taken_back_together(path: Path) -> None:
    with CertificateStore(path) as mine, CertificateStore(path) as theirs:
        with whole(mine) as store:
            minted(store, PERIODS[0])
            minted(store, PERIODS[1])
            assert store is mine
            assert mine.supply().minted_wh == 4
            with CertificateStore(path) as other:
                assert other.supply().minted_wh == 0
        minted(theirs, PERIODS[2])

        def two() -> None:
            with mine.whole():
                minted(mine, PERIODS[3])
                minted(mine, PERIODS[2], "eve")

        with pytest.raises(SettlementError, match="double_claim"):
            two()
        assert [claim.holder for claim in mine.claims()] == ["ann"] * 3
        minted(mine, PERIODS[3])  # its number is free again
        assert mine.supply().minted_wh == 8
    with CertificateStore(path) as again:
        assert again.supply().minted_wh == 8
        assert again.events == 6


def test_what_another_enters_in_the_same_commit_is_known_afterwards(path: Path) -> None:
    with CertificateStore(path) as store:
        with store.whole() as db:
            minted(CertificateStore.within(db), PERIODS[0])
        minted(store, PERIODS[1])
        assert [claim.energy_wh for claim in store.claims()] == [2, 2]


def test_a_vault_earns_in_any_order_and_refuses_an_overlap_with_either_neighbour() -> None:
    vault = Vault(price_micro_per_kwh=1_000_000, fee_permille=0)
    vault.deposit("ann", 1_000)
    vault.fund("roof", "pv", 1_000)
    apart = [PERIODS[k] for k in (10, 2, 6)]
    earned = [vault.earn(period) for period in apart]
    assert earned == [2_000] * 3
    assert [vault.earn(period) for period in apart] == [0, 0, 0]
    first, second = PERIODS[2], PERIODS[6]
    for opening, closing in ((PERIODS[1], first), (first, PERIODS[3]), (PERIODS[5], second)):
        assert opening.opening is not None
        assert closing.closing is not None
        span = MeterPeriod("owner of pv", opening.opening, closing.closing)
        with pytest.raises(SettlementError, match="overlaps"):
            vault.earn(span)
    span_ms = 5 * 1000 * QUARTER_S  # and a quarter
    assert vault.gaps("roof", first.to_ms, first.to_ms + span_ms) == [
        (first.to_ms, second.from_ms),
        (second.to_ms, first.to_ms + span_ms),
    ]
