"""Lines of the PowerCell: ``@07 RD FD61`` and a line feed; number, words, CRC.

The number is the host's, 00 to FF; an answer repeats it. The CRC is CRC-16/XMODEM over everything
before its blank. A line has at most 120 characters.
"""

from binascii import crc_hqx
from dataclasses import dataclass

LINE_BYTES_MAX = 120


@dataclass(frozen=True)
class Frame:
    """One line: its number, its word and the values behind it."""

    number: int
    word: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dropped:
    """Characters that are no line, and why."""

    reason: str


def encode(frame: Frame) -> bytes:
    """Return a line.

    >>> encode(Frame(7, "RD"))
    b'@07 RD FD61\\n'
    """
    body = " ".join((f"@{frame.number:02X}", frame.word, *frame.values)).encode("ascii")
    return b"%b %04X\n" % (body, crc_hqx(body, 0))


class Decoder:
    """Splits a stream into lines; no bytes make it raise."""

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def pending(self) -> bool:
        """Whether the beginning of a line waits for the rest."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Frame | Dropped]:
        """Take bytes and return what they completed, in order."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        events = [_judge(line) for line in lines]
        if len(self._buffer) > LINE_BYTES_MAX:
            self._buffer = b""
            events.append(Dropped(f"more than {LINE_BYTES_MAX} characters without an end"))
        return events

    def idle(self) -> list[Frame | Dropped]:
        """Give up the line under way, because silence ends it."""
        lost, self._buffer = len(self._buffer), b""
        return [Dropped(f"{lost} characters without an end")] if lost else []


def _judge(line: bytes) -> Frame | Dropped:
    start = line.rfind(b"@")  # what is before is noise
    body, _, check = line[max(start, 0) :].rpartition(b" ")
    try:
        number, word, *values = body.decode("ascii").split(" ")
        right = start >= 0 and int(check, 16) == crc_hqx(body, 0) and len(check) == 4
        frame = Frame(int(number[1:], 16), word, tuple(values))
    except ValueError:
        return Dropped(f"no line: {line[:LINE_BYTES_MAX]!r}")
    if not right or encode(frame) != line[start:] + b"\n":
        return Dropped(f"a damaged line {line[:LINE_BYTES_MAX]!r}")
    return frame
