"""What a driver may set of an inverter's grid-support functions, in physical units.

Per unit is of nominal voltage, of the maximum active power, or of what `reference` names; positive
reactive power goes into the grid. A device's driver names the functions it has in `functions`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Reference = Literal["w_max", "var_max", "var_available", "va_max"]
Priority = Literal["active", "reactive", "vendor"]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class CurveSettings:
    """A curve: volt-var, volt-watt or watt-var.

    Parameters
    ----------
    points : tuple of (float, float)
        Independent and dependent value, per unit, rising in the first.
    reference : str
        What the dependent value is a share of.
    response_s : float or None
        Open-loop response time; None where the function has none. [s]
    priority : str or None
        Which power goes first; None where the function has none.
    v_ref_pu, v_ref_auto_s : float or None
        Of volt-var: the voltage that the curve is laid around, and the time constant with which
        it adjusts itself; None leaves them as they are. [pu, s]
    v_ref_auto : bool or None
        Whether it does.
    """

    points: Points
    reference: Reference = "w_max"
    response_s: float | None = None
    priority: Priority | None = None
    v_ref_pu: float | None = None
    v_ref_auto: bool | None = None
    v_ref_auto_s: float | None = None


@dataclass(frozen=True)
class DroopSettings:
    """Frequency droop.

    Parameters
    ----------
    db_of_hz, db_uf_hz : float
        Deadbands above and below nominal frequency. [Hz]
    k_of, k_uf : float
        Per-unit frequency for one per unit of power.
    response_s : float
        Open-loop response time. [s]
    """

    db_of_hz: float
    db_uf_hz: float
    k_of: float
    k_uf: float
    response_s: float


@dataclass(frozen=True)
class TripSettings:
    """The regions of a ride-through: voltage in per unit or frequency in hertz, and seconds.

    Parameters
    ----------
    must_trip : tuple of (float, float)
        Corners of the region; empty for none.
    may_trip, momentary_cessation : tuple of (float, float) or None
        Likewise; None leaves the region in force as it is.
    """

    must_trip: Points = ()
    may_trip: Points | None = None
    momentary_cessation: Points | None = None


@dataclass(frozen=True)
class PowerFactorSettings:
    """Constant power factor, while active power goes into the grid or out of it.

    Parameters
    ----------
    factor : float
        Active over apparent power, above 0 and at most 1.
    injects : bool
        Whether reactive power goes into the grid (over-excited); else it is absorbed.
    """

    factor: float
    injects: bool = True


FunctionSettings = CurveSettings | DroopSettings | TripSettings | PowerFactorSettings


@dataclass(frozen=True)
class FunctionState:
    """A function as the device has it in force.

    Parameters
    ----------
    on : bool
        Whether it is enabled.
    settings : CurveSettings, DroopSettings, TripSettings or PowerFactorSettings
        Its settings.
    """

    on: bool
    settings: FunctionSettings


@runtime_checkable
class GridSupport(Protocol):
    """An inverter whose reactive power and grid-support functions can be set."""

    @property
    def functions(self) -> Collection[str]:
        """Names of the functions it has."""

    async def set_q_var(self, q_var: float | None) -> None:
        """Set reactive power; None takes the set-point back. [var]"""

    async def read_function(self, name: str) -> FunctionState:
        """Return a function as it is in force."""

    async def write_function(self, name: str, settings: FunctionSettings, *, on: bool) -> None:
        """Put a function's settings in force and enable or disable it."""


@dataclass(frozen=True)
class EnterServiceSettings:
    """When and how an inverter begins to energise.

    Parameters
    ----------
    v_low_pu, v_high_pu : float
        Voltage it waits for. [pu]
    f_low_hz, f_high_hz : float
        Frequency it waits for. [Hz]
    delay_s : float
        How long both must hold. [s]
    random_s : float
        A random time up to this comes on top. [s]
    ramp_s : float
        From nothing to rated power. [s]
    """

    v_low_pu: float
    v_high_pu: float
    f_low_hz: float
    f_high_hz: float
    delay_s: float
    random_s: float
    ramp_s: float


@runtime_checkable
class IslandDetection(Protocol):
    """An inverter whose island detection a laboratory may switch off, to prove its bench."""

    @property
    def detection_switchable(self) -> bool:
        """Whether this device, as the rig describes it, lets it."""

    async def set_island_detection(self, on: bool) -> None:
        """Switch island detection on or off; the device is put back as found at the end."""


@runtime_checkable
class EnterService(Protocol):
    """An inverter whose way into service can be set."""

    async def read_enter_service(self) -> EnterServiceSettings:
        """Return the settings in force."""

    async def write_enter_service(self, settings: EnterServiceSettings) -> None:
        """Put settings in force."""
