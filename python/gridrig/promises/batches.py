"""Batches of certificates: whole or refused, and private until their sum is shown."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from gridrig._core import EnergyClaim, MeterPeriod, Opening
from gridrig.errors import SettlementError
from gridrig.settlement.certificates import CertificateStore, new_asset
from gridrig.settlement.certificates_batch import mint_batch
from gridrig.settlement.privacy import LeafOpening, commitment_salt, committed_tree


def batches_unlike(hours: Sequence[MeterPeriod], path: Path) -> int:
    """Return how often a batch was neither whole nor refused whole, of a day's hours.

    The hours are minted as one batch with an hour in its middle that somebody else has claimed,
    which has to mint nothing and to name that hour; then without it; then more is retired of a
    certificate than it has.
    """
    with CertificateStore(path) as store:
        reading = hours[0].readings[0]
        store.name("point", asset := new_asset())
        store.enrol(
            reading.meter, reading.serial, asset=asset, start_milliwh=reading.export_milliwh or 0
        )
        place = len(hours) // 2
        taken = store.mint(hours[place], holder="ben", issuer="another")
        before = store.supply()
    wrong = 0
    try:
        mint_batch(path, hours, holder="ann", issuer="promises")
        wrong += 1
    except SettlementError as refusal:
        wrong += (refusal.code, getattr(refusal, "index", None)) != (
            "settlement.certificate_batch",
            place,
        )
    with CertificateStore(path) as store:
        wrong += store.supply() != before
    free = [hour for hour in hours if hour is not hours[place]]
    minted = mint_batch(path, free, holder="ann", issuer="promises")
    wrong += len(minted) != len(free)
    with CertificateStore(path) as store:
        added = store.supply().minted_wh - before.minted_wh
        wrong += added != sum(claim.energy_wh for claim in minted if claim is not None)
        wrong += taken is None or _is_retired(store, taken, taken.energy_wh + 1)
    return wrong


def _is_retired(store: CertificateStore, claim: EnergyClaim, energy_wh: int) -> bool:
    try:
        store.retire(claim.number, 0, energy_wh, claim.holder, purpose="use", beneficiary="eve")
    except SettlementError as refusal:
        return refusal.code != "settlement.certificate_lot"
    return True


def private_sum_unlike_wh(claims: Sequence[EnergyClaim]) -> int:
    """Commit to each certificate's energy, reveal the sum, and return what it differs by. [Wh]

    An auditor adds up the openings of a published root; an opening that says one watt-hour more
    has to lead to no root, or counts as one.
    """
    # Of the claims alone, so that the same year gives the same bytes.
    secret = sha256(b"".join(claim.asset + bytes([claim.quanta]) for claim in claims)).digest()
    payloads = {f"certificate/{c.number}": str(c.energy_wh).encode() for c in claims}
    published = [
        Opening(name, commitment_salt(secret, name), value).commitment
        for name, value in payloads.items()
    ]
    root = committed_tree(published)[0].root()
    openings = LeafOpening.all_of(secret, payloads, published)
    revealed = sum(int(opening.check(root)) for opening in openings)
    astray = abs(revealed - sum(claim.energy_wh for claim in claims))
    false = openings[0]
    more = LeafOpening(
        false.leaf_id,
        false.salt,
        str(int(false.payload) + 1).encode(),
        false.index,
        false.leaf_count,
        false.path,
    )
    try:
        more.check(root)
    except SettlementError:
        return astray
    return astray + 1
