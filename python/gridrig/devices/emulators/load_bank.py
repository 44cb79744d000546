"""An emulated RLC load bank: resistance, inductance and capacitance in steps, by nominal power.

    emulate = { model = "load_bank", p_w_max = 20000, q_var_max = 20000, step_w = 10 }

`LOAD:RESistive`, `LOAD:INDuctive` and `LOAD:CAPacitive` take the power of each branch at nominal
voltage and frequency and round it to the bank's steps; the query answers what is really connected.
A setting is prepared; `LOAD:STATe ON` connects it, and a setting while connected acts at once.

With `shed_stage` it hangs on a feeder of its own, behind an under-frequency relay: 1 goes first, 0
has none. What is on a feeder draws its power at any voltage from 0.8 to 1.1 of nominal.

What it refuses: beyond its ranges -222.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.emulators.bench_terminal import LoadTerminal
from gridrig.devices.emulators.fault import OnEvent, no_log
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.emulators.scpi_face import ScpiEmulator
from gridrig.devices.emulators.scpi_instrument import Instrument, ScpiParameters
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire.scpi_tree import Handler
from gridrig.devices.wire.scpi_values import parse_bool, parse_bounded, print_number

BRANCHES = ("RESistive", "INDuctive", "CAPacitive")


@dataclass(frozen=True, kw_only=True)
class LoadBankParameters(ScpiParameters):
    """What the `emulate` table may say of an emulated load bank.

    Parameters
    ----------
    p_w_max, q_var_max : float
        Of the resistance, and of each reactance, at nominal. [W, var]
    step_w : float
        Of every branch. [W, var]
    shed_stage : int or None
        Stage of the relay of its feeder, 0 for a feeder without; None on the bus itself.
    """

    p_w_max: float = 20_000.0
    q_var_max: float = 20_000.0
    step_w: float = 10.0
    shed_stage: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no bank can be."""
        super().__post_init__()
        require("p_w_max", self.p_w_max, 0 < self.p_w_max <= 1e7, "> 0, at most 1e7")
        require("q_var_max", self.q_var_max, 0 <= self.q_var_max <= 1e7, "0 to 1e7")
        require("step_w", self.step_w, 0 < self.step_w <= self.p_w_max, "> 0, at most p_w_max")
        stage = self.shed_stage is None or 0 <= self.shed_stage <= 20
        require("shed_stage", self.shed_stage, stage, "0 to 20")


class LoadBankEmulator(ScpiEmulator):
    """A load bank: a face on the circuit's load.

    Parameters
    ----------
    name, link, parameters, on_event
        See `ScpiEmulator`.
    terminal : LoadTerminal
        Its connection.
    """

    kind = "load_bank"
    PARAMETERS: ClassVar[type[LoadBankParameters]] = LoadBankParameters

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: LoadBankParameters,
        terminal: LoadTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self._p, self._terminal = parameters, terminal
        self._branches = dict.fromkeys(BRANCHES, 0.0)
        self._connected = False
        super().__init__(name, link, parameters, self._instrument, on_event)

    def _instrument(self) -> Instrument:
        commands: dict[str, Handler] = {f"LOAD:{name}": self._setter(name) for name in BRANCHES}
        queries: dict[str, Handler] = {f"LOAD:{name}": self._teller(name) for name in BRANCHES}
        commands["LOAD[:STATe]"] = self._connect
        queries |= {
            "LOAD[:STATe]": lambda: str(int(self._connected)),
            "LOAD:STEP": lambda: print_number(self._p.step_w),
            "MEASure[:SCALar]:POWer[:ACTive]": lambda: print_number(self._terminal.drawn()[0]),
            "MEASure[:SCALar]:POWer:REACtive": lambda: print_number(self._terminal.drawn()[1]),
        }
        return Instrument(
            self.name,
            self._p,
            "RLC load bank",
            self._terminal.now_s,
            commands,
            queries,
            reset=self._reset,
            trigger=None,
            on_event=self._on_event,
        )

    def _setter(self, name: str) -> Callable[[str], None]:
        most = self._p.p_w_max if name == "RESistive" else self._p.q_var_max
        unit = "W" if name == "RESistive" else "VAR"

        def act(text: str) -> None:
            value = parse_bounded(text, 0.0, most, unit)
            self._branches[name] = round(value / self._p.step_w) * self._p.step_w
            if self._connected:
                self._apply()

        return act

    def _teller(self, name: str) -> Callable[[], str]:
        return lambda: print_number(self._branches[name])

    def _connect(self, text: str) -> None:
        self._connected = parse_bool(text)
        self._apply()

    def _apply(self) -> None:
        r_w, l_var, c_var = self._branches.values() if self._connected else (0.0, 0.0, 0.0)
        at_s = self._terminal.connect(r_w, l_var, c_var)
        self._on_event("load", r_w=r_w, l_var=l_var, c_var=c_var, at_s=round(at_s, 6))

    def _reset(self) -> None:
        self._branches = dict.fromkeys(BRANCHES, 0.0)
        self._connect("OFF")
