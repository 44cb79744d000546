"""How a feeder's voltage was held: by reactive power first, and what active power it took."""

from dataclasses import dataclass
from math import sqrt

from gridrig.campaign.loop import Loop
from gridrig.promises.feeder_again import FeederAgain
from gridrig.quantity import SECONDS_PER_HOUR

GIVEN_UP = 0.01  # share of what the sun gives, below which nothing counts as given up
NEARLY = 0.95  # of the reactive power that was to be had


@dataclass(frozen=True)
class Held:
    """What holding the voltage took.

    Parameters
    ----------
    v_without_pu : float
        Highest voltage of any bus, had every roof given all its sun and no reactive power. [pu]
    watt_before_var : int
        Ticks at which an inverter gave up active power with reactive power left to give.
    curtailed_wh : float
        What the sun offered and no inverter gave. [Wh]
    metered_beyond_given_wh : float
        By how much the meters of the roofs counted more than their terminals gave. [Wh]
    """

    v_without_pu: float
    watt_before_var: int
    curtailed_wh: float
    metered_beyond_given_wh: float


def held(loop: Loop, q_share: float) -> Held:
    """Judge a run of inverters that may absorb `q_share` of their apparent power."""
    again = FeederAgain(loop)
    street = loop.physics.street
    before_w: dict[str, float] = {}
    without, early, curtailed, given = 0.0, 0, 0.0, 0.0
    for tick in again.ticks():
        row, hours = tick.row, tick.row["dt_s"] / SECONDS_PER_HOUR
        changed: dict[str, float] = {}
        is_early = False
        for name in street.sun:
            s_va = street.rating_va(name)
            p_w, q_var = row[f"device.{name}.p_w"], row[f"device.{name}.q_var"]
            available_w = min(row[f"device.{name}.available_w"], s_va)
            # What the sun gives is given a tick later.
            sun_w = min(available_w, before_w.get(name, available_w))
            before_w[name] = available_w
            given += p_w * hours
            curtailed += max(0.0, sun_w - p_w) * hours
            room_var = min(q_share * s_va, sqrt(max(0.0, s_va**2 - p_w**2)))
            gave_up = p_w < (1.0 - GIVEN_UP) * sun_w
            is_early |= gave_up and -q_var < NEARLY * room_var
            changed |= {f"device.{name}.p_w": sun_w, f"device.{name}.q_var": 0.0}
        early += is_early
        without = max(without, float(again.as_run(tick.changed(changed)).v_pu.max()))
    metered = sum(
        period.export_milliwh / 1000
        for settled in loop.account.settled
        for period in settled.meters
        if loop.physics.street.rig.device(period.meter).measures in street.sun
    )
    return Held(without, early, curtailed, metered - given)
