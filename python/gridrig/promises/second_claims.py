"""Every way to claim the same watt-hours again, tried on a register that has claimed them once.

Each attempt has the refusal that it must meet. One that names two claims has to show both records;
what an attempt did before it was refused is taken back, as a transaction that fails is.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gridrig._core import EnergyClaim, MeterPeriod
from gridrig.errors import SettlementError
from gridrig.promises.certified_year import (
    ISSUER,
    OWNER,
    PLANT,
    QUANTUM_MS,
    CertifiedYear,
)
from gridrig.promises.plant_year import PlantYear
from gridrig.settlement.certificates import CertificateStore, new_asset
from gridrig.settlement.chain import certificates as chain

DOUBLE_CLAIM = "settlement.certificate_double_claim"
DOUBLE_ISSUE = "settlement.certificate_double_issue"
CHAINS = ((31_337, b"\x77" * 20), (7_777, b"\x88" * 20))
ACCOUNT = b"\x11" * 20
SOME = 12
SCHEMES = ("certificate", "carbon-credit", "share")


@dataclass(frozen=True)
class SecondClaims:
    """What trying came to.

    Parameters
    ----------
    tried, taken : int
        Attempts, and those that were not refused as they had to be.
    without_records : int
        Refusals of a second claim that do not show both.
    """

    tried: int
    taken: int
    without_records: int


Attempt = tuple[str, Callable[[CertificateStore, sqlite3.Connection], object]]


class _Taken(Exception):
    """What was tried was not refused."""


def second_claims(year: PlantYear, certified: CertifiedYear) -> SecondClaims:
    """Try everything on the certificates of a year: each is minted again in every other way.

    What looks through all of a register is tried on some of them, spread over the year.
    """
    attempts: list[Attempt] = []
    for meter in (*certified.plants, *certified.storages):
        by_edge = {hour.from_ms // QUANTUM_MS: hour for hour in year.hours(meter)}
        claims = certified.claims[meter]
        for claim in claims:
            attempts += _again(by_edge[claim.first_quantum], claim)
        attempts += [_elsewhere(claim) for claim in claims[:: max(1, len(claims) // SOME)]]
    attempts += _overlaps(year, certified) + _storage(year, certified)
    taken = without = 0
    with CertificateStore(certified.path) as store:
        attempts += _bridges(certified, store)
        for expected, attempt in attempts:
            refusal = _refusal(store, attempt)
            if refusal is None or refusal.code != expected:
                taken += 1
            elif expected in (DOUBLE_CLAIM, DOUBLE_ISSUE):
                without += _lacks_records(refusal)
    return SecondClaims(len(attempts), taken, without)


def _refusal(
    store: CertificateStore, attempt: Callable[[CertificateStore, sqlite3.Connection], object]
) -> SettlementError | None:
    """Return what an attempt is refused by; nothing of it stays either way."""
    try:
        with store.whole() as db:
            attempt(store, db)
            raise _Taken
    except SettlementError as refusal:
        return refusal
    except _Taken:
        return None


def _lacks_records(refusal: SettlementError) -> bool:
    shown = [getattr(refusal, name, None) for name in ("record", "refused")]
    return any(
        record is None or not all(hasattr(record, n) for n in ("asset", "first_quantum", "scheme"))
        for record in shown
    )


def _again(hour: MeterPeriod, claim: EnergyClaim) -> list[Attempt]:
    """Claim the same meter and slot again: by others, for others, as something else."""
    given = {"holder": claim.holder, "issuer": claim.issuer, "scheme": claim.scheme}
    others = [{"issuer": "another issuer"}, {"holder": "eve"}]
    others += [{"scheme": scheme} for scheme in SCHEMES if scheme != claim.scheme]

    return [(DOUBLE_CLAIM, partial(_mint, hour=hour, asked=given | change)) for change in others]


def _mint(
    store: CertificateStore, _: sqlite3.Connection, hour: MeterPeriod, asked: Mapping[str, Any]
) -> None:
    store.mint(hour, **asked)


def _elsewhere(claim: EnergyClaim) -> Attempt:
    """Claim on a chain what is claimed here."""
    return DOUBLE_CLAIM, lambda _, db: chain.claim(db, _on_chain(claim, *CHAINS[0]))


def _on_chain(claim: EnergyClaim, chain_id: int, registry: bytes) -> chain.Certificate:
    return chain.Certificate(
        asset=claim.asset,
        direction="export",
        first_quantum=claim.first_quantum,
        quanta=claim.quanta,
        owner=ACCOUNT,
        energy_wh=claim.energy_wh,
        chain_id=chain_id,
        registry=registry,
    )


def _overlaps(year: PlantYear, certified: CertifiedYear) -> list[Attempt]:
    """Claim half of an hour that is claimed whole; name a point anew; enrol a meter twice."""
    attempts: list[Attempt] = []
    for meter in certified.plants:
        half = year.between.get(meter)
        closing = [r for r in year.readings[meter] if half and r.time_s == half.time_s + 1800]
        if half is None or not closing:
            continue
        part = MeterPeriod(OWNER, half, closing[0])
        attempts += [
            (DOUBLE_CLAIM, partial(_mint, hour=part, asked={"holder": OWNER, "issuer": ISSUER})),
            ("settlement.certificate_point_repeated", partial(_name_again, point=meter)),
            (
                "settlement.certificate_source_repeated",
                partial(_enrol_again, meter=half.meter, serial=half.serial),
            ),
        ]
    return attempts


def _name_again(store: CertificateStore, _: sqlite3.Connection, point: str) -> None:
    store.name(point, new_asset())


def _enrol_again(store: CertificateStore, _: sqlite3.Connection, meter: str, serial: str) -> None:
    store.name("another point", asset := new_asset())
    store.enrol(meter, serial, asset=asset)


def _bridges(certified: CertifiedYear, store: CertificateStore) -> list[Attempt]:
    """Let a certificate live on on a chain, and use it here, there and on another chain."""
    attempts: list[Attempt] = []
    owned = [claim for meter in certified.plants[:1] for claim in certified.claims[meter]]
    for claim in [claim for claim in owned if _is_whole(store, claim)][:3]:
        attempts += [
            ("settlement.certificate_ended", partial(_move_and_retire, claim=claim)),
            (DOUBLE_ISSUE, partial(_move_twice, claim=claim)),
        ]
    return attempts


def _move(db: sqlite3.Connection, claim: EnergyClaim) -> chain.Certificate:
    chain_id, registry = CHAINS[0]
    return chain.publish(db, claim.number, chain_id=chain_id, registry=registry, owner=ACCOUNT)


def _move_and_retire(_: CertificateStore, db: sqlite3.Connection, claim: EnergyClaim) -> None:
    _move(db, claim)
    CertificateStore.within(db).retire(
        claim.number, 0, 1, claim.holder, purpose="use", beneficiary="eve"
    )


def _move_twice(_: CertificateStore, db: sqlite3.Connection, claim: EnergyClaim) -> None:
    moved = _move(db, claim)
    chain_id, registry = CHAINS[1]
    chain.claim(db, replace(moved, chain_id=chain_id, registry=registry))


def _is_whole(store: CertificateStore, claim: EnergyClaim) -> bool:
    return [lot.state for lot in store.lots(claim.number)] == ["held"]


def _storage(year: PlantYear, certified: CertifiedYear) -> list[Attempt]:
    """Certify what a storage gave of which nothing was retired to charge it.

    The register of a storage that was never charged, with the same signed readings.
    """
    attempts: list[Attempt] = []
    for meter in certified.storages:
        gave = next((hour for hour in year.hours(meter) if hour.export_milliwh >= 1000), None)
        if gave is None:
            continue

        def uncharged(
            _: CertificateStore, __: sqlite3.Connection, hour: MeterPeriod = gave
        ) -> None:
            with CertificateStore(":memory:") as store:
                store.name("point", asset := new_asset())
                opening = hour.readings[0]
                start = opening.export_milliwh or 0
                store.enrol(
                    opening.meter, opening.serial, asset=asset, start_milliwh=start,
                    storage_permille=1000,
                )  # fmt: skip
                store.mint(hour, holder=PLANT, issuer=ISSUER)

        attempts.append(("settlement.certificate_uncharged", uncharged))
    return attempts
