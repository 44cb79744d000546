"""The index refuses across chains what no registry could, before anything is signed."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from account import CHAIN_ID, START_S, TERMS, ChainAccount, committing, endow, make_account
from anvil import GENESIS_S, Anvil
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.clock import Clock, run_virtual
from gridrig.errors import SettlementError
from gridrig.events import EventLog
from gridrig.settlement.certificates import certificate_key
from gridrig.settlement.chain import Certificate, Node, Terms, calls, certificates, outbox

FIRST = GENESIS_S // certificates.QUANTUM_S - 1_000
BASE = Certificate(
    asset=b"\x5a" * 32,
    direction="export",
    first_quantum=FIRST,
    quanta=3,
    owner=b"\x11" * 20,
    energy_wh=1_250,
    chain_id=CHAIN_ID,
    registry=b"\x77" * 20,
)


@pytest.fixture
def account(tmp_path: Path) -> ChainAccount:
    return make_account(tmp_path)


def test_a_second_claim_is_refused_before_it_is_signed_and_shows_both(
    account: ChainAccount,
) -> None:
    other_chain = Terms(7_777, TERMS.fee_wei_per_gas_max)
    elsewhere = replace(BASE, chain_id=7_777, registry=b"\x88" * 20, first_quantum=FIRST + 2)
    with committing(account.journal) as db:
        outbox.enrol(db, account.signer.address, 7_777, nonce_first=0)

    def claim_and_sign(certificate: Certificate, terms: Terms) -> None:
        with committing(account.journal) as db:
            certificates.claim(db, certificate)
            outbox.add(db, certificates.issue(certificate), account.signer, terms, written_ms=1)

    claim_and_sign(BASE, TERMS)
    with pytest.raises(SettlementError) as refused:
        claim_and_sign(elsewhere, other_chain)
    assert refused.value.code == "settlement.certificate_double_issue"
    assert (refused.value.record, refused.value.refused) == (BASE, elsewhere)
    with sqlite3.connect(account.journal) as db:
        assert outbox.rows(db, account.signer.address, 7_777) == []
        assert len(outbox.rows(db, account.signer.address, CHAIN_ID)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "carbon-credit"},
        {"owner": b"\x12" * 20},
        {"energy_wh": 1},
        {"registry": b"\x78" * 20},
        {"chain_id": 7_777},
        {"quanta": 4},
        {"quanta": 1},
        {"first_quantum": FIRST - 5, "quanta": 20},
    ],
)
def test_the_same_energy_is_claimed_once_however_it_is_named(
    account: ChainAccount, change: dict[str, object]
) -> None:
    with committing(account.journal) as db:
        certificates.claim(db, BASE)
        certificates.claim(db, BASE)  # the same record again is no second claim
    with (
        pytest.raises(SettlementError, match=r"certificate_double_issue"),
        committing(account.journal) as db,
    ):
        certificates.claim(db, replace(BASE, **change))


@given(
    intervals=st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from(["export", "import"])),
        max_size=12,
    )
)
@settings(max_examples=40, deadline=None, database=None, derandomize=True)
def test_what_the_index_lets_pass_never_overlaps(intervals: list[tuple[int, int, str]]) -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    held: set[tuple[int, str]] = set()
    for number, (first, quanta, direction) in enumerate(intervals):
        wanted = {(n, direction) for n in range(first, first + quanta)}
        one = replace(BASE, first_quantum=first, quanta=quanta, energy_wh=number + 1)
        db.execute("BEGIN")
        try:
            certificates.claim(db, replace(one, direction=direction))
        except SettlementError:
            db.execute("ROLLBACK")
            assert wanted & held
        else:
            db.execute("COMMIT")
            assert not wanted & held
            held |= wanted
    db.close()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"asset": b"short"}, "asset"),
        ({"asset": bytes(32)}, "asset"),
        ({"owner": b"\x11" * 21}, "owner"),
        ({"registry": b""}, "registry"),
        ({"direction": "sideways"}, "direction"),
        ({"energy_wh": 0}, "energy_wh"),
        ({"quanta": 0}, "quanta"),
        ({"quanta": 289}, "quanta"),
        ({"first_quantum": -1}, "first_quantum"),
        ({"scheme": "carbon credit"}, "scheme"),
    ],
)
def test_a_malformed_certificate_names_what_is_wrong(change: dict[str, object], name: str) -> None:
    with pytest.raises(SettlementError) as refused:
        replace(BASE, **change)
    assert (refused.value.code, refused.value.name) == ("settlement.certificate_malformed", name)


@pytest.mark.parametrize(
    ("from_s", "to_s", "quanta"),
    [(0, 300, (0, 1)), (900, 1_800, (3, 3)), (901, 1_201, (3, 2)), (899, 901, (2, 2))],
)
def test_an_interval_claims_whatever_quantum_it_touches(
    from_s: int, to_s: int, quanta: tuple[int, int]
) -> None:
    assert certificates.quanta_of(from_s, to_s) == quanta


@pytest.mark.parametrize(("from_s", "to_s"), [(10, 10), (10, 9), (0, 86_401)])
def test_an_interval_that_is_empty_or_too_long_is_refused(from_s: int, to_s: int) -> None:
    with pytest.raises(SettlementError, match=r"certificate_interval"):
        certificates.quanta_of(from_s, to_s)


def test_the_index_is_only_added_to_and_only_inside_a_transaction(account: ChainAccount) -> None:
    db = sqlite3.connect(account.journal, isolation_level=None)
    with pytest.raises(SettlementError, match=r"chain_no_transaction"):
        certificates.claim(db, BASE)
    db.close()
    with committing(account.journal) as db:
        certificates.claim(db, BASE)
    for statement in ("DELETE FROM certified", "UPDATE certified SET energy_wh = 1"):
        with (
            pytest.raises(sqlite3.IntegrityError, match=r"append_only"),
            committing(account.journal) as db,
        ):
            db.execute(statement)


def test_a_certificate_goes_from_the_index_to_its_owner_on_the_chain(
    node: Anvil, account: ChainAccount
) -> None:
    endow(node, account)
    me = account.signer.address
    registry = calls.contract_address(me, 0)
    account.add(calls.deployment("deploy/registry", "CertificateRegistry", me, me))
    issued = replace(BASE, registry=registry)
    with committing(account.journal) as db:
        certificates.claim(db, issued)
        outbox.add(db, certificates.issue(issued), account.signer, TERMS, written_ms=1)

    async def main(clock: Clock) -> list[object]:
        log = EventLog(clock, [])
        assert await account.sender(Node(node.url), clock, log).drain(10)
        return [event.kind for event in log.ordered()]

    assert run_virtual(main, start_utc_s=START_S) == []
    rpc = Node(node.url)
    key_of = calls.call("", registry, "CertificateRegistry", "keyOf", BASE.asset, FIRST, 0)
    key = rpc.call(registry, key_of.data)
    assert key == certificate_key(BASE.asset, FIRST, "export")  # off the chain as on it
    held = calls.call(
        "", registry, "CertificateRegistry", "balanceOf", issued.owner, int.from_bytes(key, "big")
    )
    answer = rpc.call(registry, held.data)
    assert calls.decode("CertificateRegistry", "balanceOf", answer) == (1_250,)
    # The constants of the index are those of the contract.
    for constant, value in (("QUANTUM_S", 300), ("QUANTA_MAX", 288)):
        asked = calls.call("", registry, "CertificateRegistry", constant)
        found = calls.decode("CertificateRegistry", constant, rpc.call(registry, asked.data))
        assert found == (value,) == (getattr(certificates, constant),)
