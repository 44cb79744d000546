"""Rows of a register of certificates: what an event is in the file, and an event again from it."""

import sqlite3
from typing import Any

from gridrig._core import CertificateRegister, EnergyClaim
from gridrig.errors import SettlementError
from gridrig.settlement.certificates_schema import EVENT_TABLES, statements

_CLAIM_COLUMNS = (
    "number, asset, direction, first_quantum, quanta, energy_wh, scheme, issuer, holder, "
    "is_from_storage, meter, serial, opening_digest, closing_digest, first_unit, units, "
    "interval_milliwh"
)


def events_after(db: sqlite3.Connection, number: int) -> list[tuple[int, str, tuple[Any, ...]]]:
    """Return number, table and other columns of every event after one, by number."""
    rows: list[tuple[int, str, tuple[Any, ...]]] = []
    for table in EVENT_TABLES:
        columns = _CLAIM_COLUMNS if table == "certificate_claim" else "*"
        select = f"SELECT {columns} FROM {table} WHERE number > ?"
        rows += [(row[0], table, row[1:]) for row in db.execute(select, (number,))]
    return sorted(rows, key=lambda row: row[0])


def require_transaction(db: sqlite3.Connection) -> None:
    """Refuse a connection without a transaction, and make the tables where they are missing."""
    if not db.in_transaction:
        raise SettlementError(
            "settlement.chain_no_transaction",
            "a certificate is entered inside the commit that signs it: begin one first",
        )
    for statement in statements():
        db.execute(statement)


def insert_claim(db: sqlite3.Connection, claim: EnergyClaim) -> None:
    """Add the rows of a claim that the register has accepted."""
    backing = claim.backing or (None,) * 7
    row = (
        claim.number,
        claim.asset,
        claim.direction,
        claim.first_quantum,
        claim.quanta,
        claim.energy_wh,
        claim.scheme,
        claim.issuer,
        claim.holder,
        int(claim.is_from_storage),
        *backing,
    )
    db.execute(f"INSERT INTO certificate_claim VALUES ({', '.join('?' * len(row))})", row)
    quanta = range(claim.first_quantum, claim.first_quantum + claim.quanta)
    db.executemany(
        "INSERT INTO certificate_quantum VALUES (?, ?, ?, ?)",
        ((claim.asset, claim.direction, quantum, claim.number) for quantum in quanta),
    )


def apply_row(core: CertificateRegister, table: str, number: int, row: tuple[Any, ...]) -> None:
    """Apply an event as its row tells it."""
    if table == "certificate_point":
        core.name(*row)
    elif table == "certificate_source":
        meter, serial, asset, start_milliwh, carried_milliwh, storage_permille = row
        core.enrol(
            meter,
            serial,
            asset=asset,
            start_milliwh=start_milliwh,
            carried_milliwh=carried_milliwh,
            storage_permille=storage_permille,
        )
    elif table == "certificate_claim":
        core.enter(_claim_of(number, row))
    else:
        _apply_step(core, *row)


def _claim_of(number: int, row: tuple[Any, ...]) -> EnergyClaim:
    asset, direction, first_quantum, quanta, energy_wh, scheme, issuer, holder, storage = row[:9]
    backing = None if row[9] is None else row[9:]
    return EnergyClaim(
        number=number,
        asset=asset,
        direction=direction,
        first_quantum=first_quantum,
        quanta=quanta,
        energy_wh=energy_wh,
        scheme=scheme,
        issuer=issuer,
        holder=holder,
        is_from_storage=bool(storage),
        backing=backing,
    )


def _apply_step(
    core: CertificateRegister,
    kind: str,
    certificate: int,
    from_wh: int,
    energy_wh: int,
    holder: str,
    party: str,
    purpose: str,
    digest: bytes,
) -> None:
    lot = (certificate, from_wh, energy_wh, holder)
    match kind:
        case "split":
            core.split(*lot)
        case "transfer":
            core.transfer(*lot, party)
        case "retire":
            core.retire(*lot, purpose=purpose, beneficiary=party)
        case "charge":
            core.charge(*lot, bytes.fromhex(party))
        case "move":
            core.move_out(*lot, party)
        case _:
            core.freeze(certificate, digest)
