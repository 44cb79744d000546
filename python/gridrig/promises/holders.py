"""What holders are due, in exact fractions, and what rewards add up to, as a geometric series."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor

from gridrig.campaign.loop import Loop
from gridrig.campaign.payouts_command import payouts_of
from gridrig.campaign.shares_file import Shares
from gridrig.settlement.payouts import Payout
from gridrig.settlement.reward_stress import Assumed, Stress, stress


def paid_of(loop: Loop, shares: Shares) -> list[Payout]:
    """Return what a run's journal pays the holders."""
    return payouts_of(loop.account.journal, shares)


def revenue_unlike_balance_micro(loop: Loop, shares: Shares, paid: Sequence[Payout]) -> int:
    """Return how far all revenue is from the asset's balance at the end. [millionths]"""
    balance = loop.account.journal.balances().get(shares.participant, 0)
    return abs(balance - sum(one.revenue_micro for one in paid))


def spans_unlike_meters(loop: Loop, shares: Shares, paid: Sequence[Payout]) -> int:
    """Return how many spans have another revenue than the entries of their periods sum to."""
    begins = {settled.period: settled.from_ms for settled in loop.account.settled}
    unlike = 0
    for one in paid:
        inside = {n for n, from_ms in begins.items() if one.from_ms <= from_ms < one.to_ms}
        earned = 0
        for entry in loop.account.entries():
            if entry.period in inside:
                earned += entry.amount_micro * (entry.credit == shares.participant)
                earned -= entry.amount_micro * (entry.debit == shares.participant)
        unlike += earned != one.revenue_micro
    return unlike


def _weights(shares: Shares, from_ms: int, to_ms: int) -> dict[str, Fraction]:
    """Return what part of a span's shares each holder had, in the mean over its time."""
    moves = sorted(shares.transfers, key=lambda move: move.at_ms)
    held = dict(shares.founders)
    for move in moves:
        held.setdefault(move.to, 0)
    weights = dict.fromkeys(held, Fraction(0))
    edges = sorted({from_ms, to_ms, *(m.at_ms for m in moves if from_ms < m.at_ms < to_ms)})
    total = sum(held.values()) * (to_ms - from_ms)
    for move in moves:
        if move.at_ms <= from_ms:
            held[move.holder] -= move.shares
            held[move.to] += move.shares
    for begin, end in pairwise(edges):
        for name, number in held.items():
            weights[name] += Fraction(number * (end - begin), total)
        for move in moves:
            if move.at_ms == end != to_ms:
                held[move.holder] -= move.shares
                held[move.to] += move.shares
    return weights


def _parted(amount: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Part an amount by Hamilton's method: floors, then one unit each to the largest remainders."""
    exact = {name: amount * weight for name, weight in weights.items() if weight}
    parts = {name: floor(share) for name, share in exact.items()}
    order = sorted(exact, key=lambda name: (parts[name] - exact[name], name))
    for name in order[: amount - sum(parts.values())]:
        parts[name] += 1
    return parts


def payouts_unlike_fractions(shares: Shares, paid: Sequence[Payout]) -> int:
    """Return how many spans pay anybody otherwise than exact fractions and carried losses give."""
    unlike, lost = 0, 0
    for one in paid:
        net = one.revenue_micro - shares.cost_micro - lost
        lost = max(0, -net)
        due = _parted(max(0, net), _weights(shares, one.from_ms, one.to_ms)) if net > 0 else {}
        found = {name: amount for name, amount in one.paid if amount}
        wanted = {name: amount for name, amount in due.items() if amount}
        unlike += found != wanted or one.carried_micro != lost
    return unlike


def furthest_from_share_micro(shares: Shares, paid: Sequence[Payout]) -> float:
    """Return how far any payout is from its exact share of what its span pays. [millionths]"""
    worst = Fraction(0)
    for one in paid:
        weights = _weights(shares, one.from_ms, one.to_ms)
        for name, amount in one.paid:
            worst = max(worst, abs(amount - one.paid_micro * weights[name]))
    return float(worst)


def paid_unlike_revenue_micro(shares: Shares, paid: Sequence[Payout]) -> int:
    """Return what is missing between revenue, costs, payouts and the loss that is left."""
    earned = sum(one.revenue_micro for one in paid) - shares.cost_micro * len(paid)
    return abs(earned + paid[-1].carried_micro - sum(one.paid_micro for one in paid))


def stress_off_series_of_allowed(found: Stress, assumed: Assumed) -> float:
    """Return how far a sum of weeks is from its geometric series, of what rounding allows.

    Rounded down each week are the devices, and the amounts of their energy.
    """
    grown = Fraction(1000 + assumed.growth_permille_per_week, 1000)
    weeks = assumed.weeks
    series = Fraction(weeks) if grown == 1 else (grown**weeks - 1) / (grown - 1)
    energy_kwh = series * assumed.devices * assumed.wh_per_device_week / 1000
    fees = energy_kwh * assumed.fee_micro_per_kwh
    rewards = energy_kwh * assumed.reward_micro_per_kwh + weeks * assumed.reward_micro_per_week
    one_kwh = Fraction(assumed.wh_per_device_week, 1000)  # one device more or less
    worst = Fraction(0)
    for exact, whole, price in (
        (fees, found.fees_micro, assumed.fee_micro_per_kwh),
        (rewards, found.rewards_micro, assumed.reward_micro_per_kwh),
    ):
        worst = max(worst, abs(exact - whole) / (weeks * (one_kwh * price + 1)))
    left = assumed.pool_micro + found.fees_micro - found.rewards_micro
    return float(worst) if left == found.pool_micro else float("inf")


def worst_stress(assumptions: Sequence[Assumed]) -> float:
    """Return the worst of `stress_off_series_of_allowed` over assumptions."""
    return max(stress_off_series_of_allowed(stress(one), one) for one in assumptions)
