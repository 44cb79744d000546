"""The Modbus codecs against published frames, against pymodbus', and against any bytes at all."""

import random
from typing import ClassVar

import pytest
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

from gridrig.clock import stream
from gridrig.devices.wire import modbus_messages, modbus_pdu
from gridrig.devices.wire.modbus_framing import (
    Noise,
    RtuDecoder,
    RtuFrame,
    TcpDecoder,
    TcpFrame,
    crc16,
    rtu_frame,
    tcp_frame,
)
from gridrig.devices.wire.modbus_messages import Malformed, Message, decode, encode, text

# Request and reply of the application protocol's own examples, cl. 6.1 to 6.21.
PUBLISHED = [
    ("01 00 13 00 13", "01 03 CD 6B 05"),
    ("02 00 C4 00 16", "02 03 AC DB 35"),
    ("03 00 6B 00 03", "03 06 02 2B 00 00 00 64"),
    ("04 00 08 00 01", "04 02 00 0A"),
    ("05 00 AC FF 00", "05 00 AC FF 00"),
    ("06 00 01 00 03", "06 00 01 00 03"),
    ("0F 00 13 00 0A 02 CD 01", "0F 00 13 00 0A"),
    ("10 00 01 00 02 04 00 0A 01 02", "10 00 01 00 02"),
    ("16 00 04 00 F2 00 25", "16 00 04 00 F2 00 25"),
    (
        "17 00 03 00 06 00 0E 00 03 06 00 FF 00 FF 00 FF",
        "17 0C 00 FE 0A CD 00 01 00 03 00 0D 00 FF",
    ),
    ("2B 0E 01 00", "2B 0E 01 01 00 00 01 00 03 41 42 43"),
    ("01 00 13 00 13", "81 02"),
]


class Published:
    """What the standard's examples read and write."""

    identification: ClassVar = {0: b"ABC"}

    def __init__(self) -> None:
        self.registers = {107: 555, 108: 0, 109: 100, 8: 10, 4: 0x12}
        self.registers |= dict(enumerate((0xFE, 0x0ACD, 1, 3, 13, 0xFF), start=3))
        self.bits = {19 + k: bool(0x056BCD >> k & 1) for k in range(19)}
        self.bits |= {0xC4 + k: bool(0x35DBAC >> k & 1) for k in range(22)}

    def read(self, address: int, count: int) -> list[int]:
        return [self.registers[a] for a in range(address, address + count)]

    def write(self, address: int, values: tuple[int, ...]) -> None:
        self.registers |= dict(enumerate(values, start=address))

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        return [self.bits[a] for a in range(address, address + count)]

    def write_bits(self, address: int, values: tuple[bool, ...]) -> None:
        self.bits |= dict(enumerate(values, start=address))


@pytest.mark.parametrize(("request_", "reply"), PUBLISHED)
def test_published_examples_are_decoded_encoded_and_answered(request_: str, reply: str) -> None:
    asked, told = bytes.fromhex(request_), bytes.fromhex(reply)
    for side, pdu in (("request", asked), ("reply", told)):
        message = decode(side, pdu)  # type: ignore[arg-type]
        assert isinstance(message, Message), text(message)
        assert encode(message) == pdu
    if told[0] < 0x80 and told[0] not in {4, 43}:
        unit = Published()
        if told[0] == 4:
            unit.registers[8] = 10
        assert modbus_pdu.answer(unit, asked) == told


def test_mask_write_does_what_the_standard_computes() -> None:
    unit = Published()
    unit.registers[4] = 0x12
    modbus_pdu.answer(unit, bytes.fromhex("16000400F20025"))
    assert unit.registers[4] == 0x17  # cl. 6.16


def test_an_identification_too_long_for_one_reply_is_told_in_parts() -> None:
    class Wordy(Published):
        identification: ClassVar = {n: bytes((65 + n,)) * 100 for n in range(5)}

    first = modbus_pdu.answer(Wordy(), b"\x2b\x0e\x02\x00")
    assert (first[4], first[5], first[6]) == (0xFF, 2, 2)
    second = modbus_pdu.answer(Wordy(), b"\x2b\x0e\x02\x02")
    assert (second[4], second[5], second[6]) == (0xFF, 4, 2)
    third = modbus_pdu.answer(Wordy(), b"\x2b\x0e\x02\x04")
    assert (third[4], third[5], third[6]) == (0, 0, 1)
    assert modbus_pdu.answer(Wordy(), b"\x2b\x0e\x04\x09") == b"\xab\x02"


def test_the_crc_is_that_of_the_standard_and_of_pymodbus() -> None:
    assert crc16(bytes.fromhex("0207")) == 0x1241  # Modbus over serial line, cl. 6.2.2
    assert rtu_frame(1, bytes.fromhex("030000000A")).hex() == "01030000000ac5cd"
    draw = random.Random(1)
    for size in range(0, 256, 5):
        data = draw.randbytes(size)
        assert crc16(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_frames_of_pymodbus_are_read(kind: str) -> None:
    framer = (FramerSocket if kind == "tcp" else FramerRTU)(DecodePDU(False))
    reply = ReadHoldingRegistersResponse(registers=[1, 2, 65535], dev_id=7, transaction_id=300)
    raw = framer.buildFrame(reply)
    decoder = TcpDecoder() if kind == "tcp" else RtuDecoder("reply")
    (frame,) = decoder.feed(raw)
    assert isinstance(frame, TcpFrame | RtuFrame)
    assert (frame.unit, frame.raw) == (7, raw)
    assert text(decode("reply", frame.pdu)) == "read holding registers: values 1 2 65535"


MALFORMED = {
    "03 00 6B 00": "count: the end is missing",
    "03 00 6B 00 03 00": "1 bytes too many",
    "10 00 01 00 02 05 00 0A 01 02 03": "values: a byte count of 5, which is odd",
    "10 00 01 00 03 04 00 0A 01 02": "count = 3, and 2 values",
    "0F 00 13 00 0A 01 CD": "values: a byte count of 1 for 10 bits",
    "10 00 01 00 02 09 00 0A": "values: a byte count of 9, and 2 bytes",
}


@pytest.mark.parametrize("pdu", MALFORMED)
def test_a_malformed_request_says_what_is_wrong_with_it(pdu: str) -> None:
    found = decode("request", bytes.fromhex(pdu))
    assert isinstance(found, Malformed)
    assert found.reason == MALFORMED[pdu]


def some_pdu(draw: random.Random) -> bytes:
    request_, reply = (bytes.fromhex(one) for one in draw.choice(PUBLISHED))
    pdu = bytearray(draw.choice((request_, reply)))
    for _ in range(draw.choice((0, 0, 0, 1, 4))):
        pdu[draw.randrange(len(pdu))] = draw.randrange(256)
    if draw.random() < 0.2:
        pdu = bytearray(draw.randbytes(draw.randrange(1, 254)))
    return bytes(pdu)


def some_bytes(draw: random.Random, kind: str) -> bytes:
    """Return frames, good, damaged and half, with noise between."""
    out = b""
    for _ in range(draw.randrange(1, 8)):
        pdu, unit = some_pdu(draw), draw.randrange(256)
        whole = tcp_frame(draw.randrange(65536), unit, pdu) if kind == "tcp" else None
        frame = bytearray(whole if whole is not None else rtu_frame(unit, pdu))
        if draw.random() < 0.2:
            frame[draw.randrange(len(frame))] ^= 1 << draw.randrange(8)
        if draw.random() < 0.15:
            frame = frame[: draw.randrange(len(frame))]
        if draw.random() < 0.15:
            frame = bytearray(draw.randbytes(draw.randrange(1, 600))) + frame
        out += frame
    return out


def fuzzed(kind: str, seed: int) -> int:
    """Feed a decoder in any pieces; nothing is lost, added or reordered."""
    draw = stream(seed, f"fuzz/{kind}")
    decoder = TcpDecoder() if kind == "tcp" else RtuDecoder(draw.choice(("request", "reply")))
    data = some_bytes(draw, kind)
    found: list[TcpFrame | RtuFrame | Noise] = []
    at = 0
    while at < len(data):
        size = draw.choice((1, 3, 17, 400))
        found += decoder.feed(data[at : at + size])
        at += size
        if draw.random() < 0.1:
            found += decoder.idle()
    found += decoder.idle()
    assert not decoder.pending
    assert b"".join(one.data if isinstance(one, Noise) else one.raw for one in found) == data
    frames = [one for one in found if not isinstance(one, Noise)]
    for frame in frames:
        for side in ("request", "reply"):
            message = decode(side, frame.pdu)  # type: ignore[arg-type]
            assert text(message)
            if isinstance(message, Message) and message.fields.get("values") is None:
                assert encode(message) == frame.pdu
        assert 1 <= len(modbus_pdu.answer(Anything(), frame.pdu)) <= 253
        assert modbus_pdu.asked(frame.pdu) is not None
    return len(frames)


class Anything(Published):
    """A unit that has every register and every bit."""

    def read(self, address: int, count: int) -> list[int]:
        return [a & 0xFFFF for a in range(address, address + count)]

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        return [bool(a & 1) for a in range(address, address + count)]


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_no_bytes_make_a_decoder_fail_or_lose_one(kind: str) -> None:
    assert sum(fuzzed(kind, seed) for seed in range(150)) > 150


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_thousands_of_byte_streams_make_no_decoder_fail(kind: str) -> None:
    assert sum(fuzzed(kind, seed) for seed in range(1000, 21_000)) > 20_000


def test_every_function_has_a_name_and_both_layouts() -> None:
    assert set(modbus_messages.NAMES) == set(modbus_messages.REQUESTS)
    assert set(modbus_messages.NAMES) == set(modbus_messages.REPLIES)
    assert len(modbus_messages.NAMES) == 11
