"""Energy certificates: 1 unit is 1 Wh, minted from verified generation, claimed once anywhere.

The rules are those of the Rust register (`docs/certificates.md`); `CertificateStore` keeps one in
SQLite. `carbon` puts emission rates to the intervals of claims.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gridrig._core import CertificateRegister, EnergyClaim, carbon_credited, certificate_key
from gridrig.errors import SettlementError
from gridrig.settlement.certificates_lots import Lot, Supply
from gridrig.settlement.certificates_store import CertificateStore

__all__ = [
    "CarbonCredit",
    "CertificateRegister",
    "CertificateStore",
    "EnergyClaim",
    "Lot",
    "Supply",
    "carbon",
    "carbon_credited",
    "certificate_key",
    "new_asset",
]

ASSET_BYTES = 32


class CarbonCredit(NamedTuple):
    """The carbon of one claim; `grams` is None while the rate of a quantum is missing."""

    claim: EnergyClaim
    rate_g_per_mwh: int | None
    grams: int | None


def new_asset() -> bytes:
    """Return a pseudonym for a connection point: 32 random bytes, to be kept and used by all.

    It is not drawn from a run's seed: whoever guesses it links the asset to its certificates.
    """
    return secrets.token_bytes(ASSET_BYTES)


def carbon(claims: Sequence[EnergyClaim], rates_g_per_mwh: Mapping[int, int]) -> list[CarbonCredit]:
    """Put emission rates to claims: grams = Wh x rate, rounded down over the whole of an asset.

    Parameters
    ----------
    claims : sequence of EnergyClaim
        In any order; of one scheme, as the same energy is claimed once.
    rates_g_per_mwh : mapping of int to int
        Marginal emission rate by quantum of 300 s from 1970 on. A claim over several quanta has to
        have one rate in all of them, or it is withheld: nobody knows when it flowed. [g/MWh]

    Returns
    -------
    list of CarbonCredit
        By asset and time. What is withheld has no grams and is not guessed; when its rate is known,
        the grams of the asset sum to what they would have been.

    Raises
    ------
    SettlementError
        `settlement.carbon_rate`, `settlement.carbon_grams`; `settlement.carbon_import` for energy
        that was taken and not given.
    """
    by_asset: dict[bytes, list[EnergyClaim]] = {}
    for claim in sorted(claims, key=lambda claim: (claim.asset, claim.first_quantum)):
        if claim.direction != "export":
            raise SettlementError(
                "settlement.carbon_import",
                "claim {number} is of imported energy, which avoids no emission",
                number=claim.number,
            )
        by_asset.setdefault(claim.asset, []).append(claim)
    credits = []
    for held in by_asset.values():
        rates = [_rate_of(claim, rates_g_per_mwh) for claim in held]
        found = carbon_credited([claim.energy_wh for claim in held], rates)
        for claim, rate, (_, grams) in zip(held, rates, found, strict=True):
            credits.append(CarbonCredit(claim, rate, None if rate is None else grams))
    return credits


def _rate_of(claim: EnergyClaim, rates: Mapping[int, int]) -> int | None:
    quanta = range(claim.first_quantum, claim.first_quantum + claim.quanta)
    found = {rates.get(quantum) for quantum in quanta}
    return found.pop() if len(found) == 1 else None
