"""Period roots once and in order; certificates issued once, moved in parts, retired for good."""

import re
from pathlib import Path

import keccak_oracle as oracle
import pytest
from anvil import GENESIS_S, HERE, Anvil, Deployed, deploy

QUANTUM_S = 300
NOW = GENESIS_S // QUANTUM_S
ASSET, OTHER_ASSET = b"\x5a" * 32, b"\xa5" * 32
EXPORT, IMPORT = 0, 1
UNAUTHORISED = "AccessControlUnauthorizedAccount"


@pytest.fixture
def anchor(node: Anvil) -> Deployed:
    return deploy(node, "PeriodAnchor", node.accounts[0], node.accounts[1], 100)


@pytest.fixture
def registry(node: Anvil) -> Deployed:
    return deploy(node, "CertificateRegistry", node.accounts[0], node.accounts[1])


def key(asset: bytes, quantum: int, direction: int) -> bytes:
    return oracle.keccak(asset + oracle.word(quantum) + oracle.word(direction))


def test_periods_are_anchored_once_and_in_order(anchor: Deployed) -> None:
    settler = anchor.node.accounts[1]
    head = bytes(32)
    for period in (100, 101, 102):
        root = oracle.word(7_000 + period)
        for wrong in {99, 100, 101, 102, 103, 104} - {period}:
            assert anchor.refusal(settler, "anchor", wrong, root) == "PeriodOutOfOrder"
        anchor.do(settler, "anchor", period, root)
        head = oracle.keccak(head + period.to_bytes(8, "big") + root)
        assert anchor.ask("rootOf", period) == root
        assert anchor.ask("head") == head
        assert anchor.refusal(settler, "anchor", period, root) == "PeriodOutOfOrder"
    assert anchor.refusal(settler, "anchor", 103, bytes(32)) == "RootEmpty"
    assert anchor.ask("nextPeriod") == 103


def test_only_the_settler_anchors(anchor: Deployed) -> None:
    admin, settler, stranger = anchor.node.accounts[:3]
    for wrong in (admin, stranger):
        assert anchor.refusal(wrong, "anchor", 100, b"r" * 32) == UNAUTHORISED
    anchor.do(admin, "revokeRole", anchor.ask("SETTLER"), settler)
    assert anchor.refusal(settler, "anchor", 100, b"r" * 32) == UNAUTHORISED


def test_a_token_is_minted_by_its_minter_and_burned_by_its_holder(node: Anvil) -> None:
    admin, minter, holder = node.accounts[:3]
    token = deploy(node, "SettlementToken", "Energy", "WH", 3, admin, minter)
    for wrong in (admin, holder):
        assert token.refusal(wrong, "mint", holder, 5) == UNAUTHORISED
    token.do(minter, "mint", holder, 5)
    token.do(holder, "burn", 2)
    assert (token.ask("totalSupply"), token.ask("balanceOf", holder)) == (3, 3)
    assert token.ask("decimals") == 3
    assert token.refusal(minter, "burnFrom", holder, 1) == "ERC20InsufficientAllowance"


def issued(
    registry: Deployed, first: int, quanta: int, **changed: int | bytes
) -> tuple[object, ...]:
    asset, direction = changed.get("asset", ASSET), changed.get("direction", EXPORT)
    owner, energy_wh = registry.node.accounts[2], changed.get("energy_wh", 1_000)
    return asset, first, quanta, direction, owner, energy_wh


def test_an_interval_claims_every_quantum_of_it(registry: Deployed) -> None:
    issuer = registry.node.accounts[1]
    registry.do(issuer, "issue", *issued(registry, NOW - 30, 12))
    certificate = int.from_bytes(key(ASSET, NOW - 30, EXPORT), "big")
    for quantum in range(NOW - 31, NOW - 17):
        within = NOW - 30 <= quantum < NOW - 18
        assert registry.ask("certificateOf", key(ASSET, quantum, EXPORT)) == within * certificate
    owner = registry.node.accounts[2]
    assert registry.ask("balanceOf", owner, certificate) == 1_000


@pytest.mark.parametrize(
    ("first", "quanta"),
    [(-30, 12), (-30, 1), (-19, 1), (-24, 3), (-31, 2), (-19, 12), (-40, 40), (-300, 288)],
    ids=["same", "begin", "end", "inside", "over begin", "over end", "around", "day around"],
)
def test_whatever_overlaps_is_refused(registry: Deployed, first: int, quanta: int) -> None:
    issuer, second_issuer = registry.node.accounts[1], registry.node.accounts[4]
    registry.do(registry.node.accounts[0], "grantRole", registry.ask("ISSUER"), second_issuer)
    registry.do(issuer, "issue", *issued(registry, NOW - 30, 12))
    asked = issued(registry, NOW + first, quanta)
    for who in (issuer, second_issuer):
        assert registry.refusal(who, "issue", *asked) == "QuantumTaken"


def test_neighbours_other_assets_and_the_other_direction_do_not_collide(registry: Deployed) -> None:
    issuer = registry.node.accounts[1]
    registry.do(issuer, "issue", *issued(registry, NOW - 30, 12))
    registry.do(issuer, "issue", *issued(registry, NOW - 31, 1))
    registry.do(issuer, "issue", *issued(registry, NOW - 18, 1))
    registry.do(issuer, "issue", *issued(registry, NOW - 30, 12, direction=IMPORT))
    registry.do(issuer, "issue", *issued(registry, NOW - 30, 12, asset=OTHER_ASSET))


def test_what_cannot_be_certified_is_refused(registry: Deployed) -> None:
    admin, issuer, stranger = registry.node.accounts[:3]
    good = issued(registry, NOW - 30, 12)
    for wrong in (admin, stranger):
        assert registry.refusal(wrong, "issue", *good) == UNAUTHORISED
    for refused, asked in (
        ("AssetEmpty", issued(registry, NOW - 30, 12, asset=bytes(32))),
        ("EnergyEmpty", issued(registry, NOW - 30, 12, energy_wh=0)),
        ("IntervalBound", issued(registry, NOW - 30, 0)),
        ("IntervalBound", issued(registry, NOW - 300, 289)),
        ("IntervalAhead", issued(registry, NOW + 10, 1)),
        ("IntervalAhead", issued(registry, 2**64 - 1, 288)),
    ):
        assert registry.refusal(issuer, "issue", *asked) == refused


def test_certificates_move_in_parts_and_retire_for_good(registry: Deployed) -> None:
    issuer, owner, buyer, stranger = registry.node.accounts[1:5]
    registry.do(issuer, "issue", *issued(registry, NOW - 30, 12))
    certificate = int.from_bytes(key(ASSET, NOW - 30, EXPORT), "big")
    registry.do(owner, "safeTransferFrom", owner, buyer, certificate, 400, b"")
    registry.do(buyer, "retire", certificate, 150, "heat pump, 2024")
    held = [registry.ask("balanceOf", who, certificate) for who in (owner, buyer)]
    assert held == [600, 250]
    assert registry.ask("retired", certificate, buyer) == 150
    short = "ERC1155InsufficientBalance"
    assert registry.refusal(buyer, "retire", certificate, 251, "") == short
    assert registry.refusal(stranger, "retire", certificate, 1, "") == short
    assert registry.refusal(buyer, "retire", certificate, 0, "") == "EnergyEmpty"
    beyond = (buyer, stranger, certificate, 251, b"")
    assert registry.refusal(buyer, "safeTransferFrom", *beyond) == short
    taken = (owner, stranger, certificate, 1, b"")
    assert registry.refusal(stranger, "safeTransferFrom", *taken) == "ERC1155MissingApprovalForAll"


def test_a_frozen_certificate_neither_moves_nor_retires(registry: Deployed) -> None:
    admin, issuer, owner, buyer, second = registry.node.accounts[:5]
    registry.do(admin, "grantRole", registry.ask("ISSUER"), second)
    registry.do(issuer, "issue", *issued(registry, NOW - 30, 12))
    certificate = int.from_bytes(key(ASSET, NOW - 30, EXPORT), "big")
    assert registry.refusal(second, "freeze", certificate) == "NotIssuer"
    assert registry.refusal(owner, "freeze", certificate) == UNAUTHORISED
    registry.do(issuer, "freeze", certificate)
    move = (owner, buyer, certificate, 1, b"")
    assert registry.refusal(owner, "safeTransferFrom", *move) == "Frozen"
    assert registry.refusal(owner, "retire", certificate, 1, "") == "Frozen"
    # Frozen is not free: the quanta stay taken.
    assert registry.refusal(issuer, "issue", *issued(registry, NOW - 30, 12)) == "QuantumTaken"


def test_an_owner_that_calls_back_finds_its_quanta_taken(registry: Deployed) -> None:
    """The owner is an issuer too and asks for the same interval from within its own receipt."""
    admin, issuer = registry.node.accounts[:2]
    owner = deploy(registry.node, "ReentrantOwner")
    registry.do(admin, "grantRole", registry.ask("ISSUER"), owner.at.address)
    asked = (ASSET, NOW - 30, 12, EXPORT, owner.at.address, 1_000)
    owner.do(admin, "arm", registry.data("issue", *asked))
    registry.do(issuer, "issue", *asked)
    assert owner.ask("called")
    assert not owner.ask("succeeded")
    assert registry.error_name(owner.ask("answer")) == "QuantumTaken"
    certificate = int.from_bytes(key(ASSET, NOW - 30, EXPORT), "big")
    assert registry.ask("balanceOf", owner.at.address, certificate) == 1_000


def test_every_error_of_anchor_and_registry_is_met_in_this_file() -> None:
    sources = HERE.parents[1] / "contracts" / "src"
    names = ("PeriodAnchor", "CertificateRegistry")
    text = "".join((sources / f"{name}.sol").read_text() for name in names)
    errors = set(re.findall(r"^\s+error (\w+)\(", text, re.MULTILINE))
    assert len(errors) >= 9
    met = Path(__file__).read_text()
    assert {name for name in errors if f'"{name}"' not in met} == set()
