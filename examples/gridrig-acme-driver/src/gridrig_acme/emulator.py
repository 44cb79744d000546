"""An emulated PowerCell: a face over one terminal of the plant, on a pty."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from gridrig.devices.emulators.fault import FaultBoard, FaultValue, OnEvent, no_log
from gridrig.devices.emulators.fault_spec import FaultSpec
from gridrig.devices.emulators.serial_face import HANG_UP, LINE_FAULTS, SerialFace
from gridrig.devices.emulators.terminal import InverterTerminal, TerminalState
from gridrig.devices.links import SerialLink

from gridrig_acme.driver import NONE
from gridrig_acme.wire import Decoder, Frame, encode

STUCK = FaultSpec(
    "stuck_set_point",
    "state",
    "a set-point is acknowledged and not taken",
    (),
    'name = "stuck_set_point"',
)


@dataclass(frozen=True, kw_only=True)
class PowerCellFace:
    """What the `emulate` table may say of it; `sign` = -1 and "frozen" are mutants."""

    s_va: float
    serial: str = "PC-0001"
    v_nominal_v: float = 400.0
    reply_delay_s: float = 0.005
    seed: int = 0
    sign: int = 1
    telemetry: Literal["live", "frozen"] = "live"


class PowerCellEmulator:
    """Serves one terminal as a PowerCell."""

    PARAMETERS = PowerCellFace
    LINK = SerialLink
    FAULTS: ClassVar = {**LINE_FAULTS, STUCK.name: STUCK}

    def __init__(
        self,
        name: str,
        link: SerialLink,
        parameters: PowerCellFace,
        terminal: InverterTerminal,
        on_event: OnEvent = no_log,
    ) -> None:
        self.name = name
        self._link = link
        self._parameters = parameters
        self._terminal = terminal
        self._on_event = on_event
        self._connect = True
        self._set_point_w = 0.0
        self._first: TerminalState | None = None
        self._decoder = Decoder()
        self._faults = FaultBoard(name, self.FAULTS, on_event, seed=parameters.seed)
        self._face = SerialFace(
            name,
            self,
            baudrate=link.baudrate,
            reply_delay_s=parameters.reply_delay_s,
            seed=parameters.seed,
            faults=self._faults,
            on_event=on_event,
        )

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds it."""
        return {
            "device": self.name,
            "kind": "serial",
            "port": self._face.path,
            "baudrate": self._link.baudrate,
        }

    async def start(self) -> None:
        """Open the pty."""
        self._face.start()

    async def stop(self) -> None:
        """Hang up; stopping twice is allowed."""
        await self._face.stop()

    def unplug(self) -> None:
        """Hang up at once, as a pulled plug does."""
        self._face.unplug()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire on its occasions, by default the next; "unplug" fires now."""
        self._faults.arm(fault, count=count, **params)
        if fault == HANG_UP:
            self._faults.fire(fault)
            self.unplug()

    def hear(self, data: bytes, *, after_silence: bool) -> list[bytes]:
        """Take bytes and return the requests they completed."""
        if after_silence:
            self._decoder.idle()
        events = self._decoder.feed(data)
        return [encode(event) for event in events if isinstance(event, Frame)]

    def answer(self, request: bytes) -> bytes | None:
        """Return the line that answers a request."""
        (frame,) = Decoder().feed(request)
        assert isinstance(frame, Frame)
        word, values = self._act(frame)
        return encode(Frame(frame.number, word, values))

    def spoil(self, reply: bytes) -> bytes:
        """Return the reply with a wrong checksum."""
        return reply[:-2] + (b"0" if reply[-2:-1] != b"0" else b"1") + reply[-1:]

    def _act(self, frame: Frame) -> tuple[str, tuple[str, ...]]:
        own = self._parameters
        try:
            match frame.word, frame.values:
                case "ID", ():
                    return "ID", ("Acme", "PowerCell", own.serial, "2.1", f"{own.s_va:.1f}")
                case "RD", ():
                    return "RD", self._state()
                case "SP", (text,):
                    if self._faults.fire(STUCK.name) is None:
                        self._set_point_w = float(text)
                        self._terminal.set_power_w(-self._set_point_w)
                        self._on_event("power_w", p_w=-self._set_point_w)
                    return "SP", (text,)
                case "LM", (text,):
                    limit_w = None if text == NONE else float(text)
                    self._terminal.set_limit_w(limit_w)
                    self._on_event("limit_w", p_w=limit_w)
                    return "LM", (text,)
                case "CN", ("0" | "1" as text,):
                    self._connect = text == "1"
                    self._terminal.set_connect(self._connect)
                    self._on_event("connect", on=self._connect)
                    return "CN", (text,)
        except ValueError:
            return "ER", ("no", "number")
        return "ER", ("unknown",)

    def _state(self) -> tuple[str, ...]:
        live = self._terminal.state()
        if self._first is None:
            self._first = live
        now = self._first if self._parameters.telemetry == "frozen" else live
        return (
            f"{-self._parameters.sign * now.p_w:.1f}",
            f"{now.q_var:.1f}",
            f"{now.v_pu * self._parameters.v_nominal_v:.1f}",
            f"{now.f_hz:.3f}",
            live.status,
            "1" if self._connect else "0",
            NONE if live.limit_w is None else f"{live.limit_w:.1f}",
            f"{self._set_point_w:.1f}",
        )
