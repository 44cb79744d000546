"""JBD (Xiaoxiang, LLT) battery frames: bytes in, events out.

Frame
    Request ``DD A5|5A reg len data.. chk chk 77`` (A5 reads, 5A writes); reply
    ``DD reg status len data.. chk chk 77``. The checksum is the negated 16-bit sum, of reg, len
    and data in a request, of status, len and data in a reply.
Limits
    A frame has at most 262 bytes; a decoder never keeps more than one frame of input.
Known gaps
    A reply's checksum does not cover its register, so whoever asks must compare the register. The
    echo of a request is itself a well-formed reply of register A5 or 5A. The CRC frames of the
    UP16S family are not here.

References
----------
.. [1] FurTrader, "JBD BMS Serial Interface and Register Map," OverkillSolarBMS repository.
.. [2] S. Muszynski, captured frames, esphome-jbd-bms repository, docs/pdus.
"""

from dataclasses import dataclass
from typing import Literal

from gridrig.devices.wire.pack_frames import Dropped, StartByteDecoder

START = 0xDD
END = 0x77
READ = 0xA5
WRITE = 0x5A

REG_BASIC = 0x03
REG_CELLS = 0x04
REG_HARDWARE = 0x05
REG_FETS = 0xE1

STATUS_OK = 0x00
STATUS_REJECTED = 0x80

FRAME_OVERHEAD_BYTES = 7
FRAME_BYTES_MAX = FRAME_OVERHEAD_BYTES + 255


@dataclass(frozen=True)
class Request:
    """What a host asks: read or write one register."""

    register: int
    write: bool
    payload: bytes


@dataclass(frozen=True)
class Reply:
    """What a device answers for one register; the register is not protected by the checksum."""

    register: int
    status: int
    payload: bytes


Event = Request | Reply | Dropped


def checksum(body: bytes) -> int:
    """Return the negated 16-bit sum.

    >>> hex(checksum(bytes([0x03, 0x00])))
    '0xfffd'
    """
    return -sum(body) & 0xFFFF


def _frame(head: int, middle: int, payload: bytes, summed: bytes) -> bytes:
    if len(payload) > 255:
        raise ValueError(f"a JBD payload has at most 255 bytes, got {len(payload)}")
    return (
        bytes((START, head, middle, len(payload)))
        + payload
        + checksum(summed).to_bytes(2, "big")
        + bytes((END,))
    )


def encode_request(request: Request) -> bytes:
    """Return the frame of a request.

    >>> encode_request(Request(0x03, False, b"")).hex()
    'dda50300fffd77'
    """
    body = bytes((request.register, len(request.payload) & 0xFF)) + request.payload
    return _frame(WRITE if request.write else READ, request.register, request.payload, body)


def encode_reply(reply: Reply) -> bytes:
    """Return the frame of a reply.

    >>> encode_reply(Reply(0xE1, 0, b"")).hex()
    'dde10000000077'
    """
    body = bytes((reply.status, len(reply.payload) & 0xFF)) + reply.payload
    return _frame(reply.register, reply.status, reply.payload, body)


class Decoder(StartByteDecoder[Request | Reply]):
    """Finds frames of one direction; what is none is "noise", "checksum", "terminator" or
    "truncated".

    Parameters
    ----------
    direction : str
        "request" as a device hears it, "reply" as a host hears it.
    """

    def __init__(self, direction: Literal["request", "reply"]) -> None:
        super().__init__(START, FRAME_BYTES_MAX)
        self._replies = direction == "reply"

    def _frame_at(self, data: bytes) -> tuple[Event | None, int]:
        if len(data) < 4:
            return None, 0
        if not self._replies and data[1] not in (READ, WRITE):
            return None, 1
        size = data[3] + FRAME_OVERHEAD_BYTES
        if len(data) < size:
            return None, 0
        event = self._judge(data[:size])
        return event, 1 if isinstance(event, Dropped) else size

    def _judge(self, frame: bytes) -> Event:
        if frame[-1] != END:
            return Dropped("terminator", frame[:1])
        summed = frame[2:-3]  # reg, len, data; or status, len, data
        if checksum(summed) != int.from_bytes(frame[-3:-1], "big"):
            return Dropped("checksum", frame[:1])
        if self._replies:
            return Reply(frame[1], frame[2], frame[4:-3])
        return Request(frame[2], frame[1] == WRITE, frame[4:-3])
