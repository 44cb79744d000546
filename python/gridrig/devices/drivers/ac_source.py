"""Driver of an AC source over SCPI: settings by channel, and sequences that it plays by itself.

Wiring: TCP socket or serial line; the source's trigger output to the analyser's trigger input.

    driver = "scpi-ac-source"
    link = { kind = "socket", host = "192.0.2.20", port = 5025 }
    parameters = { phases = 3 }

The commands are those of docs/instruments.md: SCPI-99's SOURce and OUTPut subsystems, LIST for
sequences.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.bench_capabilities import AcSourceReading, SequenceState, SequenceStep
from gridrig.devices.drivers.scpi_instrument import ScpiDriver, ScpiDriverParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.errors import DriverError

STEPS_MAX = 1000
STATES: dict[str, SequenceState] = {
    "IDLE": "idle",
    "ARMED": "armed",
    "RUN": "running",
    "DONE": "done",
}


@dataclass(frozen=True, kw_only=True)
class AcSourceDriverParameters(ScpiDriverParameters):
    """What the `parameters` table may say of an AC source's driver.

    Parameters
    ----------
    phases : int
        Channels in use, 1 or 3.
    """

    phases: int = 3

    def __post_init__(self) -> None:
        """Refuse what no source has."""
        super().__post_init__()
        if self.phases not in (1, 3):
            raise DriverError(
                "device.parameter",
                "phases = {found}, expected {expected}",
                kind="limit",
                key="phases",
                found=self.phases,
                expected="1 or 3",
            )


class ScpiAcSource(ScpiDriver):
    """An AC source."""

    capability = "ac_source"
    SAFE_KEY = "output"
    PARAMETERS: ClassVar[type[ScpiDriverParameters]] = AcSourceDriverParameters

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: AcSourceDriverParameters | None = None,
    ) -> None:
        own = parameters or AcSourceDriverParameters()
        super().__init__(name, link, own)
        self._channels = range(1, own.phases + 1)
        self._ranges: dict[str, tuple[float, float]] = {}

    async def open(self) -> None:
        """Connect, learn who it is and its ranges; no setting is written."""
        await super().open()
        for key, header in (("v_v", ":SOUR1:VOLT"), ("f_hz", ":FREQ")):
            low, high = await self._line.numbers(f"{header}? MIN", f"{header}? MAX")
            self._ranges[key] = (low, high)

    async def read(self) -> AcSourceReading:
        """Return what it puts out."""
        n = len(self._channels)
        numbers = await self._line.numbers(
            *(f":SOUR{c}:VOLT?" for c in self._channels),
            *(f":SOUR{c}:PHAS?" for c in self._channels),
            ":FREQ?",
            ":OUTP?",
            ":SYST:INT?",
        )
        return AcSourceReading(
            bool(numbers[2 * n + 1]),
            tuple(numbers[:n]),
            tuple(numbers[n : 2 * n]),
            numbers[2 * n],
            bool(numbers[2 * n + 2]),
            await self.sequence_state(),
        )

    async def set_voltage_v(self, v_v: Sequence[float]) -> None:
        """Set each channel's voltage. [V]"""
        self._check("v_v", v_v)
        await self._by_channel("VOLT", v_v)

    async def set_phase_deg(self, phase_deg: Sequence[float]) -> None:
        """Set each channel's angle, added to its place in the phase sequence. [deg]"""
        self._check_angles(phase_deg)
        await self._by_channel("PHAS", phase_deg)

    async def set_frequency_hz(self, f_hz: float) -> None:
        """Set the frequency. [Hz]"""
        self._within("f_hz", f_hz)
        await self._set(":FREQ", f_hz)

    async def set_output(self, on: bool) -> None:
        """Close or open the output relay."""
        await self._switch(":OUTP", on)

    async def load_sequence(self, steps: Sequence[SequenceStep]) -> None:
        """Load a sequence; nothing is put out yet.

        Raises
        ------
        DriverError
            Kind "limit" for more steps than `STEPS_MAX` or a value out of range, before anything
            is sent.
        """
        if not 1 <= len(steps) <= STEPS_MAX:
            raise self._beyond("steps", len(steps), f"1 to {STEPS_MAX}")
        for step in steps:
            self._check("v_v", step.v_v)
            self._check_angles(step.phase_deg)
            self._within("f_hz", step.f_hz)
            if not 0 < step.dwell_s < math.inf:
                raise self._beyond("dwell_s", step.dwell_s, "positive")
        lists = [
            ":LIST:DWEL " + _list(step.dwell_s for step in steps),
            ":LIST:FREQ " + _list(step.f_hz for step in steps),
            ":LIST:RAMP " + ",".join(str(int(step.ramp)) for step in steps),
        ]
        for k, channel in enumerate(self._channels):
            lists.append(f":SOUR{channel}:LIST:VOLT " + _list(step.v_v[k] for step in steps))
            lists.append(f":SOUR{channel}:LIST:PHAS " + _list(step.phase_deg[k] for step in steps))
        await self._line.command(":LIST:CLE", ":INST:COUP NONE")
        for command in lists:  # one a message: a long list fills it
            await self._line.command(command)
        (points,) = await self._line.numbers(":LIST:POIN?")
        if points != len(steps):
            raise self._differs(":LIST:POIN?", len(steps), points)

    async def arm(self) -> None:
        """Arm the loaded sequence."""
        await self._line.command(":INIT", again=False)
        if (state := await self.sequence_state()) != "armed":
            raise self._differs(":TRIG:STAT?", "armed", state)

    async def trigger(self) -> float:
        """Begin the armed sequence; return when, by the source's own clock. [s]"""
        await self._line.command("*TRG", again=False)
        (time_s,) = await self._line.numbers(":TRIG:TIME?")
        return time_s

    async def abort(self) -> None:
        """End a sequence; what is put out now stays."""
        await self._line.command(":ABOR")

    async def sequence_state(self) -> SequenceState:
        """Return how far the sequence is."""
        word = await self._line.text(":TRIG:STAT?")
        if word not in STATES:
            raise self._error("framing", "{device}: sequence state {found!r}", found=word)
        return STATES[word]

    async def _make(self, on: bool) -> None:
        await self._line.command(":ABOR")
        await self._switch(":OUTP", on)

    async def _by_channel(self, word: str, values: Sequence[float]) -> None:
        await self._set(":INST:COUP", "NONE")
        for channel, value in zip(self._channels, values, strict=True):
            await self._set(f":SOUR{channel}:{word}", float(value))

    def _check(self, key: str, values: Sequence[float]) -> None:
        if len(values) != len(self._channels):
            raise self._beyond(key, values, f"{len(self._channels)} values")
        for value in values:
            self._within(key, value)

    def _check_angles(self, values: Sequence[float]) -> None:
        if len(values) != len(self._channels) or not all(abs(v) <= 360 for v in values):
            raise self._beyond("phase_deg", values, f"{len(self._channels)} of -360 to 360")

    def _within(self, key: str, value: float) -> None:
        low, high = self._ranges.get(key, (math.nan, math.nan))
        if not low <= value <= high:
            raise self._beyond(key, value, f"{low:g} to {high:g}, the source's range")

    def _beyond(self, key: str, found: object, expected: str) -> DriverError:
        return DriverError(
            "driver.limit",
            "{device}: {key} is {found}, expected {expected}; nothing was sent",
            kind="limit",
            device=self.name,
            key=key,
            found=found,
            expected=expected,
        )


def _list(values: object) -> str:
    return ",".join(f"{value:.9g}" for value in values)  # type: ignore[attr-defined]
