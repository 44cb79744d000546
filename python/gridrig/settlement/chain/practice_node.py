"""A chain to practise on, in this process: real signed transactions, blocks by the run's clock.

`PracticeChain` keeps accounts' nonces, what waits, and blocks; `PracticeNode` answers JSON-RPC over
HTTP and can be told to misbehave. No contract is executed: what a transaction asks for is kept and
not carried out, gas costs nothing, every transaction succeeds. For contracts take a real node.

References
----------
.. [1] Ethereum, "JSON-RPC specification," execution-apis.
"""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from gridrig.clock import Clock
from gridrig.settlement.chain.extra import web3

Misbehaviour = Literal["busy", "failing", "wrong_chain", "stale", "cut"]
"""HTTP 429; HTTP 503; another chain's number; a head that stands still; carried out, reply lost."""

SEND = "eth_sendRawTransaction"
REFUSED = -32000


@dataclass(frozen=True)
class Included:
    """A transaction that was received: who asks for what."""

    hash: bytes
    sender: str
    nonce: int
    target: bytes | None
    data: bytes


@dataclass(frozen=True)
class Block:
    """A block: its place, its time by the run's clock, what is in it. [s since 1970]"""

    number: int
    hash: bytes
    time_s: int
    transactions: tuple[Included, ...] = ()


class Refused(Exception):
    """What a node answers with an error in its reply."""


@dataclass
class PracticeChain:
    """The chain itself.

    Parameters
    ----------
    chain_id : int
        Its EIP-155 number.
    clock : Clock
        Gives blocks their time.
    block_s : int
        From one block to the next. [s]
    final_after : int
        Blocks behind the head at which one is final.
    """

    chain_id: int
    clock: Clock
    block_s: int = 12
    final_after: int = 3
    blocks: list[Block] = field(default_factory=list)
    _waiting: dict[bytes, Included] = field(default_factory=dict)
    _fork: int = 0

    def __post_init__(self) -> None:
        self._append(self.clock.utc_s(), ())

    def advance(self) -> None:
        """Make the blocks that are due, each of what may follow in it."""
        while self.clock.utc_s() - self.blocks[-1].time_s >= self.block_s:
            taken = []
            nonces = Counter(one.sender for one in self.transactions())
            for one in sorted(self._waiting.values(), key=lambda one: one.nonce):
                if one.nonce == nonces[one.sender]:
                    nonces[one.sender] += 1
                    taken.append(one)
                    del self._waiting[one.hash]
            self._append(self.blocks[-1].time_s + self.block_s, tuple(taken))

    def reorganise(self, depth: int) -> int:
        """Put empty blocks in place of the newest ones, forget what was in these; return how much.

        Nodes keep what fell out of a block; that one loses it is the worse case.
        """
        self.advance()
        self._fork += 1
        depth = min(depth, len(self.blocks) - 1)
        dropped = self.blocks[len(self.blocks) - depth :]
        del self.blocks[len(self.blocks) - depth :]
        for block in dropped:
            self._append(block.time_s, ())
        return sum(len(block.transactions) for block in dropped)

    def transactions(self) -> Iterator[Included]:
        """Yield what is included now, in the order of the chain."""
        for block in self.blocks:
            yield from block.transactions

    def answer(self, method: str, params: list[Any]) -> Any:
        """Answer one question.

        Raises
        ------
        Refused
            With what a node would say.
        """
        self.advance()
        match method:
            case "eth_chainId":
                return hex(self.chain_id)
            case "eth_getTransactionCount":
                return hex(sum(one.sender == params[0].lower() for one in self.transactions()))
            case "eth_getBlockByNumber":
                return self._block(params[0])
            case "eth_getTransactionReceipt":
                return self._receipt(bytes.fromhex(params[0][2:]))
            case "eth_sendRawTransaction":
                return "0x" + self._take(bytes.fromhex(params[0][2:])).hex()
        raise Refused(f"the method {method} does not exist")

    def _append(self, time_s: int, transactions: tuple[Included, ...]) -> None:
        parent = self.blocks[-1].hash if self.blocks else b""
        content = b"".join(one.hash for one in transactions)
        seal = hashlib.sha256(parent + content + bytes((self._fork % 256,))).digest()
        self.blocks.append(Block(len(self.blocks), seal, time_s, transactions))

    def _block(self, tag: str) -> dict[str, str] | None:
        last = len(self.blocks) - 1
        named = {"latest": last, "finalized": max(0, last - self.final_after)}
        number = named[tag] if tag in named else int(tag, 16)
        if number > last:
            return None
        block = self.blocks[number]
        return {
            "number": hex(number),
            "hash": "0x" + block.hash.hex(),
            "timestamp": hex(block.time_s),
        }

    def _receipt(self, transaction: bytes) -> dict[str, str] | None:
        for block in self.blocks:
            if any(one.hash == transaction for one in block.transactions):
                return {
                    "blockNumber": hex(block.number),
                    "blockHash": "0x" + block.hash.hex(),
                    "status": "0x1",
                }
        return None

    def _take(self, raw: bytes) -> bytes:
        try:
            sender = web3().Account.recover_transaction(raw)
            chain_id, nonce, _, _, _, target, _, data, *_ = _fields(raw)
        except Exception as fault:  # whatever a stranger's bytes make of the decoder
            raise Refused(f"no transaction: {type(fault).__name__}") from fault
        if int.from_bytes(chain_id, "big") != self.chain_id:
            raise Refused("invalid chain id for signer")
        made = Included(
            bytes(web3().Web3.keccak(raw)),
            sender.lower(),
            int.from_bytes(nonce, "big"),
            target or None,
            data,
        )
        if made.hash in self._waiting:
            raise Refused("already known")
        if made.nonce < sum(one.sender == made.sender for one in self.transactions()):
            raise Refused("nonce too low")
        if any((o.sender, o.nonce) == (made.sender, made.nonce) for o in self._waiting.values()):
            raise Refused("replacement transaction underpriced")
        self._waiting[made.hash] = made
        return made.hash


def _fields(raw: bytes) -> list[bytes]:
    """Part a transaction of type 2 (EIP-1559) into its fields; a list among them stays encoded."""
    if raw[:1] != b"\2":
        raise ValueError("not of type 2")
    fields, at = [], 1 + _item(raw, 1)[0]
    while at < len(raw):
        head, length = _item(raw, at)
        fields.append(raw[at + head : at + head + length])
        at += head + length
    return fields


def _item(raw: bytes, at: int) -> tuple[int, int]:
    """Return how long the head of an RLP item is, and what follows it."""
    first = raw[at]
    if first < 0x80:
        return 0, 1
    base = 0x80 if first < 0xC0 else 0xC0
    if first - base <= 55:
        return 1, first - base
    width = first - base - 55
    return 1 + width, int.from_bytes(raw[at + 1 : at + 1 + width], "big")


@dataclass(frozen=True)
class Asked:
    """A request: when, of what, and what was wrong with the node then. [s]"""

    t_s: float
    method: str
    wrong: Misbehaviour | None


class PracticeNode:
    """Answers for a chain, and misbehaves by a plan.

    Parameters
    ----------
    chain : PracticeChain
        What it answers from.
    plan : sequence of (float, Misbehaviour, int or None)
        From when on, since it was made, what is wrong; None is nothing, a number re-organises so
        many blocks and leaves what is wrong. [s]
    """

    def __init__(
        self, chain: PracticeChain, plan: Sequence[tuple[float, Misbehaviour | int | None]]
    ) -> None:
        self.chain = chain
        self.asked: list[Asked] = []
        self.dropped = 0  # transactions that fell out of the chain
        self._plan = sorted(plan, key=lambda step: step[0])
        self._begin_s = chain.clock.now_s()
        self._wrong: Misbehaviour | None = None
        self._stood: dict[str, Any] = {}

    def _go_on(self, now_s: float) -> None:
        while self._plan and self._plan[0][0] <= now_s:
            step = self._plan.pop(0)[1]
            if isinstance(step, int):
                self.dropped += self.chain.reorganise(step)
                continue
            self._wrong = step
            if step == "stale":
                ask = self.chain.answer
                self._stood = {tag: ask("eth_getBlockByNumber", [tag]) for tag in _TAGS}

    def answer(self, request: dict[str, Any]) -> dict[str, Any] | HTTPStatus | None:
        """Return the members of a reply, an HTTP status, or nothing to cut the connection."""
        method, params = str(request.get("method")), request.get("params") or []
        now_s = self.chain.clock.now_s() - self._begin_s
        self._go_on(now_s)
        self.asked.append(Asked(now_s, method, self._wrong))
        if self._wrong == "busy":
            return HTTPStatus.TOO_MANY_REQUESTS
        if self._wrong == "failing":
            return HTTPStatus.SERVICE_UNAVAILABLE
        if self._wrong == "wrong_chain" and method == "eth_chainId":
            return {"result": hex(self.chain.chain_id + 1)}
        if self._wrong == "stale" and method == "eth_getBlockByNumber" and params[0] in _TAGS:
            return {"result": self._stood[params[0]]}
        try:
            reply = {"result": self.chain.answer(method, params)}
        except Refused as refused:
            reply = {"error": {"code": REFUSED, "message": str(refused)}}
        return None if self._wrong == "cut" and method == SEND else reply


_TAGS = ("latest", "finalized")


@contextmanager
def served(node: PracticeNode) -> Iterator[str]:
    """Serve on a free port of this machine, on a thread of its own; yield the address."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        # Head and body in one segment: two would wait for each other's acknowledgement.
        wbufsize = 65_536

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            with lock:
                found = node.answer(request)
            if found is None:
                self.close_connection = True
                return
            status = found if isinstance(found, HTTPStatus) else HTTPStatus.OK
            reply = b""
            if not isinstance(found, HTTPStatus):
                reply = json.dumps({"jsonrpc": "2.0", "id": request.get("id"), **found}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
