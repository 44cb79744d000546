"""The outbox: in the commit of what it reports, no nonce twice, nothing signed by mistake."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from account import (
    CHAIN_ID,
    PASSWORD,
    START_S,
    TERMS,
    ChainAccount,
    committing,
    make_account,
    root_of,
    write_keystore,
)
from anvil import HERE
from keccak_oracle import contract_address, keccak
from web3 import Account, Web3

from gridrig.errors import SettlementError
from gridrig.settlement import Journal
from gridrig.settlement.audit import audit
from gridrig.settlement.chain import Call, Signer, Terms, calls, outbox
from gridrig.settlement.chain.outbox import OutboxRow, rows


@pytest.fixture
def account(tmp_path: Path) -> ChainAccount:
    return make_account(tmp_path)


def kept(account: ChainAccount) -> list[OutboxRow]:
    with sqlite3.connect(account.journal) as db:
        return rows(db, account.signer.address, CHAIN_ID)


def test_a_period_and_its_transaction_are_committed_together_or_not_at_all(
    account: ChainAccount,
) -> None:
    with Journal(account.journal) as journal:
        with pytest.raises(SettlementError, match="attempt"):
            account.post_period(journal, 1, attempt=1)
        assert journal.periods() == []
        assert kept(account) == []
        account.post_period(journal, 1, written_ms=2, matched_ms=1)
        assert journal.periods() == [1]
        (post,) = journal.posts()
    (row,) = kept(account)
    assert row.subject == calls.anchor_period(account.anchor, 1, post.root).subject
    assert post.root in row.raw
    assert audit(account.journal) == []


def test_a_process_killed_while_it_commits_leaves_as_many_periods_as_transactions(
    account: ChainAccount, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, HERE / "post_periods.py", tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(25)]
    child.kill()
    acknowledged += [int(line) for line in child.communicate()[0].splitlines()]
    with Journal(account.journal) as journal:
        periods = journal.periods()
    found = kept(account)
    assert len(found) == len(periods)
    assert set(acknowledged) <= set(periods)
    assert [row.nonce for row in found] == list(range(len(found)))


def test_two_writers_share_the_nonces_without_a_gap_or_a_double(account: ChainAccount) -> None:
    with ThreadPoolExecutor(2) as writers:
        list(writers.map(account.add_period, range(12)))
    found = kept(account)
    assert [row.nonce for row in found] == list(range(12))
    assert len({row.subject for row in found}) == 12


def test_the_same_call_again_is_the_same_row(account: ChainAccount) -> None:
    first = account.add_period(3)
    assert account.add_period(3) == first
    assert kept(account) == [first]


def test_the_same_outbox_is_the_same_bytes(account: ChainAccount, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_account(tmp_path / "other")
    assert account.add_period(3) == other.add_period(3)


def test_a_subject_with_another_content_is_refused(account: ChainAccount) -> None:
    account.add_period(3)
    other = calls.anchor_period(account.anchor, 3, root_of(4))
    with pytest.raises(SettlementError) as refused:
        account.add(other)
    assert refused.value.code == "settlement.chain_subject_taken"
    assert refused.value.nonce == 0


def test_attempts_follow_each_other(account: ChainAccount) -> None:
    call = calls.anchor_period(account.anchor, 3, root_of(3))
    for attempt, allowed in ((1, False), (0, True), (2, False), (1, True), (0, False)):
        if allowed:
            assert account.add(call, attempt=attempt).nonce == attempt
        else:
            with pytest.raises(SettlementError, match=r"chain_attempt"):
                account.add(call, attempt=attempt)


def test_outside_a_transaction_nothing_is_signed(account: ChainAccount) -> None:
    db = sqlite3.connect(account.journal, isolation_level=None)
    call = calls.anchor_period(account.anchor, 3, root_of(3))
    with pytest.raises(SettlementError, match=r"chain_no_transaction"):
        outbox.add(db, call, account.signer, TERMS, written_ms=1)
    with pytest.raises(SettlementError, match=r"chain_no_transaction"):
        outbox.enrol(db, account.signer.address, CHAIN_ID, nonce_first=0)
    db.close()


def test_an_account_goes_on_from_the_nonce_it_was_enrolled_with(account: ChainAccount) -> None:
    me = account.signer.address
    other_chain = Terms(7_777, TERMS.fee_wei_per_gas_max)
    call = calls.anchor_period(account.anchor, 3, root_of(3))
    with (
        pytest.raises(SettlementError, match=r"chain_account_unknown"),
        committing(account.journal) as db,
    ):
        outbox.add(db, call, account.signer, other_chain, written_ms=1)
    with committing(account.journal) as db:
        outbox.enrol(db, me, 7_777, nonce_first=41)
        outbox.enrol(db, me, 7_777, nonce_first=41)
        assert outbox.add(db, call, account.signer, other_chain, written_ms=1).nonce == 41
    with (
        pytest.raises(SettlementError, match=r"chain_account_taken"),
        committing(account.journal) as db,
    ):
        outbox.enrol(db, me, 7_777, nonce_first=42)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE chain_outbox SET raw = x'00'",
        "DELETE FROM chain_outbox",
        "UPDATE chain_account SET nonce_first = 9",
        "DELETE FROM chain_account",
        "INSERT INTO chain_outbox SELECT chain_id, sender, 5, 'x', 0, call_digest, 0, NULL, "
        "zeroblob(32), raw FROM chain_outbox",
        "INSERT INTO chain_outbox SELECT chain_id, sender, 0, 'x', 0, call_digest, 0, NULL, "
        "zeroblob(32), raw FROM chain_outbox",
    ],
)
def test_rows_are_only_added_and_nonces_only_next(account: ChainAccount, statement: str) -> None:
    account.add_period(3)
    before = kept(account)
    refused = pytest.raises(sqlite3.IntegrityError, match=r"settlement\.(append_only|chain_nonce)")
    with refused, committing(account.journal) as db:
        db.execute(statement)
    assert kept(account) == before


def test_what_is_signed_says_what_was_asked(account: ChainAccount) -> None:
    from eth_account.typed_transactions import TypedTransaction
    from hexbytes import HexBytes

    row = account.add_period(3)
    fields = TypedTransaction.from_bytes(HexBytes(row.raw)).as_dict()
    assert Account.recover_transaction(row.raw) == Web3.to_checksum_address(account.signer.address)
    assert bytes(fields["to"]) == account.anchor
    assert (fields["chainId"], fields["nonce"], fields["value"]) == (CHAIN_ID, 0, 0)
    # anchor(uint64,bytes32), encoded by hand from the ABI's definition.
    selector = keccak(b"anchor(uint64,bytes32)")[:4]
    assert bytes(fields["data"]) == selector + (3).to_bytes(32, "big") + root_of(3)
    assert keccak(row.raw) == row.hash


def test_where_a_deployment_ends_up_is_known_before_it_is_sent() -> None:
    sender = bytes(range(20))
    for nonce in (0, 1, 127, 128, 255, 256, 70_000):
        assert calls.contract_address(sender, nonce) == contract_address(sender, nonce)


def test_a_public_chain_is_refused_unless_insisted_on() -> None:
    with pytest.raises(SettlementError) as refused:
        Terms(1, 10**9)
    assert refused.value.code == "settlement.chain_public"
    assert "Ethereum" in str(refused.value)
    assert Terms(1, 10**9, allow_public=True).chain_id == 1


@pytest.mark.parametrize(("chain_id", "fee", "tip"), [(0, 1, 1), (7, 1, 2), (7, 1, -1)])
def test_terms_that_no_node_takes_are_refused(chain_id: int, fee: int, tip: int) -> None:
    with pytest.raises(SettlementError, match=r"chain_terms"):
        Terms(chain_id, fee, tip)


@pytest.mark.parametrize("marker", ["host.json", "run.json", "manifest.json", "journal.sqlite"])
def test_a_keystore_in_a_run_directory_is_refused(tmp_path: Path, marker: str) -> None:
    below = tmp_path / "run" / "keys"
    below.mkdir(parents=True)
    (tmp_path / "run" / marker).write_text("{}")
    with pytest.raises(SettlementError, match=r"chain_key_misplaced"):
        Signer.from_keystore(write_keystore(below / "key.json"), PASSWORD)


def test_a_keystore_beside_a_rig_file_is_refused_however_it_is_reached(tmp_path: Path) -> None:
    rig, keys = tmp_path / "rigs", tmp_path / "keys"
    rig.mkdir()
    keys.mkdir()
    (rig / "bench.toml").write_text('[rig]\nname = "bench"\n')
    (keys / "other.toml").write_text('[tool]\nname = "no rig"\n')
    key = write_keystore(keys / "key.json")
    assert Signer.from_keystore(key, PASSWORD).address
    write_keystore(rig / "key.json")
    (keys / "link.json").symlink_to(rig / "key.json")
    for path in (rig / "key.json", keys / "link.json"):
        with pytest.raises(SettlementError, match=r"chain_key_misplaced"):
            Signer.from_keystore(path, PASSWORD)


def test_a_keystore_that_cannot_be_read_is_an_error_without_the_password(tmp_path: Path) -> None:
    key = write_keystore(tmp_path / "key.json")
    (tmp_path / "text.json").write_text("not a keystore")
    (tmp_path / "empty.json").write_text("{}")
    for path, password in (
        (key, "hunter2-is-wrong"),
        (tmp_path / "none.json", PASSWORD),
        (tmp_path / "text.json", PASSWORD),
        (tmp_path / "empty.json", PASSWORD),
    ):
        with pytest.raises(SettlementError) as refused:
            Signer.from_keystore(path, password)
        assert refused.value.code == "settlement.chain_key_unreadable"
        assert "hunter2" not in str(refused.value)
        assert str(path) in str(refused.value)


def test_a_signer_shows_its_address_and_nothing_else(account: ChainAccount) -> None:
    assert repr(account.signer) == f"<Signer 0x{account.signer.address.hex()}>"


def test_an_unknown_contract_is_refused_by_name() -> None:
    with pytest.raises(SettlementError, match=r"chain_contract_unknown"):
        calls.deployment("x", "NoSuchContract")


def test_the_extra_leaves_the_recursion_limit_alone() -> None:
    code = (
        "import sys; from gridrig.settlement.chain.extra import web3; "
        "before = sys.getrecursionlimit(); web3(); sys.exit(sys.getrecursionlimit() - before)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_extra_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    """In a process where `web3` cannot be imported, the room still can."""
    code = (
        "import sys; sys.modules['web3'] = None\n"
        "from gridrig.settlement.chain import ClaimTree, Node\n"
        "Node('http://127.0.0.1:1')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert "settlement.chain_extra_missing" in done.stderr
    assert "pip install 'gridrig[chain]'" in done.stderr


def test_a_call_without_data_is_its_own_subject(account: ChainAccount) -> None:
    row = account.add(Call("transfer/none", b"\x22" * 20, b"", 21_000), written_ms=START_S * 1000)
    assert (row.nonce, row.subject) == (0, "transfer/none")
