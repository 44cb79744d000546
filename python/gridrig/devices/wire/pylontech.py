"""Pylontech RS485 frames: bytes in, events out.

Frame
    ``~ VER ADR CID1 CID2 LENGTH INFO CHKSUM CR``, every byte as two hex characters. LENGTH is four
    bits of LCHKSUM over twelve bits of LENID, the number of characters in INFO. In a reply CID2 is
    the return code, 00 for right.
Limits
    A frame has at most 4,113 characters; a decoder never keeps more than that.
Known gaps
    A reply does not say which command it answers: whoever asks must judge by the shape of INFO.
    The RS232 console speaks another language.

References
----------
.. [1] Pylontech, "RS485-protocol-pylon-low-voltage," V3.3, 2018.
.. [2] F. Villaro-Dixon, python-pylontech 0.3.3, tests and captured frames.
"""

from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Dropped

SOI = 0x7E
EOI = 0x0D
VERSION = 0x20
CID1_BATTERY = 0x46

CID2_ANALOG = 0x42
CID2_ALARM = 0x44
CID2_SYSTEM = 0x47
CID2_VERSION = 0x4F
CID2_MANUFACTURER = 0x51
CID2_MANAGEMENT = 0x92
CID2_SERIAL = 0x93

RTN_OK = 0x00
RETURN_CODES = {
    0x01: "version",
    0x02: "checksum",
    0x03: "length_checksum",
    0x04: "command",
    0x05: "format",
    0x06: "data",
    0x90: "address",
    0x91: "internal",
}
RTN_COMMAND = 0x04
RTN_DATA = 0x06

_HEAD_CHARS = 12  # VER ADR CID1 CID2 LENGTH
_CHECKSUM_CHARS = 4
INFO_CHARS_MAX = 0xFFF
FRAME_CHARS_MAX = 1 + _HEAD_CHARS + INFO_CHARS_MAX + _CHECKSUM_CHARS + 1
_HEX = frozenset(b"0123456789ABCDEFabcdef")


@dataclass(frozen=True)
class Frame:
    """One frame, request or reply; `code` is CID2: the command, or the return code."""

    address: int
    code: int
    info: bytes = b""
    version: int = VERSION
    kind: int = CID1_BATTERY


Event = Frame | Dropped


def checksum(characters: bytes) -> int:
    """Return the negated 16-bit sum of the characters between SOI and CHKSUM."""
    return -sum(characters) & 0xFFFF


def length_field(lenid: int) -> int:
    """Return LENGTH: the checksum nibble over the number of characters in INFO.

    >>> hex(length_field(0x05E))
    '0xd05e'
    """
    nibbles = (lenid & 15) + (lenid >> 4 & 15) + (lenid >> 8 & 15)
    return (-nibbles & 15) << 12 | lenid


def encode(frame: Frame) -> bytes:
    """Return a frame as characters.

    >>> encode(Frame(1, 0x42, bytes([1])))
    b'~20014642E00201FD35\\r'
    """
    lenid = 2 * len(frame.info)
    if lenid > INFO_CHARS_MAX:
        raise ValueError(f"INFO has at most {INFO_CHARS_MAX // 2} bytes, got {len(frame.info)}")
    head = f"{frame.version:02X}{frame.address:02X}{frame.kind:02X}{frame.code:02X}"
    body = f"{head}{length_field(lenid):04X}{frame.info.hex().upper()}".encode()
    return b"~" + body + f"{checksum(body):04X}\r".encode()


class Decoder:
    """Finds frames in a stream of characters; no bytes make it raise.

    SOI cannot occur inside a frame: a new one ends whatever was under way. What is none is "noise",
    "truncated", "overlong", "not_hex", "checksum" or "length".
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether the beginning of a frame waits for the rest."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes and return what they completed, in order."""
        events: list[Event] = []
        noise = bytearray()
        for byte in data:
            if byte == SOI:
                self._give_up("truncated", events)
                self._end_noise(noise, events)
                self._buffer.append(byte)
            elif not self._buffer:
                noise.append(byte)
            elif byte == EOI:
                events.append(_judge(bytes(self._buffer[1:])))
                self._buffer.clear()
            else:
                self._buffer.append(byte)
                if len(self._buffer) >= FRAME_CHARS_MAX:
                    self._give_up("overlong", events)
        self._end_noise(noise, events)
        return events

    def idle(self) -> list[Event]:
        """Give up the frame under way, because silence ends a frame."""
        events: list[Event] = []
        self._give_up("truncated", events)
        return events

    def _give_up(self, reason: str, events: list[Event]) -> None:
        if self._buffer:
            events.append(Dropped(reason, bytes(self._buffer)))
            self._buffer.clear()

    @staticmethod
    def _end_noise(noise: bytearray, events: list[Event]) -> None:
        # LF after CR is what some adapters add; it is no news.
        if noise and noise != b"\n":
            events.append(Dropped("noise", bytes(noise)))
        noise.clear()


def _judge(characters: bytes) -> Event:
    if not _HEX.issuperset(characters):
        return Dropped("not_hex", characters)
    if len(characters) < _HEAD_CHARS + _CHECKSUM_CHARS:
        return Dropped("length", characters)
    body, tail = characters[:-_CHECKSUM_CHARS], characters[-_CHECKSUM_CHARS:]
    if checksum(body) != int(tail, 16):
        return Dropped("checksum", characters)
    info = body[_HEAD_CHARS:]
    if int(body[8:12], 16) != length_field(len(info)) or len(info) % 2:
        return Dropped("length", characters)
    version, address, kind, code = bytes.fromhex(body[:8].decode())
    return Frame(address, code, bytes.fromhex(info.decode()), version, kind)
