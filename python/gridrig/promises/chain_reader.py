"""A registry of certificates read from its node with JSON and hexadecimal, and nothing of ours.

The judge of what contracts hold must not share a mistake with what calls them: no client library,
no contract interface and no decoder is used here. Kinds of events and functions are literals, the
first bytes of the Keccak hash of their signatures; words are cut from the text.

References
----------
.. [1] ERC-20 and ERC-1155, "Token Standard" and "Multi Token Standard," ethereum.org/EIPS.
.. [2] Solidity documentation, "Contract ABI Specification."
"""

import http.client
import json
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from gridrig.errors import SettlementError

WORD = 64  # digits
TRANSFER_SINGLE = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62"
TRANSFER_BATCH = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb"
ISSUED = "0x93af124a9da8dc736b160bdfdc72ea7e6f579f1568ff3cfb4d25a62d3ed69aeb"
RETIRED = "0x156eee7d9f6242fbd15ebb8356ceddb75433c33d164679c4df5c1eb8989134e8"
BALANCE_OF, BALANCE_OF_BATCH = "70a08231", "4e1273f4"
UNITS_OF, FROZEN, RETIRED_BY = "00fdd58e", "e9ac0440", "33dc7349"
ANSWER_S_MAX = 10.0


class CertificateRead(NamedTuple):
    """A certificate as the registry's own event has it, its interval in quanta of 300 s."""

    number: int
    asset: str
    first_quantum: int
    quanta: int
    direction: int
    energy_wh: int


class BlockRead(NamedTuple):
    """What a registry came to after a block. [Wh]

    Parameters
    ----------
    block : int
    issued_wh, retired_wh : int
        By its own events.
    minted_wh, burnt_wh : int
        By the standard's transfers, from nobody and to nobody.
    held_wh : int
        By the balances of all who ever got a unit.
    """

    block: int
    issued_wh: int
    retired_wh: int
    minted_wh: int
    burnt_wh: int
    held_wh: int


@dataclass(frozen=True)
class ChainReader:
    """A node that is asked by plain HTTP.

    Parameters
    ----------
    url : str
        `http://HOST:PORT` of its JSON-RPC interface.
    """

    url: str

    def answer(self, method: str, *params: Any) -> dict[str, Any]:
        """Return the whole answer to a request, whether a result or an error."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=ANSWER_S_MAX)
        try:
            connection.request("POST", "/", json.dumps(asked), {"Content-Type": "application/json"})
            found: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return found

    def ask(self, method: str, *params: Any) -> Any:
        """Return the result of a request.

        Raises
        ------
        SettlementError
            `settlement.chain_node_refused` with what the node says instead.
        """
        found = self.answer(method, *params)
        if "result" not in found:
            raise SettlementError(
                "settlement.chain_node_refused", "{method}: {reason}",
                method=method, reason=found.get("error"),
            )  # fmt: skip
        return found["result"]

    def head(self) -> int:
        """Return the number of the newest block."""
        return int(self.ask("eth_blockNumber"), 16)

    def time_s(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        return int(self.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def refusal(self, account: bytes, contract: bytes, data: bytes) -> bytes:
        """Return with which data a contract refuses a call of an account now; none if it takes it.

        Raises
        ------
        SettlementError
            `settlement.chain_node_refused` if it was not the contract that refused.
        """
        asked = {
            "from": "0x" + account.hex(),
            "to": "0x" + contract.hex(),
            "data": "0x" + data.hex(),
        }
        found = self.answer("eth_call", asked, "latest")
        if "result" in found:
            return b""
        if "data" not in found["error"]:
            raise SettlementError(
                "settlement.chain_node_refused", "{method}: {reason}",
                method="eth_call", reason=found["error"],
            )  # fmt: skip
        return bytes.fromhex(found["error"]["data"][2:])

    def word(
        self, contract: bytes, selector: str, *words: int | bytes, block: str = "latest"
    ) -> int:
        """Return the first word that a function answers, given words of 32 bytes."""
        return _words(self._called(contract, selector, words, block))[0]

    def _called(self, contract: bytes, selector: str, words: Any, block: str) -> str:
        asked = {"to": "0x" + contract.hex(), "data": "0x" + selector + "".join(map(_hex, words))}
        answer: str = self.ask("eth_call", asked, block)
        return answer

    def certificates(self, registry: bytes, until: int | None = None) -> list[CertificateRead]:
        """Return what a registry issued, up to a block."""
        found = []
        for log in self._logs(registry, 0, self.head() if until is None else until):
            if log["topics"][0] == ISSUED:
                first_quantum, quanta, direction, energy_wh = _words(log["data"])
                number, asset = int(log["topics"][1], 16), log["topics"][2]
                found.append(
                    CertificateRead(number, asset, first_quantum, quanta, direction, energy_wh)
                )
        return found

    def supply(self, registry: bytes) -> list[BlockRead]:
        """Return what a registry came to after each block of the chain, from the first one on."""
        issued = retired = minted = burnt = 0
        accounts: dict[int, None] = {}
        numbers: list[int] = []
        rows = []
        for block in range(self.head() + 1):
            for log in self._logs(registry, block, block):
                kind = log["topics"][0]
                if kind == ISSUED:
                    numbers.append(int(log["topics"][1], 16))
                    issued += _words(log["data"])[3]
                elif kind == RETIRED:
                    retired += _words(log["data"])[0]
                elif kind in (TRANSFER_SINGLE, TRANSFER_BATCH):
                    moved = sum(_amounts(kind, _words(log["data"])))
                    source, target = (int(topic, 16) for topic in log["topics"][2:4])
                    minted += 0 if source else moved
                    burnt += 0 if target else moved
                    accounts |= {target: None} if target else {}
            pairs = [(account, number) for account in accounts for number in numbers]
            held = sum(self._balances(registry, pairs, hex(block)))
            rows.append(BlockRead(block, issued, retired, minted, burnt, held))
        return rows

    def _balances(self, registry: bytes, pairs: list[tuple[int, int]], block: str) -> list[int]:
        if not pairs:
            return []
        count = len(pairs)
        of_accounts = [count, *(account for account, _ in pairs)]
        of_numbers = [count, *(number for _, number in pairs)]
        # Two arrays: where each begins, then its length and its words.
        words = [2 * 32, (2 + len(of_accounts)) * 32, *of_accounts, *of_numbers]
        found = _words(self._called(registry, BALANCE_OF_BATCH, words, block))
        return found[2:]

    def _logs(self, contract: bytes, first: int, last: int) -> list[dict[str, Any]]:
        asked = {"address": "0x" + contract.hex(), "fromBlock": hex(first), "toBlock": hex(last)}
        found: list[dict[str, Any]] = self.ask("eth_getLogs", asked)
        return found


def _amounts(kind: str, words: list[int]) -> list[int]:
    """Return the amounts of a transfer: one beside its number, or an array behind another."""
    if kind == TRANSFER_SINGLE:
        return [words[1]]
    at = words[1] // 32
    return words[at + 1 : at + 1 + words[at]]


def _hex(value: int | bytes) -> str:
    text = value.hex() if isinstance(value, bytes) else f"{value:x}"
    return text.rjust(WORD, "0")


def _words(text: str) -> list[int]:
    digits = text.removeprefix("0x")
    return [int(digits[at : at + WORD], 16) for at in range(0, len(digits), WORD)]
