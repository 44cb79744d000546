"""`gridrig anchor`: a run's roots on a real node, hidden, in order, once, opened, checked."""

import hashlib
import hmac
import io
import json
import sqlite3
from pathlib import Path

import pytest
from account import PASSWORD, settled_of, write_keystore
from anvil import Anvil, deploy

from gridrig.cli import main
from gridrig.settlement import Journal
from gridrig.settlement.chain import Signer
from gridrig.settlement.journal_reader import JournalReader


@pytest.fixture
def lab(tmp_path: Path, node: Anvil) -> Path:
    """A run of three periods, a keystore whose account has coin, and a secret."""
    (tmp_path / "run").mkdir()
    with Journal(tmp_path / "run" / "journal.sqlite") as journal:
        for period in range(3):
            journal.post(settled_of(period))
    signer = Signer.from_keystore(write_keystore(tmp_path / "key.json"), PASSWORD)
    node.rpc("anvil_setBalance", "0x" + signer.address.hex(), hex(10**20))
    assert main(["disclose", "secret", str(tmp_path / "lab.secret")]) == 0
    return tmp_path


def send(lab: Path, node: Anvil, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    files = ("--keystore", lab / "key.json", "--secret", lab / "lab.secret")
    command = ["anchor", "send", lab / "run", "--endpoint", node.url, *files, *more]
    return main([*map(str, command), "--outbox", str(lab / "out.db"), "--confirmations", "1"])


def roots_of(lab: Path) -> list[bytes]:
    with JournalReader(lab / "run" / "journal.sqlite") as journal:
        return [post.root for post in journal.posts()]


def test_a_run_is_anchored_once_in_order_and_hidden(
    lab: Path, node: Anvil, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (lab / "run" / "journal.sqlite").read_bytes()
    assert send(lab, node, monkeypatch, "--json") == 0
    found = json.loads(capsys.readouterr().out.split("without it\n")[-1])
    subjects = [one["subject"].split("/")[0] for one in found["transactions"]]
    assert subjects == ["deploy", "anchor", "anchor", "anchor"]
    assert all(one["written_ms"] <= one["final_ms"] for one in found["transactions"])
    assert (lab / "run" / "journal.sqlite").read_bytes() == before
    contract = found["contract"]
    at = deploy(node, "PeriodAnchor", *[node.accounts[0]] * 2, 0)  # for its interface alone
    at.at = node.web3.eth.contract(address=node.web3.to_checksum_address(contract), abi=at.at.abi)
    held = [bytes(at.ask("rootOf", period)) for period in range(3)]
    assert at.ask("nextPeriod") == 3
    roots = roots_of(lab)
    assert not set(held) & set(roots), "a root in clear confirms a guess"
    # By the definition: one commitment, salted by the period's own name, as a tree of one leaf.
    secret = bytes.fromhex((lab / "lab.secret").read_text())
    with JournalReader(lab / "run" / "journal.sqlite") as journal:
        names = [f"root/{post.period}/{post.link.hex()}".encode() for post in journal.posts()]
    for name, root, hidden in zip(names, roots, held, strict=True):
        assert hidden == hidden_by_hand(secret, name, root)
    # Again: nothing new is signed, nothing is sent, and what is posted since comes after.
    assert send(lab, node, monkeypatch) == 0
    with Journal(lab / "run" / "journal.sqlite") as journal:
        journal.post(settled_of(3))
    assert send(lab, node, monkeypatch) == 0
    assert at.ask("nextPeriod") == 4
    db = sqlite3.connect(lab / "out.db")
    assert db.execute("SELECT count(*), max(nonce) FROM chain_outbox").fetchone() == (5, 4)
    db.close()
    table = capsys.readouterr().out
    assert f"anchor {contract} on chain 31337" in table
    assert "matched" in table


def hidden_by_hand(secret: bytes, name: bytes, root: bytes) -> bytes:
    salt = hmac.digest(secret, name, "sha256")
    length = len(name).to_bytes(8, "big")
    text = b"gridrig.commitment.1\0" + length + name + salt + root.hex().encode()
    leaf = hashlib.sha256(b"\0" + hashlib.sha256(text).digest()).digest()
    return hashlib.sha256(b"\2" + (1).to_bytes(8, "big") + leaf).digest()


def test_an_opened_root_is_checked_against_the_chain_and_another_is_not(
    lab: Path, node: Anvil, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(lab, node, monkeypatch, "--json") == 0
    contract = json.loads(capsys.readouterr().out.split("without it\n")[-1])["contract"]
    opening = lab / "opening.json"
    opened = ["anchor", "open", str(lab / "run"), "--period", "1"]
    assert main([*opened, "--secret", str(lab / "lab.secret")]) == 0
    opening.write_text(capsys.readouterr().out)
    check = ["anchor", "check", str(opening), "--endpoint", node.url, "--contract", contract]
    assert main(check) == 0
    assert f"period 1 has root {roots_of(lab)[1].hex()}" in capsys.readouterr().out
    # The opening is no secret: with it the root is proven, and no other period's is.
    opening.write_text(opening.read_text().replace("root/1/", "root/2/"))
    assert main(check) == 1
    assert "false" in capsys.readouterr().err
    opening.write_text("{}")
    assert main(check) == 2
    assert main([*opened[:4], "9", "--secret", str(lab / "lab.secret")]) == 2


def test_an_outbox_in_the_run_directory_is_refused(
    lab: Path, node: Anvil, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    files = ("--keystore", lab / "key.json", "--secret", lab / "lab.secret")
    command = ["anchor", "send", lab / "run", "--endpoint", node.url, *files]
    outbox = lab / "run" / "out.db"
    assert main([*map(str, command), "--outbox", str(outbox)]) == 2
    assert "keep it elsewhere" in capsys.readouterr().err
    assert not outbox.exists()


def test_periods_with_a_gap_are_refused_before_anything_is_signed(
    lab: Path, node: Anvil, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(lab / "run" / "journal.sqlite") as journal:
        journal.post(settled_of(5))
    assert send(lab, node, monkeypatch) == 2
    assert "period 5 follows 2" in capsys.readouterr().err


def test_what_is_not_final_in_time_is_gone_on_with_later(
    lab: Path, node: Anvil, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node.rpc("evm_setAutomine", False)
    try:
        assert send(lab, node, monkeypatch, "--wait-s", "0") == 3
    finally:
        node.rpc("evm_setAutomine", True)
    node.rpc("evm_mine")
    assert send(lab, node, monkeypatch) == 0
    assert capsys.readouterr().err == ""
