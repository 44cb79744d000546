"""`gridrig anchor`: send the hidden roots of a journal, open one, check one against the chain."""

import getpass
import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from gridrig.clock import Clock, run_wall
from gridrig.clock.wall_time import utc_now
from gridrig.errors import SettlementError
from gridrig.settlement.chain.anchoring import (
    Anchored,
    anchor_journal,
    anchored_root,
    root_opening,
)
from gridrig.settlement.chain.clocks import clocks_table
from gridrig.settlement.chain.node import Node
from gridrig.settlement.chain.policy import SenderPolicy
from gridrig.settlement.chain.signer import Signer
from gridrig.settlement.chain.terms import Terms
from gridrig.settlement.journal_commands import journal_at
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.privacy import LeafOpening, read_secret

WEI_PER_GWEI = 10**9
FINAL, FAILED, NOT_YET = 0, 1, 3


def send_command(
    path: Path,
    *,
    endpoint: str,
    keystore: Path,
    secret: Path,
    outbox: Path,
    fee_gwei_max: int,
    confirmations: int | None,
    allow_public: bool,
    wait_s: float,
    as_json: bool,
) -> int:
    """Anchor every period of a run or a journal; print the contract and the clocks.

    Returns
    -------
    int
        0 if all is final, 1 if a transaction failed, 3 if some is not final yet: the same command
        goes on from there.

    Raises
    ------
    SettlementError
        `settlement.anchor_outbox_inside` for an outbox in the run directory, whose manifest would
        miss it; `settlement.anchor_*`, `settlement.chain_*`, `settlement.secret_*`.
    """
    journal, hidden_by = journal_at(path), read_secret(secret)
    if outbox.resolve().parent.is_relative_to(journal.resolve().parent):
        raise SettlementError(
            "settlement.anchor_outbox_inside",
            "outbox {outbox} lies beside {journal}, which stays as it is: keep it elsewhere",
            outbox=str(outbox),
            journal=str(journal),
        )
    signer = Signer.from_keystore(keystore, password(keystore))
    node = Node(endpoint)
    terms = Terms(node.chain_id(), fee_gwei_max * WEI_PER_GWEI, allow_public=allow_public)

    async def anchored(clock: Clock) -> Anchored:
        return await anchor_journal(
            journal,
            node,
            signer,
            hidden_by,
            clock,
            outbox_path=outbox,
            terms=terms,
            # A chain that makes blocks on demand has a head that stands still by right.
            policy=SenderPolicy(poll_s=0.5, confirmations=confirmations, head_stale_s=None),
            wait_s=wait_s,
            record=tell,
        )

    start_utc_s = int(datetime.fromisoformat(utc_now()).timestamp())
    found = run_wall(anchored, start_utc_s=start_utc_s)
    if as_json:
        document = {
            "contract": "0x" + found.contract.hex(),
            "chain_id": found.chain_id,
            "final": found.is_final,
            "transactions": [asdict(one) for one in found.transactions],
        }
        print(json.dumps(document, indent=1))
    else:
        print(f"anchor 0x{found.contract.hex()} on chain {found.chain_id}")
        print(clocks_table(found.transactions))
    if found.has_failed:
        return FAILED
    return FINAL if found.is_final else NOT_YET


def open_command(path: Path, *, period: int, secret: Path) -> int:
    """Print what opens the anchored root of a period, for an auditor."""
    with JournalReader(journal_at(path)) as journal, journal.snapshot():
        post = next((post for post in journal.posts() if post.period == period), None)
    if post is None:
        raise SettlementError(
            "settlement.period_unknown",
            "{path} has no period {period}",
            path=str(path),
            period=period,
        )
    opening, _ = root_opening(post, read_secret(secret))
    print(opening.to_json(), end="")
    return 0


def check_command(opening: Path, *, endpoint: str, contract: str) -> int:
    """Print the root of a period that a contract holds hidden; 1 if it holds another."""
    try:
        read = LeafOpening.from_json(opening.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise SettlementError(
            "settlement.opening_malformed", "{path}: {fault}", path=str(opening), fault=str(fault)
        ) from fault
    word, _, rest = read.leaf_id.partition("/")
    number = rest.partition("/")[0]
    if word != "root" or not number.isdecimal():
        raise SettlementError(
            "settlement.opening_malformed",
            "{path} opens leaf {leaf_id!r}, expected the root of a period",
            path=str(opening),
            leaf_id=read.leaf_id,
        )
    held = anchored_root(Node(endpoint), address(contract), int(number))
    try:
        root = read.check(held)
    except SettlementError as refusal:
        print(f"false: {refusal}", file=sys.stderr)
        return FAILED
    print(f"anchored: period {number} has root {root.decode()}")
    return 0


def address(text: str) -> bytes:
    """Return an account or a contract as the user writes it; `settlement.chain_address`."""
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 20:
        raise SettlementError(
            "settlement.chain_address", "found {found!r}, expected 40 hex digits", found=text
        )
    return found


def password(keystore: Path) -> str:
    """Ask at the terminal, or read the first line of what is piped in."""
    if sys.stdin.isatty():
        return getpass.getpass(f"password of {keystore}: ")
    return sys.stdin.readline().rstrip("\n")


def tell(kind: str, **facts: object) -> None:
    """Print an alarm of a sender."""
    said = ", ".join(f"{name} {value}" for name, value in facts.items())
    print(f"{kind}: {said}", file=sys.stderr)
