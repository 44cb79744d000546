"""Certificates off and on a chain are claims in one index, and a certificate is in one place."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from meters import T0, Meters

from gridrig._core import certificate_key
from gridrig.errors import SettlementError
from gridrig.settlement.certificates import CertificateStore
from gridrig.settlement.chain import Certificate, certificates

ASSET = b"\x5a" * 32
ON_CHAIN = Certificate(
    asset=ASSET,
    direction="export",
    first_quantum=T0 // 300,
    quanta=3,
    owner=b"\x11" * 20,
    energy_wh=9,
    chain_id=31_337,
    registry=b"\x77" * 20,
)


@contextmanager
def committing(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    else:
        db.execute("COMMIT")
    finally:
        db.close()


def minted(db: sqlite3.Connection) -> int:
    (period,) = Meters(["pv"]).exports("pv", [9_000])
    store = CertificateStore.within(db)
    if store.asset_of("point") is None:
        store.name("point", ASSET)
        store.enrol("pv", "pv", asset=ASSET)
    claim = store.mint(period, holder="ann", issuer="us")
    assert claim is not None
    return claim.number


def test_what_is_on_a_chain_is_not_minted_here(tmp_path: Path) -> None:
    with committing(tmp_path / "j") as db:
        certificates.claim(db, ON_CHAIN)
    with pytest.raises(SettlementError) as refused, committing(tmp_path / "j") as db:
        minted(db)
    assert refused.value.code == "settlement.certificate_double_claim"
    assert refused.value.record.issuer == "eip155:31337:0x" + "77" * 20
    assert refused.value.refused.issuer == "us"


def test_what_is_minted_here_is_not_claimed_on_a_chain(tmp_path: Path) -> None:
    with committing(tmp_path / "j") as db:
        minted(db)
    for change in ({}, {"first_quantum": T0 // 300 + 2}, {"scheme": "carbon-credit"}):
        with pytest.raises(SettlementError) as refused, committing(tmp_path / "j") as db:
            certificates.claim(db, replace(ON_CHAIN, **change))
        assert refused.value.code == "settlement.certificate_double_claim"
        assert (refused.value.record.issuer, refused.value.record.holder) == ("us", "ann")


def test_a_certificate_that_is_published_lives_on_the_chain_alone(tmp_path: Path) -> None:
    to = {"chain_id": 31_337, "registry": b"\x77" * 20, "owner": b"\x11" * 20}
    with committing(tmp_path / "j") as db:
        number = minted(db)
        assert certificates.publish(db, number, **to) == ON_CHAIN
        assert certificates.issue(ON_CHAIN).data
    for again in (to, to | {"chain_id": 7_777}):
        with (
            pytest.raises(SettlementError, match="certificate_ended"),
            committing(tmp_path / "j") as db,
        ):
            certificates.publish(db, number, **again)
    with committing(tmp_path / "j") as db:
        certificates.claim(db, ON_CHAIN)  # the record that stands, and no second one
        store = CertificateStore.within(db)
        assert store.supply().moved_wh == 9
        with pytest.raises(SettlementError, match="certificate_ended"):
            store.retire(number, 0, 1, "ann", purpose="p", beneficiary="b")


def test_a_certificate_that_was_split_or_retired_is_not_published(tmp_path: Path) -> None:
    to = {"chain_id": 31_337, "registry": b"\x77" * 20, "owner": b"\x11" * 20}
    with committing(tmp_path / "j") as db:
        number = minted(db)
        CertificateStore.within(db).retire(number, 0, 2, "ann", purpose="p", beneficiary="b")
    with pytest.raises(SettlementError, match="certificate_lot"), committing(tmp_path / "j") as db:
        certificates.publish(db, number, **to)


def test_what_the_caller_rolls_back_is_not_claimed(tmp_path: Path) -> None:
    def lose() -> None:
        with committing(tmp_path / "j") as db:
            minted(db)
            raise RuntimeError("power")

    with pytest.raises(RuntimeError, match="power"):
        lose()
    with committing(tmp_path / "j") as db:
        certificates.claim(db, ON_CHAIN)
    db = sqlite3.connect(tmp_path / "j", isolation_level=None)
    with pytest.raises(SettlementError, match="chain_no_transaction"):
        CertificateStore.within(db)
    db.close()


def test_the_key_is_the_one_the_contract_hashes() -> None:
    # Pinned by the plain Keccak of tests/chain/keccak_oracle.py, which tests/chain compares with
    # the deployed contract.
    found = certificate_key(ASSET, 4_887_083, "export")
    assert found.hex().startswith("790e5865524bf963")
    with pytest.raises(SettlementError, match='"sideways" is not export or import'):
        certificate_key(ASSET, 1, "sideways")  # type: ignore[arg-type]
