"""Registries on a node, audited from outside: what two of them doubled, with both records.

Their supply by block, and two chains, are in the procedure `test_certificates_on_chain`.
"""

from anvil import GENESIS_S, Anvil, Deployed, deploy

from gridrig.settlement.chain import Node
from gridrig.settlement.chain.registry_audit import (
    Issued,
    _balances,
    double_counts,
    issued,
)

EXPORT = 0
ASSET = b"\x5a" * 32
HOUR_S, QUANTA = 3600, 12
FIRST_S = GENESIS_S - 200 * HOUR_S


def registry_of(node: Anvil) -> Deployed:
    return deploy(node, "CertificateRegistry", node.accounts[0], node.accounts[1])


def issue(registry: Deployed, hour: int, energy_wh: int, *, quanta: int = QUANTA) -> None:
    first = FIRST_S // 300 + QUANTA * hour
    owner = registry.node.accounts[2]
    registry.do(registry.node.accounts[1], "issue", ASSET, first, quanta, EXPORT, owner, energy_wh)


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


def test_a_registry_with_more_balances_than_one_call_can_read_is_audited(node: Anvil) -> None:
    registry, holders = registry_of(node), 2_500
    for hour in range(4):
        issue(registry, hour, 1_000 * (hour + 1))
    ours = Node(node.url)
    certificates = [one.certificate for one in issued(ours, registry.address)]
    owner = node.accounts[2]
    everybody = [owner, *(number.to_bytes(20, "big") for number in range(1, holders))]
    held = [(account, number) for account in everybody for number in certificates]
    found = list(_balances(ours, registry.address, held, ours.head().number))
    assert found[:4] == [1_000, 2_000, 3_000, 4_000]
    assert len(found) == len(held) == 10_000
    assert sum(found) == 10_000


def test_the_same_certificate_seen_in_one_registry_is_no_double_count() -> None:
    hours = [
        Issued("here", n, n, ASSET, b"\x11" * 20, QUANTA * n, QUANTA, EXPORT, 1) for n in range(9)
    ]
    assert double_counts(hours) == []
