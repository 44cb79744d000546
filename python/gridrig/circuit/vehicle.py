"""An electric vehicle at a charging point: a battery that takes what it is offered, and tapers."""

import math

from gridrig.clock import Clock
from gridrig.devices.emulators.vehicle_terminal import VehicleState

STEP_S = 10.0
TAPER_SOC = 0.8  # above it the battery takes less, down to nothing at full
MILLIWH_PER_WS = 1 / 3.6


class Vehicle:
    """A vehicle and the meter at its charging point.

    Parameters
    ----------
    clock : Clock
        The run's.
    capacity_wh : float
        Of its battery. [Wh]
    soc : float
        State of charge at the beginning, 0..1.
    target_soc : float
        Where it ends charging, 0..1.
    p_w_max : float
        The most it takes. [W]
    plugged : bool
        Whether it is plugged in at the beginning.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        capacity_wh: float,
        soc: float,
        target_soc: float,
        p_w_max: float,
        plugged: bool,
    ) -> None:
        self._clock = clock
        self._capacity_wh, self._soc = capacity_wh, soc
        self._target_soc, self._p_w_max = target_soc, p_w_max
        self._plugged = plugged
        self._offered_w = 0.0
        self._energy_milliwh, self._rest = 0, 0.0
        self._at_s = clock.now_s()

    def state(self) -> VehicleState:
        """Bring it up to now and return it."""
        self._advance()
        return VehicleState(self._plugged, self._takes_w(), self._soc, self._energy_milliwh)

    def offer(self, p_w: float) -> None:
        """Offer power from now on. [W]"""
        self._advance()
        self._offered_w = p_w

    def plug(self, plugged: bool) -> None:
        """Plug it in or out: what its driver does."""
        self._advance()
        self._plugged = plugged

    def _takes_w(self) -> float:
        if not self._plugged or self._soc >= self._target_soc:
            return 0.0
        taper = min(1.0, (1.0 - self._soc) / (1.0 - TAPER_SOC))
        return min(self._offered_w, self._p_w_max * taper)

    def _advance(self) -> None:
        now_s = self._clock.now_s()
        while self._at_s < now_s:
            step_s = min(STEP_S, now_s - self._at_s)
            joules = self._takes_w() * step_s
            self._soc = min(1.0, self._soc + joules / (3600.0 * self._capacity_wh))
            exact = self._rest + joules * MILLIWH_PER_WS
            whole = math.floor(exact)  # the rest is carried to the next reading
            self._energy_milliwh, self._rest = self._energy_milliwh + whole, exact - whole
            self._at_s += step_s
