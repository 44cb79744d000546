"""All battery codecs under thousands of seeded streams: named events, bounded buffers, no hang."""

import functools
import random

import pytest
from bms_bench import cases, load

from gridrig.devices.wire import (
    daly,
    daly_data,
    jbd,
    jbd_registers,
    pylontech,
    pylontech_alarm,
    pylontech_info,
)

DECODERS = {
    "jbd": (lambda: jbd.Decoder("reply"), jbd.FRAME_BYTES_MAX),
    "daly": (daly.Decoder, daly.FRAME_BYTES),
    "pylontech": (pylontech.Decoder, pylontech.FRAME_CHARS_MAX),
}


@functools.cache
def captured(codec: str) -> list[bytes]:
    texts = [load(case)[1] for case in cases(codec)]
    return [t.encode() + b"\r" if codec == "pylontech" else bytes.fromhex(t) for t in texts]


def mangled(frames: list[bytes], source: random.Random) -> bytes:
    """Return captured frames, one after another, each with something wrong or nothing."""
    stream = b""
    for _ in range(source.randrange(1, 6)):
        frame = bytearray(source.choice(frames))
        match source.randrange(6):
            case 0:
                frame[source.randrange(len(frame))] = source.randrange(256)
            case 1:
                del frame[source.randrange(len(frame)) :]
            case 2:
                frame[:0] = source.randbytes(source.randrange(20))
            case 3:
                del frame[source.randrange(len(frame))]
            case 4:
                frame.insert(source.randrange(len(frame)), source.randrange(256))
        stream += bytes(frame)
    return stream


def parse_everything(event: object) -> None:
    if isinstance(event, jbd.Reply):
        jbd_registers.parse_basic(event.payload)
        jbd_registers.parse_cells(event.payload)
    elif isinstance(event, daly.Frame):
        daly_data.parse_pack(event.data)
        daly_data.parse_setup(event.data)
        daly_data.parse_switches(event.data)
        daly_data.parse_alarms(event.data)
    elif isinstance(event, pylontech.Frame):
        for asked in (2, pylontech_info.ALL_MODULES):
            pylontech_info.parse_analog(event.info, asked)
            pylontech_alarm.parse_alarms(event.info, asked)
        for parse in (
            pylontech_info.parse_management,
            pylontech_info.parse_system,
            pylontech_info.parse_manufacturer,
            pylontech_info.parse_serial,
        ):
            parse(event.info)


def stream_of(codec: str, seed: int) -> None:
    new, most = DECODERS[codec]
    source = random.Random(f"{codec}/{seed}")
    decoder, stream = new(), mangled(captured(codec), source)
    for _ in range(30):
        chunk, stream = stream[: source.randrange(1, 40)], stream[source.randrange(1, 40) :]
        for event in decoder.feed(chunk):
            parse_everything(event)
        assert len(decoder._buffer) <= most
    for event in decoder.idle():
        parse_everything(event)
    assert not decoder.pending


@pytest.mark.parametrize("codec", DECODERS)
def test_mangled_captures_give_events_and_nothing_else(codec):
    for seed in range(100):
        stream_of(codec, seed)


@pytest.mark.soak
@pytest.mark.parametrize("codec", DECODERS)
def test_thousands_of_mangled_captures(codec):
    for seed in range(100, 20_000):
        stream_of(codec, seed)


@pytest.mark.parametrize("codec", DECODERS)
def test_good_frame_behind_any_mangled_one_is_found(codec):
    new, _ = DECODERS[codec]
    frames = captured(codec)
    for seed in range(300):
        source = random.Random(f"behind/{codec}/{seed}")
        decoder = new()
        events = [*decoder.feed(mangled(frames, source)), *decoder.idle()]
        events = [*decoder.feed(frames[-1]), *decoder.idle()]
        assert [e for e in events if not hasattr(e, "reason")], (codec, seed)
