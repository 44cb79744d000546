"""Captures as pcapng: `dpkt`, which is not ours, reads what was recorded out of the packets."""

from pathlib import Path

import dpkt
import pytest
from modbus_bench import RTU
from test_captures import record

from gridrig.cli import main as cli
from gridrig.devices.capture.pcapng import write_pcapng
from gridrig.devices.capture.reader import Capture, Piece, read_capture
from gridrig.errors import DriverError


def sides_of(path: Path) -> tuple[list[float], dict[str, bytes], set[int]]:
    """Return times, the bytes of each side by number of sequence, and the device's ports."""
    times, sides, ports = [], {"out": b"", "in": b""}, set()
    with path.open("rb") as file:
        for time_s, packet in dpkt.pcapng.Reader(file):
            ip = dpkt.ip.IP(packet)
            segment = ip.data
            found, ip.sum, segment.sum = (ip.sum, segment.sum), 0, 0
            right = dpkt.ip.IP(bytes(ip))  # it works out the checksums that are zero
            assert found == (right.sum, right.data.sum)
            way = "in" if segment.dport >= 49_152 else "out"
            ports.add(segment.sport if way == "in" else segment.dport)
            assert segment.seq == 1 + len(sides[way]), "no byte is missing or sent twice"
            back = "out" if way == "in" else "in"
            assert segment.ack == 1 + len(sides[back])
            times.append(time_s)
            sides[way] += segment.data
    return times, sides, ports


@pytest.mark.parametrize(("link", "port"), [(None, 502), (RTU, 5020)])
def test_another_reader_finds_every_byte_at_its_time(
    tmp_path: Path, link: object, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(tmp_path / "capture.jsonl", *([link] if link else []))
    out = tmp_path / "c.pcapng"
    assert cli(["sniff", str(path), "--pcapng", str(out)]) == 0
    pieces = read_capture(path).pieces
    assert capsys.readouterr().out == f"{len(pieces)} packets in {out}\n"
    times, sides, ports = sides_of(out)
    assert [round(float(t), 6) for t in times] == [round(7 + p.t_s, 6) for p in pieces]
    for way in ("out", "in"):
        assert sides[way] == b"".join(p.data for p in pieces if p.way == way)
    assert ports == {port}


def test_a_long_piece_is_cut_into_segments_and_wires_are_kept_apart(tmp_path: Path) -> None:
    long = bytes(range(256)) * 20
    capture = Capture(
        {"start_utc_s": 0},
        {"a": "scpi", "b": "jbd"},
        pieces=[Piece(-3.0, "a", "in", long), Piece(0.5, "b", "out", b"\xdd")],
    )
    assert write_pcapng(capture, tmp_path / "all.pcapng") == 5
    assert write_pcapng(capture, tmp_path / "a.pcapng", "a") == 4
    times, sides, ports = sides_of(tmp_path / "a.pcapng")
    assert (set(times), sides["in"], ports) == ({0.0}, long, {5025})  # no time before 1970


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    capture = Capture({"start_utc_s": 0}, {"a": "scpi"})
    (tmp_path / "there").write_text("")
    for path, wire, code in ((tmp_path / "there", None, "unwritable"), (tmp_path / "x", "b", "")):
        with pytest.raises(DriverError) as caught:
            write_pcapng(capture, path, wire)
        assert caught.value.code == f"capture.{code or 'wire_unknown'}"
