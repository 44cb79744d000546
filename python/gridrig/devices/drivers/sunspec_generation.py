"""What the SunSpec inverter drivers need of a generation of models, whichever a device has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.errors import DriverError

ON_THE_GRID = frozenset({"running", "throttled", "shutting_down"})


@dataclass(frozen=True)
class Nameplate:
    """What set-points are bounded by.

    Parameters
    ----------
    w_max : float
        Largest active power. [W]
    inject_max_var, absorb_max_var : float
        Largest reactive power either way; 0 for none. [var]
    charge_max_w, discharge_max_w : float
        Largest power into and out of a storage; 0 for none. [W]
    """

    w_max: float
    inject_max_var: float
    absorb_max_var: float
    charge_max_w: float
    discharge_max_w: float


@dataclass(frozen=True)
class Measured:
    """What a device measures now; fields as of `InverterReading`."""

    p_w: float
    q_var: float
    v_v: float
    f_hz: float
    connected: bool
    state: str


class Generation(Protocol):
    """One device by one generation of models; every write is read back.

    Attributes
    ----------
    settings : mapping
        The model and the points behind each key of a safe state.
    """

    settings: Mapping[str, tuple[int, tuple[str, ...]]]

    async def nameplate(self) -> Nameplate:
        """Read what set-points are bounded by."""

    async def measure(self) -> Measured:
        """Read what the device measures now."""

    async def read_limit(self) -> float | None:
        """Return the limit in force as the device has it, None for none. [W]"""

    async def read_soc(self) -> float | None:
        """Return the state of charge, 0..1, None if it says none."""

    async def read_connect(self) -> bool:
        """Return whether connection is permitted."""

    async def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection."""

    async def hold_limit(self, p_w: float, *, reverts: bool) -> tuple[float | None, float]:
        """Put a limit in force, rounded down; return what is in force then and its step. [W]"""

    async def release_limit(self) -> None:
        """Take the limit out of force."""

    async def hold_power(self, p_w: float, *, reverts: bool) -> None:
        """Set a storage's power, rounded towards zero. [W]"""

    async def hold_reactive(self, q_var: float, *, reverts: bool) -> None:
        """Set reactive power, rounded towards zero. [var]"""

    async def release_reactive(self) -> None:
        """Take the reactive power out of force."""

    async def renew(self) -> None:
        """Write again what would soon fall back."""

    def forget(self) -> None:
        """Renew nothing any more."""

    async def use_control_period(self, control_period_s: float) -> Mapping[str, object]:
        """Let reversion timers follow the control; return how they are used. [s]"""


def missing(device: str, point: str) -> DriverError:
    """Return the error of a device that lacks a point."""
    return DriverError(
        "driver.unsupported", "{device} does not implement {point}", device=device, point=point
    )


def needed(device: str, registers: ModelRegisters, *points: str) -> float:
    """Return the first of the points that is implemented.

    Raises
    ------
    DriverError
        `driver.unsupported`, if none is.
    """
    value = first(registers, *points)
    if value is None:
        raise missing(device, points[0])
    return value


def first(registers: ModelRegisters, *points: str) -> float | None:
    """Return the first of the points that is implemented, None if none is."""
    values = (registers.value(point) for point in points)
    return next((value for value in values if value is not None), None)
