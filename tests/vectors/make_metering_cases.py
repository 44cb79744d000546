"""Writes the metering cases that gridrig makes itself; the cases of others are left alone.

Run it after a change, `python tests/vectors/make_metering_cases.py`; a test asserts that what is
committed is what it writes. It signs with `cryptography` (OpenSSL), so that the verifier under
test, which is Rust, shares no code with it. Signatures are deterministic and so are the files.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gridrig.metering.ocmf_signing import (
    P256_ORDER,
    OcmfSigner,
    ocmf_payload,
    ocmf_record,
    sign_payload,
)

ROOT = Path(__file__).parent / "metering"
SOURCE = "made by tests/vectors/make_metering_cases.py, signed with pyca/cryptography"
T0 = 1_466_424_900  # 2016-06-20T12:15:00Z, the end of a quarter of an hour
METER = OcmfSigner.from_seed(1, "meter-1", "GR-0001")
OTHER = OcmfSigner.from_seed(2, "meter-2", "GR-0002")
LATER = OcmfSigner.from_seed(3, "meter-1", "GR-0001")
Expected = dict[str, object]


def payload(n: int = 1, **changes: object) -> bytes:
    """One reading of meter-1; n counts quarters of an hour."""
    fields: dict[str, object] = {
        "serial": "GR-0001",
        "pagination": n,
        "time_s": T0 + 900 * (n - 1),
        "import_milliwh": 1_234_567 + 250_000 * (n - 1),
        "export_milliwh": 7_001 * (n - 1),
    }
    return ocmf_payload(**{**fields, **changes})  # type: ignore[arg-type]


def signed(body: bytes, signer: OcmfSigner = METER) -> bytes:
    return ocmf_record(body, sign_payload(signer.key, body))


def with_signature(body: bytes, change: Callable[[int, int], bytes]) -> bytes:
    return ocmf_record(body, change(*decode_dss_signature(sign_payload(METER.key, body))))


def integer(value: int, *, pad: bytes = b"") -> bytes:
    """DER INTEGER of a positive number; `pad` goes before it and makes it no longer DER."""
    body = pad + value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([2, len(body)]) + body


def sequence(*parts: bytes, long_form: bool = False) -> bytes:
    body = b"".join(parts)
    return bytes([0x30, *([0x81] if long_form else []), len(body)]) + body


def unpadded(value: int) -> bytes:
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([2, len(body)]) + body


def low(r: int, s: int) -> bytes:
    return encode_dss_signature(r, min(s, P256_ORDER - s))


def high(r: int, s: int) -> bytes:
    return encode_dss_signature(r, max(s, P256_ORDER - s))


def ok(record: bytes, **changes: object) -> Expected:
    """What a verifier has to read out of a good record, read here by hand with `json` and `int`."""
    body = record.split(b"|")[1]
    text = json.loads(body, parse_float=str, parse_int=str)

    def milliwh(reading: dict[str, str]) -> int:
        whole, _, decimals = reading["RV"].strip().partition(".")
        return int(whole) * 1000 + int(decimals.ljust(3, "0"))

    expected: Expected = {
        "verdict": "ok",
        "meter": "meter-1",
        "serial": "GR-0001",
        "counter": int(text["PG"][1:]),
        "time_s": T0 + 900 * (int(text["PG"][1:]) - 1),
        "clock_status": "S",
        "digest": hashlib.sha256(body).hexdigest(),
    }
    if "import_milliwh" not in changes:
        expected["import_milliwh"], expected["export_milliwh"] = map(milliwh, text["RD"])
    return {**expected, **changes}


def false(code: str, meter: str | None = "meter-1") -> Expected:
    return {"verdict": "false", "code": f"metering.{code}", "meter": meter}


def repeated(meter: str = "meter-1") -> Expected:
    return {"verdict": "repeated", "code": "metering.replayed", "meter": meter}


def undecided(code: str, meter: str | None = "meter-1") -> Expected:
    return {"verdict": "undecided", "code": f"metering.{code}", "meter": meter}


@dataclass
class Key:
    """One [[key]] table."""

    meter: str
    signer: OcmfSigner
    valid_from: str = "2016-01-01T00:00:00Z"
    valid_to: str | None = None
    profiles: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [
            "[[key]]",
            f'meter = "{self.meter}"',
            f'serial = "{self.signer.serial}"',
            'algorithm = "ecdsa-p256"',
            f'public_key = "{self.signer.public_key_der.hex()}"',
            f'valid_from = "{self.valid_from}"',
        ]
        if self.valid_to:
            lines.append(f'valid_to = "{self.valid_to}"')
        if self.profiles:
            lines.append(f"profiles = {json.dumps(self.profiles)}")
        return "\n".join(lines) + "\n"


@dataclass
class Case:
    """Records in order, what each gives, and who is believed."""

    why: str
    records: list[tuple[bytes, Expected]]
    keys: list[Key] = field(default_factory=lambda: [Key("meter-1", METER)])
    at_s: int | None = None

    def files(self) -> dict[str, bytes]:
        at = "" if self.at_s is None else f"at_s = {self.at_s}\n"
        case = f'source = "{SOURCE}"\nlicence = "Apache-2.0"\nwhy = "{self.why}"\n{at}'
        outcomes = [expected for _, expected in self.records]
        return {
            "input.txt": b"".join(record + b"\n" for record, _ in self.records),
            "expected.json": (json.dumps(outcomes, indent=1) + "\n").encode(),
            "keys.toml": "\n".join(key.text() for key in self.keys).encode(),
            "case.toml": case.encode(),
        }


def cases() -> dict[str, Case]:
    """All cases of our own, by folder name."""
    good = signed(payload(1))
    body = payload(1)
    d, n = decode_dss_signature(sign_payload(METER.key, body)), P256_ORDER
    flipped = bytearray(good)
    flipped[good.index(b"4.567")] ^= 1
    der = bytearray(sign_payload(METER.key, body))
    der[-1] ^= 1
    swap = body.replace
    later = signed(
        payload(1, time_s=T0 + 900, import_milliwh=1_984_567, export_milliwh=9_000), LATER
    )
    spaced = signed(json.dumps(json.loads(body)).encode())
    lone = swap(b',{"RV":0.000,"RI":"1-b:2.8.0","RU":"Wh"}', b"")
    export_only = signed(payload(2).replace(b"1.8.0", b"1.8.1"))

    def bad(body: bytes) -> tuple[bytes, Expected]:
        return signed(body), undecided("format", None)

    def section(text: str) -> bytes:
        return b"OCMF|" + body + b"|" + text.encode()

    sd = sign_payload(METER.key, body)
    return {
        "good": Case(
            "three quarters of an hour in order, as the emulated meter signs them",
            [(record, ok(record)) for record in (signed(payload(n)) for n in (1, 2, 3))],
        ),
        "high-s": Case(
            "both s and n-s are right: about half of all genuine meters sign with the high one",
            [
                (record, ok(record))
                for record in (
                    with_signature(payload(1), high),
                    with_signature(payload(2), low),
                )
            ],
        ),
        "payload-bit-flipped": Case(
            "one bit of a register value changed on the way",
            [(bytes(flipped), false("signature_false"))],
        ),
        "payload-reserialised": Case(
            "the same JSON with other white space is another payload",
            [
                (
                    ocmf_record(json.dumps(json.loads(body)).encode(), sd),
                    false("signature_false"),
                ),
                (
                    ocmf_record(swap(b"1234.567", b"1234.5670"), sd),
                    false("signature_false"),
                ),
            ],
        ),
        "white-space-signed": Case(
            "white space inside the sections is signed as it stands; outside the record it is not",
            [(b"  " + spaced + b" \t\r", ok(spaced))],
        ),
        "signature-bit-flipped": Case(
            "one bit of s changed; still DER, no longer right",
            [(ocmf_record(body, bytes(der)), false("signature_false"))],
        ),
        "signature-not-strict-der": Case(
            "encodings that lenient readers take: only one encoding of a signature exists",
            [
                (ocmf_record(body, text), undecided("signature_encoding"))
                for text in (
                    sequence(integer(d[0], pad=b"\0"), integer(d[1])),
                    sequence(unpadded(n - 1), integer(d[1])),
                    sequence(integer(d[0]), integer(d[1]), long_form=True),
                    sequence(integer(d[0]), integer(d[1])) + b"\0",
                    sequence(integer(d[0]), integer(d[1]), b"\x05\0"),
                    sequence(integer(d[0])),
                    b"\x30\x80" + integer(d[0]) + integer(d[1]) + b"\0\0",
                    d[0].to_bytes(32, "big") + d[1].to_bytes(32, "big"),
                    b"",
                )
            ]
            + [
                (section('{"SD":"zz"}'), undecided("signature_encoding")),
                (section('{"SD":"304"}'), undecided("signature_encoding")),
                (section('{"SE":"base64","SD":"MEU*"}'), undecided("signature_encoding")),
            ],
        ),
        "signature-out-of-range": Case(
            "well encoded, but r or s is not in 1..n: the equation is never true",
            [
                (ocmf_record(body, encode_dss_signature(r, s)), false("signature_false"))
                for r, s in (
                    (0, d[1]),
                    (d[0], 0),
                    (n, d[1]),
                    (d[0], n),
                    (d[0] + n, d[1]),
                    (2**300, 1),
                )
            ],
        ),
        "other-meters-key": Case(
            "signed with a key that is enrolled, but for another meter",
            [(signed(body, OTHER), false("signature_false"))],
            keys=[Key("meter-1", METER), Key("meter-2", OTHER)],
        ),
        "key-in-the-record": Case(
            "a key brought along in the record is never believed",
            [
                (
                    signed(
                        swap(b'"IS"', b'"PK":"' + OTHER.public_key_der.hex().encode() + b'","IS"'),
                        OTHER,
                    ),
                    false("signature_false"),
                )
            ],
        ),
        "key-unknown": Case(
            "nobody enrolled the serial number",
            [
                (
                    signed(payload(1, serial="GR-0002"), OTHER),
                    undecided("key_unknown", None),
                )
            ],
        ),
        "key-not-valid-then": Case(
            "a key counts from its first second to before its last; a later one takes over then, "
            "and the registers of the meter go on",
            [
                (signed(payload(1, time_s=T0 - 1)), undecided("key_not_valid_then")),
                (signed(payload(1)), ok(good)),
                (
                    signed(payload(2, time_s=T0 + 899)),
                    ok(signed(payload(2, time_s=T0 + 899)), time_s=T0 + 899),
                ),
                (signed(payload(3, time_s=T0 + 900)), false("signature_false")),
                (
                    signed(payload(1, time_s=T0 + 900), LATER),
                    false("register_fell"),
                ),
                (later, ok(later, time_s=T0 + 900)),
                (signed(payload(2, time_s=T0 + 1800), LATER), undecided("key_not_valid_then")),
            ],
            keys=[
                Key("meter-1", METER, "2016-06-20T12:15:00Z", "2016-06-20T12:30:00Z"),
                Key("meter-1", LATER, "2016-06-20T12:30:00Z", "2016-06-20T12:45:00Z"),
            ],
        ),
        "algorithm-declared": Case(
            "SA is not signed: it may confirm the enrolled algorithm, never choose another",
            [
                (
                    section('{"SA":"ECDSA-secp256k1-SHA256","SD":"' + sd.hex() + '"}'),
                    undecided("algorithm"),
                ),
                (
                    section('{"SA":"ECDSA-secp256r1-SHA256","SD":"' + sd.hex() + '"}'),
                    ok(good),
                ),
            ],
        ),
        "signature-texts": Case(
            "hex in capitals, base64 where SE says so, MIME type where SM says so",
            [
                (section('{"SD":"' + sd.hex().upper() + '"}'), ok(good)),
                (
                    b"OCMF|"
                    + payload(2)
                    + b'|{"SE":"base64","SM":"application/x-der","SD":"'
                    + base64.b64encode(sign_payload(METER.key, payload(2)))
                    + b'"}',
                    ok(signed(payload(2))),
                ),
            ],
        ),
        "finer-than-1-milliwh": Case(
            "digits the ledger has no unit for are refused, not rounded, even when they are zero",
            [
                (signed(swap(b"1234.567", value)), undecided("resolution"))
                for value in (b"1234.5671", b"1234.5670", b'"1234.5670"')
            ]
            + [
                (
                    signed(swap(b'1234.567,"RI":"1-b:1.8.0","RU":"Wh"', kwh)),
                    undecided("resolution"),
                )
                for kwh in (b'1.2345670,"RI":"1-b:1.8.0","RU":"kWh"',)
            ],
            keys=[Key("meter-1", METER, profiles=("value-text",))],
        ),
        "exact-decimals": Case(
            "values a binary float cannot hold, the bound, padded texts, kWh, missing decimals",
            [
                (
                    signed(payload(n).replace(b'RV":' + old, b'RV":' + new)),
                    ok(
                        signed(payload(n).replace(b'RV":' + old, b'RV":' + new)),
                        import_milliwh=milliwh,
                        export_milliwh=7_001 * (n - 1),
                    ),
                )
                for n, old, new, milliwh in (
                    (1, b"1234.567", b"0.1", 100),
                    (2, b"1484.567", b'"  1484.568"', 1_484_568),
                    (3, b"1734.567", b'"00001734.5"', 1_734_500),
                    (4, b"1984.567", b"1985", 1_985_000),
                    (5, b"2234.567", b"900719925474.099", 900_719_925_474_099),
                    (6, b"2484.567", b"1000000000000.000", 10**15),
                )
            ],
            keys=[Key("meter-1", METER, profiles=("value-text",))],
        ),
        "kilowatt-hours": Case(
            "kWh with up to six decimals, on a reading of its own unit",
            [
                (
                    signed(swap(b'1234.567,"RI":"1-b:1.8.0","RU":"Wh"', kwh)),
                    ok(
                        good,
                        import_milliwh=1_234_567,
                        export_milliwh=0,
                        digest=hashlib.sha256(
                            swap(b'1234.567,"RI":"1-b:1.8.0","RU":"Wh"', kwh)
                        ).hexdigest(),
                    ),
                )
                for kwh in (b'1.234567,"RI":"1-b:1.8.0","RU":"kWh"',)
            ],
        ),
        "obis-spellings": Case(
            "spellings of the two registers found in the field; other registers are passed over",
            [
                (
                    signed(text),
                    ok(
                        signed(text),
                        import_milliwh=1_234_567 + 250_000 * (n - 1),
                        export_milliwh=7_001 * (n - 1),
                    ),
                )
                for n, text in (
                    (1, payload(1).replace(b"1-b:1.8.0", b"01-00:01.08.00.FF")),
                    (2, payload(2).replace(b"1-b:1.8.0", b"1-0:1.8.0*255")),
                    (3, payload(3).replace(b'"RI":"1-b:2.8.0","RU":"Wh"', b'"RI":"1-0:2.8.0*255"')),
                    (
                        4,
                        payload(4).replace(
                            b"}]}", b'},{"RV":-1.5,"RI":"1-0:98.8.0.FF","RU":"mOhm"}]}'
                        ),
                    ),
                )
            ],
        ),
        "time-with-offset": Case(
            "local time with its offset is the same moment; an unsynchronised clock is normal",
            [
                (
                    signed(swap(b"2016-06-20T12:15:00,000+0000 S", text)),
                    ok(
                        signed(swap(b"2016-06-20T12:15:00,000+0000 S", text)),
                        clock_status=status,
                    ),
                )
                for text, status in ((b"2016-06-20T14:15:00,999+0200 U", "U"),)
            ],
        ),
        "last-moment": Case(
            "of several moments in a record the last is the reading; fields left out are inherited",
            [
                (
                    signed(text),
                    ok(signed(text), import_milliwh=2_000_000, export_milliwh=3_000),
                )
                for text in (
                    swap(
                        b'"RD":[',
                        b'"RD":[{"TM":"2016-06-20T12:00:00,000+0000 S","TX":"B","RV":1.000,'
                        b'"RI":"1-b:1.8.0","RU":"Wh","ST":"G"},{"RV":0.500,"RI":"1-b:2.8.0"},',
                    )
                    .replace(b"1234.567", b"2000.000")
                    .replace(b'"RV":0.000', b'"RV":3.000'),
                )
            ],
        ),
        "gateway-serial-only": Case(
            "most meters in the field leave MS out; the identity then is GS, by a profile",
            [
                (signed(text), ok(signed(text)))
                for text in (swap(b'"MS":"GR-0001",', b"").replace(b'"FV":"1.4",', b""),)
            ],
            keys=[Key("meter-1", METER, profiles=("meter-serial-missing",))],
        ),
        "status-not-good": Case(
            "the meter itself says that it cannot vouch for the value",
            [
                (signed(swap(b'"ST":"G"', status)), undecided("status_not_good"))
                for status in (b'"ST":"M"', b'"ST":"g"', b'"ST":"G","EF":"E"', b'"ST":"G","EF":"t"')
            ],
        ),
        "register-missing": Case(
            "a meter may have one register only; a record without either says nothing",
            [
                (signed(lone.replace(b"1.8.0", b"1.8.2")), undecided("register_missing")),
                (signed(lone), ok(signed(lone), import_milliwh=1_234_567, export_milliwh=None)),
                (export_only, ok(export_only, import_milliwh=None, export_milliwh=7_001)),
            ],
        ),
        "time-ahead": Case(
            "a reading from the future of its receiver",
            [
                (signed(payload(1, time_s=T0 + 61)), false("time_ahead")),
                (
                    signed(payload(1, time_s=T0 + 60)),
                    ok(signed(payload(1, time_s=T0 + 60)), time_s=T0 + 60),
                ),
            ],
            at_s=T0,
        ),
        "replay": Case(
            "each rule of the ledger in the order of its checks; a refused reading leaves no trace",
            [
                (signed(payload(3)), ok(signed(payload(3)))),
                (signed(payload(3)), repeated()),
                (with_signature(payload(3), high), repeated()),
                (with_signature(payload(3), low), repeated()),
                (signed(payload(3, import_milliwh=9_999_999)), false("equivocation")),
                (signed(payload(2)), false("counter_back")),
                (signed(payload(4, import_milliwh=1_734_566)), false("register_fell")),
                (signed(payload(4, export_milliwh=14_001)), false("register_fell")),
                (signed(payload(4, time_s=T0 + 1800)), false("time_not_rising")),
                (signed(payload(6)), ok(signed(payload(6)))),
                (signed(payload(3)), repeated()),
                (signed(payload(5)), false("counter_back")),
            ],
        ),
        "two-counters": Case(
            "the fiscal and the transaction counter of one meter are apart",
            [
                (signed(payload(2)), ok(signed(payload(2)))),
                (
                    signed(swap(b'"PG":"T1"', b'"PG":"F1"')),
                    ok(signed(swap(b'"PG":"T1"', b'"PG":"F1"'))),
                ),
                (signed(payload(1)), false("counter_back")),
            ],
        ),
        "two-meters": Case(
            "the ledger of one meter knows nothing of the other",
            [
                (signed(payload(1)), ok(good)),
                (
                    signed(payload(1, serial="GR-0002"), OTHER),
                    ok(
                        signed(payload(1, serial="GR-0002"), OTHER),
                        meter="meter-2",
                        serial="GR-0002",
                    ),
                ),
            ],
            keys=[Key("meter-1", METER), Key("meter-2", OTHER)],
        ),
        "format": Case(
            "what cannot be read is undecided, whatever its signature",
            [
                bad(swap(b'"PG":"T1",', b"")),
                bad(swap(b'"PG":"T1"', b'"PG":"X1"')),
                bad(swap(b'"PG":"T1"', b'"PG":"T"')),
                bad(swap(b'"PG":"T1"', b'"PG":"T+1"')),
                bad(swap(b'"PG":"T1"', b'"PG":"T9223372036854775808"')),
                bad(swap(b'"PG":"T1"', b'"PG":"T1","PG":"T2"')),
                bad(swap(b'"FV":"1.4"', b'"FV":"2.0"')),
                bad(swap(b'"GS":"GR-0001",', b"").replace(b'"MS":"GR-0001",', b"")),
                bad(swap(b'"MS":"GR-0001"', b'"MS":7')),
                bad(swap(b"12:15:00,000", b"12:15:00.000")),
                bad(swap(b"06-20T", b"06-31T")),
                bad(swap(b"+0000 S", b"+0000 Q")),
                bad(swap(b'"TM":"2016-06-20T12:15:00,000+0000 S",', b"")),
                bad(swap(b'"ST":"G"', b'"ST":null')),
                bad(swap(b"1234.567", b"-1234.567")),
                bad(swap(b"1234.567", b"1.2e3")),
                bad(swap(b"1234.567", b"01234.567")),
                bad(swap(b"1234.567", b'"1234,567"')),
                bad(swap(b"1234.567", b"1000000000000.001")),
                bad(swap(b"1234.567", b"{}")),
                bad(swap(b'"RV":1234.567,', b"")),
                bad(swap(b'"RU":"Wh","ST"', b'"RU":"MWh","ST"')),
                bad(swap(b"2.8.0", b"1.8.0")),
                bad(body[: body.index(b'"RD"')] + b'"RD":[]}'),
                bad(body[: body.index(b'"RD"')] + b'"RD":[' + b",".join([b"{}"] * 65) + b"]}"),
                bad(swap(b'"MM":"emulated"', b'"MM":"a|b"')),
                bad(swap(b'"MM":"emulated"', b'"MM":"\xff"')),
                bad(b"[" * 4000),
                bad(b""),
                bad(swap(b'"IS":false', b'"X":"' + b"x" * 16_384 + b'"')),
                (good[1:], undecided("format", None)),
                (good + b"|", undecided("format", None)),
                (b"\xef\xbb\xbf" + good, undecided("format", None)),
                (b"OCMF|" + body, undecided("format", None)),
                (section("{}"), undecided("format", None)),
                (section('{"SM":"text/plain","SD":""}'), undecided("format", None)),
                (section('{"SE":"base58","SD":""}'), undecided("format", None)),
                (section('{"SD":"","SD":"' + sd.hex() + '"}'), undecided("format", None)),
                (b"${jndi:ldap://127.0.0.1/a}", undecided("format", None)),
            ],
        ),
    }


def write(root: Path = ROOT) -> None:
    """Write every case of our own below a folder."""
    for name, case in cases().items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for file, content in case.files().items():
            (root / name / file).write_bytes(content)


if __name__ == "__main__":
    write()
