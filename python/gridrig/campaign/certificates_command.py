"""`gridrig certificates`: mint from the signed readings of a run, list, transfer and retire.

Readings are verified anew, from the bytes received and under the keys of the rig file that the run
holds; nothing is taken from its verdicts. Producers' meters are sources, storages' meters are
sources from storage.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from gridrig._core import EnergyClaim, MeterPeriod, VerifiedReading, Verifier
from gridrig.campaign import records
from gridrig.campaign.received_readings import received_readings
from gridrig.errors import CampaignError, MeteringError, SettlementError
from gridrig.metering import enrol_all
from gridrig.rig.description import load_rig
from gridrig.settlement.certificates import new_asset
from gridrig.settlement.certificates_lots import Lot
from gridrig.settlement.certificates_store import CertificateStore


def mint_command(run: Path, register: Path, *, issuer: str) -> int:
    """Mint what the producers of a run generated; print one certificate a line, as JSON.

    A reading that its meter contradicted certifies nothing; what it certified before is frozen.

    Returns
    -------
    int
        0; 1 if a period was refused as claimed already, or a certificate was frozen.

    Raises
    ------
    CampaignError
        `campaign.certificates_no_readings`.
    SettlementError
        `settlement.certificate_file_*`.
    """
    rig = load_rig(run / records.RIG)
    sources = {device.name for device in rig.of("inverter")}
    owner_of = {
        p.meter: p.name for p in rig.participants if rig.device(p.meter).measures in sources
    }
    verifier = Verifier()
    enrol_all(verifier, rig.keys)
    readings, withdrawn = standing_readings(run, verifier)
    refused = 0
    with CertificateStore(register) as store:
        for reading in withdrawn:
            frozen = store.withdraw(reading.digest)
            print(
                f"{reading.meter}: signed another reading under counter {reading.counter}; "
                f"certificates frozen: {', '.join(map(str, frozen)) or 'none'}",
                file=sys.stderr,
            )
            refused += len(frozen)
        for period in periods_of(readings, owner_of):
            _enrol(store, period)
            try:
                claim = store.mint(period, holder=period.participant, issuer=issuer)
            except SettlementError as refusal:
                print(f"{period.meter}: {refusal}", file=sys.stderr)
                refused += refusal.code == "settlement.certificate_double_claim"
                continue
            if claim is not None:
                print(json.dumps(claim_json(claim)))
    return 1 if refused else 0


def _enrol(store: CertificateStore, period: MeterPeriod) -> None:
    """Name a meter's connection point and enrol it, at the first of its periods."""
    reading = period.opening
    if reading is None or store.is_enrolled(reading.meter, reading.serial):
        return
    asset = store.asset_of(period.meter)
    if asset is None:
        store.name(period.meter, asset := new_asset())
    start = reading.export_milliwh or 0
    store.enrol(reading.meter, reading.serial, asset=asset, start_milliwh=start)


def periods_of(readings: list[VerifiedReading], owner_of: dict[str, str]) -> Iterator[MeterPeriod]:
    """Pair the register readings of each source, one after the other; take each interval alone."""
    last: dict[tuple[str, str], VerifiedReading] = {}
    for reading in readings:
        owner, place = owner_of.get(reading.meter), (reading.meter, reading.serial)
        if owner is None:
            continue
        if reading.start_ms is not None:
            yield MeterPeriod.of_interval(owner, reading)
            continue
        if place in last:
            yield MeterPeriod(owner, last[place], reading)
        last[place] = reading


def standing_readings(
    run: Path, verifier: Verifier
) -> tuple[list[VerifiedReading], list[VerifiedReading]]:
    """Return the readings that stand, and those that their meters contradicted."""
    path = run / records.READINGS
    admitted: list[VerifiedReading] = []
    by_counter: dict[tuple[str, int], VerifiedReading] = {}
    forked: dict[bytes, VerifiedReading] = {}
    try:
        for received in received_readings(run):
            try:
                reading = verifier.verify(
                    received.record, at_s=received.received_s, meter=received.meter
                )
            except MeteringError as refusal:
                print(f"{path}, line {received.line}: {refusal}", file=sys.stderr)
                if refusal.code == "metering.equivocation":
                    contradicted = by_counter[received.meter, refusal.counter]
                    forked[contradicted.digest] = contradicted
                continue
            admitted.append(reading)
            by_counter[reading.meter, reading.counter] = reading
    except OSError as fault:
        raise CampaignError(
            "campaign.certificates_no_readings",
            "{path}: {fault}",
            path=str(path),
            fault=str(fault),
        ) from fault
    standing = [reading for reading in admitted if reading.digest not in forked]
    return standing, list(forked.values())


def list_command(register: Path, *, as_json: bool) -> int:
    """Print every claim, every lot and what became of everything minted."""
    with _existing(register) as store:
        claims, lots, supply = store.claims(), store.lots(), store.supply()
        if as_json:
            document = {
                "claims": [claim_json(claim) for claim in claims],
                "lots": [lot._asdict() for lot in lots],
                "supply": supply._asdict(),
                "frozen": [c.number for c in claims if store.is_frozen(c.number)],
            }
            print(json.dumps(document, indent=1))
            return 0
        for lot in lots:
            print(_line(store, lot))
        print("  ".join(f"{name} {wh}" for name, wh in supply._asdict().items()))
    return 0


def transfer_command(
    register: Path, certificate: int, *, from_wh: int, energy_wh: int, holder: str, to: str
) -> int:
    """Give some watt-hours to another holder; print the lot they are now."""
    with _existing(register) as store:
        store.transfer(certificate, from_wh, energy_wh, holder, to)
        _print_lot(store, certificate, from_wh)
    return 0


def retire_command(
    register: Path,
    certificate: int,
    *,
    from_wh: int,
    energy_wh: int,
    holder: str,
    purpose: str,
    beneficiary: str,
) -> int:
    """Use some watt-hours up; print the lot they are now."""
    with _existing(register) as store:
        store.retire(
            certificate, from_wh, energy_wh, holder, purpose=purpose, beneficiary=beneficiary
        )
        _print_lot(store, certificate, from_wh)
    return 0


def _print_lot(store: CertificateStore, certificate: int, from_wh: int) -> None:
    (lot,) = (lot for lot in store.lots(certificate) if lot.from_wh == from_wh)
    print(_line(store, lot))


def _line(store: CertificateStore, lot: Lot) -> str:
    """Say which watt-hours a lot is, whose, what became of them, and when they were generated."""
    claim = store.claim(lot.certificate)
    frozen = " frozen" if store.is_frozen(lot.certificate) else ""
    use = f" for {lot.purpose!r} in the name of {lot.beneficiary}" if lot.purpose else ""
    storage = " from storage" if claim.is_from_storage else ""
    return (
        f"{lot.certificate:>6}  {lot.from_wh:>8} + {lot.energy_wh} Wh  {lot.holder}  "
        f"{lot.state}{use}{frozen}  {claim.from_s} to {claim.to_s} s{storage}"
    )


def _existing(register: Path) -> CertificateStore:
    if not register.is_file():
        raise SettlementError(
            "settlement.certificate_file_unusable",
            "{path}: there is no such file",
            path=str(register),
        )
    return CertificateStore(register)


def claim_json(claim: EnergyClaim) -> dict[str, object]:
    """Return a claim as a program reads it; digests are in hex."""
    backing = claim.backing
    return {
        "certificate": claim.number,
        "asset": claim.asset.hex(),
        "direction": claim.direction,
        "from_s": claim.from_s,
        "to_s": claim.to_s,
        "energy_wh": claim.energy_wh,
        "scheme": claim.scheme,
        "issuer": claim.issuer,
        "holder": claim.holder,
        "is_from_storage": claim.is_from_storage,
        "meter": None if backing is None else backing[0],
        "opening_digest": None if backing is None else backing[2].hex(),
        "closing_digest": None if backing is None else backing[3].hex(),
    }
