"""An emulated DC source: a laboratory supply, or a photovoltaic array with curve and irradiance.

    emulate = { model = "dc_source", v_v_max = 1000, i_a_max = 40 }

`FUNCtion:MODE FIXed` is constant voltage with a current limit; `FUNCtion:MODE SASimulator` follows
the curve of `SASimulator:VOC`, `ISC`, `VMP`, `IMP` at `SASimulator:IRRadiance`. What the device at
its output may then draw is the most power that the mode gives.

What it refuses: beyond its ranges -222; a curve that is none, or output on with the interlock open,
-221.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from gridrig.devices.emulators.bench_terminal import DcTerminal
from gridrig.devices.emulators.fault import OnEvent, no_log
from gridrig.devices.emulators.iv_curve import IRRADIANCE_STC, IvCurve
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.scpi_face import ScpiEmulator
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_tree import Handler
from gridrig.devices.wire.scpi_values import (
    ScpiFault,
    parse_bool,
    parse_bounded,
    parse_word,
    print_number,
)

MODES = ("FIXed", "SASimulator")
IRRADIANCE_MAX = 1500.0


@dataclass(frozen=True, kw_only=True)
class DcSourceParameters(ScpiParameters):
    """What the `emulate` table may say of an emulated DC source.

    Parameters
    ----------
    v_v_max, i_a_max : float
        Highest voltage and current. [V, A]
    """

    v_v_max: float = 1000.0
    i_a_max: float = 40.0

    def __post_init__(self) -> None:
        """Refuse what no source can be."""
        super().__post_init__()
        require("v_v_max", self.v_v_max, 0 < self.v_v_max <= 2000, "> 0, at most 2000")
        require("i_a_max", self.i_a_max, 0 < self.i_a_max <= 2000, "> 0, at most 2000")


class DcSourceEmulator(ScpiEmulator):
    """A DC source: a face on one device's DC input.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ScpiEmulator`.
    terminal : DcTerminal
        What it feeds.
    """

    kind = "dc_source"
    PARAMETERS: ClassVar[type[DcSourceParameters]] = DcSourceParameters

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: DcSourceParameters,
        terminal: DcTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._p, self._terminal = parameters, terminal
        self._begin_anew()
        super().__init__(name, link, parameters, self._instrument, on_event)

    def _begin_anew(self) -> None:
        v, i = self._p.v_v_max, self._p.i_a_max
        self._v_v, self._i_a = 0.0, 0.0
        self._mode = "FIXed"
        self._curve = IvCurve(0.8 * v, 0.5 * i, 0.65 * v, 0.46 * i)
        self._irradiance = IRRADIANCE_STC
        self._output = False

    def _instrument(self) -> Instrument:
        v_max, i_max = self._p.v_v_max, self._p.i_a_max
        commands: dict[str, Handler] = {
            "[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]": self._setter("_v_v", v_max, "V"),
            "[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]": self._setter("_i_a", i_max, "A"),
            "[SOURce:]FUNCtion:MODE": self._set_mode,
            "[SOURce:]SASimulator:VOC": self._curve_setter("voc_v", v_max, "V"),
            "[SOURce:]SASimulator:VMP": self._curve_setter("vmp_v", v_max, "V"),
            "[SOURce:]SASimulator:ISC": self._curve_setter("isc_a", i_max, "A"),
            "[SOURce:]SASimulator:IMP": self._curve_setter("imp_a", i_max, "A"),
            "[SOURce:]SASimulator:IRRadiance": self._setter("_irradiance", IRRADIANCE_MAX, ""),
            "OUTPut[:STATe]": self._set_output,
        }
        queries: dict[str, Handler] = {
            "[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]": lambda: print_number(self._v_v),
            "[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]": lambda: print_number(self._i_a),
            "[SOURce:]FUNCtion:MODE": lambda: "SAS" if self._mode == "SASimulator" else "FIX",
            "[SOURce:]SASimulator:VOC": lambda: print_number(self._curve.voc_v),
            "[SOURce:]SASimulator:VMP": lambda: print_number(self._curve.vmp_v),
            "[SOURce:]SASimulator:ISC": lambda: print_number(self._curve.isc_a),
            "[SOURce:]SASimulator:IMP": lambda: print_number(self._curve.imp_a),
            "[SOURce:]SASimulator:IRRadiance": lambda: print_number(self._irradiance),
            "OUTPut[:STATe]": lambda: str(int(self._on())),
            "MEASure[:SCALar]:VOLTage[:DC]": lambda: print_number(self._measured()[0]),
            "MEASure[:SCALar]:CURRent[:DC]": lambda: print_number(self._measured()[1]),
            "MEASure[:SCALar]:POWer[:DC]": lambda: print_number(self._measured()[2]),
            "SYSTem:INTerlock": lambda: str(int(self._terminal.interlock_closed())),
        }
        return Instrument(
            self.name,
            self._p,
            "DC source",
            self._terminal.now_s,
            commands,
            queries,
            reset=self._reset,
            trigger=None,
            on_event=self._on_event,
        )

    def _on(self) -> bool:
        if self._output and not self._terminal.interlock_closed():
            self._output = False
            self._offer()
        return self._output

    def _offer(self) -> None:
        p_w = 0.0
        if self._output:
            array = self._mode == "SASimulator"
            p_w = self._curve.p_max_w(self._irradiance) if array else self._v_v * self._i_a
        at_s = self._terminal.offer(p_w)
        self._on_event("offers", p_w=round(p_w, 3), at_s=round(at_s, 6))

    def _setter(self, key: str, most: float, unit: str) -> Callable[[str], None]:
        def act(text: str) -> None:
            setattr(self, key, parse_bounded(text, 0.0, most, unit))
            self._offer()

        return act

    def _curve_setter(self, key: str, most: float, unit: str) -> Callable[[str], None]:
        def act(text: str) -> None:
            value = parse_bounded(text, 0.0, most, unit)
            if self._on() and self._mode == "SASimulator":
                raise ScpiFault(-221, "the curve is in use")
            self._curve = replace(self._curve, **{key: value})

        return act

    def _set_mode(self, text: str) -> None:
        mode = parse_word(text, MODES)
        if self._on() and mode != self._mode:
            raise ScpiFault(-221, "the output is on")
        self._mode = mode

    def _set_output(self, text: str) -> None:
        on = parse_bool(text)
        if on and not self._terminal.interlock_closed():
            raise ScpiFault(-221, "the interlock is open")
        if on and self._mode == "SASimulator" and not self._curve.right():
            raise ScpiFault(-221, f"no curve: {self._curve}")
        self._output = on
        self._offer()

    def _reset(self) -> None:
        self._begin_anew()
        self._offer()

    def _measured(self) -> tuple[float, float, float]:
        if not self._on():
            return 0.0, 0.0, 0.0
        p_w = self._terminal.drawn_w()
        v_v = self._v_v
        if self._mode == "SASimulator":
            v_v = self._curve.v_at(p_w, self._irradiance)
        return v_v, p_w / v_v if v_v > 0 else 0.0, p_w
