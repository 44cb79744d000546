"""A captured device served again: the same questions get the same answers, in the same order.

Of each question (unit and PDU on Modbus, bytes elsewhere) the recorded answers are given one after
the other, each after its recorded time, and the last one for ever. A question that was never asked
has no answer: on Modbus that is exception 2, elsewhere silence, and it is told.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pymodbus.constants import ExcCodes

from gridrig.clock.ptys import PtyMasterTransport, PtyPair, open_pty, open_pty_master
from gridrig.devices.capture.reader import Capture, Piece
from gridrig.devices.wire.modbus_framing import Noise, RtuDecoder, TcpDecoder
from gridrig.devices.wire.modbus_pdu import exception_reply
from gridrig.devices.wire.modbus_server import ModbusRtuServer, ModbusTcpServer, Reply
from gridrig.errors import DriverError

GAP_S = 0.05
OnUnknown = Callable[[str], object]


@dataclass
class Answers:
    """The answers to each question, in recorded order.

    Parameters
    ----------
    of : dict
        Question to the answers left: what was said and how long it took. [s]
    """

    of: dict[bytes, list[tuple[bytes, float]]] = field(default_factory=dict)

    def add(self, question: bytes, answer: bytes, took_s: float) -> None:
        """Take one recorded exchange."""
        self.of.setdefault(question, []).append((answer, max(0.0, took_s)))

    def next(self, question: bytes) -> tuple[bytes, float] | None:
        """Return the next answer to a question; None if it was never asked."""
        left = self.of.get(question)
        if left is None:
            return None
        return left.pop(0) if len(left) > 1 else left[0]


class ReplayedUnit:
    """One unit of a captured Modbus wire."""

    wire = None

    def __init__(self, answers: Answers, on_unknown: OnUnknown) -> None:
        self._answers = answers
        self._on_unknown = on_unknown

    def reply(self, pdu: bytes) -> Reply | None:
        """Return the recorded answer."""
        found = self._answers.next(pdu)
        if found is None:
            self._on_unknown(pdu.hex(" "))
            return Reply(exception_reply(pdu[0], ExcCodes.ILLEGAL_ADDRESS))
        return Reply(*found)

    def answers_for(self, unit: int) -> bool:
        """Answer for nobody else."""
        return False


def modbus_exchanges(kind: str, pieces: Iterable[Piece]) -> dict[int, Answers]:
    """Return the exchanges of a Modbus wire, by unit; a request without its reply is left out."""
    units: dict[int, Answers] = {}
    tcp = kind != "modbus-rtu"
    decoders = {
        "out": TcpDecoder() if tcp else RtuDecoder("request"),
        "in": TcpDecoder() if tcp else RtuDecoder("reply"),
    }
    open_: dict[tuple[int, int], tuple[bytes, float]] = {}
    for piece in pieces:
        for frame in decoders[piece.way].feed(piece.data):
            if isinstance(frame, Noise):
                continue
            key = (getattr(frame, "transaction", 0), frame.unit)
            if piece.way == "out":
                open_[key] = (frame.pdu, piece.t_s)
            elif key in open_:
                asked, at_s = open_.pop(key)
                if asked[0] == frame.pdu[0] & 0x7F:
                    took_s = piece.t_s - at_s
                    units.setdefault(frame.unit, Answers()).add(asked, frame.pdu, took_s)
    return units


def byte_exchanges(pieces: Iterable[Piece]) -> Answers:
    """Return the exchanges of any other wire: all that came before the next question."""
    answers = Answers()
    question, asked_at_s, heard, heard_at_s = b"", 0.0, b"", 0.0
    for piece in pieces:
        if piece.way == "in":
            heard_at_s = heard_at_s if heard else piece.t_s
            heard += piece.data
            continue
        if heard:
            answers.add(question, heard, heard_at_s - asked_at_s)
            question, heard = b"", b""
        question = piece.data if piece.t_s - asked_at_s > GAP_S else question + piece.data
        asked_at_s = piece.t_s
    if heard:
        answers.add(question, heard, heard_at_s - asked_at_s)
    return answers


class _ReplayedLine(asyncio.Protocol):
    """A captured device of another protocol, on a pty or a socket."""

    def __init__(self, answers: Answers, on_unknown: OnUnknown) -> None:
        self._answers = answers
        self._on_unknown = on_unknown
        self._heard = b""
        self._silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what the client sent; a known question is answered at once, others after silence."""
        if self._silence is not None:
            self._silence.cancel()
        self._heard += data
        if self._heard in self._answers.of:
            self._answer()
        else:
            loop = asyncio.get_running_loop()
            self._silence = loop.call_later(GAP_S, self._answer)

    def _answer(self) -> None:
        heard, self._heard = self._heard, b""
        found = self._answers.next(heard)
        if found is None:
            self._on_unknown(heard.hex(" "))
            return
        asyncio.get_running_loop().call_later(found[1], self._send, found[0])

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


class Replay:
    """Serves one captured wire again.

    Parameters
    ----------
    capture : Capture
        What was recorded.
    wire : str
        Which wire of it.
    host, port : str, int
        Where a TCP wire listens; 0 is any free port.
    baudrate : int
        Speed of an RTU line. [Bd]
    on_unknown : callable
        Takes a question that was never asked, in hexadecimal.
    """

    def __init__(
        self,
        capture: Capture,
        wire: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        baudrate: int = 9600,
        on_unknown: OnUnknown = lambda _: None,
    ) -> None:
        pieces = list(capture.on(wire))
        self.kind = capture.kinds[wire]
        self.exchanges = 0
        self._server: ModbusTcpServer | ModbusRtuServer | None = None
        self._pair: PtyPair | None = None
        self._transport: PtyMasterTransport | None = None
        self._socket = capture.links.get(wire) == "socket"
        self._where = (host, port)
        self._listener: asyncio.Server | None = None
        if self.kind == "ocpp":
            raise DriverError(
                "capture.nothing_to_replay",
                "wire {wire!r} is a charger's, who calls by itself: only answers can be replayed",
                wire=wire,
            )
        if self.kind.startswith("modbus-"):
            units = modbus_exchanges(self.kind, pieces)
            rtu = self.kind == "modbus-rtu"
            self._server = ModbusRtuServer(baudrate) if rtu else ModbusTcpServer(host, port)
            for number, answers in units.items():
                self._server.units[number] = ReplayedUnit(answers, on_unknown)
                self.exchanges += sum(map(len, answers.of.values()))
        else:
            self._answers = byte_exchanges(pieces)
            self._on_unknown = on_unknown
            self.exchanges = sum(map(len, self._answers.of.values()))
        if not self.exchanges:
            raise DriverError(
                "capture.nothing_to_replay",
                "wire {wire!r} has no question with an answer",
                wire=wire,
            )

    async def start(self) -> str:
        """Serve; return where, as `host:port` or a path.

        Raises
        ------
        DriverError
            `emulator.port_busy`.
        """
        if self._server is not None:
            await self._server.start()
            if isinstance(self._server, ModbusTcpServer):
                return f"{self._server.host}:{self._server.port}"
            return self._server.path
        if self._socket:
            return await self._listen()
        self._pair = open_pty()
        self._transport, _ = open_pty_master(
            asyncio.get_running_loop(),
            lambda: _ReplayedLine(self._answers, self._on_unknown),
            self._pair,
        )
        return self._pair.slave_path

    async def _listen(self) -> str:
        host, port = self._where
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: _ReplayedLine(self._answers, self._on_unknown), host, port
            )
        except OSError as error:
            raise DriverError(
                "emulator.port_busy",
                "cannot listen at {host}:{port}: {cause}",
                kind="unavailable",
                host=host,
                port=port,
                cause=error.strerror or str(error),
            ) from error
        return f"{host}:{self._listener.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """End it."""
        if self._listener is not None:
            self._listener.close()
        if self._server is not None:
            await self._server.stop()
        if self._transport is not None:
            self._transport.close()
