"""What a SCPI instrument is told and answers, as text, a line a message.

Bytes that cannot be printed are escaped; of a definite-length block only its size is shown.
"""

from gridrig.devices.capture.reader import Piece
from gridrig.devices.capture.recorder import Way
from gridrig.devices.wire.scpi_messages import (
    PROGRAM_BYTES_MAX,
    RESPONSE_BYTES_MAX,
    Dropped,
    MessageDecoder,
    split,
)
from gridrig.devices.wire.scpi_values import ScpiFault

WAYS: tuple[Way, Way] = ("out", "in")


class ScpiText:
    """Shows SCPI."""

    def __init__(self) -> None:
        self._decoders = {
            "out": MessageDecoder(PROGRAM_BYTES_MAX),
            "in": MessageDecoder(RESPONSE_BYTES_MAX),
        }

    def feed(self, piece: Piece) -> list[str]:
        """Return the messages that are whole now."""
        return [
            f"dropped ({event.reason})" if isinstance(event, Dropped) else message_text(event.data)
            for event in self._decoders[piece.way].feed(piece.data)
        ]

    def end(self) -> list[str]:
        """Return what never became whole."""
        rest = [self._decoders[way].pending for way in WAYS]
        return [f"without an end: {message_text(data)}" for data in rest if data]


def message_text(data: bytes) -> str:
    r"""Return a message as a line of text.

    >>> message_text(b'37;#15\x00\x01\x02\x03\x04;0,"No error"')
    '37;<block of 5 bytes>;0,"No error"'
    """
    try:
        units = split(data, b";")
        return ";".join(",".join(map(_field, split(unit, b","))) for unit in units)
    except ScpiFault:
        return _printable(data)


def _field(data: bytes) -> str:
    bare = data.lstrip()
    if bare[:1] == b"#" and b"1" <= bare[1:2] <= b"9":
        return f"<block of {len(bare) - 2 - int(bare[1:2])} bytes>"
    return _printable(data)


def _printable(data: bytes) -> str:
    text = data.decode("latin-1")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
