"""What an emulated charger may see and command of the vehicle at its plug."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class VehicleState:
    """A vehicle at one moment.

    Parameters
    ----------
    plugged : bool
        Whether it is plugged in.
    p_w : float
        Power it takes, not negative. [W]
    soc : float
        State of charge, 0..1.
    energy_milliwh : int
        Register of the charging point, rounded down, the rest carried on. [mWh]
    """

    plugged: bool
    p_w: float
    soc: float
    energy_milliwh: int


class VehicleTerminal(Protocol):
    """The plug."""

    def state(self) -> VehicleState:
        """Return the vehicle as it is now."""

    def offer(self, p_w: float) -> None:
        """Offer power from now on; nothing is 0. [W]"""

    def plug(self, plugged: bool) -> None:
        """Plug it in or out: what its driver does."""
