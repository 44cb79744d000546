"""Daly battery frames (UART and RS485): bytes in, events out.

Frame
    ``A5 address command 08 d0..d7 sum``, always 13 bytes; the sum is the low byte of the sum of the
    first twelve. Request and reply have one shape and differ in the address: hosts ask as 40 and
    up on RS485 (one for each pack on the bus) or as 80 on the UART, packs answer as 01 and up.
Limits
    A decoder never keeps more than one frame of input.
Known gaps
    The sum is eight bits wide: one damaged frame in 256 passes. Whoever asks must judge command,
    address and content too. What a request's data bytes hold is of no consequence to a read.
    Newer boards speak Modbus RTU as unit D2 instead; that is not here.

References
----------
.. [1] Daly Electronics, "UART/485 Communications Protocol," V1.2.
.. [2] P. Salecker, dalybms 0.5.0; captured frames, dbus-serialbattery issue 53.
"""

from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Dropped, StartByteDecoder

START = 0xA5
DATA_BYTES = 8
FRAME_BYTES = 13

HOST_RS485 = 0x40
HOST_UART = 0x80
PACKS_MAX = 16  # on one RS485 bus: host addresses 40..4F

CMD_RESTART = 0x00
CMD_SET_SOC = 0x21
CMD_RATED = 0x50
CMD_MADE = 0x53
CMD_CODE = 0x57
CMD_PACK = 0x90
CMD_CELL_RANGE = 0x91
CMD_TEMPERATURE_RANGE = 0x92
CMD_SWITCHES = 0x93
CMD_SETUP = 0x94
CMD_CELLS = 0x95
CMD_TEMPERATURES = 0x96
CMD_BALANCING = 0x97
CMD_ALARMS = 0x98
CMD_DISCHARGE_FET = 0xD9
CMD_CHARGE_FET = 0xDA


@dataclass(frozen=True)
class Frame:
    """One frame, request or reply."""

    address: int
    command: int
    data: bytes = bytes(DATA_BYTES)


Event = Frame | Dropped


def checksum(body: bytes) -> int:
    """Return the low byte of the sum.

    >>> hex(checksum(bytes.fromhex("a54094080000000000000000")))
    '0x81'
    """
    return sum(body) & 0xFF


def encode(frame: Frame) -> bytes:
    """Return a frame's bytes.

    >>> encode(Frame(0x40, 0x94)).hex()
    'a5409408000000000000000081'
    """
    if len(frame.data) != DATA_BYTES:
        raise ValueError(f"a Daly frame has {DATA_BYTES} data bytes, got {len(frame.data)}")
    body = bytes((START, frame.address, frame.command, DATA_BYTES)) + frame.data
    return body + bytes((checksum(body),))


def host_address(pack: int) -> int:
    """Return the address a host asks pack 1..16 of an RS485 bus from."""
    return HOST_RS485 + pack - 1


def reply_address(asked_from: int) -> int | None:
    """Return the address that a request is answered with; None if nobody may answer it.

    >>> [reply_address(address) for address in (0x40, 0x41, 0x80, 0x01)]
    [1, 2, 1, None]
    """
    if asked_from == HOST_UART:
        return 1
    pack = asked_from - HOST_RS485 + 1
    return pack if 1 <= pack <= PACKS_MAX else None


class Decoder(StartByteDecoder[Frame]):
    """Finds frames; what is none is "noise", "checksum", "length" or "truncated"."""

    def __init__(self) -> None:
        super().__init__(START, FRAME_BYTES)

    def _frame_at(self, data: bytes) -> tuple[Event | None, int]:
        if len(data) >= 4 and data[3] != DATA_BYTES:
            return Dropped("length", data[:1]), 1
        if len(data) < FRAME_BYTES:
            return None, 0
        frame = data[:FRAME_BYTES]
        if checksum(frame[:-1]) != frame[-1]:
            return Dropped("checksum", frame[:1]), 1
        return Frame(frame[1], frame[2], frame[4:-1]), FRAME_BYTES
