"""What registries of certificates on chains say, looked at by somebody who trusts none of them.

A registry refuses a second certificate of a quantum on its own chain and cannot see another. Who
reads the events of all of them finds what was certified twice (`double_counts`), and whether each
registry holds what it issued less what it retired, block by block (`supply_by_block`).

Cost: a request a registry for its events, and one a block and a thousand
balances (accounts times certificates) for its supply.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gridrig.settlement.chain.calls import call, decode
from gridrig.settlement.chain.extra import web3
from gridrig.settlement.chain.node import Node

WORD, REGISTRY = 32, "CertificateRegistry"
BALANCES_MAX = 1_000  # of one request: a node gives a call no more gas than a block has
ISSUED = "CertificateIssued(uint256,bytes32,address,uint64,uint64,uint8,uint256)"
RETIRED = "CertificateRetired(uint256,address,uint256,string)"
SINGLE = "TransferSingle(address,address,address,uint256,uint256)"
BATCH = "TransferBatch(address,address,address,uint256[],uint256[])"


class Issued(NamedTuple):
    """A certificate as a registry told of it.

    Parameters
    ----------
    registry : str
        Where, as CAIP-10 names it.
    block : int
        In which block.
    certificate : int
        Its number there.
    asset, owner : bytes
        Pseudonym of the connection point, and whose it was first.
    first_quantum, quanta : int
        The interval, in quanta of 300 s from 1970 on.
    direction : int
        0 is export, 1 is import.
    energy_wh : int
        How much. [Wh]
    """

    registry: str
    block: int
    certificate: int
    asset: bytes
    owner: bytes
    first_quantum: int
    quanta: int
    direction: int
    energy_wh: int


class BlockSupply(NamedTuple):
    """Units of a registry after a block: issued and retired so far, and what accounts hold. [Wh]"""

    block: int
    issued_wh: int
    retired_wh: int
    held_wh: int


def issued(node: Node, registry: bytes) -> list[Issued]:
    """Return every certificate that a registry issued, in the order of the chain.

    Raises
    ------
    NodeError
        What the node answered, or that it did not.
    """
    name = f"eip155:{node.chain_id()}:0x{registry.hex()}"
    found = []
    for log in _logs(node, registry, ISSUED):
        topics = [_bytes(topic) for topic in log["topics"]]
        first_quantum, quanta, direction, energy_wh = _words(_bytes(log["data"]))
        found.append(
            Issued(
                name,
                int(log["blockNumber"], 16),
                int.from_bytes(topics[1], "big"),
                topics[2],
                topics[3][-20:],
                first_quantum,
                quanta,
                direction,
                energy_wh,
            )
        )
    return found


def double_counts(certificates: Iterable[Issued]) -> list[tuple[Issued, Issued]]:
    """Return pairs of certificates that share a quantum of an asset and direction, each once."""
    by_quantum: defaultdict[tuple[bytes, int, int], list[Issued]] = defaultdict(list)
    pairs: dict[tuple[Issued, Issued], None] = {}
    for one in certificates:
        for quantum in range(one.first_quantum, one.first_quantum + one.quanta):
            taken = by_quantum[one.asset, one.direction, quantum]
            pairs |= dict.fromkeys((earlier, one) for earlier in taken)
            taken.append(one)
    return list(pairs)


def supply_by_block(node: Node, registry: bytes) -> Iterator[BlockSupply]:
    """Yield what a registry holds after each block in which something of it changed.

    Issued and retired are by its own events; held is by the balance of every account that ever got
    a unit, asked for at that block.
    """
    certificates = issued(node, registry)
    retired = [
        (int(log["blockNumber"], 16), _words(_bytes(log["data"]))[0])
        for log in _logs(node, registry, RETIRED)
    ]
    moves = [*_logs(node, registry, SINGLE), *_logs(node, registry, BATCH)]
    accounts = sorted({_bytes(log["topics"][3])[-20:] for log in moves} - {bytes(20)})
    blocks = {one.block for one in certificates} | {block for block, _ in retired}
    for block in sorted(blocks | {int(log["blockNumber"], 16) for log in moves}):
        known = [one for one in certificates if one.block <= block]
        held = [(account, one.certificate) for account in accounts for one in known]
        yield BlockSupply(
            block,
            sum(one.energy_wh for one in known),
            sum(energy_wh for at, energy_wh in retired if at <= block),
            sum(_balances(node, registry, held, block)),
        )


def _balances(
    node: Node, registry: bytes, held: list[tuple[bytes, int]], block: int
) -> Iterator[int]:
    for at in range(0, len(held), BALANCES_MAX):
        asked = [list(column) for column in zip(*held[at : at + BALANCES_MAX], strict=True)]
        data = call("", registry, REGISTRY, "balanceOfBatch", *asked).data
        to = {"to": "0x" + registry.hex(), "data": "0x" + data.hex()}
        answer = _bytes(node.ask("eth_call", to, hex(block)))
        yield from decode(REGISTRY, "balanceOfBatch", answer)[0]


def _logs(node: Node, registry: bytes, event: str) -> list[dict[str, Any]]:
    asked = {
        "address": "0x" + registry.hex(),
        "topics": ["0x" + bytes(web3().Web3.keccak(text=event)).hex()],
        "fromBlock": "0x0",
        "toBlock": "latest",
    }
    found: list[dict[str, Any]] = node.ask("eth_getLogs", asked)
    return found


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + WORD], "big") for at in range(0, len(data), WORD)]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
