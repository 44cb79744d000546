"""A real Ethereum node for the tests: `anvil` on a free port, and contracts on it by name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError

from gridrig.settlement.chain.local_node import local_node

HERE = Path(__file__).parent
NPM = HERE / "npm"
PRODUCT = HERE.parents[1] / "contracts" / "artefacts"
OURS = HERE / "contracts" / "artefacts"
# 2024-01-01T00:00:00Z: the chain's own time, moved on by the tests alone.
GENESIS_S = 1_704_067_200
CHAIN_ID = 31_337


class Anvil:
    """One node, its unlocked accounts, and snapshots of its state."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.web3 = Web3(HTTPProvider(url, exception_retry_configuration=None))
        self.accounts = [bytes.fromhex(name[2:]) for name in self.rpc("eth_accounts")]

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self.web3.provider.make_request(method, list(params))
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def mined(self, transaction_hash: bytes) -> Any:
        eth = self.web3.eth
        return eth.wait_for_transaction_receipt(HexBytes(transaction_hash), 10, poll_latency=0.002)

    def now_s(self) -> int:
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def move_to(self, time_s: int) -> None:
        """Mine a block at a stated time. [s since 1970]"""
        self.rpc("evm_setNextBlockTimestamp", hex(time_s))
        self.rpc("evm_mine")


class Deployed:
    """A contract by its artefact: `do` mines a transaction, `ask` reads, `refusal` names."""

    def __init__(self, node: Anvil, artefact: Path, address: bytes) -> None:
        self.node = node
        self.address = address
        abi = json.loads(artefact.read_text())["abi"]
        self.at = node.web3.eth.contract(address=Web3.to_checksum_address(address), abi=abi)
        self.errors = {
            Web3.keccak(text=f"{e['name']}({','.join(i['type'] for i in e['inputs'])})")[:4]: e[
                "name"
            ]
            for e in abi
            if e["type"] == "error"
        }

    def data(self, function: str, *args: Any) -> str:
        return self.at.encode_abi(function, args)

    def do(self, sender: bytes, function: str, *args: Any) -> None:
        sent = {"from": sender, "gas": 20_000_000}
        hash_ = self.at.functions[function](*args).transact(sent)
        assert self.node.mined(hash_)["status"] == 1, function

    def ask(self, function: str, *args: Any, sender: bytes | None = None) -> Any:
        return self.at.functions[function](*args).call({"from": sender or self.node.accounts[0]})

    def refusal(self, sender: bytes, function: str, *args: Any) -> str:
        """Return the name of the error that a call meets; a call that succeeds is a failure."""
        try:
            found = self.ask(function, *args, sender=sender)
        except ContractCustomError as refused:
            return self.error_name(bytes.fromhex(str(refused.data)[2:]))
        raise AssertionError(f"{function}{args} is allowed and gives {found}")

    def error_name(self, data: bytes) -> str:
        return self.errors.get(data[:4], f"0x{data[:4].hex()}")


def deploy(node: Anvil, name: str, *args: Any) -> Deployed:
    artefact = next(f for folder in (PRODUCT, OURS) if (f := folder / f"{name}.json").exists())
    made = json.loads(artefact.read_text())
    contract = node.web3.eth.contract(abi=made["abi"], bytecode=made["bytecode"])
    hash_ = contract.constructor(*args).transact({"from": node.accounts[0], "gas": 20_000_000})
    receipt = node.mined(hash_)
    assert receipt["status"] == 1, name
    return Deployed(node, artefact, bytes.fromhex(receipt["contractAddress"][2:]))


def executables() -> list[Path]:
    found = list((NPM / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    assert found, "run tests/npm-packages first: it installs the node that these tests start"
    return found


@contextmanager
def running_anvil(*options: str, port: int = 0) -> Iterator[Anvil]:
    """Run a node of fixed accounts and genesis until the block ends."""
    found = executables()
    with local_node(
        CHAIN_ID, start_utc_s=GENESIS_S, executable=found[0], port=port, options=options
    ) as url:
        yield Anvil(url)
