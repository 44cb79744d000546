"""Driver of a power analyser over SCPI: means over a window, recordings as blocks.

Wiring: one group of channels at each place; the AC source's trigger output and the contactor's
status contact on the digital inputs, so that trip times come from one time base.

    driver = "scpi-analyser"
    link = { kind = "socket", host = "192.0.2.25", port = 5025 }

References
----------
.. [1] BIPM, "Evaluation of measurement data - Guide to the expression of uncertainty in
   measurement," JCGM 100:2008, clauses 4.3.7 and 6.2.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gridrig.devices.bench_capabilities import (
    AnalyserReading,
    CapturePlan,
    CaptureState,
    Float,
    Recording,
)
from gridrig.devices.drivers.scpi_instrument import ScpiDriver
from gridrig.devices.wire.scpi_values import ScpiFault, parse_block
from gridrig.errors import DriverError

COLUMNS = 5  # voltage, current, active and reactive power, angle
SAMPLES_PER_S = 10_000.0  # behind a mean; only its noise depends on it
COVERAGE, EVEN = 2.0, 1 / math.sqrt(3)
_STATES: Mapping[str, CaptureState] = {
    "IDLE": "idle",
    "WAIT": "waiting",
    "RUN": "running",
    "DONE": "done",
}
_SOURCES = {
    "immediate": "IMM",
    "command": "BUS",
    "source": "SOUR",
    "contact": "CONT",
    "level": "LEV",
}


class ScpiAnalyser(ScpiDriver):
    """A power analyser. It commands nothing on the bench, so it has no safe state."""

    capability = "analyser"
    SAFE_KEY = ""

    async def open(self) -> None:
        """Connect and learn who it is, its channels and its class."""
        await super().open()
        (channels,) = await self._line.numbers(":SENS:CHAN?")
        self._channels = int(channels)
        answer = await self._line.text(":CAL:CLAS?")
        values = [self._line.number_of(":CAL:CLAS?", part.encode()) for part in answer.split(",")]
        if len(values) != 7:
            raise self._error("framing", "{device}: class {found!r}", found=answer)
        self._gain_v, self._gain_i, self._phase_deg, self._noise_v, self._noise_i = values[:5]

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Do nothing: an analyser moves nothing. Its safe state has no keys."""
        if safe_state:
            raise DriverError(
                "driver.safe_state",
                "{device}: safe state {found}, expected none",
                kind="limit",
                device=self.name,
                found=dict(safe_state),
            )

    async def read(self) -> AnalyserReading:
        """Measure over one window."""
        (window_s,) = await self._line.numbers(":SENS:WIND?")
        await self._line.command(":INIT:RMS")
        (block,) = await self._line.ask(":FETC:RMS?")
        values = self._array(":FETC:RMS?", block, ">f8", 2 + COLUMNS * self._channels)
        rows = values[2:].reshape(self._channels, COLUMNS)
        v, i, p, q = (rows[:, k] for k in range(4))
        u_v, u_i, u_p = self.uncertainty(v, i, np.maximum(np.abs(p), np.abs(q)), window_s)
        columns = (v, i, p, q, rows[:, 4], u_v, u_i, u_p)
        told = [tuple(float(x) for x in column) for column in columns]
        return AnalyserReading(float(values[0]), float(values[1]), *told)

    def uncertainty(
        self, v_v: Float, i_a: Float, power: Float, window_s: float
    ) -> tuple[Float, Float, Float]:
        """Return the expanded uncertainty (k = 2) of means over a window."""
        share = 1 / math.sqrt(max(1.0, window_s * SAMPLES_PER_S))
        u_v = COVERAGE * np.hypot(EVEN * self._gain_v * v_v, self._noise_v * share)
        u_i = COVERAGE * np.hypot(EVEN * self._gain_i * i_a, self._noise_i * share)
        gains = EVEN * math.hypot(self._gain_v, self._gain_i) * power
        angle = EVEN * math.radians(self._phase_deg) * power
        noise = np.hypot(self._noise_v * i_a, self._noise_i * v_v) * share
        return u_v, u_i, COVERAGE * np.sqrt(gains**2 + angle**2 + noise**2)

    async def arm(self, plan: CapturePlan) -> None:
        """Plan a recording, read the plan back, and arm it."""
        await self._set(":TRAC:FUNC", "WAV" if plan.function == "waveform" else "RMS")
        await self._set(":TRAC:RATE", plan.rate_hz)
        await self._set(":TRAC:POIN", float(plan.points))
        await self._set(":TRAC:PRET", plan.pretrigger)
        await self._set(":TRIG:SOUR", _SOURCES[plan.source])
        await self._set(":TRIG:SLOP", "POS" if plan.rising else "NEG")
        await self._set(":TRIG:LEV", plan.level_v)
        await self._line.command(":INIT", again=False)
        if (state := await self.capture_state()) == "idle":
            raise self._differs(":TRAC:STAT?", "waiting", state)

    async def trigger(self) -> None:
        """Trigger a recording that waits for a command."""
        await self._line.command("*TRG", again=False)

    async def abort(self) -> None:
        """End a recording that is not done."""
        await self._line.command(":ABOR")

    async def capture_state(self) -> CaptureState:
        """Return how far the recording is."""
        word = await self._line.text(":TRAC:STAT?")
        if word not in _STATES:
            raise self._error("framing", "{device}: capture state {found!r}", found=word)
        return _STATES[word]

    async def fetch(self, tracks: Sequence[str]) -> Recording:
        """Return tracks of the recording that is done."""
        answer = await self._line.text(":TRAC:TIME?")
        times = [self._line.number_of(":TRAC:TIME?", part.encode()) for part in answer.split(",")]
        (points,) = await self._line.numbers(":TRAC:POIN?")
        found = {}
        for track in tracks:
            question = f":TRAC:DATA? {track}"
            (block,) = await self._line.ask(question, expected_bytes=4 * int(points))
            found[track] = self._array(question, block, ">f4", int(points)).astype(np.float64)
        if len(times) != 3:
            raise self._error("framing", "{device}: times {found!r}", found=answer)
        return Recording(times[0], times[1], times[2], found)

    async def restore(self) -> None:
        """End a recording, then write the plan back as found."""
        if self.found:
            await self.abort()
        await super().restore()

    def _array(self, question: str, block: bytes, kind: str, count: int) -> np.ndarray:
        try:
            values = np.frombuffer(parse_block(block), dtype=kind)
        except (ScpiFault, ValueError):
            values = np.zeros(0)
        if len(values) != count or not np.isfinite(values).all():
            raise self._error(
                "framing",
                "{device}: {question} gave a block of {found} bytes, expected {count} values",
                question=question,
                found=len(block),
                count=count,
            )
        return values
