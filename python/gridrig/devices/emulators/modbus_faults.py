"""Faults that only Modbus has: identity, semantics, and what a device says of its registers.

`ModbusFaults` answers requests from a register map as the armed faults bid. Faults that choose by
`function`, `address` and `address_to` turn them into "per range": an exception for one block, busy
for a minute, a function that is missing.
"""

import struct
from collections.abc import Mapping

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import FaultBoard, OnEvent
from gridrig.devices.emulators.fault_spec import FaultParameter, FaultSpec
from gridrig.devices.emulators.wire_faults import (
    LENGTH_FAULTS,
    LINE_FAULTS,
    OUTAGE,
    TCP_FAULTS,
    by_name,
)
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_framing import crc16
from gridrig.devices.wire.modbus_units import Reply
from gridrig.devices.wire.steps import Asked

_CODE = FaultParameter("code", int, "the exception", 1, 255)
_REGISTER = FaultParameter("register", int, "which register", 0, 65535)
_REGISTERS = FaultParameter("registers", int, "how many from there", 1, 65536, 1)

_IDENTITY = (
    FaultSpec(
        "wrong_unit",
        "identity",
        "the reply names another unit",
        (FaultParameter("unit", int, "which", 0, 255),),
        'name = "wrong_unit", unit = 9',
    ),
    FaultSpec(
        "wrong_function",
        "identity",
        "the reply names another function",
        (FaultParameter("becomes", int, "which", 1, 127),),
        'name = "wrong_function", becomes = 4',
    ),
    FaultSpec(
        "foreign_unit",
        "identity",
        "the device answers, with its own registers, for a unit that is not there",
        (FaultParameter("unit", int, "for which", 1, 247),),
        'name = "foreign_unit", unit = 9, for_s = 60',
        deceives=True,
    ),
)
_TCP_IDENTITY = (
    FaultSpec(
        "missing_unit",
        "identity",
        "a request for a unit that is not there is answered by an exception, as by some gateways",
        (FaultParameter("code", int, "the exception", 1, 255, 11),),
        'name = "missing_unit", code = 11, for_s = 3600',
    ),
    FaultSpec(
        "wrong_transaction",
        "identity",
        "the reply has another transaction identifier",
        (FaultParameter("off_by", int, "put on it by exclusive or", 1, 65535, 1),),
        'name = "wrong_transaction"',
    ),
    FaultSpec(
        "wrong_protocol",
        "identity",
        "the reply's protocol identifier is not 0",
        (FaultParameter("protocol", int, "what it is", 1, 65535, 1),),
        'name = "wrong_protocol"',
    ),
)
_SEMANTICS = (
    FaultSpec(
        "exception",
        "semantics",
        "an exception instead of the answer; nothing is carried out",
        (_CODE,),
        'name = "exception", code = 4, address = 40070, address_to = 40131',
    ),
    FaultSpec(
        "busy",
        "semantics",
        "exception 6; nothing is carried out",
        (),
        'name = "busy", for_s = 120',
    ),
    FaultSpec(
        "function_missing",
        "semantics",
        "exception 1, as if the device lacked the function",
        (),
        'name = "function_missing", function = 6, for_s = 3600',
    ),
    FaultSpec(
        "register_max",
        "semantics",
        "exception 3 to a read of more registers than this",
        (FaultParameter("registers", int, "most that one read may ask for", 1, 125),),
        'name = "register_max", registers = 60, for_s = 3600',
    ),
    FaultSpec(
        "read_hole",
        "semantics",
        "exception 2 to a read that touches one of these registers",
        (_REGISTER, _REGISTERS),
        'name = "read_hole", register = 40072, registers = 2, for_s = 3600',
    ),
    FaultSpec(
        "short_read",
        "semantics",
        "one register less than asked for, in a frame that is right otherwise",
        (),
        'name = "short_read", function = 3',
    ),
    FaultSpec(
        "wrong_address",
        "semantics",
        "a write is acknowledged for the address after its own",
        (),
        'name = "wrong_address", function = 16',
    ),
    FaultSpec(
        "write_ignored",
        "semantics",
        "a write is acknowledged and not carried out",
        (),
        'name = "write_ignored", function = 16',
        deceives=True,
    ),
    FaultSpec(
        "word_swap",
        "semantics",
        "each pair of registers in a read is swapped, as in a map of other word order",
        (),
        'name = "word_swap", address = 40070, address_to = 40200, for_s = 60',
        deceives=True,
    ),
    FaultSpec(
        "register_value",
        "semantics",
        "a register reads as this value: 0x8000 or 0xFFFF is unimplemented, 0xFFFF an end model",
        (_REGISTER, FaultParameter("value", int, "what it reads as", 0, 65535)),
        'name = "register_value", register = 40070, value = 65535, for_s = 60',
        deceives=True,
    ),
    FaultSpec(
        "stuck_registers",
        "state",
        "a read that was answered before is answered the same, whatever is true now",
        (),
        'name = "stuck_registers", address = 40070, address_to = 40131, for_s = 300',
        deceives=True,
    ),
)
_COMMON = by_name((*_IDENTITY, *_SEMANTICS))
# On a socket there is no checksum of Modbus to be wrong, and nobody hears his own request.
MODBUS_TCP_FAULTS: Mapping[str, FaultSpec] = {
    **TCP_FAULTS,
    **OUTAGE,
    **LENGTH_FAULTS,
    **_COMMON,
    **by_name(_TCP_IDENTITY),
}
MODBUS_RTU_FAULTS: Mapping[str, FaultSpec] = {
    **LINE_FAULTS,
    **OUTAGE,
    **LENGTH_FAULTS,
    **_COMMON,
}
MODBUS_FAULTS: Mapping[str, FaultSpec] = {**MODBUS_TCP_FAULTS, **MODBUS_RTU_FAULTS}
READS = frozenset({modbus_pdu.READ_HOLDING, modbus_pdu.READ_INPUT, modbus_pdu.READ_WRITE})
STUCK_MAX = 1_000


def spoiled_rtu(frame: bytes) -> bytes:
    """Return an RTU frame with a wrong CRC."""
    return frame[:-1] + bytes((frame[-1] ^ 0x01,))


def mislengthened_rtu(frame: bytes) -> bytes:
    """Return an RTU frame whose byte count is one more than its data, with a right CRC."""
    body = frame[:2] + bytes((frame[2] + 1 & 0xFF,)) + frame[3:-2]
    return body + crc16(body).to_bytes(2, "little")


def mislengthened_tcp(frame: bytes) -> bytes:
    """Return a TCP frame whose header states one byte more than there is."""
    length = int.from_bytes(frame[4:6], "big") + 1
    return frame[:4] + length.to_bytes(2, "big") + frame[6:]


class ModbusFaults:
    """Answers requests from a register map, wrongly where a fault is armed.

    Parameters
    ----------
    board : FaultBoard
        Where they are armed.
    on_event : OnEvent
        Gets `refused`, when the map itself refuses.
    """

    def __init__(self, board: FaultBoard, on_event: OnEvent) -> None:
        self._board = board
        self._on_event = on_event
        self._stuck: dict[bytes, bytes] = {}

    def reply(self, registers: modbus_pdu.RegisterMap, pdu: bytes) -> Reply:
        """Return the reply to a request, carried out unless a fault forbids it."""
        if self._board.quiet and not self._stuck:
            return Reply(self._answer(registers, pdu))
        asked = modbus_pdu.asked(pdu)
        if (code := self._refusal(asked)) is not None:
            return self._addressed(modbus_pdu.exception_reply(pdu[0], code), asked)
        if modbus_pdu.is_write(pdu) and self._board.fire("write_ignored", asked) is not None:
            short = pdu[0] in {modbus_pdu.WRITE_MANY, modbus_pdu.WRITE_COILS}
            return self._addressed(pdu[:5] if short else pdu, asked)
        answer = self._answer(registers, pdu)
        if answer[0] in READS:
            answer = self._told(answer, pdu, asked)
        elif answer[0] < 0x80 and self._board.fire("wrong_address", asked) is not None:
            address = (asked.address + 1) & 0xFFFF
            answer = answer[:1] + address.to_bytes(2, "big") + answer[3:]
        return self._addressed(answer, asked)

    def _answer(self, registers: modbus_pdu.RegisterMap, pdu: bytes) -> bytes:
        answer = modbus_pdu.answer(registers, pdu)
        if answer[0] & 0x80:
            self._on_event("refused", function=pdu[0], exception=answer[1])
        return answer

    def _refusal(self, asked: Asked) -> int | None:
        fire, peek = self._board.fire, self._board.peek
        if (fault := fire("exception", asked)) is not None:
            return int(fault["code"])
        if fire("busy", asked) is not None:
            return int(ExcCodes.DEVICE_BUSY)
        if fire("function_missing", asked) is not None:
            return int(ExcCodes.ILLEGAL_FUNCTION)
        if asked.function not in READS:
            return None
        most = peek("register_max", asked)
        if most is not None and asked.count > int(most["registers"]):
            fire("register_max", asked)
            return int(ExcCodes.ILLEGAL_VALUE)
        if (hole := peek("read_hole", asked)) is not None:
            first = int(hole["register"])
            end = first + int(hole["registers"])
            if first < asked.address + asked.count and asked.address < end:
                fire("read_hole", asked)
                return int(ExcCodes.ILLEGAL_ADDRESS)
        return None

    def _told(self, answer: bytes, pdu: bytes, asked: Asked) -> bytes:
        """Return a read's answer as the device tells it."""
        fire, peek = self._board.fire, self._board.peek
        if peek("stuck_registers", asked) is None:
            self._stuck.pop(pdu, None)
        elif len(self._stuck) < STUCK_MAX or pdu in self._stuck:
            fire("stuck_registers", asked)
            answer = self._stuck.setdefault(pdu, answer)
        values = list(struct.unpack(f">{answer[1] // 2}H", answer[2:]))
        lie = peek("register_value", asked)
        if lie is not None and 0 <= int(lie["register"]) - asked.address < len(values):
            fire("register_value", asked)
            values[int(lie["register"]) - asked.address] = int(lie["value"])
        if fire("word_swap", asked) is not None:
            even = len(values) // 2 * 2
            values[0:even:2], values[1:even:2] = values[1:even:2], values[0:even:2]
        if len(values) > 1 and fire("short_read", asked) is not None:
            values.pop()
        return struct.pack(f">BB{len(values)}H", answer[0], 2 * len(values), *values)

    def _addressed(self, answer: bytes, asked: Asked) -> Reply:
        fire = self._board.fire
        unit, transaction, protocol = None, 0, 0
        if (fault := fire("wrong_function", asked)) is not None:
            answer = bytes((int(fault["becomes"]) | answer[0] & 0x80,)) + answer[1:]
        if (fault := fire("wrong_unit", asked)) is not None:
            unit = int(fault["unit"])
        if (fault := fire("wrong_transaction", asked)) is not None:
            transaction = int(fault["off_by"])
        if (fault := fire("wrong_protocol", asked)) is not None:
            protocol = int(fault["protocol"])
        return Reply(answer, 0.0, unit, transaction, protocol)
