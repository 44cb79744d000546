"""Instruments, chargers, heat pumps, computing nodes: limits, safe states, and AC sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from gridrig.rig.schema import Name, NotNegative, Positive, at_least, between

InstrumentCapability = Literal[
    "ac_source",
    "dc_source",
    "load_bank",
    "switch",
    "interlock",
    "analyser",
    "ev_charger",
    "heat_pump",
    "compute_node",
]
INSTRUMENTS: tuple[InstrumentCapability, ...] = get_args(InstrumentCapability)
# These hang on the feeder, the others are of an emulated bench's circuit.
ON_THE_FEEDER: tuple[InstrumentCapability, ...] = ("ev_charger", "heat_pump", "compute_node")
OF_A_CIRCUIT = tuple(name for name in INSTRUMENTS if name not in ON_THE_FEEDER)
CHANNELS_MAX = 64


@dataclass(frozen=True)
class AcSourceLimits:
    """What an AC source may be asked for: what all that is wired to it stands.

    Parameters
    ----------
    v_v_max : float
        Voltage, phase to neutral. [V]
    f_hz_min, f_hz_max : float
        Frequency. [Hz]
    takes_back_w : float
        Active power that it takes back from what is wired to it, and stands. [W]
    """

    v_v_max: Positive
    f_hz_min: Positive
    f_hz_max: Positive
    takes_back_w: NotNegative = 0.0


@dataclass(frozen=True)
class DcSourceLimits:
    """What a DC source may be asked for: the inverter's DC input, not the source's range. [V, A]"""

    v_v_max: Positive
    i_a_max: Positive


@dataclass(frozen=True)
class LoadBankLimits:
    """What a load bank may be asked for, by nominal power of each branch. [W, var]"""

    p_w_max: Positive
    q_var_max: NotNegative


@dataclass(frozen=True)
class SwitchLimits:
    """How often a contactor may be moved in one run."""

    operations_max: Annotated[int, at_least(1)]


@dataclass(frozen=True)
class ListenerLimits:
    """An input or an analyser commands nothing; its empty limits are still written down."""


@dataclass(frozen=True)
class EvChargerLimits:
    """What an EV charger may be allowed to draw. [W]"""

    p_w_max: Positive


@dataclass(frozen=True)
class HeatPumpLimits:
    """What a heat pump may be told to take; the temperatures it keeps are its own. [W]"""

    p_w_max: Positive


@dataclass(frozen=True)
class ComputeNodeLimits:
    """What a computing node draws at most: admission reckons with it. [W]"""

    p_w_max: Positive


@dataclass(frozen=True)
class OutputSafeState:
    """Where a source is left: its output on or off."""

    output: bool


@dataclass(frozen=True)
class LoadBankSafeState:
    """Where a load bank is left."""

    connected: bool


@dataclass(frozen=True)
class SwitchSafeState:
    """Where a contactor is left: True is closed."""

    closed: bool


@dataclass(frozen=True)
class EvChargerSafeState:
    """Whether a charger is left charging; if not, its limit is left at 0 W."""

    charge: bool


@dataclass(frozen=True)
class HeatPumpSafeState:
    """A heat pump is left to its own thermostat: it keeps its room, and nothing else may."""

    power: Literal["own"]


@dataclass(frozen=True)
class ComputeNodeSafeState:
    """Whether a computing node is left running; if not, it forgets its job."""

    running: bool


@dataclass(frozen=True)
class ListenerSafeState:
    """An input or an analyser moves nothing; its empty safe state is still written down."""


InstrumentLimits = (
    AcSourceLimits
    | DcSourceLimits
    | LoadBankLimits
    | SwitchLimits
    | EvChargerLimits
    | HeatPumpLimits
    | ComputeNodeLimits
    | ListenerLimits
)
InstrumentSafeState = (
    OutputSafeState
    | LoadBankSafeState
    | SwitchSafeState
    | EvChargerSafeState
    | HeatPumpSafeState
    | ComputeNodeSafeState
    | ListenerSafeState
)

LIMITS: Mapping[str, type[InstrumentLimits]] = {
    "ac_source": AcSourceLimits,
    "dc_source": DcSourceLimits,
    "load_bank": LoadBankLimits,
    "switch": SwitchLimits,
    "interlock": ListenerLimits,
    "analyser": ListenerLimits,
    "ev_charger": EvChargerLimits,
    "heat_pump": HeatPumpLimits,
    "compute_node": ComputeNodeLimits,
}
SAFE_STATES: Mapping[str, type[InstrumentSafeState]] = {
    "ac_source": OutputSafeState,
    "dc_source": OutputSafeState,
    "load_bank": LoadBankSafeState,
    "switch": SwitchSafeState,
    "interlock": ListenerSafeState,
    "analyser": ListenerSafeState,
    "ev_charger": EvChargerSafeState,
    "heat_pump": HeatPumpSafeState,
    "compute_node": ComputeNodeSafeState,
}


@dataclass(frozen=True)
class SourceTerminal:
    """Behind an AC source: what it imposes is the device's grid, and an analyser measures.

    Parameters
    ----------
    source, analyser : str
        Instruments of the rig.
    channels : tuple of int
        The analyser's channels on the device's phases, in order, from 1.
    dc_source : str or None
        What feeds its DC input; None if it has a source of its own.
    """

    source: Name
    analyser: Name
    channels: tuple[Annotated[int, between(1, CHANNELS_MAX)], ...]
    dc_source: Name | None = None
