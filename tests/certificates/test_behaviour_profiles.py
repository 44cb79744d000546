"""Profiles: weekly buckets claimed once, and certificates from request to badge."""

import pytest
from meters import Meters

from gridrig._core import ClaimProof
from gridrig.errors import SettlementError
from gridrig.settlement.certificates import CertificateStore
from gridrig.settlement.profiles_lifecycle import Badge, Lifecycle
from gridrig.settlement.profiles_weekly import WEEK_S, WeeklyBuckets, WeeklyRule

CONTRACT = b"\x77" * 20
ANN, BEN = b"\xa1" * 20, b"\xb2" * 20
START_S = 1_700_352_000
UNITS = 175_000 * 10**6


def refused(code: str, act: object, *args: object, **more: object) -> SettlementError:
    with pytest.raises(SettlementError) as refusal:
        act(*args, **more)  # type: ignore[operator]
    assert refusal.value.code == f"settlement.{code}"
    return refusal.value


def week_of_reports() -> WeeklyBuckets:
    buckets = WeeklyBuckets(WeeklyRule(START_S, UNITS), chain_id=31_337, contract=CONTRACT)
    at = START_S + WEEK_S
    for farm, account, energy in (("a", ANN, 7), ("b", BEN, 11), ("c", ANN, 1)):
        report = {"time_s": START_S + 300, "energy_wh": energy, "digest": farm.encode() * 32}
        assert buckets.report(farm, account, at_s=at, **report) == 0
        assert buckets.report(farm, account, at_s=at, **report) == 0  # a replay counts once
        report["energy_wh"] += 1
        refused("weekly_conflict", buckets.report, farm, account, at_s=at, **report)
    return buckets


def test_a_week_is_claimed_once_when_it_is_final_and_pays_out_to_the_unit() -> None:
    buckets = week_of_reports()
    reports_end, final = START_S + 2 * WEEK_S, START_S + 3 * WEEK_S
    refused("weekly_open", buckets.tree, 0, at_s=reports_end - 1)
    late = {"time_s": START_S, "energy_wh": 1, "digest": b"d" * 32}
    refused("weekly_late", buckets.report, "a", ANN, at_s=reports_end, **late)
    refused("weekly_report", buckets.report, "a", ANN, at_s=START_S - 1, **late)
    tree = buckets.tree(0, at_s=reports_end)
    # Two farms of one account are one leaf; 8 of 19 parts and 11.
    assert [account for account, _ in tree.claims()] == [ANN, BEN]
    assert dict(tree.claims()) == {ANN: UNITS * 8 // 19, BEN: UNITS * 11 // 19 + 1}
    assert tree.total == UNITS
    proof = tree.proof(ANN)
    refused("weekly_not_final", buckets.claim, proof, at_s=final - 1)
    assert buckets.claim(proof, at_s=final) == UNITS * 8 // 19
    refused("weekly_claimed", buckets.claim, proof, at_s=final + 1)
    more = ClaimProof(
        chain_id=31_337,
        contract=CONTRACT,
        bucket=0,
        leaf_count=2,
        total=tree.total,
        index=1,
        account=BEN,
        amount=UNITS,
        path=tree.proof(BEN).path,
    )
    refused("claim_root_mismatch", buckets.claim, more, at_s=final)
    assert buckets.claim(tree.proof(BEN), at_s=final) == UNITS - UNITS * 8 // 19


def test_a_veto_puts_a_bucket_off_once_and_an_empty_week_pays_nobody() -> None:
    buckets = week_of_reports()
    final = START_S + 3 * WEEK_S
    buckets.veto(0, at_s=final - 1)
    refused("weekly_vetoed", buckets.veto, 0, at_s=final - 1)
    proof = buckets.tree(0, at_s=final).proof(ANN)
    refused("weekly_not_final", buckets.claim, proof, at_s=final + 13 * WEEK_S - 1)
    assert buckets.claim(proof, at_s=final + 13 * WEEK_S) > 0
    refused("weekly_empty", buckets.tree, 1, at_s=final + WEEK_S)
    refused("weekly_final", buckets.veto, 1, at_s=final + WEEK_S)


@pytest.fixture
def life() -> Lifecycle:
    store = CertificateStore(":memory:")
    store.name("point", b"\x5a" * 32)
    store.enrol("pv", "pv", asset=b"\x5a" * 32)
    lifecycle = Lifecycle(store, "issuer")
    for period in Meters(["pv"]).exports("pv", [10_000, 20_000, 30_000, 500]):
        lifecycle.request("ann", period)
    return lifecycle


def test_every_step_out_of_turn_is_refused(life: Lifecycle) -> None:
    refused("lifecycle_party", life.certify, 1, by="ann")
    refused("lifecycle_status", life.retire, 1, by="ann", purpose="p")
    refused("lifecycle_status", life.cancel, 1, by="ann")
    refused("lifecycle_unknown", life.certify, 9, by="issuer")
    life.reject(1, by="issuer")
    refused("lifecycle_status", life.certify, 1, by="issuer")
    refused("lifecycle_party", life.cancel, 1, by="ben")
    life.ask_again(1, by="ann")
    life.certify(1, by="issuer")
    refused("lifecycle_status", life.certify, 1, by="issuer")
    life.liquidise(1, by="ann")
    refused("lifecycle_status", life.retire, 1, by="ann", purpose="p")
    refused("lifecycle_status", life.liquidise, 1, by="ann")
    life.reject(2, by="issuer")
    life.cancel(2, by="ann")
    refused("lifecycle_status", life.ask_again, 2, by="ann")
    refused("lifecycle_empty", life.certify, 4, by="issuer")
    # The same period asked for twice: the register knows it, where a contract would believe.
    again = life.request("ann", life.requests[0].period)
    refused("lifecycle_repeated", life.certify, again, by="issuer")
    mine = life.request("eve", life.requests[0].period)
    refused("certificate_double_claim", life.certify, mine, by="issuer")


def test_balances_come_out_of_the_pool_first_in_first_out_and_close(life: Lifecycle) -> None:
    for number in (1, 2, 3):
        life.certify(number, by="issuer")
    life.retire(3, by="ann", purpose="whole")
    for number in (1, 2):
        life.liquidise(number, by="ann")
    assert life.balances_wh == {"ann": 30}
    life.pay("ann", "ben", 17)
    first = life.offset("ben", 12, purpose="tea")
    refused("lifecycle_balance", life.offset, "ben", 6, purpose="tea")
    refused("lifecycle_balance", life.offset, "eve", 1, purpose="tea")
    one, two = (request.certificate for request in life.requests[:2])
    back = life.solidify("ann", 13)
    assert [(lot.certificate, lot.from_wh, lot.energy_wh) for lot in back] == [(two, 2, 13)]
    second = life.offset("ben", 5, purpose="tea")
    assert life.balances_wh == {"ann": 0, "ben": 0}
    assert life.badge("ben", (first,)) == Badge("ben", (first,), 12)
    for offsets in ((first,), (first, second), (second, second), (), (9,)):
        refused("lifecycle_offset", life.badge, "ben", offsets)
    refused("lifecycle_offset", life.badge, "ann", (second,))
    assert life.badge("ben", (second,)).energy_wh == 5
    supply = life.store.supply()
    assert (supply.minted_wh, supply.retired_wh, supply.held_wh) == (60, 30 + 17, 13)
    assert one is not None


def test_a_frozen_certificate_backs_no_balance(life: Lifecycle) -> None:
    life.certify(1, by="issuer")
    life.liquidise(1, by="ann")
    closing = life.requests[0].period.closing
    assert closing is not None
    life.store.withdraw(closing.digest)
    refused("lifecycle_pool", life.offset, "ann", 1, purpose="tea")
    assert life.balances_wh == {"ann": 10}
