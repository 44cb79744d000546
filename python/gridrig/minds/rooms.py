"""A room as a household states it: a store of heat over the steps of a plan.

What the building is may be stated wrongly. For a room that differs by a fifth the plan keeps away
from both ends of the comfort band by what such a room can drift from it until the next plan acts,
and counts later on a fifth less of the pump: what warming up takes longer can still be made good.

Known gaps: one coefficient of performance at any temperature; the heat of the sun is part of what
is stated as gains, the same at every hour.

References
----------
.. [1] P. Bacher and H. Madsen, "Identifying suitable models for the heat dynamics of buildings,"
   Energy and Buildings, vol. 43, no. 7, 2011: the model "Ti" is this one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.market.agents import RoomView, View
from gridrig.minds.horizon import means
from gridrig.minds.series import FloatArray, IntArray, LocalTime
from gridrig.minds.stores import Drift, Store, held_hours
from gridrig.quantity import SECONDS_PER_HOUR

WRONG = 0.2  # by how much what is stated of a building may be wrong
RATE_WRONG = (1 + WRONG) / (1 - WRONG) - 1  # how it cools or warms: heat over capacity
SENSED_K = 0.05  # half of the tenth of a kelvin that a room's sensor tells
HOURS = 24


@dataclass(frozen=True)
class Room:
    """What a household says of its room, and when it wants it how warm.

    Parameters
    ----------
    pump : str
        The heat pump that warms it.
    capacity_wh_per_k, conductance_w_per_k : float
        Of the room. [Wh/K, W/K]
    cop : float
        Heat per electricity. [1]
    gains_w : float
        Heat of people, cooking and the sun, on average. [W]
    low_c, high_c : sequence of 24 float
        The comfort band by the hour of the household's day. [deg C]
    start_utc_s : int
        When the run began. [s since 1970]
    zone : str
        Time zone the household lives by.
    """

    pump: str
    capacity_wh_per_k: float
    conductance_w_per_k: float
    cop: float
    gains_w: float
    low_c: Sequence[float]
    high_c: Sequence[float]
    start_utc_s: int
    zone: str

    def after_c(self, room_c: float, outdoor_c: float, takes_w: float, dt_s: float) -> float:
        """Return the temperature after a time with a power held. [deg C]"""
        ends_c = outdoor_c + (self.cop * takes_w + self.gains_w) / self.conductance_w_per_k
        fade_s = SECONDS_PER_HOUR * self.capacity_wh_per_k / self.conductance_w_per_k
        return ends_c + (room_c - ends_c) * math.exp(-dt_s / fade_s)

    def holds_w(self, at_c: float, outdoor_c: FloatArray, most_w: float) -> FloatArray:
        """Return what holds a temperature against that outdoors. [W]"""
        lost_w = self.conductance_w_per_k * (at_c - outdoor_c) - self.gains_w
        held: FloatArray = np.clip(lost_w / self.cop, 0.0, most_w)
        return held

    def hours_of(self, view: View, periods: int) -> IntArray:
        """Return the hour of the household's day that each period from a view's on lies in."""
        begins_s = self.start_utc_s + view.period.start_s
        time = LocalTime.of(begins_s, view.period.duration_s, periods, self.zone)
        return time.hour.astype(np.int64) % HOURS


@dataclass(frozen=True)
class RoomAhead:
    """A room over the steps of a plan.

    Parameters
    ----------
    room : Room
    store : Store
        Its heat above `ref_c`; what it must and should hold is the band less its margins.
    ref_c : float
        Colder than it can become. [deg C]
    starts_c : float
        When the plan begins. [deg C]
    outdoor_c : array of float64, shape (steps,)
        Mean of each step. [deg C]
    low_c : array of float64, shape (steps,)
        The low end of the band itself, for the end of each step. [deg C]
    hours : array of float64, shape (steps,)
        For how long a power counts in what is stored at the end of each step. [h]
    """

    room: Room
    store: Store
    ref_c: float
    starts_c: float
    outdoor_c: FloatArray
    low_c: FloatArray
    hours: FloatArray

    def unheated_wh(self) -> FloatArray:
        """Return what is stored at the end of each step if nothing is heated. [Wh]"""
        assert self.store.drift is not None
        at, found = self.store.stored_wh, []
        came_wh = self.store.drift.inflow_w * self.hours
        for kept, came in zip(self.store.drift.kept.tolist(), came_wh.tolist(), strict=True):
            at = kept * at + came
            found.append(at)
        return np.array(found)

    def needed_wh(self, later_w: FloatArray) -> float:
        """Return what must be stored at the end of the first step to hold the band after it. [Wh]

        Parameters
        ----------
        later_w : array of float64, shape (steps,)
            The most that can be heated with in each step. [W]
        """
        drift = self.store.drift
        assert drift is not None
        came_wh = (self.store.efficiency * later_w + drift.inflow_w) * self.hours
        need = float(self.store.least_wh[-1])
        for step in range(len(later_w) - 1, 0, -1):
            before = (need - float(came_wh[step])) / float(drift.kept[step])
            need = max(float(self.store.least_wh[step - 1]), before)
        return need


def is_known(seen: RoomView | None) -> bool:
    """Return whether enough was read of a room to plan with it."""
    return seen is not None and not seen.left


def room_ahead(name: str, room: Room, view: View, step_s: FloatArray) -> RoomAhead:
    """Return a room over the steps of a plan, as of the beginning of the view's period."""
    seen = view.room
    assert seen is not None
    assert seen.room_c is not None
    length_s = view.period.duration_s
    periods = int(step_s.sum()) // length_s
    outdoor_c = means(_lengthened(seen.outdoor_c, periods), step_s, length_s)
    starts_c = room.after_c(seen.room_c, seen.outdoor_c[0], seen.takes_w, seen.read_s)
    hour = room.hours_of(view, periods)
    low_c, high_c = _at_ends(room, hour, step_s, length_s)
    far_h = (seen.read_s + length_s) / SECONDS_PER_HOUR
    least_c, most_c = _kept_away(room, low_c, high_c, outdoor_c, seen.most_w, far_h)
    hours = step_s / SECONDS_PER_HOUR
    charge_w = np.full(len(step_s), seen.most_w)
    charge_w[1:] *= 1.0 - WRONG
    kept = np.exp(-hours * room.conductance_w_per_k / room.capacity_wh_per_k)
    ref_c = min(starts_c, float(outdoor_c.min()), float(low_c.min()))
    inflow_w = room.conductance_w_per_k * (outdoor_c - ref_c) + room.gains_w
    store = Store(
        name,
        room.capacity_wh_per_k * (starts_c - ref_c),
        charge_w,
        np.zeros(len(step_s)),
        room.capacity_wh_per_k * (least_c - ref_c),
        math.inf,
        room.cop,
        drift=Drift(
            kept,
            inflow_w,
            room.capacity_wh_per_k * (most_c - ref_c),
            leftover=float(kept[-1]) / room.cop,
        ),
    )
    return RoomAhead(room, store, ref_c, starts_c, outdoor_c, low_c, held_hours(store, hours))


def thermostat_w(room: Room, view: View, periods: int) -> FloatArray | None:
    """Return what its own thermostat is expected to take in each period; None if nobody can say.

    By the weather and its set-point; without either as the signed meter counted last. [W]
    """
    seen = view.room
    if seen is None:
        return None
    if seen.set_point_c is not None and seen.outdoor_c:
        outdoor_c = _lengthened(seen.outdoor_c, periods)
        return room.holds_w(seen.set_point_c, outdoor_c, seen.most_w)
    last_wh = next((wh for wh in reversed(view.counted_wh) if math.isfinite(wh)), None)
    return None if last_wh is None else np.full(periods, max(0.0, -last_wh) / view.period.hours)


def _at_ends(
    room: Room, hour: IntArray, step_s: FloatArray, length_s: int
) -> tuple[FloatArray, FloatArray]:
    """Return the band for the end of each step: the narrower of the steps that meet there. [deg C]

    A room is monotone within a step, so that it is in its band in all of it if it is at both ends.
    """
    low, high = (np.array(ends, float)[hour] for ends in (room.low_c, room.high_c))
    edges = np.concatenate([[0], np.cumsum(step_s / length_s)]).astype(int)
    of_step_low = np.maximum.reduceat(low, edges[:-1])
    of_step_high = np.minimum.reduceat(high, edges[:-1])
    next_low = np.append(of_step_low[1:], of_step_low[-1])
    next_high = np.append(of_step_high[1:], of_step_high[-1])
    return np.maximum(of_step_low, next_low), np.minimum(of_step_high, next_high)


def _kept_away(
    room: Room,
    low_c: FloatArray,
    high_c: FloatArray,
    outdoor_c: FloatArray,
    most_w: float,
    far_h: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the band less what a wrong building can drift until the next plan acts. [deg C]"""
    lost_w = room.conductance_w_per_k * np.maximum(low_c - outdoor_c, 0.0)
    most_heat_w = max(room.cop * most_w, room.gains_w)
    # Nobody may be in, or twice as many as on average.
    people_w = room.gains_w / (1 - WRONG)
    drifts_k = far_h / room.capacity_wh_per_k * (lost_w * RATE_WRONG + people_w)
    warms_k = far_h / room.capacity_wh_per_k * (most_heat_w * RATE_WRONG + people_w)
    middle_c = (low_c + high_c) / 2
    least_c = np.minimum(low_c + SENSED_K + drifts_k, middle_c)
    return least_c, np.maximum(high_c - SENSED_K - warms_k, middle_c)


def _lengthened(values: Sequence[float], periods: int) -> FloatArray:
    """Return so many values, the last one again and again where there are fewer."""
    found = np.full(periods, values[-1])
    found[: len(values)] = values[:periods]
    return found
