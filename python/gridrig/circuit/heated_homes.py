"""Homes that a heat pump keeps warm, many at once: first-order rooms behind terminals of the plant.

A room moves by the closed form of `weathered_room`, its pump's power held over a step. The pump
modulates: what its thermostat asks for is what holds the set-point in this weather, more
or less by how far the room is from it. A set-point of power, told from outside, is followed between
two more thermostats, at the low and the high end of the comfort band: no order leaves the band.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridrig.circuit.weathered_room import FloatArray, Outdoors, after_step, gains_w
from gridrig.quantity import DAY_S

QUARTER_S = 900
HISTORY_DAYS = 17  # at least ten weekdays, after two days to settle
SETTLING_DAYS = 2


@dataclass(frozen=True)
class History:
    """What lay before a run, by quarter-hours, as meters at each home recorded it.

    Parameters
    ----------
    first_utc_s : int
        Beginning of the first quarter-hour. [s since 1970]
    p_w : array of float64, shape (n_quarters, n_homes)
        Mean power taken. [W]
    outdoor_c : array of float64, shape (n_quarters,)
        Outdoor temperature. [deg C]
    """

    first_utc_s: int
    p_w: FloatArray
    outdoor_c: FloatArray


@dataclass(frozen=True)
class FleetReading:
    """What the homes of a fleet tell, one entry a home.

    Parameters
    ----------
    online : array of bool
        Who answers; what the others would tell is NaN.
    p_w : array of float64
        Power taken. [W]
    low_w, high_w : array of float64
        What each could take at least and at most without leaving its comfort band. [W]
    """

    online: NDArray[np.bool_]
    p_w: FloatArray
    low_w: FloatArray
    high_w: FloatArray


class HeatedHomes:
    """A fleet of homes with heat pumps.

    Parameters
    ----------
    count, seed : int
        How many, and what they are drawn from.
    p_w_max : float
        The most that a pump takes. [W]
    conductance_w_per_k, capacity_wh_per_k : (float, float)
        Between which they are drawn. [W/K, Wh/K]
    cop : float
        Heat per electricity. [1]
    set_point_c, low_c, high_c : float
        Of the thermostat, and the comfort band. [deg C]
    gain_w_max : float
        Heat of people and cooking, drawn every hour between 0 and this. [W]
    thermostat_w_per_k : float
        By how much more electricity a thermostat answers a room that is too cold. [W/K]
    outdoor_c, swing_k, spread_k : float
        Weather: mean, half the difference of day and night, standard deviation of a day. [deg C, K]
    response_s : float
        From a set-point told to a set-point followed. [s]
    follows : float
        Share of the homes that follow a set-point; the others say they do. [1]
    follows_s : float
        How long after it is first told something a home follows what it is told. [s]
    meter_scale : float
        What the homes' meters count of each watt-hour. [1]
    heard : float
        Share of the readings of its meter that arrive. [1]
    inflates_w : float
        What each home wasted in the days before, to look bigger. [W]
    lets_go : bool
        Whether homes hear that nothing is ordered any more.
    guards_comfort : bool
        Whether a set-point is refused that would leave the comfort band.
    """

    def __init__(
        self,
        *,
        count: int,
        seed: int,
        p_w_max: float,
        conductance_w_per_k: tuple[float, float],
        capacity_wh_per_k: tuple[float, float],
        cop: float,
        set_point_c: float,
        low_c: float,
        high_c: float,
        gain_w_max: float,
        thermostat_w_per_k: float,
        outdoor_c: float,
        swing_k: float,
        spread_k: float,
        response_s: float = 0.0,
        follows: float = 1.0,
        follows_s: float = math.inf,
        meter_scale: float = 1.0,
        heard: float = 1.0,
        inflates_w: float = 0.0,
        lets_go: bool = True,
        guards_comfort: bool = True,
    ) -> None:
        draws = np.random.default_rng([seed, 0])
        self.count = count
        self.set_point_c, self.low_c, self.high_c = set_point_c, low_c, high_c
        self.conductance_w_per_k = draws.uniform(*conductance_w_per_k, count)
        self.capacity_wh_per_k = draws.uniform(*capacity_wh_per_k, count)
        self.cop = cop
        self._honest = draws.permutation(count) < round(follows * count)
        self._order_of_loss = draws.permutation(count)
        self._seed, self._p_w_max, self._gain_w_max = seed, p_w_max, gain_w_max
        self._per_k, self._guards, self._lets_go = thermostat_w_per_k, guards_comfort, lets_go
        self._outdoors = Outdoors(seed, outdoor_c, swing_k, spread_k)
        self._response_s, self._follows_s = response_s, follows_s
        self.seed, self.meter_scale, self._inflates_w = seed, meter_scale, inflates_w
        self._heard = heard
        self._reset()

    def _reset(self) -> None:
        self.temperature_c = np.full(self.count, self.set_point_c)
        self.online = np.ones(self.count, dtype=bool)
        self.extra_w = np.zeros(self.count)
        self._follows = self._honest.copy()
        self._told_w = np.full(self.count, math.nan)
        self._coming: list[tuple[float, FloatArray]] = []
        self._first_told_s = math.inf

    def begin(self, utc_s: int) -> History:
        """Live through the days before a run, and return what was recorded of them."""
        self._reset()
        first = utc_s - HISTORY_DAYS * DAY_S
        rows, outdoor = [], []
        for at in range(first, utc_s, QUARTER_S):
            p_w = self.power_w(at)
            self.advance(p_w, at, QUARTER_S)
            if at >= first + SETTLING_DAYS * DAY_S:
                rows.append(p_w + self._inflates_w)
                outdoor.append(self.outdoor_c(at))
        return History(first + SETTLING_DAYS * DAY_S, np.array(rows), np.array(outdoor))

    def outdoor_c(self, utc_s: float) -> float:
        """Return the outdoor temperature. [deg C]"""
        return self._outdoors.at(utc_s)

    def power_w(self, utc_s: float) -> FloatArray:
        """Return what each pump takes now, by its thermostats and what it was told. [W]"""
        while self._coming and self._coming[0][0] <= utc_s:
            self._told_w = self._coming.pop(0)[1]
        own = self._thermostat_w(self.set_point_c, utc_s)
        still = utc_s < self._first_told_s + self._follows_s
        told = ~np.isnan(self._told_w) & self.online & self._follows & still
        p_w = np.where(told, np.nan_to_num(self._told_w), own)
        low, high = self._band_w(utc_s)
        p_w = np.where(told, np.clip(p_w, low, high), p_w)
        taken: FloatArray = np.clip(p_w, 0.0, self._p_w_max) + self.extra_w
        return taken

    def _thermostat_w(self, at_c: float, utc_s: float) -> FloatArray:
        """Return what a thermostat set to a temperature would let the pump take. [W]"""
        holds = self.conductance_w_per_k * (at_c - self.outdoor_c(utc_s)) / self.cop
        asked = holds + self._per_k * (at_c - self.temperature_c)
        power: FloatArray = np.clip(asked, 0.0, self._p_w_max)
        return power

    def _band_w(self, utc_s: float) -> tuple[FloatArray, FloatArray]:
        if not self._guards:
            return np.zeros(self.count), np.full(self.count, self._p_w_max)
        # A room that people heat settles so much above a thermostat's mark.
        added_k = self._gain_w_max / (self.cop * self._per_k)
        low, high = self.low_c, max(self.high_c - added_k, self.set_point_c)
        return self._thermostat_w(low, utc_s), self._thermostat_w(high, utc_s)

    def advance(self, p_w: FloatArray, utc_s: float, dt_s: float) -> None:
        """Let the rooms go on over a time in which the pumps took this. [W, s]"""
        heat_w = self.cop * (p_w - np.minimum(self.extra_w, p_w)) + self.gains_w(utc_s)
        ends_c = self.outdoor_c(utc_s) + heat_w / self.conductance_w_per_k
        self.temperature_c = after_step(
            self.temperature_c, ends_c, dt_s, self.conductance_w_per_k, self.capacity_wh_per_k
        )

    def stored_wh(self) -> float:
        """Return the heat in all rooms beyond that at the set-point. [Wh]"""
        return float(np.sum(self.capacity_wh_per_k * (self.temperature_c - self.set_point_c)))

    def lost_w(self, utc_s: float) -> float:
        """Return the heat that all rooms lose to the outside. [W]"""
        colder_k = self.temperature_c - self.outdoor_c(utc_s)
        return float(np.sum(self.conductance_w_per_k * colder_k))

    def gains_w(self, utc_s: float) -> FloatArray:
        """Return the heat of people and cooking in each home. [W]"""
        return gains_w(self._seed, utc_s, self._gain_w_max, self.count)

    def tell(self, p_w: FloatArray | None, utc_s: float) -> None:
        """Tell each home what to take, NaN or None for what its thermostat likes. [W]"""
        if p_w is None and not self._lets_go:
            return
        told = np.full(self.count, math.nan) if p_w is None else p_w
        self._first_told_s = min(self._first_told_s, utc_s)
        self._coming.append((utc_s + self._response_s, told))

    def unheard(self, home: int, of: int = 7 * 96 + 1) -> set[int]:
        """Return which readings of so many in a row a home's meter signs and nobody hears."""
        draws = np.random.default_rng([self.seed, 3, home]).random(of)
        return set(np.flatnonzero(draws >= self._heard).tolist())

    def cheat(self, home: int, p_w: float) -> None:
        """Let a home take so much more from now on, and only say that it follows. [W]"""
        self.extra_w[home] = p_w
        self._follows[home] = False

    def lose(self, share: float) -> None:
        """Let so many homes, from now on, hear and say nothing and follow their thermostats."""
        self.online = self._order_of_loss >= round(share * self.count)

    def read(self, utc_s: float) -> FleetReading:
        """Return what the homes say: those that only claim to follow say what they were told."""
        says = self.power_w(utc_s)
        low, high = self._band_w(utc_s)
        pretends = ~self._follows & ~np.isnan(self._told_w)
        says = np.where(pretends, np.clip(np.nan_to_num(self._told_w), low, high), says)
        silent = np.where(self.online, 0.0, math.nan)
        return FleetReading(self.online.copy(), says + silent, low + silent, high + silent)
