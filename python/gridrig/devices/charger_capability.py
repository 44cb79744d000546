"""What an EV charger can do, whoever made it: its protocol and its reading.

As in `capabilities`: a driver fails with `DriverError` and a `kind`, never otherwise; positive
power flows from the device into the grid.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gridrig.devices.capabilities import Driver


@dataclass(frozen=True)
class EvChargerReading:
    """What an EV charger reports.

    Parameters
    ----------
    plugged, charging : bool
        Whether a vehicle is there, and whether power flows.
    status : str
        In OCPP 1.6's words: "Available", "Preparing", "Charging", "SuspendedEV", ...
    p_w : float
        Into the grid: negative while charging, positive while discharging. [W]
    import_milliwh, export_milliwh : int
        Registers of the charging point, as told, rounded down. [mWh]
    soc : float or None
        Of the vehicle, 0..1, if it says it.
    allowed_w : float or None
        What its charging profiles allow now, if it says it. [W]
    """

    plugged: bool
    charging: bool
    status: str
    p_w: float
    import_milliwh: int
    soc: float | None
    allowed_w: float | None
    export_milliwh: int = 0


@runtime_checkable
class EvCharger(Driver, Protocol):
    """A charging point for vehicles."""

    async def read(self) -> EvChargerReading:
        """Return what it reports, asked for now."""

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit charging; None removes the limit. [W]"""

    async def set_power_w(self, p_w: float) -> None:
        """Set power, positive while discharging; what cannot is `driver.unsupported`. [W]"""

    async def begin_transaction(self) -> None:
        """Begin a transaction and wait, bounded, until it runs."""

    async def end_transaction(self) -> None:
        """End it and wait, bounded, until it is over."""
