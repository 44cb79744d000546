"""An emulated power analyser: means over a window, and recordings as blocks, by its own clock.

    emulate = { model = "analyser", sees = ["pv-1", "switch"], accuracy_percent = 0.1, seed = 5 }

Channels come in groups of the bench's phases, one group for each place it `sees`: a device's
terminals, "switch" or "load". `INITiate:RMS` takes one measurement over `SENSe:WINDow`, and
`FETCh:RMS?` returns it as a block of float64, as often as it is asked: time, frequency, then
voltage, current, active and reactive power and voltage angle of every channel. A recording is
planned (`TRACe:...`, `TRIGger:...`), armed (`INITiate`) and fetched channel by channel as blocks of
float32; digital tracks D1 (source trigger) and D2 (switch status) stand on the same time base. All
blocks are big-endian. `CALibration:CLASs?` states the class of its errors.

What it refuses: fetching before there is anything -230, a longer recording than it holds -223, a
plan while one is armed -221, arming twice -213, a trigger nobody waits for -211.

Mutants of its wiring: `v_order`, `i_order` (phases of the first group), `ct` (-1 is backwards).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridrig.devices.emulators.bench_terminal import AnalyserTerminal, Float
from gridrig.devices.emulators.capture import Capture, Plan
from gridrig.devices.emulators.fault import OnEvent, no_log
from gridrig.devices.emulators.measuring import Accuracy, Errors, Measured, wired
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.scpi_face import ScpiEmulator
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_tree import Handler
from gridrig.devices.wire.scpi_values import (
    ScpiFault,
    parse_bounded,
    parse_channels,
    parse_whole,
    parse_word,
    print_block,
    print_number,
    short_form,
)

SAMPLE_RATE_HZ = 10_000.0  # behind its means
POINTS_MAX = 1_000_000
CAPTURE_S_MAX = 600.0
RMS_RATE_HZ_MAX = 1000.0
FUNCTIONS = ("WAVeform", "RMS")
SOURCES = ("IMMediate", "BUS", "SOURce", "CONTact", "LEVel")
SLOPES = ("POSitive", "NEGative")


@dataclass(frozen=True, kw_only=True)
class AnalyserParameters(ScpiParameters):
    """What the `emulate` table may say of an emulated analyser.

    Parameters
    ----------
    sees : tuple of str
        Place of each group of channels.
    accuracy_percent : float
        Largest gain error of each voltage and each current channel. [% of the reading]
    phase_deg : float
        Largest angle error between voltage and current. [deg]
    noise_v, noise_i, offset_v, offset_i : float
        Of a sample. [V, A]
    v_order, i_order, ct : tuple of int
        How the first group is wired.
    """

    sees: tuple[str, ...]
    accuracy_percent: float = 0.1
    phase_deg: float = 0.03
    noise_v: float = 0.05
    noise_i: float = 0.005
    offset_v: float = 0.02
    offset_i: float = 0.002
    v_order: tuple[int, ...] = (1, 2, 3)
    i_order: tuple[int, ...] = (1, 2, 3)
    ct: tuple[int, ...] = (1, 1, 1)

    def __post_init__(self) -> None:
        """Refuse what no analyser can be."""
        super().__post_init__()
        require("sees", self.sees, 1 <= len(self.sees) <= 8, "1 to 8 places")
        percent = 0 <= self.accuracy_percent <= 10
        require("accuracy_percent", self.accuracy_percent, percent, "0 to 10")
        require("phase_deg", self.phase_deg, 0 <= self.phase_deg <= 10, "0 to 10")
        for key in ("noise_v", "noise_i", "offset_v", "offset_i"):
            require(key, getattr(self, key), getattr(self, key) >= 0, "not negative")
        for key in ("v_order", "i_order"):
            found = getattr(self, key)
            require(key, found, sorted(found) == [1, 2, 3], "1, 2 and 3 in some order")
        require("ct", self.ct, all(sign in (1, -1) for sign in self.ct), "1 or -1 each")

    def accuracy(self) -> Accuracy:
        """Return its class."""
        gain = self.accuracy_percent / 100
        return Accuracy(
            gain,
            gain,
            self.phase_deg,
            self.noise_v,
            self.noise_i,
            self.offset_v,
            self.offset_i,
        )


class AnalyserEmulator(ScpiEmulator):
    """A power analyser: a face on places of the circuit.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ScpiEmulator`.
    terminal : AnalyserTerminal
        Where it is clipped on.
    """

    kind = "analyser"
    PARAMETERS: ClassVar[type[AnalyserParameters]] = AnalyserParameters

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: AnalyserParameters,
        terminal: AnalyserTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        p = parameters
        self._p, self._terminal = p, terminal
        self._channels = terminal.places * terminal.phases
        rate = 1 + p.clock_drift_ppm * 1e-6
        self._errors = Errors(p.accuracy(), self._channels, name, p.seed, rate)
        self._begin_anew()
        super().__init__(name, link, parameters, self._instrument, on_event)

    def _begin_anew(self) -> None:
        self._window_s = 0.2
        self._plan = Plan()
        self._capture: Capture | None = None
        self._tracks: dict[str, Float] = {}
        self._latched: tuple[float, Measured] | None = None

    def _instrument(self) -> Instrument:
        commands: dict[str, Handler] = {
            "SENSe:WINDow": self._set_window,
            "INITiate:RMS": self._measure,
            "TRACe:FUNCtion": lambda text: self._replan(function=parse_word(text, FUNCTIONS)),
            "TRACe:RATE": lambda text: self._replan(rate_hz=parse_bounded(text, 1, 1e5, "HZ")),
            "TRACe:POINts": lambda text: self._replan(points=parse_whole(text, 1, POINTS_MAX)),
            "TRACe:PRETrigger": lambda text: self._replan(pretrigger=parse_bounded(text, 0, 1)),
            "TRIGger:SOURce": lambda text: self._replan(source=parse_word(text, SOURCES)),
            "TRIGger:SLOPe": lambda text: self._replan(
                rising=parse_word(text, SLOPES) == "POSitive"
            ),
            "TRIGger:LEVel": lambda text: self._replan(level_v=parse_bounded(text, 0, 1e4, "V")),
            "INITiate[:IMMediate]": self._arm,
            "ABORt": self._abort,
        }
        queries: dict[str, Handler] = {
            "SENSe:WINDow": lambda: print_number(self._window_s),
            "SENSe:CHANnels": lambda: str(self._channels),
            "FETCh:RMS": self._fetch,
            "MEASure[:SCALar]:VOLTage[:RMS]": self._scalar(lambda m: m.v_v),
            "MEASure[:SCALar]:CURRent[:RMS]": self._scalar(lambda m: m.i_a),
            "MEASure[:SCALar]:POWer[:ACTive]": self._scalar(lambda m: m.p_w),
            "MEASure[:SCALar]:POWer:REACtive": self._scalar(lambda m: m.q_var),
            "MEASure[:SCALar]:FREQuency": lambda: print_number(float(self._means().f_hz)),
            "CALibration:CLASs": self._told_class,
            "TRACe:FUNCtion": lambda: short_form(self._plan.function),
            "TRACe:RATE": lambda: print_number(self._plan.rate_hz),
            "TRACe:POINts": lambda: str(self._plan.points),
            "TRACe:PRETrigger": lambda: print_number(self._plan.pretrigger),
            "TRIGger:SOURce": lambda: short_form(self._plan.source),
            "TRIGger:SLOPe": lambda: "POS" if self._plan.rising else "NEG",
            "TRIGger:LEVel": lambda: print_number(self._plan.level_v),
            "TRACe:STATe": self._told_state,
            "TRACe:TIME": self._told_times,
            "TRACe:DATA": self._told_track,
        }
        return Instrument(
            self.name,
            self._p,
            "power analyser",
            self._terminal.now_s,
            commands,
            queries,
            reset=self._begin_anew,
            trigger=self._trigger,
            on_event=self._on_event,
        )

    def _set_window(self, text: str) -> None:
        self._window_s = parse_bounded(text, 0.01, 10.0, "S")

    def _means(self) -> Measured:
        now_s = self._terminal.now_s()
        steps = round(self._window_s * 1000)
        begin_s = now_s - steps / 1000
        if begin_s < self._terminal.oldest_s() - 1e-9:
            raise ScpiFault(-230, "the window is not full yet")
        times = begin_s + np.arange(steps) / 1000
        groups = [self._terminal.samples(k, times) for k in range(self._terminal.places)]
        v, i = wired(groups, self._p.v_order, self._p.i_order, self._p.ct)
        samples = round(self._window_s * SAMPLE_RATE_HZ)
        return self._errors.means(v, i, groups[0].f_hz, samples)

    def _measure(self) -> None:
        self._latched = (self._terminal.now_s(), self._means())

    def _fetch(self) -> bytes:
        if self._latched is None:
            raise ScpiFault(-230, "nothing was measured")
        t_s, m = self._latched
        rows = np.stack([m.v_v, m.i_a, m.p_w, m.q_var, m.angle_deg], axis=1).ravel()
        values = np.concatenate([[self.instrument.own_s(t_s), float(m.f_hz)], rows])
        return print_block(values.astype(">f8").tobytes())

    def _scalar(self, pick: Callable[[Measured], Float]) -> Callable[..., str]:
        def ask(channels: str = "(@1)") -> str:
            chosen = parse_channels(channels, self._channels)
            values = pick(self._means())
            return ",".join(print_number(float(values[c - 1])) for c in chosen)

        return ask

    def _told_class(self) -> str:
        a = self._errors.accuracy
        values = (a.gain_v, a.gain_i, a.phase_deg, a.noise_v, a.noise_i, a.offset_v, a.offset_i)
        return ",".join(print_number(value) for value in values)

    def _replan(self, **changes: object) -> None:
        if self._capture is not None and self._capture.update() in ("WAIT", "RUN"):
            raise ScpiFault(-221, "a recording is armed")
        self._plan = replace(self._plan, **changes)  # type: ignore[arg-type]

    def _arm(self) -> None:
        if self._capture is not None and self._capture.update() in ("WAIT", "RUN"):
            raise ScpiFault(-213, "armed already")
        plan = self._plan
        if plan.points / plan.rate_hz > CAPTURE_S_MAX:
            length_s = plan.points / plan.rate_hz
            raise ScpiFault(-223, f"{length_s:g} s, at most {CAPTURE_S_MAX:g}")
        if plan.function == "RMS" and plan.rate_hz > RMS_RATE_HZ_MAX:
            raise ScpiFault(-221, f"means at {plan.rate_hz:g}/s, at most {RMS_RATE_HZ_MAX:g}")
        self._tracks = {}
        self._capture = Capture(plan, self._terminal)
        self._on_event("armed", source=plan.source, points=plan.points)

    def _abort(self) -> None:
        if self._capture is not None and self._capture.state != "DONE":
            self._capture = None

    def _trigger(self) -> None:
        if self._capture is None or not self._capture.command():
            raise ScpiFault(-211, "nothing waits for it")

    def _told_state(self) -> str:
        return "IDLE" if self._capture is None else self._capture.update()

    def _done(self) -> Capture:
        if self._capture is None or self._capture.update() != "DONE":
            raise ScpiFault(-230, "no recording is done")
        return self._capture

    def _told_times(self) -> str:
        """Return the times of the first sample and of the trigger, and the step, by its clock."""
        capture = self._done()
        assert capture.trigger_s is not None
        own_s = self.instrument.own_s
        step_s = own_s(1 / capture.plan.rate_hz) - own_s(0.0)
        return f"{own_s(capture.start_s):.9f},{own_s(capture.trigger_s):.9f},{step_s:.12g}"

    def _told_track(self, name: str) -> bytes:
        capture, track = self._done(), name.strip().upper()
        if track not in self._tracks:
            self._tracks |= self._developed(capture)
        if track not in self._tracks:
            raise ScpiFault(-224, f"{track}, there are {', '.join(sorted(self._tracks))}")
        return print_block(self._tracks[track].astype(">f4").tobytes())

    def _developed(self, capture: Capture) -> dict[str, Float]:
        """Return every track of a recording, its noise drawn once."""
        first = capture.taken[0]
        v, i = wired(capture.taken, self._p.v_order, self._p.i_order, self._p.ct)
        if capture.plan.function == "RMS":
            return self._windows(capture, v, i)
        tracks = {"D1": first.trigger.astype(float), "D2": first.contact.astype(float)}
        for channel in range(self._channels):
            tracks[f"V{channel + 1}"] = self._errors.wave(v[:, channel], channel, current=False)
            tracks[f"I{channel + 1}"] = self._errors.wave(i[:, channel], channel, current=True)
        return tracks

    def _windows(self, capture: Capture, v: np.ndarray, i: np.ndarray) -> dict[str, Float]:
        points, first = capture.plan.points, capture.taken[0]
        inside = len(first.t_s) // points
        samples = max(1, math.floor(SAMPLE_RATE_HZ / capture.plan.rate_hz))
        f_hz = first.f_hz.reshape(points, inside)
        shape = (points, inside, self._channels)
        means = self._errors.means(v.reshape(shape), i.reshape(shape), f_hz, samples)
        tracks = {
            "F": means.f_hz,
            "D1": first.trigger.reshape(points, inside).any(axis=1).astype(float),
            "D2": first.contact.reshape(points, inside)[:, -1].astype(float),
        }
        for channel in range(self._channels):
            for letter, key in (("V", "v_v"), ("I", "i_a"), ("P", "p_w"), ("Q", "q_var")):
                tracks[f"{letter}{channel + 1}"] = getattr(means, key)[:, channel]
        return tracks
