"""Modbus frames on TCP and RTU: bytes in, frames out; no socket and no clock.

`TcpDecoder` splits a stream by the length of the MBAP header. `RtuDecoder` ends a frame by the
length its function implies, and tells by `idle`, which its owner calls after 3.5 characters of
silence, whatever good frame stands behind noise. What is no frame is not passed over in silence:
it comes out as `Noise`.

Limits: a PDU of 253 bytes, 512 bytes waiting on RTU (the oldest go first, as noise).

References
----------
.. [1] Modbus Organization, "Modbus Messaging on TCP/IP Implementation Guide V1.0b," 2006, cl. 3.1.
.. [2] Modbus Organization, "Modbus over Serial Line V1.02," 2006, cl. 2.5, 6.2.
"""

import struct
from dataclasses import dataclass
from typing import Literal

PDU_MAX_BYTES = 253
MBAP_BYTES = 7
WAITING_MAX_BYTES = 512
MBAP = struct.Struct(">HHHB")
Side = Literal["request", "reply"]


@dataclass(frozen=True, slots=True)
class TcpFrame:
    """One Modbus TCP frame.

    Parameters
    ----------
    transaction, protocol, unit : int
        From the MBAP header.
    pdu : bytes
        Function code and data, 1..253 bytes.
    """

    transaction: int
    protocol: int
    unit: int
    pdu: bytes

    @property
    def raw(self) -> bytes:
        """The frame as on the wire."""
        return tcp_frame(self.transaction, self.unit, self.pdu, self.protocol)


@dataclass(frozen=True, slots=True)
class RtuFrame:
    """One Modbus RTU frame whose CRC is right."""

    unit: int
    pdu: bytes

    @property
    def raw(self) -> bytes:
        """The frame as on the wire."""
        return rtu_frame(self.unit, self.pdu)


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that are no frame, and why."""

    data: bytes
    reason: str


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc16(data: bytes | bytearray | memoryview) -> int:
    """Return the CRC of RTU; its low byte goes on the wire first."""
    crc, table = 0xFFFF, _CRC_TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc


def tcp_frame(transaction: int, unit: int, pdu: bytes, protocol: int = 0) -> bytes:
    """Return a frame of Modbus TCP."""
    return MBAP.pack(transaction, protocol, len(pdu) + 1, unit) + pdu


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """Return a frame of Modbus RTU."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


class TcpDecoder:
    """Splits one direction of a connection into frames.

    After an impossible length no frame can be found again: `broken` is then true, the bytes come
    out as `Noise`, and the connection is good for nothing but closing.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.broken = False

    @property
    def pending(self) -> bool:
        """Whether the beginning of a frame waits for the rest."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[TcpFrame | Noise]:
        """Take bytes and return the frames they completed."""
        if self.broken:
            return [Noise(data, "behind an impossible length")]
        buffer = self._buffer
        buffer += data
        found: list[TcpFrame | Noise] = []
        begin, end = 0, len(buffer)
        while end - begin >= MBAP_BYTES:
            transaction, protocol, length, unit = MBAP.unpack_from(buffer, begin)
            if not 2 <= length <= PDU_MAX_BYTES + 1:
                self.broken = True
                found.append(Noise(bytes(buffer[begin:]), f"a length of {length}, 2..254 is one"))
                begin = end
                break
            if end - begin < 6 + length:
                break
            pdu = bytes(buffer[begin + MBAP_BYTES : begin + 6 + length])
            found.append(TcpFrame(transaction, protocol, unit, pdu))
            begin += 6 + length
        del buffer[:begin]
        return found

    def idle(self) -> list[TcpFrame | Noise]:
        """Give up the frame under way."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return [Noise(rest, "an unfinished frame")] if rest else []


def _request_size(frame: bytes | bytearray, begin: int, rest: int) -> int:
    """Return the size of the request that begins here; 0 if unknown, -1 if it is not yet told."""
    function = frame[begin + 1]
    if 1 <= function <= 6:
        return 8
    if function in {15, 16}:
        return 9 + frame[begin + 6] if rest > 6 else -1
    if function == 23:
        return 13 + frame[begin + 10] if rest > 10 else -1
    return {7: 4, 11: 4, 12: 4, 17: 4, 22: 10, 43: 7}.get(function, 0)


def _reply_size(frame: bytes | bytearray, begin: int, rest: int) -> int:
    """Return the size of the reply that begins here; 0 if unknown, -1 if it is not yet told."""
    function = frame[begin + 1]
    if function & 0x80:
        return 5
    if function in {1, 2, 3, 4, 12, 17, 23}:
        return 5 + frame[begin + 2] if rest > 2 else -1
    if function == 43:
        return _device_id_size(frame, begin, rest)
    return {5: 8, 6: 8, 7: 5, 11: 8, 15: 8, 16: 8, 22: 10}.get(function, 0)


def _device_id_size(frame: bytes | bytearray, begin: int, rest: int) -> int:
    if rest < 8:
        return -1
    size = 8
    for _ in range(frame[begin + 7]):
        if rest < size + 2:
            return -1
        size += 2 + frame[begin + size + 1]
    return size + 2


class RtuDecoder:
    """Splits what one side of a bus sends into frames.

    Parameters
    ----------
    side : {"request", "reply"}
        Whose frames these are: their lengths differ.
    """

    def __init__(self, side: Side) -> None:
        self._size = _request_size if side == "request" else _reply_size
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether bytes wait for the rest of a frame, or for the silence that ends it."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[RtuFrame | Noise]:
        """Take bytes and return the frames they completed."""
        buffer = self._buffer
        buffer += data
        found: list[RtuFrame | Noise] = []
        while size := self._good_frame_at(0):
            found.append(_frame(buffer, 0, size))
            del buffer[:size]
        if len(buffer) > WAITING_MAX_BYTES:
            lost = len(buffer) - WAITING_MAX_BYTES
            found.append(Noise(bytes(buffer[:lost]), "too many bytes without a frame"))
            del buffer[:lost]
        return found

    def idle(self) -> list[RtuFrame | Noise]:
        """Take the silence: find good frames behind noise, and give up the rest."""
        buffer = self._buffer
        found: list[RtuFrame | Noise] = []
        begin = noise = 0
        while begin < len(buffer) - 3:
            size = self._good_frame_at(begin)
            if not size and begin == 0 and len(buffer) <= 256 and _crc_is_right(buffer, 0, 0):
                size = len(buffer)  # a function whose length nobody knows
            if size:
                if begin > noise:
                    found.append(Noise(bytes(buffer[noise:begin]), "no frame"))
                found.append(_frame(buffer, begin, size))
                noise = begin + size
            begin += size or 1
        if noise < len(buffer):
            found.append(Noise(bytes(buffer[noise:]), "no frame, or its CRC is wrong"))
        buffer.clear()
        return found

    def _good_frame_at(self, begin: int) -> int:
        """Return the size of a whole frame of a known function with a right CRC, else 0."""
        rest = len(self._buffer) - begin
        if rest < 4:
            return 0
        size = self._size(self._buffer, begin, rest)
        return size if 0 < size <= rest and _crc_is_right(self._buffer, begin, size) else 0


def _crc_is_right(buffer: bytearray, begin: int, size: int) -> bool:
    end = begin + size if size else len(buffer)
    found = buffer[end - 2] | buffer[end - 1] << 8
    return crc16(memoryview(buffer)[begin : end - 2]) == found


def _frame(buffer: bytearray, begin: int, size: int) -> RtuFrame:
    return RtuFrame(buffer[begin], bytes(buffer[begin + 1 : begin + size - 2]))
