"""Modbus requests answered: one request PDU in, one reply PDU out, no wire and no time.

Functions 3, 4, 6 and 16 on one register map. Checks in the order of the application protocol:
function (exception 1), length and quantity (3), address (2), then what the map itself says.

References
----------
.. [1] Modbus Organization, "Modbus Application Protocol Specification V1.1b3," 2012, cl. 6, 7.
"""

import struct
from collections.abc import Sequence
from typing import Protocol

from pymodbus.constants import ExcCodes

READ_COUNT_MAX = 125
WRITE_COUNT_MAX = 123
READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16


class RegisterMap(Protocol):
    """The registers of one unit."""

    def read(self, address: int, count: int) -> Sequence[int] | ExcCodes:
        """Return `count` registers, or the exception that answers."""

    def write(self, address: int, values: Sequence[int]) -> ExcCodes | None:
        """Write registers, all or none; return the exception that answers, None when done."""


def exception_reply(function: int, code: int) -> bytes:
    """Return the PDU of an exception."""
    return bytes((function & 0x7F | 0x80, int(code)))


def is_write(pdu: bytes) -> bool:
    """Return whether a request changes registers, so that it may be broadcast."""
    return pdu[:1] in {b"\x06", b"\x10"}


def answer(registers: RegisterMap, pdu: bytes) -> bytes:
    """Execute one request and return the reply PDU."""
    function = pdu[0]
    if function in {READ_HOLDING, READ_INPUT}:
        return _read(registers, pdu)
    if function == WRITE_ONE:
        return _write_one(registers, pdu)
    if function == WRITE_MANY:
        return _write_many(registers, pdu)
    return exception_reply(function, ExcCodes.ILLEGAL_FUNCTION)


def _read(registers: RegisterMap, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        return exception_reply(pdu[0], ExcCodes.ILLEGAL_VALUE)
    address, count = struct.unpack_from(">HH", pdu, 1)
    if not 1 <= count <= READ_COUNT_MAX:
        return exception_reply(pdu[0], ExcCodes.ILLEGAL_VALUE)
    values = registers.read(address, count)
    if isinstance(values, ExcCodes):
        return exception_reply(pdu[0], values)
    return struct.pack(f">BB{count}H", pdu[0], 2 * count, *values)


def _write_one(registers: RegisterMap, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        return exception_reply(pdu[0], ExcCodes.ILLEGAL_VALUE)
    address, value = struct.unpack_from(">HH", pdu, 1)
    refused = registers.write(address, (value,))
    return pdu if refused is None else exception_reply(pdu[0], refused)


def _write_many(registers: RegisterMap, pdu: bytes) -> bytes:
    if len(pdu) < 6:
        return exception_reply(pdu[0], ExcCodes.ILLEGAL_VALUE)
    address, count, size = struct.unpack_from(">HHB", pdu, 1)
    if not 1 <= count <= WRITE_COUNT_MAX or size != 2 * count or len(pdu) != 6 + size:
        return exception_reply(pdu[0], ExcCodes.ILLEGAL_VALUE)
    refused = registers.write(address, struct.unpack_from(f">{count}H", pdu, 6))
    return pdu[:5] if refused is None else exception_reply(pdu[0], refused)
