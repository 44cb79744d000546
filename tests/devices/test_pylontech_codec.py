"""Pylontech frames: captured characters are the oracle, and no bytes do harm."""

import random

import pytest
from bms_bench import cases, load, plain
from hypothesis import given
from hypothesis import strategies as st

from gridrig.devices.wire import pylontech, pylontech_alarm, pylontech_info
from gridrig.devices.wire.pack_frames import Dropped, Malformed

CASES = cases("pylontech")
MANAGEMENT = b"~20024600B014026EF05AA0022BFDD5C0F915\r"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_captured_frame_decodes_to_its_known_values_and_encodes_back(case):
    content, text, expected = load(case)
    raw = text.encode() + b"\r"
    (frame,) = pylontech.Decoder().feed(raw)
    assert pylontech.encode(frame) == raw
    if content.startswith("analog:"):
        analog = pylontech_info.parse_analog(frame.info, int(content.split(":")[1]))
        assert plain(analog) == expected
        assert pylontech_info.encode_analog(analog) == frame.info
    elif content == "management":
        management = pylontech_info.parse_management(frame.info)
        assert plain(management) == expected
        assert pylontech_info.encode_management(management) == frame.info
    else:
        assert content == "frame"
        assert {key: plain(frame)[key] for key in expected} == expected


def test_answer_of_another_module_is_malformed():
    (frame,) = pylontech.Decoder().feed(
        load(CASES[[c.name for c in CASES].index("pylontech_analog_one_module")])[1].encode()
        + b"\r"
    )
    assert isinstance(pylontech_info.parse_analog(frame.info, 2), pylontech_info.Analog)
    assert isinstance(pylontech_info.parse_analog(frame.info, 3), Malformed)


def test_length_checksum_is_right_where_the_nibbles_sum_to_a_multiple_of_16():
    # python-pylontech 0.3.3 overflows here; LENID 0x088 has nibbles that sum to 16.
    assert pylontech.length_field(0x088) == 0x0088
    info = bytes(0x44)
    (frame,) = pylontech.Decoder().feed(pylontech.encode(pylontech.Frame(2, 0, info)))
    assert frame.info == info


def test_frame_split_at_every_byte_is_the_same_frame():
    (whole,) = pylontech.Decoder().feed(MANAGEMENT)
    for cut in range(1, len(MANAGEMENT)):
        decoder = pylontech.Decoder()
        assert decoder.feed(MANAGEMENT[:cut]) + decoder.feed(MANAGEMENT[cut:]) == [whole]


def test_noise_before_a_frame_is_named_and_the_frame_is_found():
    dropped, frame = pylontech.Decoder().feed(b"\x00\xff12" + MANAGEMENT)
    assert dropped == Dropped("noise", b"\x00\xff12")
    assert frame.address == 2


def test_line_feed_after_the_end_is_no_news():
    assert len(pylontech.Decoder().feed(MANAGEMENT + b"\n")) == 1


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (MANAGEMENT[:-2] + b"6\r", "checksum"),
        (MANAGEMENT[:20], "truncated"),
        (MANAGEMENT[:9] + b"?" + MANAGEMENT[10:], "not_hex"),
        (b"~2002\r", "length"),
        (b"~20024600C014026EF05AA0022BFDD5C0F914\r", "length"),
    ],
)
def test_broken_frame_is_dropped_for_its_reason_and_the_next_is_found(broken, reason):
    dropped, frame = pylontech.Decoder().feed(broken + MANAGEMENT)
    assert dropped.reason == reason
    assert frame.info[0] == 2


def test_no_single_flipped_bit_gives_another_value():
    (right,) = pylontech.Decoder().feed(MANAGEMENT)
    for bit in range(8 * len(MANAGEMENT)):
        flipped = bytearray(MANAGEMENT)
        flipped[bit // 8] ^= 1 << bit % 8
        decoder = pylontech.Decoder()
        events = decoder.feed(bytes(flipped)) + decoder.idle()
        # A digit of the checksum that only changed its case is still the same digit.
        assert [e for e in events if isinstance(e, pylontech.Frame) and e != right] == []


def test_endless_frame_is_dropped_at_the_stated_limit():
    decoder = pylontech.Decoder()
    events = [event for _ in range(100) for event in decoder.feed(b"~" + b"0" * 99)]
    assert {event.reason for event in events} == {"truncated"}
    decoder = pylontech.Decoder()
    (first, *_) = decoder.feed(b"~" + b"0" * 2 * pylontech.FRAME_CHARS_MAX)
    assert first.reason == "overlong"
    assert len(first.data) == pylontech.FRAME_CHARS_MAX


def test_random_bytes_never_raise_and_the_buffer_stays_within_one_frame():
    source = random.Random(6)
    decoder = pylontech.Decoder()
    for _ in range(500):
        decoder.feed(bytes(source.choice(b"~\r0123456789ABCDEF\xff") for _ in range(61)))
        assert len(decoder._buffer) < pylontech.FRAME_CHARS_MAX
    decoder.idle()
    assert not decoder.pending


@given(st.binary(max_size=120), st.sampled_from([2, 0xFF]))
def test_prop_any_info_is_read_or_malformed(info, asked):
    analog = pylontech_info.parse_analog(info, asked)
    assert isinstance(analog, pylontech_info.Analog | Malformed)
    for parse in (
        pylontech_info.parse_management,
        pylontech_info.parse_system,
        pylontech_info.parse_manufacturer,
        pylontech_info.parse_serial,
    ):
        parse(info)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=2047))
def test_prop_frame_decodes_to_what_was_encoded(address, code, info):
    frame = pylontech.Frame(address, code, info)
    assert pylontech.Decoder().feed(pylontech.encode(frame)) == [frame]


def test_fixed_replies_encode_back():
    system = pylontech_info.SystemParameters(
        2, 3700, 3000, 2900, 3231, 2731, 1000, 59200, 48000, 46400, 3231, 2631, -1000
    )
    assert pylontech_info.parse_system(pylontech_info.encode_system(system)) == system
    maker = pylontech_info.Manufacturer("US5000", (2, 8), "Pylon")
    assert pylontech_info.parse_manufacturer(pylontech_info.encode_manufacturer(maker)) == maker
    serial = pylontech_info.Serial(2, "K210914C12345678")
    assert pylontech_info.parse_serial(pylontech_info.encode_serial(serial)) == serial


STATES = st.sampled_from(sorted(pylontech_alarm.STATES))


@given(
    st.lists(STATES, max_size=16).map(tuple),
    st.lists(STATES, max_size=8).map(tuple),
    st.tuples(STATES, STATES, STATES),
    st.binary(min_size=5, max_size=5),
)
def test_prop_alarms_print_and_parse_back(cells, temperatures, others, status):
    alarms = pylontech_alarm.Alarms(0, 2, cells, temperatures, *others, status)
    assert pylontech_alarm.parse_alarms(pylontech_alarm.encode_alarms(alarms), 2) == alarms


@given(st.binary(max_size=60))
def test_prop_no_info_makes_the_alarm_parser_raise(info):
    parsed = pylontech_alarm.parse_alarms(info, 2)
    if isinstance(parsed, pylontech_alarm.Alarms):
        assert pylontech_alarm.encode_alarms(parsed) == info


def test_alarms_of_another_module_or_with_unknown_states_are_malformed():
    good = pylontech_alarm.encode_alarms(
        pylontech_alarm.Alarms(0, 2, (0,) * 15, (0,) * 5, 0, 0, 0, bytes((0b1000_0001, 6, 0, 0, 0)))
    )
    found = pylontech_alarm.parse_alarms(good, 2)
    assert found.protections == ("pack_over_voltage", "pack_under_voltage")
    assert isinstance(pylontech_alarm.parse_alarms(good, 3), Malformed)
    odd = good[:3] + b"\x07" + good[4:]
    assert isinstance(pylontech_alarm.parse_alarms(odd, 2), Malformed)
