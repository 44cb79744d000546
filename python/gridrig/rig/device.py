"""A device of a rig: what it can do, its wire, its terminal, its limits and its safe state."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from gridrig.rig import instruments
from gridrig.rig.calibration import Calibration
from gridrig.rig.emulation import Emulation
from gridrig.rig.instruments import (
    InstrumentCapability,
    InstrumentLimits,
    InstrumentSafeState,
    SourceTerminal,
)
from gridrig.rig.links import RigLink
from gridrig.rig.schema import Name, NotNegative, Positive, Share, at_least

Capability = Literal["inverter", "storage", "bms", "meter"] | InstrumentCapability
HEAD, LOAD = "head", "load"


@dataclass(frozen=True)
class InverterLimits:
    """What an inverter may be asked for. Magnitudes: they bound both directions.

    Parameters
    ----------
    p_w_max : float
        Active power. [W]
    s_va_max : float
        Apparent power. [VA]
    """

    p_w_max: Positive
    s_va_max: Positive


@dataclass(frozen=True)
class BmsLimits:
    """What a pack may be asked for.

    Parameters
    ----------
    i_charge_a_max, i_discharge_a_max : float
        Currents the storage inverter may be scheduled for, whatever the pack would allow. [A]
    soc_min, soc_max : float
        State of charge it is kept within, 0..1.
    capacity_ah : float or None
        Nominal capacity, by which what it holds is reckoned; needed of a pack that is not emulated
        and whose storage trades. [Ah]
    """

    i_charge_a_max: NotNegative
    i_discharge_a_max: NotNegative
    soc_min: Share
    soc_max: Share = 1.0
    capacity_ah: Positive | None = None


@dataclass(frozen=True)
class MeterLimits:
    """What a meter may be asked for: its clock is the only thing that can be set.

    Parameters
    ----------
    clock_error_s_max : int
        Its clock is never set further than this from the bench's own. [s]
    """

    clock_error_s_max: Annotated[int, at_least(0)]


@dataclass(frozen=True)
class InverterSafeState:
    """Where an inverter is left.

    Parameters
    ----------
    connect : bool
        Whether it may stay connected.
    limit_w : float or None
        Limit it is left with; None leaves it as it was found. [W]
    """

    connect: bool
    limit_w: NotNegative | None = None


@dataclass(frozen=True)
class StorageSafeState:
    """Where a storage inverter is left; `power_w` is its set-point, + while discharging. [W]"""

    connect: bool
    power_w: float = 0.0
    limit_w: NotNegative | None = None


@dataclass(frozen=True)
class BmsSafeState:
    """Where a pack's switches are left: True is closed."""

    charge: bool
    discharge: bool


@dataclass(frozen=True)
class MeterSafeState:
    """A meter moves nothing; its empty safe state is still written down."""


@dataclass(frozen=True)
class Nameplate:
    """What an inverter is rated for by its maker's list: what a device's own nameplate is held to.

    Parameters
    ----------
    p_w, s_va : float
        Active and apparent power. [W, VA]
    q_inject_var, q_absorb_var : float
        Reactive power, both positive. [var]
    v_v : float
        Nominal voltage, line to line. [V]

    References
    ----------
    .. [1] IEEE, "IEEE Std 1547-2018," 2018, table 28.
    """

    p_w: Positive
    s_va: Positive
    q_inject_var: NotNegative
    q_absorb_var: NotNegative
    v_v: Positive


Limits = InverterLimits | BmsLimits | MeterLimits | InstrumentLimits
SafeState = (
    InverterSafeState | StorageSafeState | BmsSafeState | MeterSafeState | InstrumentSafeState
)

LIMITS: Mapping[str, type[Limits]] = {
    "inverter": InverterLimits,
    "storage": InverterLimits,
    "bms": BmsLimits,
    "meter": MeterLimits,
    **instruments.LIMITS,
}
SAFE_STATES: Mapping[str, type[SafeState]] = {
    "inverter": InverterSafeState,
    "storage": StorageSafeState,
    "bms": BmsSafeState,
    "meter": MeterSafeState,
    **instruments.SAFE_STATES,
}
HAS_TERMINAL: tuple[Capability, ...] = ("inverter", "storage", *instruments.ON_THE_FEEDER)


@dataclass(frozen=True)
class Categories:
    """What an inverter is made for, as its maker states it: what a procedure holds it to.

    Parameters
    ----------
    abnormal : str
        Abnormal operating performance: how it trips and rides through.
    normal : str
        Normal operating performance: reactive power and voltage regulation.

    References
    ----------
    .. [1] IEEE, "IEEE Std 1547-2018," 2018, clause 1.4.
    """

    abnormal: Literal["I", "II", "III"]
    normal: Literal["A", "B"]


# What brings a device to rest when the host that commands it is dead, the watchdog with it.
HostDead = Literal["reversion-timer", "relay", "none"]


@dataclass(frozen=True)
class GridTerminal:
    """On the mains: nothing is imposed, `analyser` (a meter of the rig) measures."""

    grid: Literal[True]
    analyser: Name


Terminal = Literal["model"] | GridTerminal | SourceTerminal


@dataclass(frozen=True)
class Device:
    """One device of a rig, every reference checked.

    Parameters
    ----------
    name : str
        Unique in the rig; the order in the file is the rig order.
    capability : str
        "inverter", "storage", "bms", "meter" or an instrument's.
    driver : str
        Name registered in the entry-point group `gridrig.drivers`.
    bus : str or None
        Bus of the feeder; None for a meter at the feeder head and for instruments.
    link : TcpLink or RtuLink or SerialLink or SocketLink
        Its wire.
    terminal : "model", GridTerminal, SourceTerminal or None
        Where its power flows; None if it has none of its own (bms, meter, instruments).
    limits, safe_state
        Records of its capability.
    parameters : dataclass or None
        The driver's own parameters, an instance of its `PARAMETERS`.
    emulate : dict or None
        The emulate table as written; None for a real device.
    emulation : Emulation or None
        The same, parted into who serves the wire and what the plant is made of.
    bms : str or None
        The storage's battery management system.
    measures : str or None
        Of a meter: "load" (of its bus), "head", or the name of an inverter or storage.
    branch : str or None
        Of a switch in the feeder: what it opens and closes, `line:<name>` or `trafo:<name>`.
    signs : bool
        Whether it is a meter whose readings are signed, as its driver says.
    host_dead : str
        What brings it to rest when the host is dead: "reversion-timer" (its own), "relay" (a
        hardware watchdog takes its power away), or "none".
    categories : Categories or None
        Of an inverter or storage; None if nobody says.
    nameplate : Nameplate or None
        Likewise.
    calibration : Calibration or None
        Who vouches for a real instrument.
    """

    name: str
    capability: Capability
    driver: str
    bus: str | None
    link: RigLink
    terminal: Terminal | None
    limits: Limits
    safe_state: SafeState
    parameters: Any = None
    emulate: Mapping[str, Any] | None = None
    emulation: Emulation | None = None
    bms: str | None = None
    measures: str | None = None
    branch: str | None = None
    signs: bool = False
    host_dead: HostDead = "none"
    categories: Categories | None = None
    nameplate: Nameplate | None = None
    calibration: Calibration | None = None

    @property
    def emulated(self) -> bool:
        """Whether gridrig serves the other end of the wire."""
        return self.emulation is not None

    def safe_settings(self) -> dict[str, object]:
        """Return the safe state as a driver's `make_safe` takes it."""
        return {key: value for key, value in asdict(self.safe_state).items() if value is not None}
