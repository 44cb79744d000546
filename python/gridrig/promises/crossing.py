"""Energy that crosses from one chain to another and back, while the bridge is mistreated.

After each step the units that somebody can use are counted anew, account by account, on both
chains. There may never be more of them than were minted for signed energy; fewer are on their way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gridrig.clock import Clock
from gridrig.promises.bench_chains import CONFIRMATIONS, BenchChain, local_chains
from gridrig.settlement.chain import calls
from gridrig.settlement.chain.bridge import TOKEN, VAULT, End, Relay, receive, send
from gridrig.settlement.chain.bridge import Crossing as Message
from gridrig.settlement.chain.local_node import worthless_signer

CHAIN_IDS = (31_337, 31_338)
RELAYS, QUORUM = ("relay-1", "relay-2", "relay-3"), 2
OPERATOR, OWNER, GUEST = "operator", "owner", "guest"
ENERGY_DECIMALS = 3  # one unit is one watt-hour


def _untold(kind: str, **facts: object) -> None:
    """Take what a relay tells: here it is counted on the chains."""


@contextmanager
def local_crossing(minted_wh: int, clock: Clock) -> Iterator["Crossing"]:
    """Start two local chains for a crossing, and end them.

    Raises
    ------
    SettlementError
        `settlement.chain_node_missing` where none is installed.
    """
    with local_chains(clock, *CHAIN_IDS) as (home, far):
        yield Crossing(home, far, minted_wh)


@dataclass
class Crossing:
    """A bridge between two chains, and what was counted at each step.

    Parameters
    ----------
    home, far : BenchChain
        The chains.
    minted_wh : int
        What is there in all, from the meters. [Wh]
    confirmations : int
        When relays believe a block; fewer than `CONFIRMATIONS` is hasty.
    """

    home: BenchChain
    far: BenchChain
    minted_wh: int
    confirmations: int = CONFIRMATIONS
    live_wh: list[tuple[str, int]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    async def build(self) -> None:
        """Deploy both ends, and mint the energy to its owner at home."""
        relays_home = [self.home.account(name) for name in RELAYS]
        relays_far = [self.far.account(name) for name in RELAYS]
        admin, away = self.home.account(OPERATOR), self.far.account(OPERATOR)
        self.token = await self.home.deploy(
            OPERATOR, "SettlementToken", "Energy", "WH", ENERGY_DECIMALS, admin, admin
        )
        vault = await self.home.deploy(OPERATOR, VAULT, self.token, admin, relays_home, QUORUM)
        bridged = await self.far.deploy(
            OPERATOR, TOKEN, "Energy", "WH", ENERGY_DECIMALS, away, relays_far, QUORUM
        )
        self.vault = End(vault, VAULT, self.confirmations)
        self.bridged = End(bridged, TOKEN, self.confirmations)
        owner = self.home.account(OWNER)
        mint = calls.call("mint", self.token, "SettlementToken", "mint", owner, self.minted_wh)
        await self.home.finish(OPERATOR, mint)
        allowed = ("approve", vault, self.minted_wh)
        await self.home.finish(
            OWNER, calls.call("approve", self.token, "SettlementToken", *allowed)
        )
        self._relays = {name: self._relay_of(name) for name in RELAYS}
        self.count("minted")

    def _relay_of(self, name: str) -> tuple[Relay, Relay]:
        """Make a relay that has read nothing yet: outward and homeward."""
        signer = worthless_signer(name)
        return (
            Relay(self.home.node, self.vault, self.bridged, signer, self.far.terms, _untold),
            Relay(self.far.node, self.bridged, self.vault, signer, self.home.terms, _untold),
        )

    def count(self, step: str) -> None:
        """Count what can be used: all accounts but the vault, on both chains."""
        names = (OPERATOR, OWNER, GUEST, *RELAYS)
        at_home = sum(
            self.home.number(self.token, "SettlementToken", "balanceOf", self.home.account(name))
            for name in names
        )
        away = sum(
            self.far.number(self.bridged.contract, TOKEN, "balanceOf", self.far.account(name))
            for name in names
        )
        self.live_wh.append((step, at_home + away))

    async def carry(self, *names: str) -> int:
        """Let relays read and say, both ways; return how much they signed."""
        signed = 0
        for name in names:
            outward, homeward = self._relays[name]
            for chain, relay in ((self.far, outward), (self.home, homeward)):
                with chain.writing(name) as db:
                    signed += relay.carry(db, relay.look(db), written_ms=0)
                await chain.send(name)
        return signed

    def _outward(self, number: int, amount: int) -> calls.Call:
        return send(self.vault, self.far.account(GUEST), amount, subject=f"out/{number}")

    def _try(self, deed: str, chain: BenchChain, name: str, call: calls.Call) -> None:
        (self.refused if chain.refuses(name, call) else self.taken).append(deed)

    async def mistreat(self, portion_wh: int) -> None:
        """Send portions over, with relays that are away, repeat, lie, and blocks taken back."""
        guest = self.far.account(GUEST)
        await self.home.finish(OWNER, self._outward(1, portion_wh))
        self.count("one sent")
        await self.carry(RELAYS[0])
        self.count("one relay of two said it")
        await self.carry(RELAYS[1])
        self.count("two said it")

        first = Message(1, guest, portion_wh)
        more = Message(1, guest, 2 * portion_wh)
        ghost = Message(2, guest, portion_wh)
        for deed, name, message in (
            ("said again by one who said it", RELAYS[0], first),
            ("said again by a third", RELAYS[2], first),
            ("said otherwise", RELAYS[2], more),
            ("said by a stranger", GUEST, ghost),
        ):
            self._try(deed, self.far, name, receive(self.vault, self.bridged, message))
        lie = receive(self.vault, self.bridged, Message(7, guest, portion_wh))
        await self.far.finish(RELAYS[2], lie)
        self.count("one relay lied alone")

        await self.home.finish(OWNER, self._outward(2, portion_wh), self._outward(3, portion_wh))
        self.home.mine(10)
        self.count("two sent, relays away")
        self._relays[RELAYS[0]] = self._relay_of(RELAYS[0])
        await self.carry(RELAYS[0], RELAYS[1])  # the first began anew, and repeats nothing
        self.count("relays are back")

        with self.home.taken_back():
            self.home.sign(OWNER, self._outward(4, portion_wh))
            await self.home.send(OWNER, 1)
            await self.carry(RELAYS[0], RELAYS[1])
            self.count("sent, not final")
        self.count("the chain at home took it back")
        await self.carry(RELAYS[0], RELAYS[1])
        self.count("relays look again")
        await self.home.finish(OWNER)
        self.far.mine(CONFIRMATIONS)
        with self.far.taken_back():
            await self.carry(RELAYS[0], RELAYS[1])
            self.count("carried, not final")
        self.count("the far chain took it back")
        for name in RELAYS[:2]:
            await self.far.finish(name)
        self.count("said again in other blocks")

    async def return_home(self, amount_wh: int) -> None:
        """Send units back, and let the relays bring them."""
        back = send(self.bridged, self.home.account(OWNER), amount_wh, subject="back/1")
        await self.far.finish(GUEST, back)
        self.count("burnt")
        await self.carry(RELAYS[0], RELAYS[1])
        for name in RELAYS[:2]:
            await self.home.finish(name)
        self.count("released")

    def beyond_wh(self) -> int:
        """Return by how much there was ever more than was minted: a second live copy. [Wh]"""
        return max(live - self.minted_wh for _, live in self.live_wh)

    def lost_wh(self) -> int:
        """Return what is missing at the end. [Wh]"""
        return abs(self.minted_wh - self.live_wh[-1][1])

    def far_wh(self) -> int:
        """Return what is on the far chain now. [Wh]"""
        return self.far.number(self.bridged.contract, TOKEN, "totalSupply")

    def vault_wh(self) -> int:
        """Return what the vault keeps now. [Wh]"""
        return self.home.number(self.token, "SettlementToken", "balanceOf", self.vault.contract)
