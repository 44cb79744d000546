"""Daly frames: captured bytes are the oracle, and no bytes do harm."""

import struct

import pytest
from bms_bench import cases, load, plain
from hypothesis import given
from hypothesis import strategies as st

from gridrig.devices.wire import daly
from gridrig.devices.wire import daly_data as content
from gridrig.devices.wire.pack_frames import Dropped

CASES = cases("daly")
PACK = bytes.fromhex("a501900800720000753001ef45")
SWITCHES = bytes.fromhex("a50193080001012b00003a02aa")
PARSERS = {
    "pack": content.parse_pack,
    "cell_range": content.parse_cell_range,
    "switches": content.parse_switches,
    "setup": content.parse_setup,
}
EVERY_PARSER = (
    *PARSERS.values(),
    content.parse_cells,
    content.parse_temperatures,
    content.parse_alarms,
    content.parse_rated,
    content.parse_set_soc,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_captured_frame_decodes_to_its_known_values_and_encodes_back(case):
    kind, text, expected = load(case)
    raw = bytes.fromhex(text)
    (frame,) = daly.Decoder().feed(raw)
    assert daly.encode(frame) == raw
    if kind == "request":
        assert plain(frame) == expected
    elif kind == "temperature_range":
        high, high_number, low, low_number = frame.data[:4]
        found = [high - content.T_OFFSET_C, high_number, low - content.T_OFFSET_C, low_number]
        assert found == expected
    else:
        assert plain(PARSERS[kind](frame.data)) == expected


def test_contents_print_as_they_were_captured():
    # The bytes behind the fields are whatever the board sent before, so only the fields compare.
    assert content.encode_pack(content.Pack(114, 0, 0, 495)) == PACK[4:-1]
    assert content.encode_switches(content.Switches(0, True, True, 43, 14850)) == SWITCHES[4:-1]
    assert content.encode_cell_range((3809, 3841))[:6] == bytes.fromhex("0f01020ee101")
    assert content.encode_temperature_range((24,))[:4] == bytes.fromhex("40014001")
    assert content.encode_setup(content.Setup(3, 1, False, False, 2, 0))[:7] == bytes.fromhex(
        "03010000020000"
    )


@pytest.mark.parametrize(
    ("asked_from", "reply"),
    [(0x40, 1), (0x41, 2), (0x4F, 16), (0x80, 1), (0x50, None), (0x3F, None), (0x01, None)],
)
def test_reply_address_follows_the_hosts(asked_from, reply):
    assert daly.reply_address(asked_from) == reply
    if reply is not None and asked_from != daly.HOST_UART:
        assert daly.host_address(reply) == asked_from


@pytest.mark.parametrize("i_a", [-3000.0, -276.8, 0.0, 276.7, 276.8, 327.7, 3553.5])
def test_current_is_unsigned_and_does_not_wrap(i_a):
    tenths = round(i_a * 10)
    data = content.encode_pack(content.Pack(520, 0, tenths, 500))
    assert content.parse_pack(data).i_discharge_100ma == tenths
    # What a client makes of it that reads the word as signed: right up to 276.7 A.
    signed = struct.unpack(">h", data[4:6])[0] - content.I_OFFSET_100MA
    assert (signed == tenths) == (tenths <= content.I_100MA_MAX_SIGNED)


def test_current_beyond_the_wire_is_refused_not_wrapped():
    for tenths in (content.I_100MA_MIN - 1, content.I_100MA_MAX + 1):
        with pytest.raises(struct.error):
            content.encode_pack(content.Pack(520, 0, tenths, 500))


def test_frames_back_to_back_are_found_wherever_they_are_cut():
    stream = PACK + SWITCHES + PACK
    whole = daly.Decoder().feed(stream)
    assert [frame.command for frame in whole] == [0x90, 0x93, 0x90]
    for cut in range(1, len(stream)):
        decoder = daly.Decoder()
        assert decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]) == whole


def test_good_frame_inside_a_bad_one_is_found():
    decoder = daly.Decoder()
    events = decoder.feed(b"\x00\x12" + PACK[:5] + SWITCHES) + decoder.idle()
    assert [e.command for e in events if isinstance(e, daly.Frame)] == [0x93]
    assert isinstance(events[0], Dropped)
    assert not decoder.pending


def test_no_single_flipped_bit_gives_another_frame():
    for bit in range(8 * len(PACK)):
        flipped = bytearray(PACK)
        flipped[bit // 8] ^= 1 << bit % 8
        decoder = daly.Decoder()
        events = decoder.feed(bytes(flipped)) + decoder.idle()
        assert [event for event in events if isinstance(event, daly.Frame)] == []


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_prop_no_bytes_make_the_decoder_raise_or_keep_more_than_a_frame(chunks):
    decoder = daly.Decoder()
    taken = b"".join(chunks)
    events = []
    for chunk in chunks:
        events += decoder.feed(chunk)
        assert len(decoder._buffer) < daly.FRAME_BYTES + 40
    events += decoder.idle()
    kept = sum(daly.FRAME_BYTES if isinstance(e, daly.Frame) else len(e.data) for e in events)
    assert kept == len(taken)  # nothing is lost without a word


@given(st.binary(min_size=8, max_size=8))
def test_prop_no_content_makes_a_parser_raise(data):
    for parse in EVERY_PARSER:
        parse(data)


@given(st.sets(st.sampled_from(sorted(content.ALARMS.values()))))
def test_prop_alarms_print_and_parse_back(names):
    assert set(content.parse_alarms(content.encode_alarms(tuple(names)))) == names


def test_alarm_bits_are_those_of_the_protocol():
    # Byte and bit of the protocol's table, counted from 0.
    table = {
        (0, 1): "cell_over_voltage",
        (0, 7): "pack_under_voltage",
        (1, 3): "charge_under_temperature",
        (1, 5): "discharge_over_temperature",
        (2, 1): "charge_over_current",
        (2, 3): "discharge_over_current",
        (2, 6): "soc_low_warning",
        (3, 1): "cell_voltage_difference",
        (4, 4): "charge_fet_stuck",
        (5, 0): "afe_failure",
        (6, 2): "short_circuit",
    }
    for (byte, bit), name in table.items():
        data = bytearray(8)
        data[byte] = 1 << bit
        assert content.parse_alarms(bytes(data)) == (name,)


def test_cells_and_code_are_told_in_numbered_frames():
    frames = content.encode_cells((3300, 3301, 3302, 3303), 2)
    parsed = [content.parse_cells(data) for data in frames]
    assert parsed == [(1, (3300, 3301, 3302)), (2, (3303, 0, 0))]
    assert b"".join(data[1:] for data in content.encode_code("ABC")).rstrip() == b"ABC"
