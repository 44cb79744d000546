"""The SCPI codec: messages, headers, numbers and blocks; nothing that comes makes it raise."""

import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyvisa import util as pyvisa_util

from gridrig.devices.wire.scpi_messages import (
    PROGRAM_BYTES_MAX,
    Dropped,
    Message,
    MessageDecoder,
    Unit,
    parse_program,
    parse_response,
    split,
)
from gridrig.devices.wire.scpi_status import NO_ERROR, QUEUE_MAX, Status
from gridrig.devices.wire.scpi_tree import CommandTree
from gridrig.devices.wire.scpi_values import (
    ScpiFault,
    parse_block,
    parse_bool,
    parse_bounded,
    parse_channels,
    parse_number,
    parse_word,
    print_block,
    print_number,
)


def decoded(data: bytes, limit: int = PROGRAM_BYTES_MAX) -> list[Message | Dropped]:
    return MessageDecoder(limit).feed(data)


def fault_of(act: object, *args: object) -> int:
    with pytest.raises(ScpiFault) as caught:
        act(*args)  # type: ignore[operator]
    return caught.value.number


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"*IDN?\n", [b"*IDN?"]),
        (b"*IDN?\r\n*RST\n", [b"*IDN?", b"*RST"]),
        (b'DISP "a;b"\n', [b'DISP "a;b"']),
        (b"DATA #13a\nb\nVOLT 1\n", [b"DATA #13a\nb", b"VOLT 1"]),
        (b"DATA 'never closed\n*CLS\n", [b"DATA 'never closed", b"*CLS"]),
        (b"LIM #H1F\n", [b"LIM #H1F"]),
        (b"1;#11\n;2\n", [b"1;#11\n;2"]),
        (b"\n\n", [b"", b""]),
        (b"half", []),
    ],
)
def test_a_stream_is_cut_into_messages(data: bytes, messages: list[bytes]) -> None:
    assert decoded(data) == [Message(m) for m in messages]
    one_by_one = MessageDecoder(PROGRAM_BYTES_MAX)
    found = [event for k in range(len(data)) for event in one_by_one.feed(data[k : k + 1])]
    assert found == [Message(m) for m in messages]


def test_a_message_too_long_is_told_once_and_the_next_is_heard() -> None:
    assert decoded(b"x" * 100 + b"\n*IDN?\n", limit=50) == [Dropped("too long"), Message(b"*IDN?")]
    decoder = MessageDecoder(50)
    found = [event for _ in range(10) for event in decoder.feed(b"y" * 20)]
    assert found == [Dropped("too long")]
    assert decoder.feed(b"\n*IDN?\n") == [Message(b"*IDN?")]


def test_a_block_longer_than_any_is_refused_at_its_head() -> None:
    assert decoded(b"DATA #9999999999x\nOK\n") == [Dropped("block"), Message(b"OK")]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_it_raise_and_cutting_changes_nothing(data: bytes, cuts: list[int]) -> None:
    whole = MessageDecoder(64).feed(data)
    decoder, places = (
        MessageDecoder(64),
        sorted({0, len(data), *(c for c in cuts if c < len(data))}),
    )
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    found = [event for piece in pieces for event in decoder.feed(piece)]
    messages = [e for e in found if isinstance(e, Message)]
    assert messages == [e for e in whole if isinstance(e, Message)]
    for event in messages:
        for unit in parse_program(event.data):
            assert isinstance(unit, Unit | ScpiFault)


@given(st.binary(max_size=2000))
@settings(max_examples=100, deadline=None)
def test_prop_a_block_parsed_is_what_was_printed(data: bytes) -> None:
    assert parse_block(print_block(data)) == data
    assert split(print_block(data) + b";1", b";") == [print_block(data), b"1"]


@given(st.binary(max_size=40), st.sampled_from([b"", b"\r", b"\n", b" ", b"\t", b";", b"#1"]))
@settings(max_examples=200, deadline=None)
def test_prop_a_block_survives_its_message_whatever_its_last_byte(data: bytes, end: bytes) -> None:
    block = print_block(data + end)
    for message in (b"37;" + block + b';37;0,"No error"\n', b"37;" + block + b"\n"):
        (event,) = decoded(message)
        assert isinstance(event, Message)
        assert parse_response(event.data)[1] == block
    (unit,) = parse_program(b"DATA " + block)
    assert isinstance(unit, Unit)
    assert unit.parameters == (block.decode("latin-1"),)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_pyvisa_reads_our_blocks_and_we_read_its(values: list[float]) -> None:
    ours = print_block(struct.pack(f">{len(values)}f", *values))
    theirs = pyvisa_util.from_ieee_block(ours, datatype="f", is_big_endian=True)
    assert list(theirs) == values
    made = pyvisa_util.to_ieee_block(values, datatype="f", is_big_endian=True)
    assert struct.unpack(f">{len(values)}f", parse_block(bytes(made))) == tuple(values)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("230", "V", 230.0),
        ("+.5", "V", 0.5),
        ("2.3E2", "V", 230.0),
        ("2.3 e +2", "V", 230.0),
        ("0.23 KV", "V", 230.0),
        ("230000mv", "V", 230.0),
        ("1 MHZ", "HZ", 1e6),
        ("1 MOHM", "OHM", 1e6),
        ("20 MS", "S", 0.02),
        ("1 MAW", "W", 1e6),
    ],
)
def test_numbers_carry_their_suffix(text: str, unit: str, value: float) -> None:
    assert parse_number(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("act", "args", "number"),
    [
        (parse_number, ("abc", "V"), -104),
        (parse_number, ("1e99999", "V"), -123),
        (parse_number, ("1 A", "V"), -131),
        (parse_number, ("1 QV", "V"), -131),
        (parse_number, ("1 V",), -138),
        (parse_bounded, ("301", 0, 300), -222),
        (parse_bounded, ("DEF", 0, 300), -104),
        (parse_bool, ("MAYBE",), -104),
        (parse_word, ("BUSY", ("BUS", "IMMediate")), -141),
        (parse_word, ("IMMED", ("BUS", "IMMediate")), -141),
        (parse_block, (b"#12a",), -161),
        (parse_channels, ("(1)", 3), -171),
        (parse_channels, ("(@0)", 3), -222),
        (parse_channels, ("(@2:4)", 3), -222),
    ],
)
def test_what_is_wrong_has_the_standards_number(act: object, args: tuple, number: int) -> None:
    assert fault_of(act, *args) == number


def test_values_are_printed_as_the_standard_says() -> None:
    assert print_number(float("nan")) == "9.91E+37"
    assert print_number(float("-inf")) == "-9.9E+37"
    assert float(print_number(49.987654)) == pytest.approx(49.987654, rel=1e-9)
    assert parse_channels("(@1,3:4)", 4) == (1, 3, 4)


def tree() -> CommandTree:
    def told(name: str) -> object:
        return lambda *args: (name, args)

    commands = {
        "[SOURce#:]VOLTage[:LEVel][:IMMediate]": told("volt"),
        "[SOURce#:]LIST:VOLTage": told("list"),
        "OUTPut#[:STATe]": told("output"),
        "*RST": told("reset"),
    }
    return CommandTree(commands, {"[SOURce#:]VOLTage[:LEVel][:IMMediate]": told("volt?")})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "name", "suffixes"),
    [
        ("VOLT", "volt", (1,)),
        (":VOLTAGE", "volt", (1,)),
        ("sour2:volt:lev:imm", "volt", (2,)),
        ("SOURCE:VOLT", "volt", (1,)),
        ("SOUR3:LIST:VOLT", "list", (3,)),
        ("OUTP2:STAT", "output", (2,)),
        ("OUTP", "output", (1,)),
        ("*rst", "reset", ()),
    ],
)
def test_headers_in_all_their_forms(header: str, name: str, suffixes: tuple[int, ...]) -> None:
    handler, found, _ = tree().find(Unit(header, False), ())
    assert (handler()[0], found) == (name, suffixes)


@pytest.mark.parametrize(
    ("header", "number"),
    [("VOLTA", -113), ("VOL", -113), ("SOUR:FREQ", -113), ("OUTP0", -114), ("OUTP100", -114),
     ("VOLT2", -113), ("LEV", -113), ("*FOO", -113)],
)  # fmt: skip
def test_headers_nobody_knows(header: str, number: int) -> None:
    assert fault_of(tree().find, Unit(header, False), ()) == number


def test_a_compound_message_goes_on_where_its_last_header_stood() -> None:
    found, path = [], ()
    for unit in parse_program(b"SOUR2:LIST:VOLT 1,2;VOLT 3;*RST;VOLT 4;:OUTP ON"):
        assert isinstance(unit, Unit)
        handler, suffixes, path = tree().find(unit, path)
        found.append((handler()[0], suffixes))
    assert found == [
        ("list", (2,)),
        ("list", (2,)),
        ("reset", ()),
        ("list", (2,)),
        ("output", (1,)),
    ]


def test_the_error_queue_keeps_the_oldest_and_tells_what_it_lost() -> None:
    status = Status()
    for k in range(QUEUE_MAX + 5):
        status.fail(ScpiFault(-222, f'value "{k}"'))
    told = [status.next_error() for _ in range(QUEUE_MAX)]
    assert told[0] == "-222,\"Data out of range;value '0'\""
    assert told[-1] == '-350,"Queue overflow"'
    assert status.next_error() == NO_ERROR
    assert status.take_events() & 0x10
