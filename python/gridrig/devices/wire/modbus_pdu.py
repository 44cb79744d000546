"""Modbus requests answered: one request PDU in, one reply PDU out, no wire and no time.

Functions 3, 4, 6, 16, 22 and 23 on a register map; 1, 2, 5 and 15 if the map has bits; 43/14 if it
has an identification. Checks in the order of the application protocol: function (exception 1),
length and quantity (3), address (2), then what the map itself says.

References
----------
.. [1] Modbus Organization, "Modbus Application Protocol Specification V1.1b3," 2012, cl. 6, 7.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from pymodbus.constants import ExcCodes

from gridrig.devices.wire.steps import ANYTHING, Asked

READ_COUNT_MAX = 125
WRITE_COUNT_MAX = 123
READ_WRITE_COUNT_MAX = 121
READ_BITS_MAX = 2000
WRITE_BITS_MAX = 1968
READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT = 1, 2, 3, 4
WRITE_COIL, WRITE_ONE, WRITE_COILS, WRITE_MANY = 5, 6, 15, 16
MASK_WRITE, READ_WRITE, ENCAPSULATED = 22, 23, 43
READ_DEVICE_ID = 14
WRITES = frozenset({WRITE_COIL, WRITE_ONE, WRITE_COILS, WRITE_MANY, MASK_WRITE})
# Identification objects by category: basic, regular, extended.
DEVICE_ID_LAST = {1: 0x02, 2: 0x7F, 3: 0xFF}
DEVICE_ID_ROOM = 253 - 7

_READ = struct.Struct(">BHH")


class RegisterMap(Protocol):
    """The registers of one unit."""

    def read(self, address: int, count: int) -> Sequence[int] | ExcCodes:
        """Return `count` registers, or the exception that answers."""

    def write(self, address: int, values: Sequence[int]) -> ExcCodes | None:
        """Write registers, all or none; return the exception that answers, None when done."""


@runtime_checkable
class BitMap(Protocol):
    """The coils and discrete inputs of a unit that has them."""

    def read_bits(self, function: int, address: int, count: int) -> Sequence[bool] | ExcCodes:
        """Return `count` coils (function 1) or inputs (2), or the exception that answers."""

    def write_bits(self, address: int, values: Sequence[bool]) -> ExcCodes | None:
        """Write coils, all or none; return the exception that answers, None when done."""


@runtime_checkable
class Identified(Protocol):
    """A unit that tells who it is by function 43/14."""

    @property
    def identification(self) -> Mapping[int, bytes]:
        """Objects by number; 0, 1 and 2 are vendor, product code and revision."""


def exception_reply(function: int, code: int) -> bytes:
    """Return the PDU of an exception."""
    return bytes((function & 0x7F | 0x80, int(code)))


def is_write(pdu: bytes) -> bool:
    """Return whether a request changes a unit and reads nothing, so that it may be broadcast."""
    return bool(pdu) and pdu[0] in WRITES


def asked(pdu: bytes) -> Asked:
    """Return what a request asks for, as far as its bytes tell."""
    function = pdu[0] if pdu else 0
    if len(pdu) < 5 or function not in _ANSWERS or function == ENCAPSULATED:
        return Asked(function) if pdu else ANYTHING
    _, address, count = _READ.unpack_from(pdu)
    if function in {WRITE_COIL, WRITE_ONE, MASK_WRITE}:
        count = 1
    return Asked(function, None, address, count)


def answer(registers: RegisterMap, pdu: bytes) -> bytes:
    """Execute one request and return the reply PDU.

    Parameters
    ----------
    registers : RegisterMap
        May be a `BitMap` and `Identified` as well.
    pdu : bytes
        Not empty.
    """
    known = _ANSWERS.get(pdu[0])
    if known is None:
        return exception_reply(pdu[0], ExcCodes.ILLEGAL_FUNCTION)
    found = known(registers, pdu)
    return found if isinstance(found, bytes) else exception_reply(pdu[0], found)


def _read(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if len(pdu) != 5:
        return ExcCodes.ILLEGAL_VALUE
    function, address, count = _READ.unpack(pdu)
    if not 1 <= count <= READ_COUNT_MAX:
        return ExcCodes.ILLEGAL_VALUE
    if address + count > 0x10000:
        return ExcCodes.ILLEGAL_ADDRESS
    values = registers.read(address, count)
    if isinstance(values, ExcCodes):
        return values
    return struct.pack(f">BB{count}H", function, 2 * count, *values)


def _write_one(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if len(pdu) != 5:
        return ExcCodes.ILLEGAL_VALUE
    _, address, value = _READ.unpack(pdu)
    refused = registers.write(address, (value,))
    return pdu if refused is None else refused


def _write_many(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if len(pdu) < 6:
        return ExcCodes.ILLEGAL_VALUE
    _, address, count = _READ.unpack_from(pdu)
    if not 1 <= count <= WRITE_COUNT_MAX or pdu[5] != 2 * count or len(pdu) != 6 + pdu[5]:
        return ExcCodes.ILLEGAL_VALUE
    if address + count > 0x10000:
        return ExcCodes.ILLEGAL_ADDRESS
    refused = registers.write(address, struct.unpack_from(f">{count}H", pdu, 6))
    return pdu[:5] if refused is None else refused


def _mask_write(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if len(pdu) != 7:
        return ExcCodes.ILLEGAL_VALUE
    address, keep, put = struct.unpack_from(">HHH", pdu, 1)
    before = registers.read(address, 1)
    if isinstance(before, ExcCodes):
        return before
    refused = registers.write(address, ((before[0] & keep) | (put & ~keep & 0xFFFF),))
    return pdu if refused is None else refused


def _read_write(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    """Write, then read, as the standard orders it."""
    if len(pdu) < 10:
        return ExcCodes.ILLEGAL_VALUE
    address, count, to, n_values, size = struct.unpack_from(">HHHHB", pdu, 1)
    if (
        not 1 <= count <= READ_COUNT_MAX
        or not 1 <= n_values <= READ_WRITE_COUNT_MAX
        or size != 2 * n_values
        or len(pdu) != 10 + size
    ):
        return ExcCodes.ILLEGAL_VALUE
    if address + count > 0x10000 or to + n_values > 0x10000:
        return ExcCodes.ILLEGAL_ADDRESS
    refused = registers.write(to, struct.unpack_from(f">{n_values}H", pdu, 10))
    if refused is not None:
        return refused
    values = registers.read(address, count)
    if isinstance(values, ExcCodes):
        return values
    return struct.pack(f">BB{count}H", pdu[0], 2 * count, *values)


def pack_bits(bits: Sequence[bool]) -> bytes:
    """Return bits in bytes, the first in the lowest bit of the first byte."""
    value = sum(1 << place for place, bit in enumerate(bits) if bit)
    return value.to_bytes((len(bits) + 7) // 8, "little")


def unpack_bits(data: bytes, count: int) -> tuple[bool, ...]:
    """Return the first `count` bits of bytes."""
    value = int.from_bytes(data, "little")
    return tuple(bool(value >> place & 1) for place in range(count))


def _read_bits(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if not isinstance(registers, BitMap):
        return ExcCodes.ILLEGAL_FUNCTION
    if len(pdu) != 5:
        return ExcCodes.ILLEGAL_VALUE
    function, address, count = _READ.unpack(pdu)
    if not 1 <= count <= READ_BITS_MAX:
        return ExcCodes.ILLEGAL_VALUE
    if address + count > 0x10000:
        return ExcCodes.ILLEGAL_ADDRESS
    bits = registers.read_bits(function, address, count)
    if isinstance(bits, ExcCodes):
        return bits
    data = pack_bits(bits)
    return bytes((function, len(data))) + data


def _write_coil(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if not isinstance(registers, BitMap):
        return ExcCodes.ILLEGAL_FUNCTION
    if len(pdu) != 5 or pdu[3:] not in {b"\xff\x00", b"\x00\x00"}:
        return ExcCodes.ILLEGAL_VALUE
    _, address, value = _READ.unpack(pdu)
    refused = registers.write_bits(address, (value != 0,))
    return pdu if refused is None else refused


def _write_coils(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if not isinstance(registers, BitMap):
        return ExcCodes.ILLEGAL_FUNCTION
    if len(pdu) < 6:
        return ExcCodes.ILLEGAL_VALUE
    _, address, count = _READ.unpack_from(pdu)
    size = (count + 7) // 8
    if not 1 <= count <= WRITE_BITS_MAX or pdu[5] != size or len(pdu) != 6 + size:
        return ExcCodes.ILLEGAL_VALUE
    if address + count > 0x10000:
        return ExcCodes.ILLEGAL_ADDRESS
    refused = registers.write_bits(address, unpack_bits(pdu[6:], count))
    return pdu[:5] if refused is None else refused


def _device_id(registers: RegisterMap, pdu: bytes) -> bytes | ExcCodes:
    if not isinstance(registers, Identified) or len(pdu) < 2 or pdu[1] != READ_DEVICE_ID:
        return ExcCodes.ILLEGAL_FUNCTION
    if len(pdu) != 4 or not 1 <= pdu[2] <= 4:
        return ExcCodes.ILLEGAL_VALUE
    objects, code, first = registers.identification, pdu[2], pdu[3]
    level = 3 if max(objects, default=0) > 0x7F else 2 if max(objects, default=0) > 2 else 1
    if code == 4:
        if first not in objects:
            return ExcCodes.ILLEGAL_ADDRESS
        numbers = [first]
    else:
        numbers = sorted(number for number in objects if number <= DEVICE_ID_LAST[code])
        # An object that is not there starts again at the beginning, says the standard.
        numbers = [n for n in numbers if n >= first] if first in numbers else numbers
    body, more, following = b"", 0, 0
    sent = 0
    for number in numbers:
        item = bytes((number, len(objects[number]))) + objects[number]
        if len(body) + len(item) > DEVICE_ID_ROOM:
            more, following = 0xFF, number
            break
        body += item
        sent += 1
    return bytes((pdu[0], pdu[1], code, 0x80 | level, more, following, sent)) + body


_ANSWERS = {
    READ_COILS: _read_bits,
    READ_DISCRETE: _read_bits,
    READ_HOLDING: _read,
    READ_INPUT: _read,
    WRITE_COIL: _write_coil,
    WRITE_ONE: _write_one,
    WRITE_COILS: _write_coils,
    WRITE_MANY: _write_many,
    MASK_WRITE: _mask_write,
    READ_WRITE: _read_write,
    ENCAPSULATED: _device_id,
}
