"""An emulated AC source: voltage, angle and frequency by channel, an output relay, sequences.

    emulate = { model = "ac_source", v_v_max = 300, f_hz_min = 40, f_hz_max = 70 }

Settings go to all channels while `INSTrument:COUPle` is ALL, else to the one that the suffix names
(`SOURce2:VOLTage 200`). A sequence is loaded by lists of one length (a list of one element counts
for every step), armed by `INITiate` and begun by `*TRG`; the trigger output rises with its first
step and `TRIGger:TIME?` tells when, by the source's own clock. The last step stays in force.

What it refuses: beyond its ranges -222; output on with the interlock open, a setting while a
sequence is armed or runs, a sequence with the output off -221; lists of different lengths -226;
arming without a list -213; a trigger when not armed -211.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from gridrig.devices.emulators.bench_terminal import Setting, SourceTerminal, Step
from gridrig.devices.emulators.fault import FaultSpec, OnEvent, no_log
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.scpi_face import WIRE_FAULTS, ScpiEmulator
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_tree import Handler
from gridrig.devices.wire.scpi_values import (
    ScpiFault,
    parse_bool,
    parse_bounded,
    parse_numbers,
    parse_word,
    print_number,
)

DWELL_S_MIN, DWELL_S_MAX = 0.001, 86_400.0
PHASE_DEG_MAX = 360.0


@dataclass(frozen=True, kw_only=True)
class AcSourceParameters(ScpiParameters):
    """What the `emulate` table may say of an emulated AC source.

    Parameters
    ----------
    phases : int
        Channels, 1 or 3.
    v_v_max : float
        Highest voltage, phase to neutral. [V]
    f_hz_min, f_hz_max, f_nominal_hz : float
        Range of frequency, and where it begins. [Hz]
    wired : tuple of int
        The channel on each phase of the bench: another order is a mutant of the wiring.
    """

    phases: int = 3
    v_v_max: float = 300.0
    f_hz_min: float = 40.0
    f_hz_max: float = 70.0
    f_nominal_hz: float = 50.0
    wired: tuple[int, ...] = (1, 2, 3)

    def __post_init__(self) -> None:
        """Refuse what no source can be."""
        super().__post_init__()
        require("phases", self.phases, self.phases in (1, 3), "1 or 3")
        require("v_v_max", self.v_v_max, 0 < self.v_v_max <= 1000, "> 0, at most 1000")
        low, high = self.f_hz_min, self.f_hz_max
        require("f_hz_min", low, 0 < low < high, f"> 0, below f_hz_max = {high:g}")
        wired = sorted(self.wired) == [1, 2, 3]
        require("wired", self.wired, wired, "1, 2 and 3 in some order")
        inside = low <= self.f_nominal_hz <= high
        require("f_nominal_hz", self.f_nominal_hz, inside, f"{low:g} to {high:g}")


class AcSourceEmulator(ScpiEmulator):
    """An AC source: a face on the circuit's source.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ScpiEmulator`.
    terminal : SourceTerminal
        The output.
    """

    kind = "ac_source"
    PARAMETERS: ClassVar[type[AcSourceParameters]] = AcSourceParameters
    FAULTS: ClassVar[Mapping[str, FaultSpec]] = {
        **WIRE_FAULTS,
        "output_stuck": FaultSpec(
            "output_stuck",
            "state",
            "a command to the output relay is taken and nothing moves",
            (),
            'name = "output_stuck"',
        ),
    }

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: AcSourceParameters,
        terminal: SourceTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._p = parameters
        self._terminal = terminal
        self._rest = Setting(
            (0.0,) * parameters.phases, (0.0,) * parameters.phases, parameters.f_nominal_hz
        )
        self._fixed = self._rest
        self._output = False
        self._coupled = True
        self._state = "IDLE"
        self._lists: dict[str, list[float]] = {}
        self._trigger_s: float | None = None
        super().__init__(name, link, parameters, self._instrument, on_event)

    def _instrument(self) -> Instrument:
        commands: dict[str, Handler] = {
            "INSTrument:COUPle": self._couple,
            "[SOURce#:]VOLTage[:LEVel][:IMMediate][:AMPLitude]": self._set_v,
            "[SOURce#:]PHASe[:ADJust]": self._set_phase,
            "[SOURce#:]FREQuency[:CW]": self._set_f,
            "OUTPut[:STATe]": self._set_output,
            "[SOURce#:]LIST:VOLTage": self._list_v,
            "[SOURce#:]LIST:PHASe": self._list_phase,
            "[SOURce#:]LIST:FREQuency": lambda _, *texts: self._list("f", texts, *self._f_range),
            "[SOURce#:]LIST:DWELl": self._list_dwell,
            "[SOURce#:]LIST:RAMP": self._list_ramp,
            "[SOURce#:]LIST:CLEar": lambda _: self._clear_lists(),
            "INITiate[:IMMediate]": self._arm,
            "ABORt": self._abort,
        }
        queries: dict[str, Handler] = {
            "INSTrument:COUPle": lambda: "ALL" if self._coupled else "NONE",
            "[SOURce#:]VOLTage[:LEVel][:IMMediate][:AMPLitude]": self._ask_v,
            "[SOURce#:]PHASe[:ADJust]": self._ask_phase,
            "[SOURce#:]FREQuency[:CW]": lambda _, end="": self._or_end(
                end, *self._f_range, self._now().f_hz
            ),
            "OUTPut[:STATe]": lambda: str(int(self._output and self._closed())),
            "[SOURce#:]LIST:POINts": lambda _: str(self._points()),
            "[SOURce#:]LIST:DWELl": lambda _: ",".join(
                print_number(x) for x in self._lists.get("dwell", [])
            ),
            "TRIGger:STATe": self._told_state,
            "TRIGger:TIME": self._told_trigger,
            "SYSTem:INTerlock": lambda: str(int(self._closed())),
        }
        return Instrument(
            self.name,
            self._p,
            "AC source",
            self._terminal.now_s,
            commands,
            queries,
            reset=self._reset,
            trigger=self._begin,
            on_event=self._on_event,
        )

    @property
    def _f_range(self) -> tuple[float, float]:
        return self._p.f_hz_min, self._p.f_hz_max

    def _closed(self) -> bool:
        closed = self._terminal.interlock_closed()
        if not closed:
            # The loop has dropped the relay; neither it nor a sequence comes back alone.
            self._output, self._state = False, "IDLE"
        return closed

    def _channel(self, suffix: int) -> int:
        if not 1 <= suffix <= self._p.phases:
            raise ScpiFault(-114, f"channel {suffix}")
        return suffix - 1

    def _reset(self) -> None:
        self._abort()
        self._set_output("OFF")
        self._clear_lists()
        self._coupled = True
        self._apply(self._rest)

    def _couple(self, text: str) -> None:
        self._coupled = parse_word(text, ("ALL", "NONE")) == "ALL"

    def _now(self) -> Setting:
        return self._terminal.setting() if self._told_state() in ("RUN", "DONE") else self._fixed

    def _apply(self, setting: Setting) -> None:
        at_s = self._terminal.apply(setting)
        self._fixed = setting
        self._on_event("setting", at_s=round(at_s, 6), v_v=setting.v_v, f_hz=setting.f_hz)

    def _change(self, key: str, suffix: int, value: float) -> None:
        if self._told_state() in ("ARMED", "RUN"):
            raise ScpiFault(-221, "a sequence is armed or runs")
        if self._state == "DONE":
            self._fixed, self._state = self._terminal.setting(), "IDLE"
        channel = self._channel(suffix)
        values = list(getattr(self._fixed, key))
        for k in range(self._p.phases) if self._coupled else (channel,):
            values[k] = value
        changed: dict[str, Any] = {key: tuple(values)}
        self._apply(replace(self._fixed, **changed))

    def _set_v(self, suffix: int, text: str) -> None:
        self._change("v_v", suffix, parse_bounded(text, 0.0, self._p.v_v_max, "V"))

    def _set_phase(self, suffix: int, text: str) -> None:
        self._change("phase_deg", suffix, parse_bounded(text, -PHASE_DEG_MAX, PHASE_DEG_MAX, "DEG"))

    def _set_f(self, suffix: int, text: str) -> None:
        f_hz = parse_bounded(text, *self._f_range, "HZ", default=self._p.f_nominal_hz)
        if self._told_state() in ("ARMED", "RUN"):
            raise ScpiFault(-221, "a sequence is armed or runs")
        if self._state == "DONE":
            self._fixed, self._state = self._terminal.setting(), "IDLE"
        self._channel(suffix)
        self._apply(replace(self._fixed, f_hz=f_hz))

    def _set_output(self, text: str) -> None:
        on = parse_bool(text)
        if on and not self._closed():
            raise ScpiFault(-221, "the interlock is open")
        if not on and self._state != "IDLE":
            self._abort()
        if self._faults.fire("output_stuck") is not None:
            return
        at_s = self._terminal.set_output(on)
        self._output = on
        self._on_event("output", on=on, at_s=round(at_s, 6))

    @staticmethod
    def _or_end(end: str, low: float, high: float, value: float) -> str:
        """Return a setting, or the end of its range that the query names."""
        return print_number(parse_bounded(end, low, high) if end else value)

    def _ask_v(self, suffix: int, end: str = "") -> str:
        value = self._now().v_v[self._channel(suffix)]
        return self._or_end(end, 0.0, self._p.v_v_max, value)

    def _ask_phase(self, suffix: int, end: str = "") -> str:
        value = self._now().phase_deg[self._channel(suffix)]
        return self._or_end(end, -PHASE_DEG_MAX, PHASE_DEG_MAX, value)

    def _list(
        self, key: str, texts: Sequence[str], low: float, high: float, unit: str = ""
    ) -> None:
        if self._told_state() in ("ARMED", "RUN"):
            raise ScpiFault(-221, "a sequence is armed or runs")
        self._lists[key] = parse_numbers(texts, low, high, unit)

    def _list_v(self, suffix: int, *texts: str) -> None:
        channel = self._channel(suffix)
        for k in range(self._p.phases) if self._coupled else (channel,):
            self._list(f"v{k}", texts, 0.0, self._p.v_v_max, "V")

    def _list_phase(self, suffix: int, *texts: str) -> None:
        channel = self._channel(suffix)
        for k in range(self._p.phases) if self._coupled else (channel,):
            self._list(f"phase{k}", texts, -PHASE_DEG_MAX, PHASE_DEG_MAX, "DEG")

    def _list_dwell(self, _: int, *texts: str) -> None:
        self._list("dwell", texts, DWELL_S_MIN, DWELL_S_MAX, "S")

    def _list_ramp(self, _: int, *texts: str) -> None:
        self._list("ramp", [str(int(parse_bool(text))) for text in texts], 0.0, 1.0)

    def _clear_lists(self) -> None:
        if self._told_state() in ("ARMED", "RUN"):
            raise ScpiFault(-221, "a sequence is armed or runs")
        self._lists.clear()

    def _points(self) -> int:
        return max((len(values) for values in self._lists.values()), default=0)

    def _arm(self) -> None:
        if self._told_state() in ("ARMED", "RUN"):
            raise ScpiFault(-213, "armed already")
        points = self._points()
        if not points or "dwell" not in self._lists:
            raise ScpiFault(-213, "no list with dwell times is loaded")
        if any(len(values) not in (1, points) for values in self._lists.values()):
            lengths = ", ".join(f"{key} {len(values)}" for key, values in self._lists.items())
            raise ScpiFault(-226, lengths)
        if not (self._output and self._closed()):
            raise ScpiFault(-221, "the output is off")
        self._state = "ARMED"
        self._on_event("armed", steps=points)

    def _begin(self) -> None:
        if self._told_state() != "ARMED":
            raise ScpiFault(-211, "not armed")
        self._trigger_s = self._terminal.play(self._steps())
        self._state = "RUN"
        self._on_event("triggered", at_s=round(self._trigger_s, 6), steps=self._points())

    def _steps(self) -> list[Step]:
        """Return the sequence; what no list says stays as it is set."""

        def value(key: str, k: int, otherwise: float) -> float:
            values = self._lists.get(key, [otherwise])
            return values[k if len(values) > 1 else 0]

        def step(k: int) -> Step:
            fixed, channels = self._fixed, range(self._p.phases)
            setting = Setting(
                tuple(value(f"v{c}", k, fixed.v_v[c]) for c in channels),
                tuple(value(f"phase{c}", k, fixed.phase_deg[c]) for c in channels),
                value("f", k, fixed.f_hz),
            )
            return Step(setting, value("dwell", k, 0.0), bool(value("ramp", k, 0.0)))

        if self._state == "DONE":
            self._fixed = self._terminal.setting()
        return [step(k) for k in range(self._points())]

    def _abort(self) -> None:
        if self._told_state() == "RUN":
            self._terminal.stop_playing()
        if self._state != "IDLE":
            self._fixed = self._terminal.setting()
        self._state = "IDLE"

    def _told_state(self) -> str:
        if self._state == "RUN" and not self._terminal.playing():
            self._state = "DONE"
        return self._state

    def _told_trigger(self) -> str:
        if self._trigger_s is None:
            return print_number(float("nan"))
        return f"{self.instrument.own_s(self._trigger_s):.9f}"
