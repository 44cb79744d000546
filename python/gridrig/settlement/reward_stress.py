"""Rewards that a pool pays beside the fees that come in: arithmetic on assumptions, nothing more.

Neither has a price here other than the one that is assumed, and nobody's behaviour follows from
anything. It shows when a pool is empty if the assumptions hold, and no more.
"""

from dataclasses import dataclass

DISCLAIMER = "arithmetic on the assumptions of the file, not a price forecast"
WH_PER_KWH = 1_000
PERMILLE = 1_000


@dataclass(frozen=True)
class Assumed:
    """What is assumed of one future.

    Parameters
    ----------
    name : str
        What people call it.
    devices, growth_permille_per_week : int
        How many there are in the first week, and what share of them joins each week, negative if
        they leave.
    wh_per_device_week : int
        Energy that each of them is paid for. [Wh]
    fee_micro_per_kwh : int
        What comes in. [millionths/kWh]
    reward_micro_per_kwh, reward_micro_per_week : int
        What goes out: by energy, and however many devices there are. [millionths]
    weeks : int
        How long it is looked at.
    pool_micro : int
        What there is at the beginning. [millionths]
    """

    name: str
    devices: int
    growth_permille_per_week: int
    wh_per_device_week: int
    fee_micro_per_kwh: int
    weeks: int
    pool_micro: int
    reward_micro_per_kwh: int = 0
    reward_micro_per_week: int = 0


@dataclass(frozen=True)
class Stress:
    """What comes of it.

    Parameters
    ----------
    fees_micro, rewards_micro : int
        In all weeks. [millionths]
    pool_micro : int
        What is left, below zero if rewards were promised that nobody can pay. [millionths]
    empty_week : int or None
        The first week that the pool cannot pay, from 1.
    devices : int
        In the last week.
    """

    assumed: Assumed
    fees_micro: int
    rewards_micro: int
    pool_micro: int
    empty_week: int | None
    devices: int


def stress(assumed: Assumed) -> Stress:
    """Add up fees and rewards week by week; devices and amounts are rounded down each week."""
    fees = rewards = devices = 0
    pool, empty_week = assumed.pool_micro, None
    grown = PERMILLE + assumed.growth_permille_per_week
    for week in range(assumed.weeks):
        # From the beginning each time: rounding does not add up.
        devices = assumed.devices * grown**week // PERMILLE**week
        energy_wh = devices * assumed.wh_per_device_week
        fee = energy_wh * assumed.fee_micro_per_kwh // WH_PER_KWH
        reward = energy_wh * assumed.reward_micro_per_kwh // WH_PER_KWH
        reward += assumed.reward_micro_per_week
        fees, rewards, pool = fees + fee, rewards + reward, pool + fee - reward
        if pool < 0 and empty_week is None:
            empty_week = week + 1
    return Stress(assumed, fees, rewards, pool, empty_week, devices)
