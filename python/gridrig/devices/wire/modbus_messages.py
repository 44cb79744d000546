"""What a Modbus PDU says, request or reply: bytes to named fields and back.

One table holds the layout of every function, so that decoder, encoder and the text of a capture
cannot differ. `decode` never raises: what is no message of its function comes out as `Malformed`.

References
----------
.. [1] Modbus Organization, "Modbus Application Protocol Specification V1.1b3," 2012, cl. 6, 7.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gridrig.devices.wire.modbus_framing import PDU_MAX_BYTES, Side
from gridrig.devices.wire.modbus_pdu import pack_bits, unpack_bits

Field = int | bytes | tuple[int, ...] | tuple[bool, ...]
# u8, u16; a byte count with registers or bits behind it; bits are as many as "count" says, else all
# of their bytes; objects of an identification; whatever is left.
Kind = Literal["u8", "u16", "registers", "bits", "objects", "rest"]
Layout = tuple[tuple[str, Kind], ...]

_ADDRESS: Layout = (("address", "u16"),)
_RANGE: Layout = (("address", "u16"), ("count", "u16"))
_VALUE: Layout = (("address", "u16"), ("value", "u16"))
_MASKS: Layout = (("address", "u16"), ("and_mask", "u16"), ("or_mask", "u16"))
_REST: Layout = (("data", "rest"),)
NAMES: Mapping[int, str] = {
    1: "read coils",
    2: "read discrete inputs",
    3: "read holding registers",
    4: "read input registers",
    5: "write coil",
    6: "write register",
    15: "write coils",
    16: "write registers",
    22: "mask write register",
    23: "read/write registers",
    43: "read device identification",
}
REQUESTS: Mapping[int, Layout] = {
    **dict.fromkeys((1, 2, 3, 4), _RANGE),
    **dict.fromkeys((5, 6), _VALUE),
    15: (*_RANGE, ("values", "bits")),
    16: (*_RANGE, ("values", "registers")),
    22: _MASKS,
    23: (*_RANGE, ("write_address", "u16"), ("write_count", "u16"), ("values", "registers")),
    43: (("mei", "u8"), ("code", "u8"), ("object", "u8")),
}
REPLIES: Mapping[int, Layout] = {
    **dict.fromkeys((1, 2), (("values", "bits"),)),
    **dict.fromkeys((3, 4, 23), (("values", "registers"),)),
    **dict.fromkeys((5, 6), _VALUE),
    **dict.fromkeys((15, 16), _RANGE),
    22: _MASKS,
    43: (
        *(("mei", "u8"), ("code", "u8"), ("conformity", "u8")),
        *(("more", "u8"), ("next", "u8"), ("objects", "objects")),
    ),
}
EXCEPTION: Layout = (("exception", "u8"),)
EXCEPTIONS: Mapping[int, str] = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target failed to respond",
}


@dataclass(frozen=True)
class Message:
    """One request or reply.

    Parameters
    ----------
    side : {"request", "reply"}
        Who sent it.
    function : int
        Function code; the bit of an exception is taken off.
    fields : mapping
        By the names of the layout, in wire order; an exception has only `exception`.
    """

    side: Side
    function: int
    fields: Mapping[str, Field]

    @property
    def refused(self) -> bool:
        """Whether it is an exception."""
        return "exception" in self.fields


@dataclass(frozen=True)
class Malformed:
    """A PDU that is no message of its function, and why."""

    pdu: bytes
    reason: str


def _layout(side: Side, function: int) -> Layout:
    return (REQUESTS if side == "request" else REPLIES).get(function, _REST)


def decode(side: Side, pdu: bytes) -> Message | Malformed:
    """Return what a PDU says.

    Parameters
    ----------
    side : {"request", "reply"}
        Who sent it.
    pdu : bytes
        Function code and data.
    """
    if not 1 <= len(pdu) <= PDU_MAX_BYTES:
        return Malformed(pdu, f"{len(pdu)} bytes, 1..{PDU_MAX_BYTES} is a PDU")
    function = pdu[0]
    layout = _layout(side, function)
    if side == "reply" and function & 0x80:
        function, layout = function & 0x7F, EXCEPTION
    fields: dict[str, Field] = {}
    at = 1
    for name, kind in layout:
        taken = _take(kind, pdu, at, fields)
        if isinstance(taken, str):
            return Malformed(pdu, f"{name}: {taken}")
        fields[name], at = taken
    if at != len(pdu):
        return Malformed(pdu, f"{len(pdu) - at} bytes too many")
    for count, size in (("count", 1), ("write_count", 1)):
        if count in fields and "values" in fields and (function != 23 or count == "write_count"):
            found = len(fields["values"]) * size  # type: ignore[arg-type]
            if found != fields[count]:
                return Malformed(pdu, f"{count} = {fields[count]!r}, and {found} values")
    return Message(side, function, fields)


def _take(kind: Kind, pdu: bytes, at: int, before: Mapping[str, Field]) -> tuple[Field, int] | str:
    """Return one field and where the next begins, or what is wrong with it."""
    if kind == "rest":
        return pdu[at:], len(pdu)
    size = 2 if kind == "u16" else 1
    if len(pdu) < at + size:
        return "the end is missing"
    number = int.from_bytes(pdu[at : at + size], "big")
    if kind in {"u8", "u16"}:
        return number, at + size
    if kind == "objects":
        return _take_objects(pdu, at + 1, number)
    end = at + 1 + number
    if end > len(pdu):
        return f"a byte count of {number}, and {len(pdu) - at - 1} bytes"
    data = pdu[at + 1 : end]
    if kind == "bits":
        count = before.get("count", 8 * number)
        assert isinstance(count, int)
        if (count + 7) // 8 != number:
            return f"a byte count of {number} for {count} bits"
        return unpack_bits(data, count), end
    if number % 2:
        return f"a byte count of {number}, which is odd"
    return struct.unpack(f">{number // 2}H", data), end


def _take_objects(pdu: bytes, at: int, count: int) -> tuple[Field, int] | str:
    begin = at
    for _ in range(count):
        if len(pdu) < at + 2 or len(pdu) < at + 2 + pdu[at + 1]:
            return "an object's end is missing"
        at += 2 + pdu[at + 1]
    return bytes((count,)) + pdu[begin:at], at


def encode(message: Message) -> bytes:
    """Return the PDU of a message; its fields are taken as they are."""
    if message.refused:
        code = message.fields["exception"]
        assert isinstance(code, int)
        return bytes((message.function | 0x80, code))
    out = bytearray((message.function,))
    for name, kind in _layout(message.side, message.function):
        value = message.fields[name]
        if isinstance(value, int):
            out += value.to_bytes(2 if kind == "u16" else 1, "big")
        elif isinstance(value, bytes):
            out += value
        elif kind == "bits":
            data = pack_bits([bool(bit) for bit in value])
            out += bytes((len(data),)) + data
        else:
            out += bytes((2 * len(value),)) + struct.pack(f">{len(value)}H", *value)
    return bytes(out)


def text(message: Message | Malformed) -> str:
    """Return a message as one line for people."""
    if isinstance(message, Malformed):
        return f"malformed ({message.reason}): {message.pdu.hex(' ')}"
    name = NAMES.get(message.function, f"function {message.function}")
    if message.refused:
        code = message.fields["exception"]
        assert isinstance(code, int)
        return f"{name}: exception {code}, {EXCEPTIONS.get(code, 'unknown')}"
    words = [f"{key} {_shown(value)}" for key, value in message.fields.items()]
    return f"{name}: {', '.join(words)}"


def _shown(value: Field) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return value.hex(" ")
    if value and isinstance(value[0], bool):
        return "".join("1" if bit else "0" for bit in value)
    return " ".join(map(str, value))
