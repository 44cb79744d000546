"""What a device can do, whoever made it: one protocol for each capability, and its readings.

Positive power and current flow from the device into the grid (generation, discharge); every
driver converts at its edge. A driver fails with `DriverError` and a `kind`, never otherwise; what
a device cannot do fails with the code `driver.unsupported`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Identity:
    """Who a device says it is."""

    manufacturer: str
    model: str
    serial: str
    firmware: str


@dataclass(frozen=True)
class InverterReading:
    """What an inverter reports of itself at one moment.

    Parameters
    ----------
    p_w, q_var : float
        Active and reactive power into the grid. [W, var]
    v_v : float
        Line-to-line voltage. [V]
    f_hz : float
        Frequency. [Hz]
    connected : bool
        Whether it says it is connected to the grid.
    state : str
        "running", "throttled", "off", "starting", "shutting_down", "tripped", "standby",
        "sleeping", or "unknown" if it does not say.
    limit_w : float or None
        Active power limit in force, None if there is none. [W]
    w_max : float
        Nameplate active power. [W]
    soc : float or None
        State of charge of its storage, 0..1; None if it has none or does not know.
    """

    p_w: float
    q_var: float
    v_v: float
    f_hz: float
    connected: bool
    state: str
    limit_w: float | None
    w_max: float
    soc: float | None = None


@dataclass(frozen=True)
class BmsReading:
    """What a battery management system reports of its pack at one moment.

    Parameters
    ----------
    soc : float
        State of charge, 0..1.
    v_v : float
        Pack voltage. [V]
    i_a : float
        Pack current, positive while discharging. [A]
    cells_mv : tuple of int
        Cell voltages. [mV]
    temperature_c : float
        The warmest sensor. [deg C]
    charge_limit_a, discharge_limit_a : float
        Largest current the pack accepts and gives now, both not negative. [A]
    charge_fet, discharge_fet : bool
        Whether each switch is closed.
    protections : tuple of str
        Names of the protections that act now.
    """

    soc: float
    v_v: float
    i_a: float
    cells_mv: tuple[int, ...]
    temperature_c: float
    charge_limit_a: float
    discharge_limit_a: float
    charge_fet: bool
    discharge_fet: bool
    protections: tuple[str, ...]


@dataclass(frozen=True)
class MeterReading:
    """What a meter reports at one moment, unsigned by its key.

    Parameters
    ----------
    p_w, q_var : float
        Power from the customer into the grid. [W, var]
    v_v : float
        Line-to-line voltage. [V]
    f_hz : float
        Frequency. [Hz]
    import_milliwh, export_milliwh : int or None
        Registers: grid to customer, customer to grid; None if the meter shows none. [mWh]
    """

    p_w: float
    q_var: float
    v_v: float
    f_hz: float
    import_milliwh: int | None = None
    export_milliwh: int | None = None


@runtime_checkable
class Driver(Protocol):
    """What every driver offers, whatever the device can do."""

    name: str
    capability: str

    async def open(self) -> None:
        """Connect and learn what the device is; no setting is written."""

    async def identify(self) -> Identity:
        """Return who the device says it is."""

    async def close(self) -> None:
        """Let go of the wire; closing twice is allowed."""

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Drive the device to the declared safe state, each setting read back."""

    async def restore(self) -> None:
        """Write the settings back as found, each read back, but for those made safe."""


@runtime_checkable
class Inverter(Driver, Protocol):
    """A generator with a power limit and a connection permit."""

    async def read(self) -> InverterReading:
        """Return what the inverter reports now."""

    async def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power; None removes the limit. [W]"""

    async def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection to the grid."""


@runtime_checkable
class StorageInverter(Inverter, Protocol):
    """An inverter whose power can be set in both directions."""

    async def set_power_w(self, p_w: float) -> None:
        """Set active power, positive while discharging. [W]"""


@runtime_checkable
class Bms(Driver, Protocol):
    """A battery pack's own manager."""

    async def read(self) -> BmsReading:
        """Return what the pack reports now."""

    async def set_fets(self, charge: bool, discharge: bool) -> None:
        """Close (True) or open the charge and discharge switches."""


@runtime_checkable
class Meter(Driver, Protocol):
    """A meter that signs its registers."""

    async def read(self) -> MeterReading:
        """Return what the meter reports now, unsigned."""

    async def sync_clock(self, utc_s: int) -> None:
        """Set the meter's clock. [s since 1970-01-01 UTC]"""

    async def sign(self, time_s: int | None = None) -> bytes:
        """Make the meter sign its registers and return the record as received.

        Parameters
        ----------
        time_s : int or None
            Time the record shall carry; None for the meter's own clock.
            [s since 1970-01-01 UTC]
        """
