"""Registries on a node, audited from outside: supply by block, and what two of them doubled."""

from itertools import pairwise

from anvil import GENESIS_S, Anvil, Deployed, deploy

from gridrig._core import MeterPeriod, Verifier
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.settlement.chain import Node
from gridrig.settlement.chain.registry_audit import (
    Issued,
    double_counts,
    issued,
    supply_by_block,
)
from gridrig.settlement.profiles_weekly import WEEK_S, WeeklyBuckets, WeeklyRule

EXPORT = 0
ASSET = b"\x5a" * 32
HOUR_S, QUANTA = 3600, 12
FIRST_S = GENESIS_S - 200 * HOUR_S
ENERGY_WH = (1_500, 2_501, 999, 3_000)


def registry_of(node: Anvil) -> Deployed:
    return deploy(node, "CertificateRegistry", node.accounts[0], node.accounts[1])


def issue(registry: Deployed, hour: int, energy_wh: int, *, quanta: int = QUANTA) -> None:
    first = FIRST_S // 300 + QUANTA * hour
    owner = registry.node.accounts[2]
    registry.do(registry.node.accounts[1], "issue", ASSET, first, quanta, EXPORT, owner, energy_wh)


def test_supply_is_what_was_issued_less_what_was_retired_at_every_block(node: Anvil) -> None:
    registry = registry_of(node)
    issuer, owner, other = node.accounts[1:4]
    for hour, energy_wh in enumerate(ENERGY_WH):
        issue(registry, hour, energy_wh)
    ours = Node(node.url)
    numbers = [one.certificate for one in issued(ours, registry.address)]
    registry.do(owner, "safeTransferFrom", owner, other, numbers[0], 500, b"")
    registry.do(owner, "safeBatchTransferFrom", owner, issuer, numbers[1:3], [1, 999], b"")
    registry.do(other, "retire", numbers[0], 499, "tea")
    registry.do(issuer, "retire", numbers[2], 999, "tea")
    rows = list(supply_by_block(ours, registry.address))
    assert [row.issued_wh for row in rows[:4]] == [1_500, 4_001, 5_000, 8_000]
    assert len(rows) == 8
    assert all(row.held_wh == row.issued_wh - row.retired_wh for row in rows)
    assert [row.retired_wh for row in rows] == [0] * 6 + [499, 499 + 999]


def test_what_two_registries_certify_each_for_itself_is_found_with_both_records(
    node: Anvil,
) -> None:
    one, other = registry_of(node), registry_of(node)
    issue(one, 0, 1_000)
    issue(one, 1, 1_000)
    first = FIRST_S // 300
    issuer, owner = node.accounts[1:3]
    half = (ASSET, first + QUANTA // 2, QUANTA, EXPORT, owner, 700)
    assert one.refusal(issuer, "issue", *half) == "QuantumTaken", "its own chain it can see"
    other.do(issuer, "issue", *half)  # half of each hour, and this chain accepts it
    issue(other, 2, 500)
    other.do(issuer, "issue", b"\xa5" * 32, first, QUANTA, EXPORT, owner, 1_000)
    other.do(issuer, "issue", ASSET, first, QUANTA, 1 - EXPORT, owner, 1_000)
    ours = Node(node.url)
    found = double_counts([*issued(ours, one.address), *issued(ours, other.address)])
    assert [(a.first_quantum, b.first_quantum) for a, b in found] == [
        (first, first + QUANTA // 2),
        (first + QUANTA, first + QUANTA // 2),
    ]
    assert {a.registry for a, _ in found} == {f"eip155:31337:0x{one.address.hex()}"}
    assert {b.registry for _, b in found} == {f"eip155:31337:0x{other.address.hex()}"}
    assert {(b.asset, b.owner, b.energy_wh) for _, b in found} == {(ASSET, owner, 700)}


def test_the_same_certificate_seen_in_one_registry_is_no_double_count() -> None:
    hours = [
        Issued("here", n, n, ASSET, b"\x11" * 20, QUANTA * n, QUANTA, EXPORT, 1) for n in range(9)
    ]
    assert double_counts(hours) == []


def test_a_week_of_signed_energy_is_paid_by_the_escrow_after_fourteen_days(node: Anvil) -> None:
    admin, settler = node.accounts[:2]
    units = 175_000_003
    token = deploy(node, "SettlementToken", "Money", "MON", 6, admin, admin)
    delay_s = 2 * WEEK_S
    escrow = deploy(
        node, "ClaimEscrow", token.at.address, admin, settler, admin, delay_s, 30 * WEEK_S
    )
    week_s = node.now_s() // WEEK_S * WEEK_S - WEEK_S
    rule = WeeklyRule(week_s, units, report_s=HOUR_S, finalisation_s=delay_s)
    buckets = WeeklyBuckets(rule, chain_id=31_337, contract=escrow.address)
    due = {}
    for place, (farm, step) in enumerate((("a", 333_777), ("b", 1_234_567), ("c", 70_007))):
        account = bytes([place + 1]) * 20
        due[account] = 0
        for hour in signed_week(farm, week_s, step):
            closing = hour.closing
            assert closing is not None
            energy_wh = hour.export_milliwh // 1000
            due[account] += energy_wh
            buckets.report(
                farm,
                account,
                time_s=hour.from_ms // 1000,
                energy_wh=energy_wh,
                digest=closing.digest,
                at_s=hour.to_ms // 1000,
            )
    tree = buckets.tree(0, at_s=week_s + WEEK_S + HOUR_S)
    token.do(admin, "mint", settler, tree.total)
    token.do(settler, "approve", escrow.at.address, tree.total)
    escrow.do(settler, "open", tree.bucket, tree.root, tree.leaf_count, tree.total)
    opened_s = node.now_s()

    def claim(account: bytes, more: int = 0) -> tuple[object, ...]:
        proof = tree.proof(account)
        return (proof.bucket, proof.index, account, proof.amount + more), proof.path

    first = next(iter(due))
    assert escrow.refusal(admin, "claim", *claim(first)) == "ClaimTooEarly"
    node.move_to(opened_s + delay_s)
    assert escrow.refusal(admin, "claim", *claim(first, more=1)) == "ClaimUnproven"
    paid = 0
    for account, weight in due.items():
        escrow.do(admin, "claim", *claim(account))
        assert escrow.refusal(admin, "claim", *claim(account)) == "ClaimRepeated"
        got = token.ask("balanceOf", account)
        assert abs(got * sum(due.values()) - units * weight) < sum(due.values())
        paid += got
    assert 0 <= units - paid < len(due)


def signed_week(farm: str, from_s: int, step_milliwh: int) -> list[MeterPeriod]:
    signer, verifier = OcmfSigner.from_seed(3, farm, farm), Verifier()
    enrol_all(verifier, [EnrolledKey(farm, farm, "ecdsa-p256", signer.public_key_der, 0)])
    edges = range(0, WEEK_S + HOUR_S, HOUR_S)
    readings = [
        verifier.verify(signer.sign(n + 1, from_s + at, 0, n * step_milliwh), at_s=from_s + at)
        for n, at in enumerate(edges)
    ]
    return [MeterPeriod(farm, one, other) for one, other in pairwise(readings)]
