"""The first nonce of an account, from a node that may be in trouble."""

import asyncio
from collections.abc import Callable

from gridrig.clock import Clock
from gridrig.settlement.chain.node import Node, NodeError
from gridrig.settlement.chain.policy import SenderPolicy


async def first_nonce(
    node: Node,
    account: bytes,
    chain_id: int,
    clock: Clock,
    policy: SenderPolicy,
    until_s: float,
    record: Callable[..., object],
) -> int:
    """Return the next nonce of an account, once a node of the right chain tells it.

    Ask before anything is locked: it waits as long as the node is in trouble.

    Parameters
    ----------
    account : bytes, shape (20,)
        Whose transactions are to be written.
    until_s : float
        When it is given up, by `clock`. [s]
    record : callable
        Takes alarms as `Sender` tells them.

    Raises
    ------
    NodeError
        What the node said last.
    """
    wait_s, told = policy.back_off_s_first, ""
    while True:
        try:
            found = await asyncio.to_thread(node.chain_id)
            if found == chain_id:
                return await asyncio.to_thread(node.nonce, account)
            fault = NodeError("faulty", "eth_chainId", f"chain {found}, expected {chain_id}")
            kind = "chain.wrong_chain"
        except NodeError as said:
            fault, kind = said, f"chain.node_{said.fault}"
        if kind != told:
            record(kind, method=fault.method, reason=fault.reason)
        told = kind
        if clock.now_s() + wait_s > until_s:
            raise fault
        await clock.sleep(wait_s)
        wait_s = min(2 * wait_s, policy.back_off_s_max)
