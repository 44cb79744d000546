"""The escrow: one whole life of a bucket, and everything that it refuses."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anvil import HERE, Anvil, Deployed, deploy

from gridrig.settlement.chain import ClaimProof, ClaimTree

CHAIN_ID = 31_337
DELAY_S, WINDOW_S = 3_600, 86_400
BUCKET = 41
ALICE, BOB, CAROL = (bytes(19) + bytes([n]) for n in (0xA, 0xB, 0xC))
AMOUNTS = {ALICE: 600_000, BOB: 399_999, CAROL: 1}


@dataclass
class Bench:
    node: Anvil
    token: Deployed
    escrow: Deployed
    settler: bytes
    challenger: bytes
    stranger: bytes
    settler_balance: int = 10_000_000

    def tree(self, amounts: dict[bytes, int] = AMOUNTS, bucket: int = BUCKET) -> ClaimTree:
        return ClaimTree(
            chain_id=CHAIN_ID,
            contract=self.escrow.address,
            bucket=bucket,
            accounts=list(amounts),
            amounts=list(amounts.values()),
        )

    def opening(self, tree: ClaimTree) -> tuple[Any, ...]:
        return tree.bucket, tree.root, tree.leaf_count, tree.total

    def open(self, tree: ClaimTree) -> None:
        self.token.do(self.settler, "approve", self.escrow.at.address, tree.total)
        self.escrow.do(self.settler, "open", *self.opening(tree))

    def pass_delay(self) -> None:
        self.node.move_to(self.node.now_s() + DELAY_S)

    def pass_window(self) -> None:
        self.node.move_to(self.node.now_s() + WINDOW_S)

    def balance(self, of: bytes) -> int:
        return int(self.token.ask("balanceOf", of))


def claim(proof: ClaimProof, **changed: Any) -> tuple[Any, ...]:
    """Return the arguments of `claim` for a proof, or for one that was tampered with."""
    fields = {name: getattr(proof, name) for name in ("bucket", "index", "account", "amount")}
    path = changed.pop("path", proof.path)
    return tuple((fields | changed).values()), path


def bench_of(node: Anvil, token: Deployed) -> Bench:
    admin, settler, challenger, stranger = node.accounts[:4]
    escrow = deploy(
        node, "ClaimEscrow", token.at.address, admin, settler, challenger, DELAY_S, WINDOW_S
    )
    token.do(admin, "mint", settler, Bench.settler_balance)
    return Bench(node, token, escrow, settler, challenger, stranger)


@pytest.fixture
def bench(node: Anvil) -> Bench:
    admin = node.accounts[0]
    return bench_of(node, deploy(node, "SettlementToken", "Money", "MON", 6, admin, admin))


@pytest.fixture
def paying(bench: Bench) -> Bench:
    """A bench whose bucket is open for claims."""
    bench.open(bench.tree())
    bench.pass_delay()
    return bench


def test_a_bucket_pays_each_leaf_once_and_returns_the_rest(bench: Bench) -> None:
    tree, escrow = bench.tree(), bench.escrow
    bench.open(tree)
    assert bench.balance(escrow.address) == tree.total
    assert bench.balance(bench.settler) == bench.settler_balance - tree.total
    bench.pass_delay()
    for account in (ALICE, CAROL):  # anybody may ask; the leaf's account is paid
        escrow.do(bench.stranger, "claim", *claim(tree.proof(account)))
        assert bench.balance(account) == AMOUNTS[account]
    assert bench.balance(bench.stranger) == 0
    bench.pass_window()
    escrow.do(bench.stranger, "close", BUCKET)
    assert bench.balance(escrow.address) == 0
    assert bench.balance(bench.settler) == bench.settler_balance - 600_001
    for function, args in (
        ("close", (BUCKET,)),
        ("claim", claim(tree.proof(BOB))),
    ):
        assert escrow.refusal(bench.stranger, function, *args) == "BucketEnded"


def test_a_refused_bucket_pays_nobody_and_its_number_is_spent(bench: Bench) -> None:
    tree, escrow = bench.tree(), bench.escrow
    bench.open(tree)
    escrow.do(bench.challenger, "refuse", BUCKET)
    assert bench.balance(bench.settler) == bench.settler_balance
    bench.pass_delay()
    assert escrow.refusal(bench.stranger, "claim", *claim(tree.proof(ALICE))) == "BucketEnded"
    assert escrow.refusal(bench.challenger, "refuse", BUCKET) == "BucketEnded"
    assert escrow.refusal(bench.settler, "open", *bench.opening(tree)) == "BucketTaken"
    bench.pass_window()
    assert escrow.refusal(bench.stranger, "close", BUCKET) == "BucketEnded"


def test_only_the_settler_opens_and_only_the_challenger_refuses(bench: Bench) -> None:
    unauthorised = "AccessControlUnauthorizedAccount"
    tree = bench.tree()
    for wrong in (bench.stranger, bench.challenger, bench.node.accounts[0]):
        assert bench.escrow.refusal(wrong, "open", *bench.opening(tree)) == unauthorised
    bench.open(tree)
    for wrong in (bench.stranger, bench.settler, bench.node.accounts[0]):
        assert bench.escrow.refusal(wrong, "refuse", BUCKET) == unauthorised


def test_a_root_without_all_its_money_is_refused(bench: Bench) -> None:
    tree, escrow = bench.tree(), bench.escrow
    opening = bench.opening(tree)
    bench.token.do(bench.settler, "approve", escrow.at.address, tree.total - 1)
    assert escrow.refusal(bench.settler, "open", *opening) == "0xfb8f41b2"  # allowance, ERC-6093
    bench.token.do(bench.settler, "approve", escrow.at.address, 2**255)
    beyond = (*opening[:3], bench.settler_balance + 1)
    assert escrow.refusal(bench.settler, "open", *beyond) == "0xe450d38c"  # balance, ERC-6093


def test_a_token_that_keeps_a_fee_cannot_fund_a_bucket(node: Anvil) -> None:
    bench = bench_of(node, deploy(node, "FeeToken"))
    tree = bench.tree()
    bench.token.do(bench.settler, "approve", bench.escrow.at.address, tree.total)
    assert bench.escrow.refusal(bench.settler, "open", *bench.opening(tree)) == "BucketUnderfunded"


@pytest.mark.parametrize("emptied", [1, 2, 3])
def test_a_bucket_without_root_leaf_or_total_is_refused(bench: Bench, emptied: int) -> None:
    opening = list(bench.opening(bench.tree()))
    opening[emptied] = bytes(32) if emptied == 1 else 0
    assert bench.escrow.refusal(bench.settler, "open", *opening) == "BucketEmpty"


def test_a_root_is_never_replaced(paying: Bench) -> None:
    other = paying.tree({ALICE: 5})
    paying.token.do(paying.settler, "approve", paying.escrow.at.address, 5)
    assert paying.escrow.refusal(paying.settler, "open", *paying.opening(other)) == "BucketTaken"


def test_a_claim_is_refused_a_second_before_the_delay_is_over(bench: Bench) -> None:
    tree = bench.tree()
    bench.open(tree)
    opens_at = bench.escrow.ask("buckets", BUCKET)[5]
    bench.node.move_to(opens_at - 1)
    first = claim(tree.proof(ALICE))
    assert bench.escrow.refusal(bench.stranger, "claim", *first) == "ClaimTooEarly"
    bench.node.move_to(opens_at)
    bench.escrow.ask("claim", *first)
    assert bench.escrow.refusal(bench.challenger, "refuse", BUCKET) == "ChallengeOver"


def test_a_claim_is_refused_from_the_deadline_on_and_no_return_before_it(paying: Bench) -> None:
    tree, escrow = paying.tree(), paying.escrow
    closes_at = escrow.ask("buckets", BUCKET)[6]
    paying.node.move_to(closes_at - 1)
    escrow.ask("claim", *claim(tree.proof(ALICE)))
    assert escrow.refusal(paying.stranger, "close", BUCKET) == "DeadlineAhead"
    paying.node.move_to(closes_at)
    assert escrow.refusal(paying.stranger, "claim", *claim(tree.proof(ALICE))) == "ClaimTooLate"
    escrow.ask("close", BUCKET)


def test_a_claim_is_paid_once(paying: Bench) -> None:
    first = claim(paying.tree().proof(ALICE))
    paying.escrow.do(paying.stranger, "claim", *first)
    for asker in (paying.stranger, paying.settler, paying.node.accounts[0]):
        assert paying.escrow.refusal(asker, "claim", *first) == "ClaimRepeated"
    assert paying.balance(ALICE) == AMOUNTS[ALICE]


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": AMOUNTS[ALICE] + 1},
        {"amount": AMOUNTS[ALICE] - 1},
        {"amount": 2**256 - 1},
        {"account": b"\xee" * 20},
        {"index": 1},
    ],
)
def test_a_tampered_claim_is_unproven(paying: Bench, changed: dict[str, Any]) -> None:
    tampered = claim(paying.tree().proof(ALICE), **changed)
    assert paying.escrow.refusal(paying.stranger, "claim", *tampered) == "ClaimUnproven"


def test_a_path_of_another_length_or_place_is_refused_as_such(paying: Bench) -> None:
    proof = paying.tree().proof(ALICE)
    for path in (proof.path[:-1], [*proof.path, bytes(32)], []):
        asked = claim(proof, path=path)
        assert paying.escrow.refusal(paying.stranger, "claim", *asked) == "PathLength"
    beyond = claim(proof, index=3)
    assert paying.escrow.refusal(paying.stranger, "claim", *beyond) == "IndexOutOfRange"


def test_a_proof_is_worth_nothing_in_another_bucket_contract_or_chain(paying: Bench) -> None:
    proof = paying.tree().proof(ALICE)
    unknown = claim(proof, bucket=BUCKET + 1)
    assert paying.escrow.refusal(paying.stranger, "claim", *unknown) == "BucketUnknown"
    # Another bucket with the very same root: the leaf still names its own.
    paying.token.do(paying.settler, "approve", paying.escrow.at.address, 2**255)
    opening = paying.opening(paying.tree())
    paying.escrow.do(paying.settler, "open", BUCKET + 1, *opening[1:])
    twin = bench_of(paying.node, paying.token)
    twin.token.do(twin.settler, "approve", twin.escrow.at.address, 2**255)
    twin.escrow.do(twin.settler, "open", *opening)
    paying.pass_delay()
    assert paying.escrow.refusal(paying.stranger, "claim", *unknown) == "ClaimUnproven"
    assert twin.escrow.refusal(twin.stranger, "claim", *claim(proof)) == "ClaimUnproven"
    paying.node.rpc("anvil_setChainId", 1)
    try:
        found = paying.escrow.refusal(paying.stranger, "claim", *claim(proof))
    finally:
        paying.node.rpc("anvil_setChainId", CHAIN_ID)
    assert found == "ClaimUnproven"


def test_a_bucket_funded_with_another_total_than_its_root_binds_pays_nobody(bench: Bench) -> None:
    tree = bench.tree()
    bucket, root, leaf_count, total = bench.opening(tree)
    bench.token.do(bench.settler, "approve", bench.escrow.at.address, 2**255)
    bench.escrow.do(bench.settler, "open", bucket, root, leaf_count, total - 1)
    bench.escrow.do(bench.settler, "open", bucket + 1, root, leaf_count + 1, total)
    bench.pass_delay()
    for number in (bucket, bucket + 1):
        asked = claim(tree.proof(ALICE), bucket=number)
        # Path lengths differ with the leaf count; either way nothing is paid.
        found = bench.escrow.refusal(bench.stranger, "claim", *asked)
        assert found in ("ClaimUnproven", "PathLength")


def test_a_root_that_promises_more_than_its_total_stops_at_the_total(bench: Bench) -> None:
    """A dishonest settler writes a root whose leaves sum to more than the total it binds."""
    import keccak_oracle as oracle

    def leaf(index: int, account: bytes, amount: int) -> bytes:
        return oracle.leaf(CHAIN_ID, bench.escrow.address, BUCKET, index, account, amount)

    leaves = [leaf(0, ALICE, 60), leaf(1, BOB, 60)]
    root = oracle.root(2, 100, oracle.top(leaves))
    other = bench.tree({CAROL: 1_000}, BUCKET + 1)
    bench.token.do(bench.settler, "approve", bench.escrow.at.address, 2**255)
    bench.escrow.do(bench.settler, "open", BUCKET, root, 2, 100)
    bench.escrow.do(bench.settler, "open", *bench.opening(other))
    bench.pass_delay()
    first, second = ((BUCKET, i, who, 60) for i, who in enumerate((ALICE, BOB)))
    bench.escrow.do(bench.stranger, "claim", first, oracle.path(0, leaves))
    found = bench.escrow.refusal(bench.stranger, "claim", second, oracle.path(1, leaves))
    assert found == "ClaimBeyondTotal"
    # The other bucket's money was not touched.
    bench.escrow.do(bench.stranger, "claim", *claim(other.proof(CAROL)))


def test_an_account_with_two_leaves_is_paid_for_one(bench: Bench) -> None:
    import keccak_oracle as oracle

    def leaf(index: int) -> bytes:
        return oracle.leaf(CHAIN_ID, bench.escrow.address, BUCKET, index, ALICE, 50)

    leaves = [leaf(0), leaf(1)]
    bench.token.do(bench.settler, "approve", bench.escrow.at.address, 2**255)
    bench.escrow.do(bench.settler, "open", BUCKET, oracle.root(2, 100, oracle.top(leaves)), 2, 100)
    bench.pass_delay()
    bench.escrow.do(bench.stranger, "claim", (BUCKET, 0, ALICE, 50), oracle.path(0, leaves))
    second = ((BUCKET, 1, ALICE, 50), oracle.path(1, leaves))
    assert bench.escrow.refusal(bench.stranger, "claim", *second) == "ClaimRepeated"


def test_the_smallest_amounts_add_up_to_the_unit(bench: Bench) -> None:
    """Nothing rounds on the chain: a thousandth of a cent and the largest claim close exactly."""
    amounts = {bytes(18) + n.to_bytes(2, "big"): n % 7 + 1 for n in range(1, 12)}
    tree = bench.tree(amounts)
    bench.open(tree)
    bench.pass_delay()
    for account in amounts:
        bench.escrow.do(bench.stranger, "claim", *claim(tree.proof(account)))
    assert bench.balance(bench.escrow.address) == 0
    assert sum(bench.balance(account) for account in amounts) == tree.total
    bench.pass_window()
    bench.escrow.do(bench.stranger, "close", BUCKET)
    assert bench.balance(bench.settler) == bench.settler_balance - tree.total


@pytest.mark.parametrize("again", ["same claim", "other claim", "close", "refuse", "open"])
def test_a_token_that_calls_back_is_refused_and_the_claim_is_paid_once(
    node: Anvil, again: str
) -> None:
    bench = bench_of(node, deploy(node, "ReentrantToken"))
    tree, escrow, token = bench.tree(), bench.escrow, bench.token
    for role in ("SETTLER", "CHALLENGER"):
        escrow.do(node.accounts[0], "grantRole", escrow.ask(role), token.at.address)
    bench.open(tree)
    bench.pass_delay()
    callback = {
        "same claim": ("claim", *claim(tree.proof(ALICE))),
        "other claim": ("claim", *claim(tree.proof(BOB))),
        "close": ("close", BUCKET),
        "refuse": ("refuse", BUCKET),
        "open": ("open", BUCKET + 1, tree.root, tree.leaf_count, tree.total),
    }[again]
    token.do(bench.stranger, "arm", escrow.at.address, escrow.data(*callback))
    escrow.do(bench.stranger, "claim", *claim(tree.proof(ALICE)))
    assert token.ask("called")
    assert not token.ask("succeeded")
    assert escrow.error_name(token.ask("answer")) == "ReentrancyGuardReentrantCall"
    assert bench.balance(ALICE) == AMOUNTS[ALICE]
    assert bench.balance(BOB) == 0


def test_a_bucket_that_never_was_is_unknown(bench: Bench) -> None:
    assert bench.escrow.refusal(bench.stranger, "close", 9) == "BucketUnknown"
    assert bench.escrow.refusal(bench.challenger, "refuse", 9) == "BucketUnknown"


def test_every_error_of_the_escrow_is_met_in_this_file() -> None:
    sources = HERE.parents[1] / "contracts" / "src"
    text = (sources / "ClaimEscrow.sol").read_text() + (sources / "ClaimTree.sol").read_text()
    errors = set(re.findall(r"^\s+error (\w+)\(", text, re.MULTILINE))
    assert len(errors) >= 14
    met = Path(__file__).read_text()
    # A constructor's refusal has no contract whose call could be asked.
    assert {name for name in errors - {"DurationEmpty"} if f'"{name}"' not in met} == set()


@pytest.mark.parametrize("durations", [(0, WINDOW_S), (DELAY_S, 0)])
def test_an_escrow_without_delay_or_window_is_not_deployed(
    bench: Bench, durations: tuple[int, int]
) -> None:
    people = bench.node.accounts[:3]
    with pytest.raises(AssertionError, match="ClaimEscrow"):
        deploy(bench.node, "ClaimEscrow", bench.token.at.address, *people, *durations)
