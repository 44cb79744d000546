"""Carbon of a year's claims against integers summed by hand, with rates that are missing."""

from collections.abc import Mapping, Sequence

from gridrig._core import EnergyClaim
from gridrig.settlement.certificates import carbon

MICROGRAMS = 1_000_000
MISSING_EVERY = 11
"""Every so many hours have no rate."""


def stated_rates(claims: Sequence[EnergyClaim]) -> dict[int, int]:
    """Return an assumed marginal rate by quantum, from 120 to 680 kg/MWh. [g/MWh]

    A stimulus: it changes from hour to hour and lacks hours, as real series do.
    """
    rates: dict[int, int] = {}
    for claim in claims:
        hour = claim.first_quantum // 12
        if hour % MISSING_EVERY:
            rate = 120_000 + 37_337 * (hour * 7 % 15)
            rates |= dict.fromkeys(
                range(claim.first_quantum, claim.first_quantum + claim.quanta), rate
            )
    return rates


def grams_unlike_sums(claims: Sequence[EnergyClaim], rates: Mapping[int, int]) -> int:
    """Return how many grams and withheld hours differ from the sums of the plain definition. [g]

    Grams up to a claim are the whole grams of energy x rate of all before and with it; a claim
    without a rate has none.
    """
    wrong = micrograms = 0
    for credit in carbon(claims, rates):
        rate = rates.get(credit.claim.first_quantum)
        if rate is None:
            wrong += credit.grams is not None
            continue
        before, micrograms = micrograms, micrograms + credit.claim.energy_wh * rate
        expected = micrograms // MICROGRAMS - before // MICROGRAMS
        wrong += abs((credit.grams if credit.grams is not None else -1) - expected)
    return wrong


def withheld(claims: Sequence[EnergyClaim], rates: Mapping[int, int]) -> int:
    """Return how many claims have no grams because their rate is missing."""
    return sum(credit.grams is None for credit in carbon(claims, rates))
