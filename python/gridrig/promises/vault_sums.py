"""A vault over a year of plants, against sums of its own with exact fractions."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from gridrig._core import MeterPeriod
from gridrig.errors import SettlementError
from gridrig.promises.register_text import registers
from gridrig.settlement.vault import MILLIWH_PER_KWH, Vault

PRICE_MICRO, FEE_PERMILLE = 83_217, 15
DEPOSITS = {"ann": 70_000_003, "ben": 20_000_011, "cid": 9_999_989}
SITE_MICRO = 45_000_007
RECOVERED_MICRO = 1_234_567
LATE_MICRO = 5_000_001


def vault_unlike_sums(year: Sequence[tuple[str, list[MeterPeriod], list[bytes]]]) -> int:
    """Run a vault over two sites and return by how much anything differs. [millionths]

    The second site's link is away for a day: nothing is earned of it by an estimate, the gap is
    told, its registers earn it once when they are back, and again earn nothing. Then the site
    defaults, and what everybody could redeem has to fall in proportion to shares.

    Parameters
    ----------
    year : sequence of (meter, hours, records)
        Of each site: its hours by time, and the records behind them as received.
    """
    vault = Vault(PRICE_MICRO, FEE_PERMILLE)
    for holder, amount in DEPOSITS.items():
        vault.deposit(holder, amount)
    for meter, _, _ in year:
        vault.fund(meter, meter, SITE_MICRO)
    revenue = fees = astray = 0
    for place, (meter, hours, records) in enumerate(year):
        days: dict[int, list[MeterPeriod]] = {}
        for hour in hours:
            days.setdefault(hour.from_ms // 86_400_000, []).append(hour)
        lost = sorted(days)[len(days) // 2] if place else None
        at = {time_s: export for time_s, _, export in map(registers, records)}
        for day, inside in days.items():
            if day == lost:
                astray += _without_link(vault, meter, inside)
                spans = [(inside[0].from_ms, inside[-1].to_ms)]
            else:
                spans = [(hour.from_ms, hour.to_ms) for hour in inside]
                for hour in inside:
                    vault.earn(hour)
                    astray += vault.earn(hour)
            for span in spans:
                due, fee = _due(at, *span)
                revenue, fees = revenue + due, fees + fee
    assets, shares = vault.value()
    deposits = sum(DEPOSITS.values())
    astray += abs(assets - (deposits + revenue - fees)) + abs(vault.fees_micro - fees)
    astray += abs(shares - deposits)  # the first millionth bought a share, and all came at once
    return astray + _default(vault, year[-1][0])


def _without_link(vault: Vault, meter: str, hours: list[MeterPeriod]) -> int:
    """Lose a day of a meter and earn it by the registers at its ends; return what is wrong."""
    begin, end = hours[0], hours[-1]
    span = (begin.from_ms, end.to_ms)
    participant = begin.participant
    estimate = MeterPeriod.estimated(participant, meter, *span, begin)
    astray = abs(vault.earn(estimate)) + (vault.gaps(meter, *span) != [span])
    opening, closing = begin.opening, end.closing
    if opening is None or closing is None:
        return astray + 1
    backfill = MeterPeriod(participant, opening, closing)
    vault.earn(backfill)
    astray += abs(vault.earn(backfill)) + (vault.gaps(meter, *span) != [])
    try:
        return astray + 1 + vault.earn(hours[len(hours) // 2])
    except SettlementError as refusal:
        return astray + (refusal.code != "settlement.vault_overlap")


def _due(at: Mapping[int, int], from_ms: int, to_ms: int) -> tuple[int, int]:
    """Return revenue and fee of a span by the registers told at its ends. [mWh to millionths]"""
    energy = at[to_ms // 1000] - at[from_ms // 1000]
    revenue = int(Fraction(energy * PRICE_MICRO, MILLIWH_PER_KWH) + Fraction(1, 2))
    return revenue, int(Fraction(revenue * FEE_PERMILLE, 1000))


def _default(vault: Vault, site: str) -> int:
    """Let a site default, let somebody come late and everybody go; return what is wrong."""
    before = Fraction(*vault.value())
    vault.default(site, recovered_micro=RECOVERED_MICRO)
    after = Fraction(*vault.value())
    shares = vault.value()[1]
    astray = int((before - after) * shares) - (SITE_MICRO - RECOVERED_MICRO)
    vault.deposit("late", LATE_MICRO)
    # Rounding is for those who stay: the value of a share never falls by a deposit or redemption.
    wrong = int(Fraction(*vault.value()) < after)
    assets = vault.value()[0]
    due = {holder: int(after * shares) for holder, shares in vault.shares.items()}
    for holder, mine in list(vault.shares.items()):
        standing = Fraction(*vault.value())
        if due[holder] > vault.cash_micro:
            continue  # the rest is in the site that stands
        paid = vault.redeem(holder, mine)
        left, rest = vault.value()
        wrong += not 0 <= paid - due[holder] <= 1 or (
            bool(rest) and Fraction(left, rest) < standing
        )
        assets -= paid
    return abs(astray) + wrong + abs(vault.value()[0] - assets)
