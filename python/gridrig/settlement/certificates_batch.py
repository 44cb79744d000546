"""Many certificates in one commit, whole or not at all.

A batch is one transaction on the register's file: another process sees all of it or none, and so
does whoever opens the file after a crash.

Cost: a file is opened once a batch, which applies all its events; a register that is open takes in
only what is new. Many batches are for an open register.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gridrig._core import EnergyClaim, MeterPeriod
from gridrig.errors import SettlementError
from gridrig.settlement.certificates_store import CertificateStore, Scheme


@contextmanager
def whole(register: Path | CertificateStore) -> Iterator[CertificateStore]:
    """Give a register for several steps that are committed together or not at all.

    Parameters
    ----------
    register : Path or CertificateStore
        Its file, made if there is none; or the register itself, which stays open.

    Raises
    ------
    SettlementError
        `settlement.certificate_file_unusable`; what a step refuses takes back all of them.
    """
    if isinstance(register, CertificateStore):
        with register.whole():
            yield register
    else:
        with CertificateStore(register) as store, store.whole():
            yield store


def mint_batch(
    register: Path | CertificateStore,
    periods: Sequence[MeterPeriod],
    *,
    holder: str,
    issuer: str,
    scheme: Scheme = "certificate",
) -> list[EnergyClaim | None]:
    """Mint the certificates of several periods, or none of them.

    Parameters
    ----------
    register : Path or CertificateStore
        The register's file, or the register.
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
    with whole(register) as store:
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
