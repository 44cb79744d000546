"""What a capture says, line by line: one decoder for each kind of wire.

A decoder is made for one wire and turns its pieces into lines of text. `DECODERS` is where a
protocol adds its own; a kind that has none is shown in hexadecimal.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from gridrig.devices.capture.daly_text import daly_text
from gridrig.devices.capture.framed_text import FramedText
from gridrig.devices.capture.jbd_text import jbd_text
from gridrig.devices.capture.ocpp_text import OcppText
from gridrig.devices.capture.pylontech_text import pylontech_text
from gridrig.devices.capture.reader import Capture, Piece
from gridrig.devices.capture.recorder import Way
from gridrig.devices.capture.scpi_text import ScpiText
from gridrig.devices.wire.modbus_framing import (
    Noise,
    RtuDecoder,
    RtuFrame,
    Side,
    TcpDecoder,
    TcpFrame,
)
from gridrig.devices.wire.modbus_messages import decode, text

SIDES: Mapping[Way, Side] = {"out": "request", "in": "reply"}


class WireDecoder(Protocol):
    """Turns what passed on one wire into text."""

    def feed(self, piece: Piece) -> list[str]:
        """Take one piece and return what it completed, a line each."""

    def end(self) -> list[str]:
        """Return what is left at the end."""


class HexText:
    """Shows bytes as they are."""

    def feed(self, piece: Piece) -> list[str]:
        """Return the bytes in hexadecimal."""
        return [piece.data.hex(" ")]

    def end(self) -> list[str]:
        """Hold nothing back."""
        return []


class ModbusTcpText:
    """Shows Modbus TCP."""

    def __init__(self) -> None:
        self._decoders = {"out": TcpDecoder(), "in": TcpDecoder()}

    def feed(self, piece: Piece) -> list[str]:
        """Return the frames that are whole now."""
        if self._decoders[piece.way].broken:
            self._decoders[piece.way] = TcpDecoder()  # both ends have opened a new connection
        return [_told(frame, piece.way) for frame in self._decoders[piece.way].feed(piece.data)]

    def end(self) -> list[str]:
        """Return what never became whole."""
        ways: tuple[Way, Way] = ("out", "in")
        return [_told(rest, way) for way in ways for rest in self._decoders[way].idle()]


def modbus_rtu_text() -> WireDecoder:
    """Show Modbus RTU."""
    return FramedText({way: RtuDecoder(side) for way, side in SIDES.items()}, Noise, _told)


def _told(frame: TcpFrame | RtuFrame | Noise, way: Way) -> str:
    if isinstance(frame, Noise):
        return f"noise ({frame.reason}): {frame.data.hex(' ')}"
    said = text(decode(SIDES[way], frame.pdu))
    if isinstance(frame, RtuFrame):
        return f"unit {frame.unit}  {said}"
    odd = f" protocol {frame.protocol}" if frame.protocol else ""
    return f"unit {frame.unit} #{frame.transaction}{odd}  {said}"


DECODERS: dict[str, Callable[[], WireDecoder]] = {
    "modbus-tcp": ModbusTcpText,
    "modbus-tls": ModbusTcpText,
    "modbus-rtu": modbus_rtu_text,
    "jbd": jbd_text,
    "daly": daly_text,
    "pylontech": pylontech_text,
    "scpi": ScpiText,
    "ocpp": OcppText,
}


def _line(piece: Piece, width: int, said: str) -> str:
    arrow = "->" if piece.way == "out" else "<-"
    return f"{piece.t_s:12.6f}  {piece.wire:<{width}}  {arrow}  {said}"


class LiveText:
    """Shows pieces as they pass.

    Parameters
    ----------
    kind : str
        What is spoken on every wire.
    now_s : callable
        Gives every piece its time. [s]
    raw : bool
        Show the bytes, not what they mean.
    """

    def __init__(self, kind: str, now_s: Callable[[], float], *, raw: bool) -> None:
        self._make = HexText if raw else DECODERS.get(kind, HexText)
        self._now_s = now_s
        self._decoders: dict[str, WireDecoder] = {}

    def feed(self, wire: str, way: Way, data: bytes) -> list[str]:
        """Take one piece and return the lines it completed."""
        piece = Piece(self._now_s(), wire, way, data)
        decoder = self._decoders.setdefault(wire, self._make())
        return [_line(piece, len(wire), said) for said in decoder.feed(piece)]


def lines_of(capture: Capture, wire: str | None = None, *, raw: bool = False) -> Iterator[str]:
    """Yield a capture as text: time, wire, direction, what was said.

    Parameters
    ----------
    capture : Capture
        What was read.
    wire : str or None
        Only this wire.
    raw : bool
        Show the bytes, not what they mean.

    Raises
    ------
    DriverError
        `capture.wire_unknown`.
    """
    pieces = capture.pieces if wire is None else capture.on(wire)
    width = max((len(name) for name in capture.kinds), default=0)
    decoders = {
        name: HexText() if raw else DECODERS.get(kind, HexText)()
        for name, kind in capture.kinds.items()
    }
    for piece in pieces:
        for said in decoders[piece.wire].feed(piece):
            yield _line(piece, width, said)
    for name, decoder in decoders.items():
        if wire in (None, name):
            for line in decoder.end():
                yield f"{'at the end':>12}  {name:<{width}}      {line}"
    if capture.full:
        yield "the capture ends here: it was full"
