"""Ten thousand signed facts, one in a hundred of them false, and what a root shows of each.

The tree is hashed again in plain Python, by the letter of RFC 9162; receipts are tried with one
byte changed, and absences with the neighbours of what is there.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from gridrig._core import InclusionProof, Verifier
from gridrig.campaign.lab import Lab
from gridrig.errors import MeteringError, SettlementError
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.settlement.facts import Absence, FactTree, Leaf, Receipt, fact_digest

FOREIGN_SEED = 0x5EED
PERIOD_S = 900
STEP_MILLIWH = 1_250


def fleet_facts(
    verifier: Verifier, random: Random, *, meters: int, each: int, false: int, start_utc_s: int
) -> tuple[list[bytes], list[bytes]]:
    """Sign readings of a fleet, and falsify some, half of them in each of two ways.

    Returns all records, in the order of signing, and the false ones: a digit of the time is changed
    after signing, or the same is signed by nobody's key. The fleet's keys are enrolled with the
    verifier.
    """
    names = [f"fleet-{number}" for number in range(meters)]
    signers = {name: OcmfSigner.from_seed(7, name, name) for name in names}
    enrol_all(
        verifier,
        [
            EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
            for name, signer in signers.items()
        ],
    )
    wrong = set(random.sample(range(meters * each), false))
    records: list[bytes] = []
    falsified: list[bytes] = []
    for place in range(meters * each):
        name, page = names[place % meters], place // meters + 1
        signer = signers[name]
        if place in wrong and len(falsified) % 2:
            signer = OcmfSigner.from_seed(FOREIGN_SEED, name, name)
        record = signer.sign(page, start_utc_s + PERIOD_S * page, 0, STEP_MILLIWH * page)
        if place in wrong and not len(falsified) % 2:
            record = _altered(record)
        records.append(record)
        if place in wrong:
            falsified.append(record)
    return records, falsified


def _altered(record: bytes) -> bytes:
    """Return a record with a digit of its first time stamp changed."""
    at = record.index(b":00", record.index(b'"TM"')) + 2
    return record[:at] + b"1" + record[at + 1 :]


async def rig_facts(lab: Lab, each: int) -> list[bytes]:
    """Have every signing meter of a rig sign so often, a period apart, over its wire."""
    found = []
    meters = [lab.driver(device.name) for device in lab.rig.signing()]
    for meter in meters:
        await meter.sync_clock(round(lab.clock.start_utc_s + lab.clock.now_s()))
    for _ in range(each):
        await lab.pass_time(PERIOD_S, step_s=PERIOD_S)
        found += [await meter.sign() for meter in meters]
    return found


def rig_verifier(lab: Lab) -> Verifier:
    """Return a verifier that believes the meters of a rig."""
    verifier = Verifier()
    enrol_all(verifier, lab.rig.keys)
    return verifier


@dataclass(frozen=True)
class Tried:
    """What a root over some records showed.

    Parameters
    ----------
    facts : int
        Leaves.
    root_unlike : bool
        Whether the root is not the one by hand.
    not_shown, changed_shown : int
        Receipts that did not hold; receipts with one byte changed that did.
    not_absent, present_absent : int
        False records that were not shown to be absent; facts that were.
    """

    facts: int
    root_unlike: bool
    not_shown: int
    changed_shown: int
    not_absent: int
    present_absent: int


def tried(
    verifier: Verifier,
    records: Sequence[bytes],
    false: Sequence[bytes],
    random: Random,
    *,
    at_s: int,
    receipts: int,
    changed: int,
) -> Tried:
    """Verify records, put what verifies under one root, and try what that shows.

    Parameters
    ----------
    verifier : Verifier
        That knows the keys.
    records : sequence of bytes
        In the order of their signing, false ones among them.
    false : sequence of bytes
        These.
    random : Random
        Chooses.
    at_s : int
        When they are received. [s since 1970]
    receipts, changed : int
        How many receipts are tried as they are, and with one byte changed.
    """
    facts = _verified(verifier, records, at_s)
    tree = FactTree(facts)
    root = tree.root()
    chosen = random.sample(facts, min(receipts, len(facts)))
    shown = sum(holds(lambda r=r: tree.receipt(r).verify(root)) for r in chosen)  # type: ignore[misc]
    absent = sum(holds(lambda r=r: tree.absence(r).verify(root)) for r in false)  # type: ignore[misc]
    return Tried(
        len(tree),
        root != root_by_hand(facts),
        len(chosen) - shown,
        changed_accepted(tree, chosen[:changed], random),
        len(false) - absent,
        present_shown_absent(tree, chosen[:changed]),
    )


def _verified(verifier: Verifier, records: Sequence[bytes], at_s: int) -> list[bytes]:
    found = []
    for record in records:
        try:
            verifier.verify(record, at_s=at_s)
        except MeteringError:
            continue
        found.append(record)
    return found


def root_by_hand(records: Sequence[bytes]) -> bytes:
    """Return the root over records in plain Python: RFC 9162, section 2.1.1, and the leaf count."""
    leaves = sorted({hashlib.sha256(record).digest() for record in records})
    count = len(leaves).to_bytes(8, "big")
    return hashlib.sha256(b"\2" + count + _tree_hash(leaves)).digest()


def _tree_hash(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _tree_hash(leaves[:split]) + _tree_hash(leaves[split:])).digest()


def holds(act: Callable[[], object]) -> bool:
    """Tell whether something is shown; what refuses it is an error of settlement."""
    try:
        act()
    except SettlementError:
        return False
    return True


def changed_accepted(tree: FactTree, records: Sequence[bytes], random: Random) -> int:
    """Change a byte of each receipt, of its record, its way or the root; count those that hold."""
    root, accepted = tree.root(), 0
    for record in records:
        receipt = tree.receipt(record)
        way = receipt.inclusion
        sibling = random.randrange(len(way.path))
        path = [*way.path[:sibling], _flipped(way.path[sibling], random), *way.path[sibling + 1 :]]
        other = (way.index + random.randrange(1, way.leaf_count)) % way.leaf_count
        for tried, against in (
            (replace(receipt, record=_flipped(record, random)), root),
            (Receipt(record, _way(way.index, way.leaf_count, path)), root),
            (Receipt(record, _way(other, way.leaf_count, way.path)), root),
            (receipt, _flipped(root, random)),
        ):
            accepted += holds(lambda tried=tried, against=against: tried.verify(against))  # type: ignore[misc]
    return accepted


def present_shown_absent(tree: FactTree, records: Sequence[bytes]) -> int:
    """Try to show that records are absent which are there, by any two of three; count successes."""
    in_order = sorted(records, key=fact_digest)
    root, shown = tree.root(), 0
    leaves = [Leaf(fact_digest(r), tree.receipt(r).inclusion) for r in in_order]
    for place, record in enumerate(in_order):
        near: list[Leaf | None] = [None, *leaves[max(0, place - 1) : place + 2]]
        for before in near:
            for after in near:
                claim = Absence(record, before, after)
                shown += holds(lambda claim=claim: claim.verify(root))  # type: ignore[misc]
    return shown


def _way(index: int, leaf_count: int, path: Sequence[bytes]) -> InclusionProof:
    return InclusionProof(index=index, leaf_count=leaf_count, path=path)


def _flipped(data: bytes, random: Random) -> bytes:
    at, bit = random.randrange(len(data)), 1 << random.randrange(8)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
