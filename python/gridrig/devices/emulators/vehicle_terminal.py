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
    asks_w : float
        What it asks of the grid now. [W]
    p_w : float
        Power it takes, as its terminal gives it. [W]
    soc : float
        State of charge, 0..1.
    import_milliwh : int
        Register of the charging point. [mWh]
    """

    plugged: bool
    asks_w: float
    p_w: float
    soc: float
    import_milliwh: int


class VehicleTerminal(Protocol):
    """The plug."""

    def state(self) -> VehicleState:
        """Return the vehicle as it is now."""

    def offer(self, p_w: float) -> None:
        """Offer power from now on; nothing is 0. [W]"""

    def plug(self, plugged: bool) -> None:
        """Plug it in or out: what its driver does."""
