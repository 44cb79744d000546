"""Rewards of a virtual power plant, paid from a stated pool, each line backed by readings.

Baselines, responses and what makes gaming them not pay are the Rust core's (`RewardProgramme`);
the rules are in `docs/certificates.md`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gridrig._core import Measured, RewardFleet, RewardProgramme, pay_rewards
from gridrig.errors import SettlementError

__all__ = [
    "Due",
    "Measured",
    "Reward",
    "RewardFleet",
    "RewardKind",
    "RewardProgramme",
    "pay_rewards",
    "reward",
]

RewardKind: TypeAlias = Literal["connectivity", "capacity", "response"]


@dataclass(frozen=True)
class Due:
    """What a site is due before anybody asked whether the pool can pay it.

    Parameters
    ----------
    site : str
        Who.
    kind : str
        "connectivity", "capacity" or "response".
    amount_micro : int
        How much, not negative. [millionths]
    digests : tuple of bytes
        SHA-256 of the signed readings it rests on; what is due rests on some.
    """

    site: str
    kind: RewardKind
    amount_micro: int
    digests: tuple[bytes, ...]


@dataclass(frozen=True)
class Reward:
    """What is paid of a due. [millionths]"""

    due: Due
    paid_micro: int


def reward(pool_micro: int, dues: Sequence[Due]) -> tuple[list[Reward], int]:
    """Pay dues from a pool, or the pool in proportion to them, by largest remainder.

    Parameters
    ----------
    pool_micro : int
        What there is. [millionths]
    dues : sequence of Due
        In any order; a site is due each kind once.

    Returns
    -------
    tuple
        The rewards by site and kind, and what is left in the pool. [millionths]

    Raises
    ------
    SettlementError
        `settlement.reward_due_repeated`, `settlement.reward_unbacked`, `settlement.reward_due`.
    """
    ordered = sorted(dues, key=lambda due: (due.site, due.kind))
    for one, other in itertools.pairwise(ordered):
        if (one.site, one.kind) == (other.site, other.kind):
            raise SettlementError(
                "settlement.reward_due_repeated",
                "{site} is due {kind} twice: {first} and {second} micro",
                site=one.site,
                kind=one.kind,
                first=one.amount_micro,
                second=other.amount_micro,
            )
    for due in ordered:
        if due.amount_micro and not due.digests:
            raise SettlementError(
                "settlement.reward_unbacked",
                "{site} is due {amount} micro for {kind} and no reading says so",
                site=due.site,
                amount=due.amount_micro,
                kind=due.kind,
            )
    paid, left = pay_rewards(pool_micro, [due.amount_micro for due in ordered])
    return [Reward(due, micro) for due, micro in zip(ordered, paid, strict=True)], left
