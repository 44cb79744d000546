"""Claims that a chain's registry holds, entered beside our own: one index for all.

`CertificateStore.notice` decides by the whole register; here the index of quanta alone decides,
which is enough for the claim of another issuer and costs no more than its quanta.
"""

import sqlite3

from gridrig._core import EnergyClaim
from gridrig.settlement.certificates_rows import insert_claim, require_transaction
from gridrig.settlement.certificates_schema import EVENT_TABLES
from gridrig.settlement.certificates_store import CertificateStore, Scheme


def notice_within(
    db: sqlite3.Connection,
    *,
    asset: bytes,
    direction: str,
    first_quantum: int,
    quanta: int,
    energy_wh: int,
    scheme: Scheme,
    issuer: str,
    holder: str,
) -> EnergyClaim:
    """Enter the claim of another issuer inside the caller's transaction.

    Parameters
    ----------
    db : sqlite3.Connection
        In a transaction, which the caller commits.
    asset, direction, first_quantum, quanta, energy_wh, scheme, issuer, holder
        As in `EnergyClaim`.

    Returns
    -------
    EnergyClaim
        The claim with its number.

    Raises
    ------
    SettlementError
        `settlement.certificate_double_claim` with both records; nothing is entered then.
        `settlement.chain_no_transaction`, `.certificate_asset`, `.certificate_interval_bound`.
    """
    require_transaction(db)
    union = " UNION ALL ".join(f"SELECT max(number) AS n FROM {table}" for table in EVENT_TABLES)
    (number,) = db.execute(f"SELECT coalesce(max(n), 0) + 1 FROM ({union})").fetchone()
    claim = EnergyClaim(
        number=number,
        asset=asset,
        direction="export" if direction == "export" else "import",
        first_quantum=first_quantum,
        quanta=quanta,
        energy_wh=energy_wh,
        scheme=scheme,
        issuer=issuer,
        holder=holder,
    )
    taken = db.execute(
        "SELECT certificate FROM certificate_quantum WHERE asset = ? AND direction = ? "
        "AND quantum >= ? AND quantum < ? ORDER BY quantum LIMIT 1",
        (asset, direction, first_quantum, first_quantum + quanta),
    ).fetchone()
    if taken is not None:
        # The register says it, with both records.
        CertificateStore.within(db).notice(claim)
    insert_claim(db, claim)
    return claim
