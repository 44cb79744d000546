"""Claim trees: Rust, the contract's library and plain Python agree, and forgeries convince none."""

import contextlib
from typing import Any

import keccak_oracle as oracle
import pytest
from anvil import Anvil, Deployed, deploy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web3.exceptions import ContractCustomError

from gridrig.errors import SettlementError
from gridrig.settlement.chain import ClaimProof, ClaimTree

CHAIN_ID = 31_337
ADDRESS = st.binary(min_size=20, max_size=20).filter(any)
CLAIMS = st.dictionaries(ADDRESS, st.integers(1, 2**96 - 1), min_size=1, max_size=20)
NODE_SETTINGS = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def harness(node: Anvil) -> Deployed:
    return deploy(node, "PathHarness")


def tree_of(contract: bytes, claims: dict[bytes, int], bucket: int = 7) -> ClaimTree:
    return ClaimTree(
        chain_id=CHAIN_ID,
        contract=contract,
        bucket=bucket,
        accounts=list(claims),
        amounts=list(claims.values()),
    )


def parts(proof: ClaimProof, **changed: Any) -> dict[str, Any]:
    names = "chain_id contract bucket leaf_count total index account amount path"
    return {name: getattr(proof, name) for name in names.split()} | changed


def asked(harness: Deployed, proof: ClaimProof) -> bytes:
    claim = (proof.bucket, proof.index, proof.account, proof.amount)
    found: bytes = harness.ask("rootOf", claim, proof.leaf_count, proof.total, proof.path)
    return found


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        # Known values of the Keccak team's submission, as Ethereum uses it: the hash of nothing is
        # that of an account without code (Yellow Paper, 4.1).
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        # The topic of every ERC-20 transfer.
        (
            b"Transfer(address,address,uint256)",
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        ),
    ],
)
def test_the_oracles_keccak_gives_the_published_values(message: bytes, digest: str) -> None:
    assert oracle.keccak(message).hex() == digest


def test_the_oracles_keccak_agrees_with_another_on_every_length_of_two_blocks() -> None:
    from eth_hash.auto import keccak

    for length in range(2 * oracle.RATE + 1):
        message = bytes(i % 251 for i in range(length))
        assert oracle.keccak(message) == keccak(message), length


@given(contract=ADDRESS, claims=CLAIMS, bucket=st.integers(0, 2**64 - 1))
@settings(max_examples=25, deadline=None, database=None, derandomize=True)
def test_rust_makes_the_trees_and_paths_of_the_definition(
    contract: bytes, claims: dict[bytes, int], bucket: int
) -> None:
    tree = tree_of(contract, claims, bucket)
    ordered = sorted(claims.items())
    leaves = [
        oracle.leaf(CHAIN_ID, contract, bucket, index, account, amount)
        for index, (account, amount) in enumerate(ordered)
    ]
    assert tree.claims() == ordered
    assert tree.total == sum(claims.values())
    assert tree.root == oracle.root(len(leaves), tree.total, oracle.top(leaves))
    for index, (account, amount) in enumerate(ordered):
        proof = tree.proof(account)
        assert (proof.index, proof.path) == (index, oracle.path(index, leaves))
        assert proof.verify(tree.root).amount == amount


@given(claims=CLAIMS)
@NODE_SETTINGS
def test_the_contract_finds_the_root_of_every_claim(
    harness: Deployed, claims: dict[bytes, int]
) -> None:
    tree = tree_of(harness.address, claims)
    for account in claims:
        assert asked(harness, tree.proof(account)) == tree.root


@given(claims=CLAIMS, data=st.data())
@NODE_SETTINGS
def test_a_forged_proof_convinces_neither_the_contract_nor_rust(
    harness: Deployed, claims: dict[bytes, int], data: st.DataObject
) -> None:
    tree = tree_of(harness.address, claims)
    proof = tree.proof(data.draw(st.sampled_from(sorted(claims))))
    flips = [("amount", proof.amount % 2**95 + 1), ("bucket", proof.bucket + 1)]
    flips += [("total", proof.total + 1), ("leaf_count", proof.leaf_count + 1)]
    flips += [("index", proof.index + 1), ("path", [*proof.path, bytes(32)])]
    flips += [("account", bytes(19) + b"\x01")]
    if proof.path:
        place = data.draw(st.integers(0, len(proof.path) - 1))
        other = bytes([proof.path[place][0] ^ 1]) + proof.path[place][1:]
        flips += [("path", [*proof.path[:place], other, *proof.path[place + 1 :]])]
        flips += [("path", proof.path[1:])]
    for name, value in flips:
        if getattr(proof, name) == value:
            continue
        forged = ClaimProof(**parts(proof, **{name: value}))
        with pytest.raises(SettlementError):
            forged.verify(tree.root)
        with contextlib.suppress(ContractCustomError):
            assert asked(harness, forged) != tree.root, name


def test_a_node_offered_as_a_leaf_proves_nothing(harness: Deployed) -> None:
    """The second preimage: a tree of four has the top of a tree of two over its inner nodes."""
    claims = {bytes(19) + bytes([n]): n for n in (1, 2, 3, 4)}
    tree = tree_of(harness.address, claims)
    leaves = [
        oracle.leaf(CHAIN_ID, harness.address, 7, i, account, amount)
        for i, (account, amount) in enumerate(sorted(claims.items()))
    ]
    left, right = oracle.top(leaves[:2]), oracle.top(leaves[2:])
    assert oracle.root(4, 10, oracle.top([left, right])) == tree.root
    short = ClaimProof(**parts(tree.proof(bytes(19) + b"\x01"), leaf_count=2, path=[right]))
    with pytest.raises(SettlementError, match=r"claim_root_mismatch"):
        short.verify(tree.root)
    assert asked(harness, short) != tree.root
    # Without tags, 65 bytes of a node could be read as a shorter leaf; with them they hash apart.
    assert oracle.keccak(b"\x00" + left + right) != oracle.keccak(b"\x01" + left + right)


def test_the_proof_of_one_place_is_worth_nothing_in_another(harness: Deployed, node: Anvil) -> None:
    twin = deploy(node, "PathHarness")
    claims = {bytes(19) + bytes([n]): 5 for n in range(1, 6)}
    tree = tree_of(harness.address, claims)
    for account in claims:
        proof = tree.proof(account)
        assert asked(twin, proof) != tree.root  # another contract
        elsewhere = ClaimProof(**parts(proof, chain_id=1))
        with pytest.raises(SettlementError, match=r"claim_root_mismatch"):
            elsewhere.verify(tree.root)  # another chain
    node.rpc("anvil_setChainId", 31_338)
    try:
        assert asked(harness, tree.proof(next(iter(claims)))) != tree.root
    finally:
        node.rpc("anvil_setChainId", CHAIN_ID)


@pytest.mark.parametrize(
    ("accounts", "amounts", "code"),
    [
        ([], [], "settlement.claim_count"),
        ([b"a" * 19], [1], "settlement.address_length"),
        ([bytes(20)], [1], "settlement.address_zero"),
        ([b"a" * 20], [1, 2], "settlement.claim_columns"),
        ([b"a" * 20], [0], "settlement.claim_amount"),
        ([b"a" * 20], [-1], "settlement.claim_amount"),
        ([b"a" * 20], [2**96], "settlement.claim_amount"),
        ([b"a" * 20] * 2, [1, 2], "settlement.claim_repeated"),
    ],
)
def test_a_bad_claim_is_refused_by_name(
    accounts: list[bytes], amounts: list[int], code: str
) -> None:
    with pytest.raises(SettlementError) as refused:
        ClaimTree(chain_id=1, contract=b"c" * 20, bucket=1, accounts=accounts, amounts=amounts)
    assert refused.value.code == code
