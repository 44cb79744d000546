"""Retiring so many watt-hours of a holder, out of as many lots as it takes."""

from gridrig.errors import SettlementError
from gridrig.settlement.certificates_store import CertificateStore

MILLIWH_PER_WH = 1000


def retire_for(
    store: CertificateStore, energy_milliwh: int, *, holder: str, purpose: str, beneficiary: str
) -> int:
    """Retire a holder's oldest watt-hours for a purpose, the energy rounded up to whole ones.

    Called again for the same purpose and beneficiary it retires what is still missing, so that a
    call that was cut short can be repeated and nothing is retired twice.

    Parameters
    ----------
    store : CertificateStore
        The register.
    energy_milliwh : int
        What the purpose took. [mWh]
    holder, purpose, beneficiary : str
        Whose watt-hours, what for, and in whose name.

    Returns
    -------
    int
        What is retired for the purpose now. [Wh]

    Raises
    ------
    SettlementError
        `settlement.certificate_short` if the holder has not so much; then nothing is retired.
    """
    wanted_wh = -(-energy_milliwh // MILLIWH_PER_WH)
    lots = store.lots()
    done_wh = sum(
        lot.energy_wh
        for lot in lots
        if lot.state == "retired" and (lot.purpose, lot.beneficiary) == (purpose, beneficiary)
    )
    held = [
        lot
        for lot in lots
        if lot.state == "held" and lot.holder == holder and not store.is_frozen(lot.certificate)
    ]
    held_wh = sum(lot.energy_wh for lot in held)
    if held_wh < wanted_wh - done_wh:
        raise SettlementError(
            "settlement.certificate_short",
            "{holder} holds {found} Wh of certificates, {purpose} needs {expected} Wh more",
            holder=holder,
            found=held_wh,
            expected=wanted_wh - done_wh,
            purpose=purpose,
        )
    for lot in sorted(held, key=lambda lot: (lot.certificate, lot.from_wh)):
        energy_wh = min(lot.energy_wh, wanted_wh - done_wh)
        if energy_wh <= 0:
            break
        store.retire(
            lot.certificate,
            lot.from_wh,
            energy_wh,
            holder,
            purpose=purpose,
            beneficiary=beneficiary,
        )
        done_wh += energy_wh
    return done_wh
