"""JBD frames: captured bytes are the oracle, and no bytes do harm."""

import random

import pytest
from bms_bench import cases, load, plain
from hypothesis import given
from hypothesis import strategies as st

from gridrig.devices.wire import jbd
from gridrig.devices.wire import jbd_registers as registers
from gridrig.devices.wire.pack_frames import Dropped, Malformed

CASES = cases("jbd")
BASIC = bytes.fromhex(load(CASES[[c.name for c in CASES].index("jbd_basic_discharging")])[1])
CELLS = bytes.fromhex("DD0400080F450F3D0F370F3DFEC677")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_captured_frame_decodes_to_its_known_values_and_encodes_back(case):
    content, text, expected = load(case)
    frame = bytes.fromhex(text)
    if content == "request":
        (event,) = jbd.Decoder("request").feed(frame)
        assert plain(event) == expected
        assert jbd.encode_request(event) == frame
        return
    (event,) = jbd.Decoder("reply").feed(frame)
    assert jbd.encode_reply(event) == frame
    if content == "reply":
        assert plain(event) == expected
    elif content == "basic":
        info = registers.parse_basic(event.payload)
        assert plain(info) == expected
        assert registers.encode_basic(info) == event.payload
    elif content == "cells":
        assert plain(registers.parse_cells(event.payload)) == expected
        assert registers.encode_cells(tuple(expected)) == event.payload
    else:
        assert content == "hardware"
        assert event.payload.decode() == expected


def test_two_frames_split_at_every_byte_are_the_same_two_frames():
    whole = jbd.Decoder("reply").feed(BASIC + CELLS)
    assert [event.register for event in whole] == [3, 4]
    for cut in range(1, len(BASIC + CELLS)):
        decoder = jbd.Decoder("reply")
        split = decoder.feed((BASIC + CELLS)[:cut]) + decoder.feed((BASIC + CELLS)[cut:])
        assert split == whole


def test_noise_before_a_frame_is_named_and_the_frame_is_found():
    dropped, reply = jbd.Decoder("reply").feed(b"\x00\x77\x12" + CELLS)
    assert dropped == Dropped("noise", b"\x00\x77\x12")
    assert reply.register == 4


def test_false_start_in_noise_hides_a_frame_until_the_line_is_silent():
    decoder = jbd.Decoder("reply")
    assert decoder.feed(b"\xdd\x01\x02\xff" + CELLS) == []
    assert decoder.pending
    events = decoder.idle()
    assert [event.register for event in events if isinstance(event, jbd.Reply)] == [4]
    assert not decoder.pending


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (CELLS[:-1] + b"\x78", "terminator"),
        (CELLS[:5] + b"\x00" + CELLS[6:], "checksum"),
    ],
)
def test_broken_frame_is_dropped_for_its_reason_and_the_next_is_found(broken, reason):
    decoder = jbd.Decoder("reply")
    events = decoder.feed(broken + BASIC) + decoder.idle()
    assert events[0].reason == reason
    assert [event.register for event in events if isinstance(event, jbd.Reply)] == [3]


def test_truncated_frame_is_dropped_as_truncated():
    decoder = jbd.Decoder("reply")
    assert decoder.feed(BASIC[:20]) == []
    assert decoder.idle()[0].reason == "truncated"


def test_echo_of_a_read_is_a_reply_of_a_register_that_nobody_asks():
    (event,) = jbd.Decoder("reply").feed(jbd.encode_request(jbd.Request(3, False, b"")))
    assert event == jbd.Reply(jbd.READ, 3, b"")


def test_no_single_flipped_bit_gives_another_value_of_the_register_asked():
    for bit in range(8 * len(BASIC)):
        flipped = bytearray(BASIC)
        flipped[bit // 8] ^= 1 << bit % 8
        decoder = jbd.Decoder("reply")
        events = decoder.feed(bytes(flipped)) + decoder.idle()
        assert [e for e in events if isinstance(e, jbd.Reply) and e.register == 3] == []


def test_random_bytes_never_raise_and_the_buffer_stays_within_one_frame():
    source = random.Random(5)
    for direction in ("request", "reply"):
        decoder = jbd.Decoder(direction)
        for _ in range(300):
            # Half of the bytes are start bytes and lengths that claim much.
            data = bytes(
                source.choice((0xDD, 0xA5, 0xFF, source.randrange(256))) for _ in range(97)
            )
            decoder.feed(data)
            assert len(decoder._buffer) < jbd.FRAME_BYTES_MAX
        decoder.idle()
        assert not decoder.pending


@given(st.binary(max_size=80))
def test_prop_any_payload_is_read_or_malformed(payload):
    info = registers.parse_basic(payload)
    if isinstance(info, registers.BasicInfo):
        assert registers.encode_basic(info) == payload
    cells = registers.parse_cells(payload)
    assert isinstance(cells, Malformed) or registers.encode_cells(cells) == payload


@given(st.integers(0, 255), st.booleans(), st.binary(max_size=255))
def test_prop_request_decodes_to_what_was_encoded(register, write, payload):
    request = jbd.Request(register, write, payload)
    assert jbd.Decoder("request").feed(jbd.encode_request(request)) == [request]


def test_every_protection_has_its_bit_and_unknown_bits_have_a_name():
    assert registers.protection_names(0xFFFF)[:13] == registers.PROTECTIONS
    assert registers.protection_names(0xFFFF)[13:] == ("bit_13", "bit_14", "bit_15")
    for bit, name in enumerate(registers.PROTECTIONS):
        assert registers.protection_bits((name,)) == 1 << bit
    with pytest.raises(ValueError, match="not in tuple"):
        registers.protection_bits(("cell_over_voltag",))
