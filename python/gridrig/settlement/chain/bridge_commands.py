"""`gridrig bridge`: deploy both ends of a bridge, and run one of its relays."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from gridrig.clock import Clock, run_wall
from gridrig.clock.wall_time import utc_now
from gridrig.settlement.chain.anchor_commands import (
    FAILED,
    FINAL,
    NOT_YET,
    WEI_PER_GWEI,
    address,
    password,
    tell,
)
from gridrig.settlement.chain.bridge import TOKEN, VAULT, End
from gridrig.settlement.chain.bridging import BridgeToken, Office, Side
from gridrig.settlement.chain.clocks import ChainClocks, clocks_table
from gridrig.settlement.chain.node import Node
from gridrig.settlement.chain.policy import SenderPolicy
from gridrig.settlement.chain.signer import Signer
from gridrig.settlement.chain.terms import Terms

T = TypeVar("T")


@dataclass(frozen=True)
class BridgeOptions:
    """What both commands are told: endpoints, account, outbox, and when a block is final."""

    home: str
    far: str
    keystore: Path
    outbox: Path
    fee_gwei_max: int
    confirmations: int | None
    allow_public: bool
    wait_s: float
    as_json: bool


def deploy_command(
    options: BridgeOptions, *, token: str, named: BridgeToken, relays: Sequence[str], quorum: int
) -> int:
    """Deploy both ends and print where they are; the same command again deploys nothing new.

    Returns
    -------
    int
        0 if both are final, 1 if one failed, 3 if one is not final yet.

    Raises
    ------
    SettlementError
        `settlement.chain_*`.
    """
    of_token, of_relays = address(token), [address(one) for one in relays]

    async def deployed(office: Office) -> tuple[bytes, bytes, list[ChainClocks]]:
        return await office.deploy(of_token, named, of_relays, quorum, options.wait_s)

    vault, bridged, found = _at_office(options, deployed)
    ends = {"vault": "0x" + vault.hex(), "bridged": "0x" + bridged.hex()}
    return _told(options, ends, found)


def relay_command(
    options: BridgeOptions, *, vault: str, bridged: str, first_blocks: tuple[int, int]
) -> int:
    """Say on each chain what the other sent, as one relay of a bridge; once, or again any time.

    Returns
    -------
    int
        0 if all of it is final, 1 if something was refused that nobody else had said, 3 if
        something is not final yet.

    Raises
    ------
    SettlementError
        `settlement.bridge_*`, `settlement.chain_*`.
    """
    home = End(address(vault), VAULT, options.confirmations, first_blocks[0])
    far = End(address(bridged), TOKEN, options.confirmations, first_blocks[1])

    async def said(office: Office) -> list[ChainClocks]:
        return await office.relay(home, far, options.wait_s)

    return _told(options, {}, _at_office(options, said))


def _at_office(options: BridgeOptions, act: Callable[[Office], Awaitable[T]]) -> T:
    signer = Signer.from_keystore(options.keystore, password(options.keystore))
    # A chain that makes blocks on demand has a head that stands still by right.
    policy = SenderPolicy(poll_s=0.5, confirmations=options.confirmations, head_stale_s=None)

    def side(endpoint: str) -> Side:
        node, most = Node(endpoint), options.fee_gwei_max * WEI_PER_GWEI
        return Side(node, Terms(node.chain_id(), most, allow_public=options.allow_public), policy)

    home, far = side(options.home), side(options.far)

    async def main(clock: Clock) -> T:
        return await act(Office(home, far, signer, options.outbox, clock, tell))

    return run_wall(main, start_utc_s=int(datetime.fromisoformat(utc_now()).timestamp()))


def _told(options: BridgeOptions, ends: dict[str, str], found: list[ChainClocks]) -> int:
    if options.as_json:
        document = ends | {"transactions": [asdict(one) for one in found]}
        print(json.dumps(document, indent=1))
    else:
        for name, where in ends.items():
            print(f"{name} {where}")
        print(clocks_table(found))
    if any(one.failure for one in found):
        return FAILED
    return FINAL if all(one.final_ms is not None for one in found) else NOT_YET
