"""What the instruments of a bench can do, whoever made them: protocols and readings.

As in `capabilities`: a driver fails with `DriverError` and a `kind`, never otherwise; positive
power and current flow from the device under test into the grid. Voltages are phase to neutral, RMS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gridrig.devices.capabilities import Driver

SequenceState = Literal["idle", "armed", "running", "done"]
CaptureState = Literal["idle", "waiting", "running", "done"]
Float = NDArray[np.float64]
TriggerSource = Literal["immediate", "command", "source", "contact", "level"]


@dataclass(frozen=True)
class AcSourceReading:
    """What an AC source says it puts out.

    Parameters
    ----------
    output : bool
        Whether its output relay is closed.
    v_v, phase_deg : tuple of float
        Setting of each channel. [V, deg]
    f_hz : float
        [Hz]
    interlock_closed : bool
        Whether the safety loop lets it.
    sequence : str
        State of its sequence.
    """

    output: bool
    v_v: tuple[float, ...]
    phase_deg: tuple[float, ...]
    f_hz: float
    interlock_closed: bool
    sequence: SequenceState


@dataclass(frozen=True)
class SequenceStep:
    """One step of a sequence that an AC source plays by itself.

    Parameters
    ----------
    v_v, phase_deg : tuple of float
        Of each channel. [V, deg]
    f_hz : float
        [Hz]
    dwell_s : float
        Its length. [s]
    ramp : bool
        Whether it moves there linearly over its length.
    """

    v_v: tuple[float, ...]
    phase_deg: tuple[float, ...]
    f_hz: float
    dwell_s: float
    ramp: bool = False


@dataclass(frozen=True)
class DcSourceReading:
    """What a DC source says: whether it is on, and what flows. [V, A, W]"""

    output: bool
    v_v: float
    i_a: float
    p_w: float
    interlock_closed: bool


@dataclass(frozen=True)
class LoadBankReading:
    """What a load bank has connected, by nominal power of each branch. [W, var]"""

    connected: bool
    r_w: float
    l_var: float
    c_var: float


@dataclass(frozen=True)
class SwitchReading:
    """A contactor: what its coil is told, and what its status contact shows."""

    commanded: bool
    closed: bool


@dataclass(frozen=True)
class InterlockReading:
    """Whether the bench's safety loop is closed."""

    closed: bool


@dataclass(frozen=True)
class AnalyserReading:
    """What a power analyser measured over one window.

    Parameters
    ----------
    time_s : float
        End of the window, by the analyser's own clock. [s]
    f_hz : float
        [Hz]
    v_v, i_a, p_w, q_var, angle_deg : tuple of float
        Of each channel; the angle is that of its voltage against channel 1.
        [V, A, W, var, deg]
    u_v_v, u_i_a, u_p_w : tuple of float
        Expanded uncertainty (k = 2) of voltage, current, and of active or reactive power, whichever
        is the larger. [V, A, W]
    """

    time_s: float
    f_hz: float
    v_v: tuple[float, ...]
    i_a: tuple[float, ...]
    p_w: tuple[float, ...]
    q_var: tuple[float, ...]
    angle_deg: tuple[float, ...]
    u_v_v: tuple[float, ...]
    u_i_a: tuple[float, ...]
    u_p_w: tuple[float, ...]


@dataclass(frozen=True)
class CapturePlan:
    """What an analyser shall record.

    Parameters
    ----------
    function : str
        "waveform" for samples, "rms" for means over one period of the rate each.
    rate_hz : float
        Points in a second. [1/s]
    points : int
        How many.
    pretrigger : float
        Share of them before the trigger, 0..1.
    source : str
        What triggers: the AC source's trigger output ("source"), the switch's status contact, the
        voltage of channel 1 falling below `level_v`, a command, or arming.
    rising : bool
        Of the contact: closing; else opening.
    level_v : float
        [V]
    """

    function: Literal["waveform", "rms"] = "waveform"
    rate_hz: float = 10_000.0
    points: int = 2000
    pretrigger: float = 0.2
    source: TriggerSource = "immediate"
    rising: bool = True
    level_v: float = 100.0


@dataclass(frozen=True)
class Recording:
    """A recording as fetched, every track on one time base.

    Parameters
    ----------
    start_s, trigger_s : float
        First point and trigger, by the analyser's own clock. [s]
    step_s : float
        From point to point. [s]
    tracks : mapping of str to array of float64
        "V1", "I1", ... as samples or means, "P1", "Q1", "F" of means, "D1" (source trigger),
        "D2" (switch status). [V, A, W, var, Hz, 1]
    """

    start_s: float
    trigger_s: float
    step_s: float
    tracks: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def since_trigger_s(self) -> NDArray[np.float64]:
        """Return the time of every point after the trigger. [s]"""
        count = len(next(iter(self.tracks.values()), np.zeros(0)))
        times = np.arange(count, dtype=np.float64)
        return (self.start_s - self.trigger_s) + self.step_s * times


@runtime_checkable
class AcSource(Driver, Protocol):
    """A source that is the grid of what is behind it."""

    async def read(self) -> AcSourceReading:
        """Return what it puts out."""

    async def set_voltage_v(self, v_v: Sequence[float]) -> None:
        """Set each channel's voltage. [V]"""

    async def set_phase_deg(self, phase_deg: Sequence[float]) -> None:
        """Set each channel's angle, added to its place in the phase sequence. [deg]"""

    async def set_frequency_hz(self, f_hz: float) -> None:
        """Set the frequency. [Hz]"""

    async def set_output(self, on: bool) -> None:
        """Close or open the output relay."""

    async def load_sequence(self, steps: Sequence[SequenceStep]) -> None:
        """Load a sequence; nothing is put out yet."""

    async def arm(self) -> None:
        """Arm the loaded sequence."""

    async def trigger(self) -> float:
        """Begin the armed sequence; return when, by the source's own clock. [s]"""

    async def abort(self) -> None:
        """End a sequence; what is put out now stays."""

    async def clock_s(self) -> float:
        """Return the source's own clock. [s]"""


@runtime_checkable
class DcSource(Driver, Protocol):
    """A source at the DC input of an inverter."""

    async def read(self) -> DcSourceReading:
        """Return what flows."""

    async def set_supply(self, v_v: float, i_a: float) -> None:
        """Be a supply of a voltage with a current limit. [V, A]"""

    async def set_array(self, voc_v: float, isc_a: float, vmp_v: float, imp_a: float) -> None:
        """Be a photovoltaic array with a curve, given at 1000 W/m2. [V, A, V, A]"""

    async def set_irradiance(self, w_per_m2: float) -> None:
        """Set the irradiance of the array. [W/m2]"""

    async def set_output(self, on: bool) -> None:
        """Switch the output."""


@runtime_checkable
class LoadBank(Driver, Protocol):
    """Resistance, inductance and capacitance in parallel."""

    async def read(self) -> LoadBankReading:
        """Return what is set."""

    async def set_load(self, r_w: float, l_var: float, c_var: float) -> LoadBankReading:
        """Set each branch by its nominal power and return the steps that this came to."""

    async def set_connected(self, on: bool) -> None:
        """Connect or disconnect the bank."""


@runtime_checkable
class Switch(Driver, Protocol):
    """A contactor with a status contact."""

    async def read(self) -> SwitchReading:
        """Return its coil's command and its status contact."""

    async def set_closed(self, on: bool) -> None:
        """Move it and wait, bounded, until the status contact shows it."""


@runtime_checkable
class Interlock(Driver, Protocol):
    """An input on the bench's safety loop."""

    async def read(self) -> InterlockReading:
        """Return the loop."""


@runtime_checkable
class Analyser(Driver, Protocol):
    """A power analyser and waveform recorder."""

    async def read(self) -> AnalyserReading:
        """Measure over one window."""

    def uncertainty(
        self, v_v: Float, i_a: Float, power: Float, window_s: float
    ) -> tuple[Float, Float, Float]:
        """Return the expanded uncertainty (k = 2) of means over a window, by its stated class.

        Parameters
        ----------
        v_v, i_a, power : array of float64, any one shape
            Means; of active or reactive power the larger magnitude. [V, A, W or var]
        window_s : float
            [s]

        Returns
        -------
        tuple of three arrays
            Of voltage, of current, of active or reactive power. [V, A, W or var]
        """

    async def arm(self, plan: CapturePlan) -> None:
        """Plan a recording and arm it."""

    async def trigger(self) -> None:
        """Trigger a recording that waits for a command."""

    async def capture_state(self) -> CaptureState:
        """Return how far the recording is."""

    async def fetch(self, tracks: Sequence[str]) -> Recording:
        """Return tracks of the recording that is done."""

    async def clock_s(self) -> float:
        """Return the analyser's own clock. [s]"""
