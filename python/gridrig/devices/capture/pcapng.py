"""A capture as a pcapng file, which Wireshark and its kin read.

What was recorded are the bytes of wires, with no packets around them, so packets are made: every
wire is an interface of the file and one TCP connection on it, host to device. Modbus TCP is at the
port where Wireshark looks for it; the others are shown by "decode as" (`docs/modbus.md`). Addresses
are of the ranges for documentation and benchmarks, so that nobody takes them for real ones. Times
are nanoseconds since 1970: the run's start and the time in the run, at least 0.

References
----------
.. [1] M. Tuexen et al., "PCAP Now Generic (pcapng) Capture File Format," IETF draft
   draft-ietf-opsawg-pcapng: section header, interface description, enhanced packet.
.. [2] RFC 791 (IPv4), RFC 9293 (TCP), RFC 5737 and RFC 2544 (the addresses).
"""

import ipaddress
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gridrig.devices.capture.reader import Capture, Piece
from gridrig.errors import DriverError

SECTION_HEADER, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER = 0x1A2B3C4D
LINKTYPE_RAW = 101  # an IP header comes first
NAME, DESCRIPTION, RESOLUTION = 2, 3, 9  # options of an interface
NANOSECONDS = 9
SNAP_BYTES, SEGMENT_BYTES = 65_535, 1_400
HOST = ipaddress.IPv4Address("192.0.2.1")
DEVICES = ipaddress.IPv4Address("198.18.0.1")
HOST_PORT = 49_152
WIRES_MAX = 65_536 - HOST_PORT
PORTS: Mapping[str, int] = {"modbus-tcp": 502, "modbus-rtu": 5020, "scpi": 5025, "ocpp": 9000}
OTHER_PORT = 4001
TCP, PUSH_ACK = 6, 0x18


def write_pcapng(capture: Capture, path: Path, wire: str | None = None) -> int:
    """Write a capture, or one wire of it, into a file that must not exist; return the packets.

    Raises
    ------
    DriverError
        `capture.wire_unknown`, `capture.wires_many`, or `capture.unwritable`.
    """
    pieces = capture.pieces if wire is None else list(capture.on(wire))
    wires = list(capture.kinds) if wire is None else [wire]
    if len(wires) > WIRES_MAX:
        raise DriverError(
            "capture.wires_many",
            "{found} wires, expected at most {most} in one file: choose one with --wire",
            found=len(wires),
            most=WIRES_MAX,
        )
    lines = {name: _Connection(rank, capture.kinds[name]) for rank, name in enumerate(wires)}
    start_ns = int(capture.facts.get("start_utc_s", 0)) * 10**9
    packets = 0
    try:
        with path.open("xb") as file:
            file.write(_section_header())
            for name in wires:
                file.write(_interface(name, capture.kinds[name]))
            for piece in pieces:
                for packet in lines[piece.wire].packets(piece):
                    time_ns = max(0, start_ns + round(piece.t_s * 10**9))
                    file.write(_packet(lines[piece.wire].rank, time_ns, packet))
                    packets += 1
    except OSError as error:
        raise DriverError(
            "capture.unwritable", "{path}: {cause}", path=str(path), cause=str(error)
        ) from error
    return packets


class _Connection:
    """One wire as a TCP connection: its addresses, and how far each side has counted."""

    def __init__(self, rank: int, kind: str) -> None:
        self.rank = rank
        self._ports = HOST_PORT + rank, PORTS.get(kind, OTHER_PORT)
        self._sent = {"out": 1, "in": 1}

    def packets(self, piece: Piece) -> Iterator[bytes]:
        """Return the IP packets that carry a piece."""
        (host_port, port), sent = self._ports, self._sent
        ends = (HOST, host_port), (DEVICES + self.rank, port)
        source, sink = ends if piece.way == "out" else ends[::-1]
        back = "in" if piece.way == "out" else "out"
        for at in range(0, len(piece.data), SEGMENT_BYTES):
            part = piece.data[at : at + SEGMENT_BYTES]
            yield _ip_packet(source, sink, sent[piece.way], sent[back], part)
            sent[piece.way] = (sent[piece.way] + len(part)) % 2**32


End = tuple[ipaddress.IPv4Address, int]


def _ip_packet(source: End, sink: End, sequence: int, acknowledged: int, data: bytes) -> bytes:
    addresses = source[0].packed + sink[0].packed
    segment = struct.pack(
        ">HHIIBBHHH", source[1], sink[1], sequence, acknowledged, 5 << 4, PUSH_ACK, 65_535, 0, 0
    )
    pseudo = addresses + struct.pack(">BBH", 0, TCP, len(segment) + len(data))
    segment = segment[:16] + _checksum(pseudo + segment + data) + segment[18:]
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + 20 + len(data), 0, 0, 64, TCP, 0) + addresses
    return header[:10] + _checksum(header) + header[12:] + segment + data


def _checksum(data: bytes) -> bytes:
    """Return the one's complement of the one's complement sum of 16-bit words."""
    padded = data + bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)


def _section_header() -> bytes:
    return _block(SECTION_HEADER, struct.pack("<IHHq", BYTE_ORDER, 1, 0, -1))


def _interface(name: str, kind: str) -> bytes:
    options = [
        (NAME, name.encode()),
        (DESCRIPTION, kind.encode()),
        (RESOLUTION, bytes((NANOSECONDS,))),
        (0, b""),
    ]
    head = struct.pack("<HHI", LINKTYPE_RAW, 0, SNAP_BYTES)
    return _block(INTERFACE, head + b"".join(_options(options)))


def _options(options: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    for code, value in options:
        yield struct.pack("<HH", code, len(value)) + _padded(value)


def _packet(interface: int, time_ns: int, data: bytes) -> bytes:
    head = struct.pack(
        "<IIIII", interface, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), len(data)
    )
    return _block(PACKET, head + _padded(data))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
