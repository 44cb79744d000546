"""Many certificates in one commit, whole or not at all.

A batch is one transaction on the register's file: another process sees all of it or none, and so
does whoever opens the file after a crash.

Cost: the register is built again from its events once a batch, not once a certificate.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gridrig._core import EnergyClaim, MeterPeriod
from gridrig.errors import SettlementError
from gridrig.settlement.certificates_store import LOCK_WAIT_S_MAX, CertificateStore, Scheme


@contextmanager
def whole(path: Path) -> Iterator[CertificateStore]:
    """Give the register of a file for several steps that are committed together or not at all.

    Raises
    ------
    SettlementError
        `settlement.certificate_file_unusable`; what a step refuses takes back all of them.
    """
    CertificateStore(path).close()  # refuses a file of another kind, makes one where there is none
    db = sqlite3.connect(path, timeout=LOCK_WAIT_S_MAX, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        yield CertificateStore.within(db)
        db.execute("COMMIT")
    except sqlite3.Error as fault:
        raise SettlementError(
            "settlement.certificate_file_unusable", "{path}: {fault}", path=str(path), fault=fault
        ) from fault
    finally:
        db.close()  # whatever was not committed is rolled back


def mint_batch(
    path: Path,
    periods: Sequence[MeterPeriod],
    *,
    holder: str,
    issuer: str,
    scheme: Scheme = "certificate",
) -> list[EnergyClaim | None]:
    """Mint the certificates of several periods, or none of them.

    Parameters
    ----------
    path : Path
        The register's file.
    periods : sequence of MeterPeriod
        In any order.
    holder, issuer, scheme : str
        As in `CertificateStore.mint`.

    Returns
    -------
    list of EnergyClaim or None
        One a period, in their order; None where there is no whole Wh.

    Raises
    ------
    SettlementError
        `settlement.certificate_batch` with `index`, from 0, of the period that was refused, and the
        refusal as its cause. Nothing of the batch is minted then.
    """
    minted = []
    with whole(path) as store:
        for index, period in enumerate(periods):
            try:
                minted.append(store.mint(period, holder=holder, issuer=issuer, scheme=scheme))
            except SettlementError as refusal:
                raise SettlementError(
                    "settlement.certificate_batch",
                    "none of {count} certificates was minted, number {index} from 0 is refused: "
                    "{refusal}",
                    count=len(periods),
                    index=index,
                    refusal=str(refusal),
                ) from refusal
    return minted
