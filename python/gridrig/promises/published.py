"""What a run lets others see, and whether anything of a home stands in it in clear.

Published are a root of commitments a period, anchored on a chain; payments by proof, whose
accounts and amounts a chain shows; and sums over homes. Looked for are the energy that each home
took in each period and the names of homes, meters and participants. What can be linked is reported,
and so is what somebody reads who taps a meter's wire.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from gridrig._core import ClaimTree, Opening, commitment_salt
from gridrig.campaign.loop import Loop
from gridrig.clock import stream
from gridrig.errors import SettlementError
from gridrig.promises.register_text import registers
from gridrig.rig.description import Rig
from gridrig.settlement.chain import calls
from gridrig.settlement.consents import ConsentBook
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.privacy import LeafOpening, committed_tree
from gridrig.settlement.privacy_aggregates import AggregatePublisher
from gridrig.settlement.privacy_leaves import leaves_of

ANCHOR, ESCROW = b"\x77" * 20, b"\x88" * 20
CHAIN_ID = 31_337
LEAST_MILLIWH = 1_000  # below it a number stands anywhere by chance
READER, STRANGER = "aggregator", "stranger"


@dataclass
class Published:
    """Everything that others can see of a run.

    Parameters
    ----------
    chain : list of bytes
        What contracts are called with, as every node keeps it.
    sums : list of bytes
        Aggregates as they are given out.
    commitments : mapping of period to list of bytes
        As published.
    leaves : mapping of (home, period) to (leaf id, payload) pairs
        What is hidden.
    secrets : mapping of participant to bytes
        Each one's own.
    paid : Counter
        Payments that a chain shows, by account.
    aggregates_unlike_milliwh : int
        By how much published sums differ from the text of the meters' records. [mWh]
    aggregates_too_narrow : int
        Sums given out that tell of fewer homes than k.
    """

    chain: list[bytes] = field(default_factory=list)
    sums: list[bytes] = field(default_factory=list)
    commitments: dict[int, list[bytes]] = field(default_factory=dict)
    leaves: dict[tuple[str, int], list[tuple[str, bytes]]] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)
    paid: Counter[bytes] = field(default_factory=Counter)
    aggregates_unlike_milliwh: int = 0
    aggregates_too_narrow: int = 0

    def in_clear(self, needles: Sequence[bytes]) -> int:
        """Return how many of some byte strings stand in anything published."""
        everything = b"\n".join([*self.chain, *self.sums]).lower()
        return sum(needle.lower() in everything for needle in needles)

    def linked_accounts(self) -> int:
        """Return how many accounts the chain shows in more than one payment, linked by address."""
        return sum(times > 1 for times in self.paid.values())


def homes_of(rig: Rig) -> dict[str, str]:
    """Return the meter of each participant that is a load."""
    return {p.name: p.meter for p in rig.participants if rig.device(p.meter).measures == "load"}


def loads_milliwh(rig: Rig, loop: Loop) -> dict[tuple[str, int], int]:
    """Return what each home took in each period, by the text of its verified records. [mWh]"""
    owner = {meter: home for home, meter in homes_of(rig).items()}
    shown = {
        (row.meter, row.period): registers(row.record)[1]
        for row in loop.rounds.received
        if row.outcome == "verified" and row.meter in owner
    }
    return {
        (owner[meter], period): after - shown[meter, period - 1]
        for (meter, period), after in shown.items()
        if (meter, period - 1) in shown
    }


def publish(rig: Rig, loop: Loop, journal: Path, folder: Path, *, seed: int) -> Published:
    """Publish a run: roots, payments and sums over homes."""
    out, homes = Published(), homes_of(rig)
    everybody = [participant.name for participant in rig.participants]
    out.secrets = {name: stream(seed, f"secret of {name}").randbytes(32) for name in everybody}
    account = {name: sha256(out.secrets[name] + b"account").digest()[:20] for name in everybody}
    with JournalReader(journal) as reader, reader.snapshot():
        for period in reader.periods():
            made: list[bytes] = []
            for name in everybody:
                found = [(k, v.encode()) for k, v in leaves_of(reader, name, period)]
                out.leaves[name, period] = found
                made += [_commitment(out.secrets[name], *leaf) for leaf in found]
            tree, out.commitments[period] = committed_tree(made)
            out.chain.append(calls.anchor_period(ANCHOR, period, tree.root()).data)
            due: Counter[str] = Counter()
            for entry in reader.entries_of(period):
                if entry.credit in account:
                    due[entry.credit] += entry.amount_micro
            _pay(out, period, {account[n]: micro for n, micro in sorted(due.items()) if micro})
    loads = loads_milliwh(rig, loop)
    add_aggregates(out, loads, list(homes), folder / "aggregates.db", loop)
    return out


def _commitment(secret: bytes, leaf_id: str, payload: bytes) -> bytes:
    return Opening(leaf_id, commitment_salt(secret, leaf_id), payload).commitment


def _pay(out: Published, period: int, due: dict[bytes, int]) -> None:
    if not due:
        return
    tree = ClaimTree(
        chain_id=CHAIN_ID,
        contract=ESCROW,
        bucket=period,
        accounts=list(due),
        amounts=list(due.values()),
    )
    out.chain += [calls.pay_claim(tree, account).data for account in due]
    out.paid.update(list(due))


def add_aggregates(
    out: Published,
    loads: dict[tuple[str, int], int],
    homes: list[str],
    path: Path,
    loop: Loop,
) -> None:
    """Publish the sum over all homes period by period, and ask for what would give one away."""
    publisher = AggregatePublisher(path)
    for settled in loop.account.settled:
        span = {"from_s": settled.from_ms // 1000, "to_s": settled.to_ms // 1000}
        taken = {
            one.participant: one.import_milliwh
            for one in settled.meters
            if one.participant in homes and one.quality == "measured"
        }
        total = publisher.publish(f"all/{settled.period}", "import_milliwh", taken, **span)
        out.sums.append(json.dumps({"import_milliwh": total, **span}).encode())
        text = sum(loads.get((home, settled.period), 0) for home in homes)
        out.aggregates_unlike_milliwh += abs(total - text)
        few = dict(list(taken.items())[: publisher.k - 1])
        without = dict(list(taken.items())[1:])
        for name, values in (("few", few), ("without", without)):
            out.aggregates_too_narrow += not _refused(
                lambda n=f"{name}/{settled.period}", v=values, s=span: publisher.publish(  # type: ignore[misc]
                    n, "import_milliwh", v, **s
                )
            )


def told_on_wires(loop: Loop, rig: Rig) -> int:
    """Return how many records told serial number and registers in clear on their meter's wire."""
    serials = [key.serial.encode() for key in rig.keys]
    return sum(any(serial in row.record for serial in serials) for row in loop.rounds.received)


def needles_of(rig: Rig, loads: dict[tuple[str, int], int]) -> tuple[list[bytes], list[bytes]]:
    """Return the energies and the names to look for, each as it could be written."""
    numbers = [load for load in loads.values() if load >= LEAST_MILLIWH]
    energies = [str(load).encode() for load in numbers]
    energies += [load.to_bytes(32, "big") for load in numbers]
    names = {p.name for p in rig.participants} | {d.name for d in rig.devices}
    names |= {key.serial for key in rig.keys}
    return energies, [name.encode() for name in sorted(names)]


def opened_wrongly(out: Published, homes: Sequence[str]) -> int:
    """Open leaves as owner, neighbour and guesser; count what is not as it has to be.

    The owner's opening has to lead to the root; a neighbour's secret, and the right payload without
    the secret, have to lead nowhere.
    """
    wrong = 0
    for (home, period), leaves in out.leaves.items():
        if home not in homes or not leaves:
            continue
        leaf_id, payload = leaves[0]
        published = out.commitments[period]
        root = committed_tree(published)[0].root()
        opening = LeafOpening.of(out.secrets[home], leaf_id, payload, published)
        wrong += opening.check(root) != payload
        neighbour = out.secrets[homes[homes.index(home) - 1]]
        for secret in (neighbour, sha256(home.encode()).digest()):
            wrong += not _refused(
                lambda s=secret, n=leaf_id, p=payload, c=published: LeafOpening.of(s, n, p, c)  # type: ignore[misc]
            )
    return wrong


def reads_without_consent(out: Published, homes: Sequence[str], path: Path, *, now_s: int) -> int:
    """Read homes' leaves with and without their consent; count what was not as they wished."""
    wrong = 0
    with ConsentBook(path) as book:
        for home in homes:

            def read(reader: str, at_s: int, home: str = home) -> list[tuple[str, bytes]]:
                book.require(home, reader, at_s=at_s, what="metered energy")
                return next(leaves for (name, _), leaves in out.leaves.items() if name == home)

            wrong += not _refused(lambda read=read: read(READER, now_s))  # type: ignore[misc]
            number = book.give(home, READER, purpose="dispatch", from_s=now_s, until_s=now_s + 3600)
            wrong += not read(READER, now_s)
            wrong += not read(READER, now_s + 600)
            for reader, at_s in ((STRANGER, now_s), (READER, now_s - 1), (READER, now_s + 3600)):
                wrong += not _refused(lambda read=read, r=reader, t=at_s: read(r, t))  # type: ignore[misc]
            book.revoke(number, owner=home, at_s=now_s + 601)
            wrong += not _refused(lambda read=read: read(READER, now_s + 601))  # type: ignore[misc]
            asked = book.askings(home)
            wrong += [one.consent is not None for one in asked] != [
                *(False, True, True),
                *(False, False, False),
                False,
            ]
    return wrong


def _refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except SettlementError:
        return True
    return False
