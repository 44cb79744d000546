"""An instrument that speaks SCPI: common commands, status, and a tree of its own.

Invariants
    Units of a message are executed in order, one message at a time, whoever sent it. A unit that is
    no valid command ends its message (the rest could mean anything); one that is refused does not.
    A query that is refused answers nothing. The answers of one message are one response message.

References
----------
.. [1] IEEE, "IEEE Std 488.2-1992," clauses 6 and 10.
.. [2] SCPI Consortium, "Standard Commands for Programmable Instruments," version 1999.0.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.modbus_face import require
from gridrig.devices.wire.scpi_messages import parse_program
from gridrig.devices.wire.scpi_status import OPERATION_COMPLETE, Status
from gridrig.devices.wire.scpi_tree import CommandTree, Handler
from gridrig.devices.wire.scpi_values import ScpiFault, parse_whole
from gridrig.errors import GridrigError

SCPI_VERSION = "1999.0"


@dataclass(frozen=True, kw_only=True)
class ScpiParameters:
    """What the `emulate` table may say of any SCPI instrument.

    Parameters
    ----------
    seed : int
        Of its errors and jitters.
    reply_delay_s : float
        From the end of a message to the beginning of its answer. [s]
    manufacturer, product, serial, firmware : str
        What `*IDN?` answers; an empty serial is the device's name.
    clock_offset_s, clock_drift_ppm : float
        Of its own clock against the bench's. [s, 1e-6]
    """

    seed: int = 0
    reply_delay_s: float = 0.001
    manufacturer: str = "gridrig"
    product: str = ""
    serial: str = ""
    firmware: str = "1.0"
    clock_offset_s: float = 0.0
    clock_drift_ppm: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no instrument can be."""
        require("reply_delay_s", self.reply_delay_s, 0 <= self.reply_delay_s <= 60, "0 to 60")
        for key in ("manufacturer", "product", "serial", "firmware"):
            found = getattr(self, key)
            require(key, found, found.isascii() and "," not in found, "ASCII without a comma")
        drift = abs(self.clock_drift_ppm) <= 1000
        require("clock_drift_ppm", self.clock_drift_ppm, drift, "-1000 to 1000")


class Instrument:
    """What answers program messages.

    Parameters
    ----------
    name : str
        Device name.
    parameters : ScpiParameters
        The `emulate` table.
    product : str
        What it says it is, unless the table says it.
    now_s : callable
        The bench's time. [s]
    commands, queries : mapping of str to callable
        Its own, see `CommandTree`; a query returns text or bytes.
    reset : callable
        Does what `*RST` does.
    trigger : callable or None
        Does what `*TRG` does.
    on_event : OnEvent
        Gets `refused` with every error that is queued.
    """

    def __init__(
        self,
        name: str,
        parameters: ScpiParameters,
        product: str,
        now_s: Callable[[], float],
        commands: Mapping[str, Handler],
        queries: Mapping[str, Handler],
        *,
        reset: Callable[[], object],
        trigger: Callable[[], object] | None,
        on_event: OnEvent,
    ) -> None:
        p = parameters
        self._identity = (p.manufacturer, p.product or product, p.serial or name, p.firmware)
        self._clock = (p.clock_offset_s, 1.0 + p.clock_drift_ppm * 1e-6)
        self._now_s = now_s
        self._on_event = on_event
        self.status = Status()
        common: dict[str, Handler] = {
            "*CLS": self.status.clear,
            "*RST": reset,
            "*OPC": self._complete,
            "*WAI": lambda: None,  # every command is over before the next begins
            "*ESE": self._enable_events,
            "*SRE": self._enable_service,
        }
        if trigger is not None:
            common["*TRG"] = trigger
        asked: dict[str, Handler] = {
            "*IDN": lambda: ",".join(self._identity),
            "*OPC": lambda: "1",
            "*TST": lambda: "0",
            "*ESR": lambda: str(self.status.take_events()),
            "*ESE": lambda: str(self.status.event_enable),
            "*SRE": lambda: str(self.status.service_enable),
            "*STB": lambda: str(self.status.byte()),
            "SYSTem:ERRor[:NEXT]": self.status.next_error,
            "SYSTem:ERRor:COUNt": lambda: str(self.status.errors),
            "SYSTem:VERSion": lambda: SCPI_VERSION,
            "SYSTem:CLOCk": lambda: f"{self.own_s(self._now_s()):.9f}",
        }
        own = {*(header for header in commands), *(f"{header}?" for header in queries)}
        self.headers = tuple(sorted(own))  # besides those that every instrument has
        self._tree = CommandTree(common | dict(commands), asked | dict(queries))

    def own_s(self, t_s: float) -> float:
        """Return a time of the bench as the instrument's own clock shows it. [s]"""
        offset_s, rate = self._clock
        return offset_s + rate * t_s

    def bench_s(self, own_s: float) -> float:
        """Return the bench's time at which the own clock shows one. [s]"""
        offset_s, rate = self._clock
        return (own_s - offset_s) / rate

    def execute(self, message: bytes) -> bytes | None:
        """Execute a program message; return its response message, None if nothing was asked."""
        answers: list[bytes] = []
        path: tuple[str, ...] = ()
        for unit in parse_program(message):
            if isinstance(unit, ScpiFault):
                self.fail(unit)
                break
            try:
                handler, suffixes, path = self._tree.find(unit, path)
                answer = _call(handler, suffixes, unit.parameters)
            except ScpiFault as fault:
                self.fail(fault)
                if -199 <= fault.number <= -100:
                    break
                continue
            except (GridrigError, LookupError) as error:
                # What the bench behind it refuses is the instrument's own trouble, told as such.
                self.fail(ScpiFault(-310, str(error)))
                continue
            if unit.query:
                answers.append(answer if isinstance(answer, bytes) else str(answer).encode())
        return b";".join(answers) + b"\n" if answers else None

    def fail(self, fault: ScpiFault) -> None:
        """Queue an error."""
        self.status.fail(fault)
        self._on_event("refused", number=fault.number, detail=fault.detail)

    def _complete(self) -> None:
        self.status.events |= OPERATION_COMPLETE

    def _enable_events(self, mask: str) -> None:
        self.status.event_enable = parse_whole(mask, 0, 255)

    def _enable_service(self, mask: str) -> None:
        self.status.service_enable = parse_whole(mask, 0, 255)


def _call(handler: Handler, suffixes: tuple[int, ...], parameters: tuple[str, ...]) -> object:
    """Call a handler; -108 and -109 tell too many and too few parameters."""
    takes = inspect.signature(handler).parameters.values()
    most = len(takes) - len(suffixes)
    if any(p.kind is p.VAR_POSITIONAL for p in takes):
        most = len(parameters)
    least = sum(1 for p in takes if p.default is p.empty and p.kind is not p.VAR_POSITIONAL)
    if len(parameters) > most:
        raise ScpiFault(-108, f"{len(parameters)}, at most {most}")
    if len(parameters) < least - len(suffixes):
        raise ScpiFault(-109)
    return handler(*suffixes, *parameters)
