"""What an emulated device may see and command of the physical world: its own terminal only.

The plant offers these; an emulator owns no physics. Positive power and current flow from the
device into the grid (generation, discharge).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class TerminalState:
    """One terminal at one moment.

    Parameters
    ----------
    v_pu : float
        Voltage relative to nominal.
    f_hz : float
        Frequency. [Hz]
    p_w, q_var : float
        Power into the grid. [W, var]
    connected : bool
        Whether the device's own switch is closed.
    status : str
        "running", "throttled", "off", "tripped", "starting", ...
    trip_cause : str or None
        Name of the relay or detector that tripped it.
    limit_w : float or None
        Active power limit in force. [W]
    import_milliwh, export_milliwh : int
        Energy from and into the grid since the beginning. [mWh]
    """

    v_pu: float
    f_hz: float
    p_w: float
    q_var: float
    connected: bool
    status: str
    trip_cause: str | None = None
    limit_w: float | None = None
    import_milliwh: int = 0
    export_milliwh: int = 0


@dataclass(frozen=True)
class ProtectionSetting:
    """How one protection of a pack is set.

    Parameters
    ----------
    name : str
        Its name.
    trip : float
        Threshold. [V, deg C or A]
    delay_s : float
        How long it must be passed. [s]
    release : float
        Where it is released [V, deg C], or after which rest [s] for a current.
    """

    name: str
    trip: float
    delay_s: float
    release: float


@dataclass(frozen=True)
class PackState:
    """One battery pack at one moment, as its own manager measures and counts it.

    Parameters
    ----------
    soc : float
        State of charge as counted, 0..1; the cells' own may differ.
    v_v : float
        Pack voltage. [V]
    i_a : float
        Pack current as the shunt shows it, positive while discharging. [A]
    cells_mv : tuple of int
        Cell voltages. [mV]
    temperature_c : float
        Pack temperature. [deg C]
    charge_fet, discharge_fet : bool
        Whether each switch is closed.
    charge_limit_a, discharge_limit_a : float
        Largest current accepted and given now, both not negative. [A]
    capacity_ah : float
        Nominal capacity. [Ah]
    cycles : int
        Full cycles so far.
    protections : tuple of str
        Names of the protections that act now.
    balancing : tuple of bool
        Which cells are being bled.
    settings : tuple of ProtectionSetting
        How the protections are set.
    charge_a_max, discharge_a_max : float
        Nameplate currents. [A]
    """

    soc: float
    v_v: float
    i_a: float
    cells_mv: tuple[int, ...]
    temperature_c: float
    charge_fet: bool
    discharge_fet: bool
    charge_limit_a: float
    discharge_limit_a: float
    capacity_ah: float
    cycles: int
    protections: tuple[str, ...] = ()
    balancing: tuple[bool, ...] = ()
    settings: tuple[ProtectionSetting, ...] = ()
    charge_a_max: float = 0.0
    discharge_a_max: float = 0.0


class InverterTerminal(Protocol):
    """The terminal of an inverter and the commands its controls take."""

    @property
    def functions(self) -> frozenset[str]:
        """Names of the grid-support functions the plant has."""

    def state(self) -> TerminalState:
        """Return the terminal as it is now."""

    def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection."""

    def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power; None removes the limit. [W]"""

    def set_power_w(self, p_w: float) -> None:
        """Set a storage inverter's active power, positive while discharging. [W]"""

    def set_q_var(self, q_var: float) -> None:
        """Set reactive power. [var]"""

    def set_function(self, name: str, settings: Mapping[str, object] | None) -> None:
        """Enable one of `functions` with its settings; None disables it.

        Raises
        ------
        PlantError
            If the plant cannot do that; nothing has changed.
        """

    def function(self, name: str) -> tuple[bool, Mapping[str, Any]] | None:
        """Return whether a function is enabled and its settings; None if there is none to show."""


class PackTerminal(Protocol):
    """A battery pack and its switches."""

    def pack(self) -> PackState:
        """Return the pack as it is now."""

    def set_fets(self, charge: bool, discharge: bool) -> None:
        """Close (True) or open the charge and discharge switches."""

    def set_counted_soc(self, soc: float) -> None:
        """Tell the manager a state of charge, 0..1, which it counts on from."""

    def set_protection(self, name: str, trip: float) -> None:
        """Set the threshold of one protection. [V, deg C or A]"""


class MeterTerminal(Protocol):
    """The connection point a meter measures; its registers are what the meter signs."""

    def state(self) -> TerminalState:
        """Return the connection point as it is now."""
