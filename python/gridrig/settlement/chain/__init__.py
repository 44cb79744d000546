"""The chain: roots anchored, claims paid and certificates issued on any EVM chain the user names.

The way of a transaction: signed and written into the outbox in the same commit as what it reports;
sent by a task that nothing waits for; followed to its final block. `docs/chain.md` walks it.
Signing and sending need the extra: `pip install 'gridrig[chain]'`.
"""

from gridrig._core import ClaimProof, ClaimTree, VerifiedClaim
from gridrig.settlement.chain import calls, certificates, outbox
from gridrig.settlement.chain.calls import Call
from gridrig.settlement.chain.certificates import Certificate
from gridrig.settlement.chain.clocks import ChainClocks, clocks, clocks_table
from gridrig.settlement.chain.node import Node, NodeError
from gridrig.settlement.chain.outbox import OutboxRow
from gridrig.settlement.chain.policy import SenderPolicy
from gridrig.settlement.chain.progress import Progress
from gridrig.settlement.chain.sender import Sender
from gridrig.settlement.chain.signer import Signer
from gridrig.settlement.chain.terms import PUBLIC_CHAINS, Terms

__all__ = [
    "PUBLIC_CHAINS",
    "Call",
    "Certificate",
    "ChainClocks",
    "ClaimProof",
    "ClaimTree",
    "Node",
    "NodeError",
    "OutboxRow",
    "Progress",
    "Sender",
    "SenderPolicy",
    "Signer",
    "Terms",
    "VerifiedClaim",
    "calls",
    "certificates",
    "clocks",
    "clocks_table",
    "outbox",
]
