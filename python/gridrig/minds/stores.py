"""What a plan can store energy in: batteries, cars, and rooms that lose heat and gain it."""

from dataclasses import dataclass

import numpy as np

from gridrig.minds.series import FloatArray


@dataclass(frozen=True)
class Drift:
    """What becomes of stored energy by itself, as of the heat in a room.

    Parameters
    ----------
    kept : array of float64, shape (steps,)
        Share of what is stored when a step begins that is left when it ends: exp(-step/time
        constant), above 0 and at most 1. What comes in during a step is lost at the same rate.
    inflow_w : array of float64, shape (steps,)
        What comes in besides, not negative. [W]
    most_wh : array of float64, shape (steps,)
        What should be stored at most at the end of each step; more is no reason to charge. [Wh]
    leftover : float
        What a unit that is left at the end counts of one of electricity. [1]
    """

    kept: FloatArray
    inflow_w: FloatArray
    most_wh: FloatArray
    leftover: float = 1.0


@dataclass(frozen=True)
class Store:
    """Something that stores energy: a battery, a car while it is plugged in, or a room.

    Parameters
    ----------
    name : str
    stored_wh : float
        At the beginning. [Wh]
    charge_w, discharge_w : array of float64, shape (steps,)
        The most it takes and gives in each step, at its terminal; 0 while a car is away. [W]
    least_wh : array of float64, shape (steps,)
        What it must hold at the end of each step: the reserve, the need of a driver. [Wh]
    most_wh : float
        What it can hold. [Wh]
    efficiency : float
        Of one way, charging as discharging; of a room, heat per electricity. [1]
    wear_micro_per_kwh : float
        What it costs to put energy through it once. [millionths/kWh]
    drift : Drift or None
        None if what is stored stays.
    """

    name: str
    stored_wh: float
    charge_w: FloatArray
    discharge_w: FloatArray
    least_wh: FloatArray
    most_wh: float
    efficiency: float = 0.95
    wear_micro_per_kwh: float = 0.0
    drift: Drift | None = None


def held_hours(store: Store, hours: FloatArray) -> FloatArray:
    """Return for how many hours a constant power counts in what is stored at the end of a step.

    Of a store that keeps all it is the step; of one that drifts, what comes in early is partly lost
    again by the end: the step times (1 - kept) / ln(1 / kept).

    >>> drift = Drift(np.array([1.0, 0.5]), np.zeros(2), np.zeros(2))
    >>> store = Store("room", 0.0, np.ones(2), np.zeros(2), np.zeros(2), 0.0, drift=drift)
    >>> held_hours(store, np.ones(2)).round(4).tolist()
    [1.0, 0.7213]
    """
    if store.drift is None:
        return hours
    rate = -np.log(store.drift.kept)
    share = np.divide(-np.expm1(-rate), rate, out=np.ones(len(rate)), where=rate > 0)
    found: FloatArray = hours * share
    return found
