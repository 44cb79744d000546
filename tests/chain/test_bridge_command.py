"""`gridrig bridge`: deployed once, and relays that carry both ways from the command line."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from account import PASSWORD
from anvil import GENESIS_S, PRODUCT, Anvil, Deployed, deploy, executables
from web3 import Account

from gridrig.cli import main
from gridrig.settlement.chain.local_node import local_node

NAMES = ("operator", "one", "two", "three")


@pytest.fixture
def far() -> Iterator[Anvil]:
    (anvil, *_) = executables()
    with local_node(31_338, start_utc_s=GENESIS_S, executable=anvil) as url:
        yield Anvil(url)


@pytest.fixture
def accounts(tmp_path: Path, node: Anvil, far: Anvil) -> dict[str, bytes]:
    """Return operator and relays, each with a keystore and with coin on both chains."""
    found = {}
    for number, name in enumerate(NAMES, start=1):
        key = number.to_bytes(32, "big")
        keystore = Account.encrypt(key, PASSWORD, kdf="pbkdf2", iterations=2)
        (tmp_path / f"{name}.json").write_text(json.dumps(keystore))
        found[name] = bytes.fromhex(Account.from_key(key).address[2:])
        for chain in (node, far):
            chain.rpc("anvil_setBalance", "0x" + found[name].hex(), hex(10**20))
    return found


class Bridge:
    """The command line of a bridge over two nodes."""

    def __init__(
        self, folder: Path, home: Anvil, far: Anvil, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.folder, self.home, self.far, self._monkeypatch = folder, home, far, monkeypatch

    def run(self, step: str, who: str, *more: str) -> int:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
        files = ("--keystore", self.folder / f"{who}.json", "--outbox", self.folder / f"{who}.db")
        chains = ("--home", self.home.url, "--far", self.far.url, "--confirmations", "1")
        return main([*map(str, ("bridge", step, *files, *chains, *more)), "--json"])


def at(node: Anvil, name: str, address: str) -> Deployed:
    return Deployed(node, PRODUCT / f"{name}.json", bytes.fromhex(address[2:]))


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    out = capsys.readouterr().out
    return json.loads(out[out.index("{") :])


def test_units_cross_and_come_back_by_two_relays_of_three(
    tmp_path: Path,
    node: Anvil,
    far: Anvil,
    accounts: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bridge = Bridge(tmp_path, node, far, monkeypatch)
    owner, guest = node.accounts[5], far.accounts[6]
    token = deploy(node, "SettlementToken", "Energy", "WH", 3, owner, owner)
    token.do(owner, "mint", owner, 100)
    relays = [word for name in NAMES[1:] for word in ("--relay", accounts[name].hex())]
    deploying = ("--token", token.address.hex(), *relays, "--quorum", "2")
    assert bridge.run("deploy", "operator", *deploying) == 0
    ends = told(capsys)
    assert bridge.run("deploy", "operator", *deploying) == 0
    assert told(capsys) == ends, "the same command deploys nothing new"
    vault = at(node, "BridgeVault", ends["vault"])
    bridged = at(far, "BridgedToken", ends["bridged"])
    where = ("--vault", ends["vault"], "--bridged", ends["bridged"])

    token.do(owner, "approve", vault.address, 100)
    vault.do(owner, "send", guest, 60)
    assert bridge.run("relay", "one", *where) == 0
    assert bridged.ask("totalSupply") == 0
    for _ in range(2):  # twice the same, and nothing twice
        assert bridge.run("relay", "two", *where) == 0
        assert (bridged.ask("balanceOf", guest), token.ask("balanceOf", owner)) == (60, 40)
    capsys.readouterr()
    assert bridge.run("relay", "three", *where) == 0, "too late, and no failure"
    assert told(capsys)["transactions"] == []

    bridged.do(guest, "send", owner, 25)
    assert [bridge.run("relay", name, *where) for name in ("two", "three")] == [0, 0]
    assert (bridged.ask("totalSupply"), token.ask("balanceOf", owner)) == (35, 65)
    assert token.ask("balanceOf", vault.address) == 35


def test_a_relay_without_its_role_fails_and_one_whose_chain_forked_stops(
    tmp_path: Path,
    node: Anvil,
    far: Anvil,
    accounts: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bridge = Bridge(tmp_path, node, far, monkeypatch)
    owner, guest = node.accounts[5], far.accounts[6]
    token = deploy(node, "SettlementToken", "Energy", "WH", 3, owner, owner)
    token.do(owner, "mint", owner, 100)
    alone = ("--relay", accounts["one"].hex(), "--quorum", "1")
    assert bridge.run("deploy", "operator", "--token", token.address.hex(), *alone) == 0
    ends = told(capsys)
    vault = at(node, "BridgeVault", ends["vault"])
    where = ("--vault", ends["vault"], "--bridged", ends["bridged"])
    token.do(owner, "approve", vault.address, 100)
    before = node.rpc("evm_snapshot")
    vault.do(owner, "send", guest, 60)
    assert bridge.run("relay", "two", *where) == 1  # it may not say anything
    assert bridge.run("relay", "one", *where) == 0
    assert node.rpc("evm_revert", before)
    capsys.readouterr()
    assert bridge.run("relay", "one", *where) == 2
    assert "settlement.bridge_forked" in capsys.readouterr().err
    vault.do(owner, "send", guest, 59)  # another message under the number that was told
    assert bridge.run("relay", "one", *where) == 2
    assert "settlement.bridge_forked" in capsys.readouterr().err
