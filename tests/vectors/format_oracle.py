"""What each wire format signs, read by code that shares nothing with the verifier.

Every reader here takes a record apart with the standard library alone and returns the bytes that
are signed, the signature as (r, s) or as it stands, and the digest the signature is over. Tests
compare that with what the verifier reads, and check the signatures with `cryptography`.
"""

import base64
import hashlib
import html
import json
import re
import struct
from dataclasses import dataclass

from keccak import keccak_256


@dataclass(frozen=True)
class Signed:
    """The signed part of one record."""

    body: bytes
    digest: bytes
    signature: bytes


def _der_or_fixed(body: bytes, signature: bytes) -> Signed:
    return Signed(body, hashlib.sha256(body).digest(), signature)


def ocmf(record: bytes) -> Signed:
    """Between the pipes; hex or base64 as SE says."""
    _, payload, section = record.strip().split(b"|")
    fields = json.loads(section)
    decode = base64.b64decode if fields.get("SE") == "base64" else bytes.fromhex
    return _der_or_fixed(payload, decode(fields["SD"]))


def sml_field(data: bytes, at: int) -> tuple[object, int]:
    """Read one SML field; lists become lists, octet strings bytes, numbers int."""
    begin, kind, length = at, data[at] >> 4 & 7, data[at] & 15
    while data[at] & 0x80:
        at += 1
        length = length << 4 | data[at] & 15
    at += 1
    if kind == 7:
        items = []
        for _ in range(length):
            item, at = sml_field(data, at)
            items.append(item)
        return items, at
    if data[begin] == 0:
        return None, at
    end = begin + length
    content = data[at:end]
    if kind in (5, 6):
        return int.from_bytes(content, "big", signed=kind == 5), end
    return (content != b"\0" if kind == 4 else content), end


def sml_list(file: bytes) -> list[object]:
    """Return the fields of the one GetList.Res in an SML file without escapes."""
    body, at = file[8 : file.rindex(b"\x1b\x1b\x1b\x1b")], 0
    while at < len(body) and body[at]:
        message, at = sml_field(body, at)
        assert isinstance(message, list)
        tag, content = message[3]
        if tag == 0x701:
            return content  # type: ignore[no-any-return]
    raise ValueError("no list of values")


def _local(time: object) -> bytes:
    assert isinstance(time, list)
    choice, moment = time
    seconds = moment if choice == 2 else moment[0] + 60 * (moment[1] + moment[2])
    return struct.pack("<I", seconds)


def edl40(record: bytes) -> Signed:
    """Put the 320 octets together, by offset."""
    _, server, _, _, entries, signature, _ = sml_list(record)
    named = {bytes(entry[0]).hex(): entry for entry in entries}  # type: ignore[attr-defined]
    register = named.get("0100011100ff") or named["0100021100ff"]
    contract = named["8182815401ff"]
    status = register[1]
    if len(signature) == 66:  # type: ignore[arg-type]
        moved = ((0, 17), (3, 31), (4, 16), (5, 11), (6, 9), (7, 8))
        status = sum((status >> bit & 1) << place for place, bit in moved)

    def number(name: str) -> int:
        return named[name][5] if name in named else 0  # type: ignore[no-any-return]

    block = bytearray(320)
    block[0:10] = server  # type: ignore[call-overload]
    block[10:14] = _local(register[2])
    block[14] = status & 255
    block[15:19] = struct.pack("<I", named["810060080001"][5][1][1])
    block[19:23] = struct.pack("<I", number("8180817101ff"))
    block[23:29] = register[0]
    block[29] = register[3]
    block[30] = register[4] & 255
    block[31:39] = struct.pack("<q", register[5])
    block[39:41] = signature[-2:]  # type: ignore[index]
    block[41 : 41 + len(contract[5])] = contract[5]
    block[169:173] = _local(contract[2])
    block[173:181] = struct.pack("<q", number("010001110064"))
    block[181:189] = struct.pack("<q", number("0100011100c8"))
    block[189:191] = struct.pack("<H", number("00af6c6c72ff"))
    block[191:195] = struct.pack("<I", number("00af647572ff"))
    block[195:197] = struct.pack(">H", number("00af707263ff"))
    return _der_or_fixed(bytes(block), bytes(signature[:-2]))  # type: ignore[index]


def isa_edl40_p(record: bytes) -> Signed:
    """Put the 320 octets with the inner signature together, by offset."""
    _, server, name, _, entries, signature, _ = sml_list(record)
    named = {bytes(entry[0]).hex(): entry for entry in entries}  # type: ignore[attr-defined]
    actual, start = named["0100010800ff"], named["010001080080"]
    contract, station = named["8182815401ff"][5], named["8180816101ff"][5]
    block = bytearray(320)
    block[0:10] = server  # type: ignore[call-overload]
    block[10:14] = _local(actual[2])
    block[14] = actual[1] & 255
    block[15:21] = actual[0]
    block[21:23] = bytes([actual[3], actual[4] & 255])
    block[23:31] = struct.pack("<q", actual[5])
    block[31:33] = signature[-2:]  # type: ignore[index]
    block[33:99] = actual[6]
    block[99 : 99 + len(contract)] = contract
    block[227:231] = _local(start[2])
    block[231:251] = station
    block[251] = start[1] & 255
    block[252:258] = start[0]
    block[258:260] = bytes([start[3], start[4] & 255])
    block[260:268] = struct.pack("<q", start[5])
    block[268:274] = name  # type: ignore[call-overload]
    block[274:278] = struct.pack("<I", named["8180c7f040ff"][5])
    return _der_or_fixed(bytes(block), bytes(signature[:-2]))  # type: ignore[index]


def signed_meter_value(record: bytes) -> Signed:
    """Take the block as it is."""

    def element(name: str) -> bytes:
        found = re.search(rf"<{name}[^>]*>([^<]*)</{name}>", record.decode())
        assert found is not None, name
        return base64.b64decode(html.unescape(found[1]))

    return _der_or_fixed(element("encodedMeterValue"), element("meterValueSignature")[:-2])


def alfen(record: bytes) -> Signed:
    """Decode dataset and signature from base32."""
    dataset, signature = (base64.b32decode(part) for part in record.strip().split(b";")[4:6])
    return _der_or_fixed(dataset, signature)


def pcdf(record: bytes) -> Signed:
    """Cut at the signature."""
    body, signature = record.strip(b"\x02\x03 \r\n").split(b"(SG:")
    return _der_or_fixed(body, bytes.fromhex(signature.decode().rstrip(")")))


def bsm_snapshot(record: bytes) -> Signed:
    """Write 17 points in order, from registers unpacked as SunSpec packs them."""
    points = struct.Struct(">HHIIhhh16sIIIhIIHH140s100s100sIHH")
    (
        typ,
        _,
        rcr,
        total,
        wh_sf,
        power,
        w_sf,
        ma1,
        rcnt,
        os_s,
        epoch,
        tzo,
        set_count,
        set_os,
        di,
        do,
        *metas,
        events,
        _,
        size,
    ) = points.unpack(record[4 : 4 + points.size])

    def number(value: int, scale: int = 0, unit: int = 255) -> bytes:
        return struct.pack(">IbB", value & 0xFFFFFFFF, scale, unit)

    def text(value: bytes) -> bytes:
        value = value.rstrip(b"\0")
        return struct.pack(">I", len(value)) + value

    body = b"".join(
        [
            number(typ),
            number(rcr, wh_sf, 30),
            number(total, wh_sf, 30),
            number(power, w_sf, 27),
            text(ma1),
            number(rcnt),
            number(os_s, 0, 7),
            number(epoch, 0, 7),
            number(tzo, 0, 6),
            number(set_count),
            number(set_os, 0, 7),
            number(di),
            number(do),
            *map(text, metas),
            number(events),
        ]
    )
    begin = 4 + points.size
    return _der_or_fixed(body, record[begin : begin + size])


def glow(record: bytes) -> Signed:
    """Put the domain before the first 16 octets."""
    body = b"EquipmentReport" + record[:16]
    return Signed(body, keccak_256(body), record[16:])


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58_decode(text: str) -> bytes:
    """Decode Bitcoin's base58."""
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def arkreen(record: bytes) -> Signed:
    """Write the three fields as JavaScript's JSON.stringify does."""
    report = json.loads(record)
    report = report.get("params", report)
    signed = {name: report[name] for name in ("version", "address", "dataList")}
    body = json.dumps(signed, separators=(",", ":")).encode()
    return Signed(body, keccak_256(body), base58_decode(report["signature"])[:64])


def _cbor_bytes(data: bytes) -> bytes:
    size = len(data)
    head = bytes([0x40 + size]) if size < 24 else bytes([0x58, size])
    return head + data


def gridrig(record: bytes) -> Signed:
    """Take the three byte strings of COSE_Sign1 and write the Sig_structure around them."""
    at, parts = 2, []
    while at < len(record):
        if record[at] == 0xA0:
            at += 1
            continue
        length, head = (record[at + 1], 2) if record[at] == 0x58 else (record[at] - 0x40, 1)
        parts.append(record[at + head : at + head + length])
        at += head + length
    protected, payload, signature = parts
    body = b"".join(
        [
            b"\x84\x6aSignature1",
            _cbor_bytes(protected),
            _cbor_bytes(b"gridrig-reading-1"),
            _cbor_bytes(payload),
        ]
    )
    return Signed(body, body, signature)


READERS = {
    "ocmf": ocmf,
    "edl40": edl40,
    "isa-edl40-p": isa_edl40_p,
    "signed-meter-value": signed_meter_value,
    "alfen": alfen,
    "pcdf": pcdf,
    "bsm-snapshot": bsm_snapshot,
    "glow": glow,
    "arkreen": arkreen,
    "gridrig": gridrig,
}
