"""Chains of this machine for a campaign: accounts, what they do, and blocks that are taken back."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gridrig.clock import Clock
from gridrig.errors import SettlementError
from gridrig.promises.chain_reader import ChainReader
from gridrig.settlement.chain import (
    Call,
    Node,
    Progress,
    Sender,
    SenderPolicy,
    Terms,
    calls,
    outbox,
)
from gridrig.settlement.chain.local_node import COIN_WEI, local_node, worthless_signer
from gridrig.settlement.chain.node import Receipt

CONFIRMATIONS = 3
ROUNDS_MAX = 40
LOOKS_MAX = 1000  # each is a few requests, and so some milliseconds of the node's own time
GWEI_MAX = 100
WEI_PER_GWEI = 10**9


@contextmanager
def local_chains(clock: Clock, *chain_ids: int) -> Iterator[list["BenchChain"]]:
    """Start chains that begin when the clock does, and end them.

    Raises
    ------
    SettlementError
        `settlement.chain_node_missing` where no node is installed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nodes = [local_node(one, start_utc_s=clock.start_utc_s) for one in chain_ids]
        yield [BenchChain(stack.enter_context(node), folder, clock) for node in nodes]


class BenchChain:
    """A chain whose blocks come when somebody sends, and on demand.

    Parameters
    ----------
    url : str
        Of a local node.
    folder : Path
        Where outboxes are kept.
    clock : Clock
        Of the bench.
    """

    def __init__(self, url: str, folder: Path, clock: Clock) -> None:
        self.url, self.node, self._folder, self._clock = url, Node(url), folder, clock
        self.chain_id = self.node.chain_id()
        self.terms = Terms(self.chain_id, fee_wei_per_gas_max=GWEI_MAX * WEI_PER_GWEI)
        self._senders: dict[str, Sender] = {}

    def account(self, name: str) -> bytes:
        """Return an account by its name, made and endowed when it is first asked for."""
        signer = worthless_signer(name)
        if name not in self._senders:
            self.node.ask("anvil_setBalance", "0x" + signer.address.hex(), hex(COIN_WEI))
            with self.writing(name) as db:
                nonce = self.node.nonce(signer.address)
                outbox.enrol(db, signer.address, self.chain_id, nonce_first=nonce)
            self._senders[name] = Sender(
                self.node,
                self._outbox(name),
                Progress(self._outbox(name).with_suffix(".progress")),
                self._clock,
                chain_id=self.chain_id,
                sender=signer.address,
                record=lambda *_, **__: None,
                policy=SenderPolicy(confirmations=CONFIRMATIONS, head_stale_s=None),
            )
        return signer.address

    def _outbox(self, name: str) -> Path:
        return self._folder / f"{name}-{self.chain_id}.db"

    @contextmanager
    def writing(self, name: str) -> Iterator[sqlite3.Connection]:
        """Open a transaction in the outbox of an account."""
        db = sqlite3.connect(self._outbox(name), isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()

    def sign(self, name: str, *asked: Call) -> None:
        """Sign calls of an account into its outbox."""
        self.account(name)
        with self.writing(name) as db:
            for call in asked:
                outbox.add(db, call, worthless_signer(name), self.terms, written_ms=0)

    async def send(self, name: str, rounds: int = 2) -> None:
        """Send what the outbox of an account holds; whether it is final is not waited for."""
        self.account(name)
        for _ in range(rounds):
            await self._senders[name].round()

    async def include(self, name: str) -> Receipt:
        """Send what the outbox of an account holds until a block has the last of it.

        The node takes a transaction before it makes the block, and a busy one is late with both.

        Raises
        ------
        SettlementError
            `settlement.chain_not_final` if no block has it.
        """
        with self.writing(name) as db:
            row = outbox.rows(db, self.account(name), self.chain_id)[-1]
        for _ in range(LOOKS_MAX):
            await self.send(name, 1)
            if (receipt := self.node.receipt(row.hash)) is not None:
                return receipt
        raise SettlementError(
            "settlement.chain_not_final", "{name} is in no block after {n} rounds", name=name,
            n=LOOKS_MAX,
        )  # fmt: skip

    async def finish(self, name: str, *asked: Call) -> None:
        """Sign, send, and make blocks until all of it is final."""
        self.sign(name, *asked)
        for _ in range(ROUNDS_MAX):
            if await self._senders[name].round():
                return
            self.mine(1)
        raise SettlementError(
            "settlement.chain_not_final", "{name} is not done after {n} blocks", name=name,
            n=ROUNDS_MAX,
        )  # fmt: skip

    async def deploy(self, name: str, contract: str, *given: Any) -> bytes:
        """Deploy a contract from an account, and return where it is."""
        where = calls.contract_address(self.account(name), self.node.nonce(self.account(name)))
        await self.finish(name, calls.deployment(f"deploy/{where.hex()}", contract, *given))
        return where

    def number(self, contract: bytes, name: str, function: str, *given: Any) -> int:
        """Return the one number that a contract answers."""
        asked = calls.call("ask", contract, name, function, *given)
        return int.from_bytes(self.node.call(contract, asked.data), "big")

    def refuses(self, name: str, call: Call) -> bool:
        """Tell whether a contract refuses a call of an account."""
        assert call.target is not None
        asked = {
            "from": "0x" + self.account(name).hex(),
            "to": "0x" + call.target.hex(),
            "data": "0x" + call.data.hex(),
        }
        try:
            self.node.ask("eth_call", asked, "latest")
        except SettlementError:
            return True
        return False

    async def attempt(self, name: str, contract: str, call: Call) -> str:
        """Send a call to the chain and return by which error it is reverted there; "" if by none.

        The call is included either way, in a block of its own; what reverted it is then asked of
        that block's state, where a transaction that did nothing left all as it was.

        Raises
        ------
        SettlementError
            `settlement.chain_not_final` if no block has it.
        """
        self.sign(name, call)
        receipt = await self.include(name)
        assert call.target is not None
        if receipt.succeeded:
            return ""
        why = ChainReader(self.url).refusal(self.account(name), call.target, call.data)
        return calls.error_name(contract, why)

    def mine(self, blocks: int) -> None:
        """Make empty blocks."""
        self.node.ask("anvil_mine", hex(blocks))

    def now_s(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        found = self.node.block(self.node.head().number)
        assert found is not None, "a head is a block"
        return found[1]

    def next_block_at(self, time_s: int) -> None:
        """Let the next block come at a time, or a second after the newest if that is later."""
        self.node.ask("evm_setNextBlockTimestamp", hex(max(time_s, self.now_s() + 1)))

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Take back, at the end of the block, all that the chain did in it: a re-organisation."""
        before = self.node.ask("evm_snapshot")
        yield
        self.node.ask("evm_revert", before)
        # Other blocks than before come in their place.
        self.node.ask("evm_increaseTime", hex(7))
        self.mine(1)
