"""A JSON-RPC endpoint: few questions, each answered or failed by a name.

Every request is one HTTP exchange with a time limit in real time; nothing is tried twice here.
"""

from dataclasses import dataclass
from typing import Any, Literal

from gridrig.errors import SettlementError
from gridrig.settlement.chain.extra import web3

NodeFault = Literal["down", "slow", "busy", "faulty", "refused"]
HTTP_TOO_MANY = 429
# What nodes say of a transaction that they hold already.
_HELD = ("already known", "known transaction", "already imported", "already in mempool")
_NONCE_SPENT = ("nonce too low", "nonce is too low", "oldnonce")


class NodeError(SettlementError):
    """A node did not answer a question, or refused it; `fault` says which."""

    def __init__(self, fault: NodeFault, method: str, reason: str) -> None:
        super().__init__(
            f"settlement.chain_node_{fault}", "{method}: {reason}", method=method, reason=reason
        )
        self.fault: NodeFault = fault


@dataclass(frozen=True)
class Head:
    """The newest block that a node knows."""

    number: int
    hash: bytes


@dataclass(frozen=True)
class Receipt:
    """Where a transaction was included, and whether it did what it was for."""

    block_number: int
    block_hash: bytes
    succeeded: bool


@dataclass(frozen=True)
class Log:
    """An event of a contract: its kind and indexed values, 32 bytes each, and the others."""

    topics: tuple[bytes, ...]
    data: bytes


class Node:
    """A node that the user names.

    Parameters
    ----------
    url : str
        HTTP or HTTPS address of its JSON-RPC interface.
    request_s_max : float
        Real time that one answer may take. [s]
    """

    def __init__(self, url: str, *, request_s_max: float = 10.0) -> None:
        self._request_s_max = request_s_max
        self._provider = web3().HTTPProvider(
            url,
            request_kwargs={"timeout": request_s_max},
            # Whoever asks decides what is tried again, and when.
            exception_retry_configuration=None,
        )

    def ask(self, method: str, *params: Any) -> Any:
        """Return the result of a method.

        Raises
        ------
        NodeError
            With `fault` "down" for no connection, "slow" for no answer in time, "busy" for HTTP
            429, "faulty" for any other that is no JSON-RPC answer, "refused" for an error in one.
        """
        import requests

        try:
            answer = self._provider.make_request(method, list(params))
        except requests.Timeout:
            # What `requests` says holds the address, and that may hold the user's access key.
            raise NodeError("slow", method, f"no answer within {self._request_s_max} s") from None
        except requests.HTTPError as fault:
            status = fault.response.status_code
            busy = status == HTTP_TOO_MANY
            raise NodeError("busy" if busy else "faulty", method, f"HTTP {status}") from None
        except requests.JSONDecodeError:
            raise NodeError("faulty", method, "the answer is not JSON") from None
        except (requests.RequestException, OSError) as fault:
            raise NodeError("down", method, type(fault).__name__) from None
        except ValueError:
            raise NodeError("faulty", method, "the answer is not JSON") from None
        if not isinstance(answer, dict) or not answer.keys() & {"result", "error"}:
            raise NodeError("faulty", method, f"no JSON-RPC answer: {answer!r:.200}")
        if "error" in answer:
            error = answer["error"]
            reason = error.get("message", error) if isinstance(error, dict) else error
            raise NodeError("refused", method, str(reason))
        return answer["result"]

    def chain_id(self) -> int:
        """Return the chain that the node is on."""
        return int(self.ask("eth_chainId"), 16)

    def head(self) -> Head:
        """Return the newest block."""
        return self._block("latest")

    def final_number(self) -> int:
        """Return the number of the last block that the node calls final."""
        return self._block("finalized").number

    def block(self, number: int) -> tuple[bytes, int] | None:
        """Return hash and time of the block at a height now, if there is one. [s since 1970]"""
        found = self.ask("eth_getBlockByNumber", hex(number), False)
        return None if found is None else (_bytes(found["hash"]), int(found["timestamp"], 16))

    def nonce(self, account: bytes) -> int:
        """Return how many transactions of an account are included."""
        return int(self.ask("eth_getTransactionCount", "0x" + account.hex(), "latest"), 16)

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """Return where a transaction is included, if it is."""
        found = self.ask("eth_getTransactionReceipt", "0x" + transaction_hash.hex())
        if found is None:
            return None
        return Receipt(
            int(found["blockNumber"], 16), _bytes(found["blockHash"]), int(found["status"], 16) == 1
        )

    def send(self, raw: bytes) -> Literal["accepted", "nonce spent"]:
        """Hand over a signed transaction; one that the node holds already is accepted.

        Raises
        ------
        NodeError
            "refused" with the node's reason, or why there was no answer.
        """
        try:
            self.ask("eth_sendRawTransaction", "0x" + raw.hex())
        except NodeError as refused:
            reason = str(refused).lower()
            if refused.fault == "refused" and any(text in reason for text in _HELD):
                return "accepted"
            if refused.fault == "refused" and any(text in reason for text in _NONCE_SPENT):
                return "nonce spent"
            raise
        return "accepted"

    def call(self, target: bytes, data: bytes) -> bytes:
        """Return what a contract answers to a call that changes nothing."""
        asked = {"to": "0x" + target.hex(), "data": "0x" + data.hex()}
        return _bytes(self.ask("eth_call", asked, "latest"))

    def logs(self, contract: bytes, topic: bytes, from_block: int, to_block: int) -> list[Log]:
        """Return the events of one kind that a contract told in a span of blocks, in order."""
        found = self.ask(
            "eth_getLogs",
            {
                "address": "0x" + contract.hex(),
                "topics": ["0x" + topic.hex()],
                "fromBlock": hex(from_block),
                "toBlock": hex(to_block),
            },
        )
        return [Log(tuple(map(_bytes, one["topics"])), _bytes(one["data"])) for one in found]

    def _block(self, tag: str) -> Head:
        found = self.ask("eth_getBlockByNumber", tag, False)
        if found is None:
            raise NodeError("faulty", "eth_getBlockByNumber", f"no block {tag}")
        return Head(int(found["number"], 16), _bytes(found["hash"]))


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else bytes.fromhex(str(text).removeprefix("0x"))
