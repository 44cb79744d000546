"""What is asked of the contracts, as bytes: deployments, and calls under a name of their own."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from gridrig._core import ClaimTree
from gridrig.errors import SettlementError
from gridrig.settlement.chain.extra import web3

GAS_DEPLOY_MAX = 3_000_000
GAS_CALL_MAX = 200_000
GAS_QUANTUM_MAX = 30_000  # of a certificate, besides the call
CONTRACTS = (
    "BridgeVault",
    "BridgedToken",
    "CertificateRegistry",
    "ClaimEscrow",
    "PeriodAnchor",
    "RuleTimelock",
    "SettlementToken",
)


@dataclass(frozen=True)
class Call:
    """A call of a contract, or a deployment.

    Parameters
    ----------
    subject : str
        What it is for. An account has one transaction for a subject, however often it is asked.
    target : bytes or None, shape (20,)
        The contract; none deploys one.
    data : bytes
        What the contract is given.
    gas_max : int
        Where it is given up. [gas]
    """

    subject: str
    target: bytes | None
    data: bytes
    gas_max: int


@functools.cache
def artefact(name: str) -> dict[str, Any]:
    """Return a compiled contract: `abi`, `bytecode`, and what made them.

    Raises
    ------
    SettlementError
        `settlement.chain_contract_unknown` for a name that is none of `CONTRACTS`.
    """
    if name not in CONTRACTS:
        raise SettlementError(
            "settlement.chain_contract_unknown",
            "no contract {name!r}, there are {known}",
            name=name,
            known=", ".join(CONTRACTS),
        )
    file = files("gridrig") / "contracts" / "artefacts" / f"{name}.json"
    made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return made


@functools.cache
def _contract(name: str) -> Any:
    made = artefact(name)
    return web3().Web3().eth.contract(abi=made["abi"], bytecode=made["bytecode"])


def deployment(subject: str, name: str, *args: Any) -> Call:
    """Return the deployment of a contract with its constructor's arguments."""
    data = _contract(name).constructor(*args).data_in_transaction
    return Call(subject, None, bytes.fromhex(data[2:]), GAS_DEPLOY_MAX)


def call(
    subject: str, target: bytes, name: str, function: str, *args: Any, gas_max: int = GAS_CALL_MAX
) -> Call:
    """Return the call of a function of one of our contracts."""
    data = _contract(name).encode_abi(function, args)
    return Call(subject, target, bytes.fromhex(data[2:]), gas_max)


def anchor_period(anchor: bytes, period: int, root: bytes) -> Call:
    """Return the call that anchors the root of a period; its subject names the period."""
    return call(f"anchor/{anchor.hex()}/{period}", anchor, "PeriodAnchor", "anchor", period, root)


def open_bucket(tree: ClaimTree, token: bytes) -> tuple[Call, Call]:
    """Return the calls that let the escrow take a bucket's money, and that open the bucket."""
    escrow, name = tree.contract, f"{tree.contract.hex()}/{tree.bucket}"
    opening = (tree.bucket, tree.root, tree.leaf_count, tree.total)
    return (
        call(f"fund/{name}", token, "SettlementToken", "approve", escrow, tree.total),
        call(f"open/{name}", escrow, "ClaimEscrow", "open", *opening, gas_max=2 * GAS_CALL_MAX),
    )


def pay_claim(tree: ClaimTree, account: bytes) -> Call:
    """Return the call that pays an account's claim, to be sent by anybody."""
    proof = tree.proof(account)
    claim = (proof.bucket, proof.index, proof.account, proof.amount)
    subject = f"claim/{proof.contract.hex()}/{proof.bucket}/{account.hex()}"
    return call(subject, proof.contract, "ClaimEscrow", "claim", claim, proof.path)


def event_topic(name: str, event: str) -> bytes:
    """Return the kind of an event of one of our contracts, as its logs name it."""
    inputs = next(
        item["inputs"]
        for item in artefact(name)["abi"]
        if item["type"] == "event" and item["name"] == event
    )
    signature = f"{event}({','.join(one['type'] for one in inputs)})"
    return bytes(web3().Web3.keccak(text=signature))


def contract_address(sender: bytes, nonce: int) -> bytes:
    """Return where a deployment ends up: the hash of sender and nonce, as the Yellow Paper has it.

    References
    ----------
    .. [1] G. Wood, "Ethereum: A Secure Decentralised Generalised Transaction Ledger," section 7.
    """
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if len(number) != 1 or number[0] >= 0x80:
        number = bytes([0x80 + len(number)]) + number
    body = b"\x94" + sender + number
    return bytes(web3().Web3.keccak(bytes([0xC0 + len(body)]) + body))[12:]


def decode(name: str, function: str, answer: bytes) -> Sequence[Any]:
    """Return what a function of one of our contracts answered."""
    types = next(
        [output["type"] for output in item["outputs"]]
        for item in artefact(name)["abi"]
        if item["type"] == "function" and item["name"] == function
    )
    decoded: Sequence[Any] = web3().Web3().codec.decode(types, answer)
    return decoded


@functools.cache
def _errors(name: str) -> dict[bytes, str]:
    signatures = {
        item["name"]: f"{item['name']}({','.join(one['type'] for one in item['inputs'])})"
        for item in artefact(name)["abi"]
        if item["type"] == "error"
    }
    keccak = web3().Web3.keccak
    return {bytes(keccak(text=text)[:4]): error for error, text in signatures.items()}


def error_name(name: str, data: bytes) -> str:
    """Return the name of the error with which one of our contracts refused, or its four bytes."""
    return _errors(name).get(data[:4], "0x" + data[:4].hex())
