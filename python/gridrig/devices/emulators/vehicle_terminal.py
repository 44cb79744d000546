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
        What it asks of the grid now, negative to discharge. [W]
    p_w : float
        Power it takes, as its terminal has it; negative while it discharges. [W]
    soc : float
        State of charge, 0..1.
    import_milliwh, export_milliwh : int
        Registers of the charging point. [mWh]
    """

    plugged: bool
    asks_w: float
    p_w: float
    soc: float
    import_milliwh: int
    export_milliwh: int = 0


class VehicleTerminal(Protocol):
    """The plug."""

    def state(self) -> VehicleState:
        """Return the vehicle as it is now."""

    def offer(self, p_w: float) -> None:
        """Offer power from now on, 0 for none; ask for power if it is negative. [W]"""

    def plug(self, plugged: bool) -> None:
        """Plug it in or out: what its driver does."""
