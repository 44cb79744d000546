"""Writes the cases of wire formats that have no genuine record to be had, or not of each kind.

Run it after a change, `python tests/vectors/make_format_cases.py`; a test asserts that what is
committed is what it writes. Records are put together here byte by byte and signed with
`cryptography` (on secp192k1 by the module beside), so that nothing is shared with the verifier.
Keys and nonces come from names and messages, and so the files are the same each time.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import secp192k1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from format_oracle import BASE58, READERS
from keccak import keccak_256

ROOT = Path(__file__).parent / "metering_formats"
SOURCE = "made by tests/vectors/make_format_cases.py, signed with pyca/cryptography"
SOURCE_192K1 = "made by tests/vectors/make_format_cases.py, signed by tests/vectors/secp192k1.py"
T0 = 1_751_327_100  # 2025-06-30T23:45:00Z
CURVES: dict[str, ec.EllipticCurve] = {
    "ecdsa-p256": ec.SECP256R1(),
    "ecdsa-secp256k1": ec.SECP256K1(),
    "ecdsa-p384": ec.SECP384R1(),
    "ecdsa-brainpool256r1": ec.BrainpoolP256R1(),
    "ecdsa-brainpool384r1": ec.BrainpoolP384R1(),
    "ecdsa-secp192r1": ec.SECP192R1(),
}
Facts = dict[str, Any]


@dataclass(frozen=True)
class Signer:
    """A key of one algorithm, made from a name."""

    algorithm: str
    name: str

    @property
    def _number(self) -> int:
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:20], "big")

    @property
    def curve_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self._number, CURVES[self.algorithm])

    @property
    def ed25519_key(self) -> ed25519.Ed25519PrivateKey:
        seed = hashlib.sha256(self.name.encode()).digest()
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)

    def public_key_der(self) -> bytes:
        if self.algorithm == "ecdsa-secp192k1":
            point = secp192k1.multiply(self._number, secp192k1.G)
            assert point is not None
            return secp192k1.public_key_der(point)
        private = self.ed25519_key if self.algorithm == "ed25519" else self.curve_key
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return private.public_key().public_bytes(*form)

    def numbers(self, body: bytes, digest: bytes | None = None) -> tuple[int, int]:
        """Sign SHA-256 of a body, or a digest of 32 bytes."""
        if self.algorithm == "ecdsa-secp192k1":
            return secp192k1.sign(self._number, body)
        digest = hashlib.sha256(body).digest() if digest is None else digest
        prehashed = utils.Prehashed(hashes.SHA256())
        how = ec.ECDSA(prehashed, deterministic_signing=True)
        return utils.decode_dss_signature(self.curve_key.sign(digest, how))

    def fixed(self, body: bytes, digest: bytes | None = None) -> bytes:
        width = (CURVES[self.algorithm].key_size + 7) // 8
        return b"".join(part.to_bytes(width, "big") for part in self.numbers(body, digest))

    def der(self, body: bytes) -> bytes:
        return utils.encode_dss_signature(*self.numbers(body))


@dataclass
class Case:
    """Records in order, what each reads as, its verdict, and who is believed."""

    why: str
    signer: Signer
    serial: str
    records: list[tuple[bytes, Facts, Facts]]
    binary: bool = True
    profiles: list[str] = field(default_factory=list)

    def files(self) -> dict[str, bytes]:
        source = SOURCE_192K1 if self.signer.algorithm == "ecdsa-secp192k1" else SOURCE
        case = f'source = "{source}"\nlicence = "Apache-2.0"\nwhy = "{self.why}"\n'
        keys = (
            f'[[key]]\nmeter = "meter"\nserial = "{self.serial}"\n'
            f'algorithm = "{self.signer.algorithm}"\n'
            f'public_key = "{self.signer.public_key_der().hex()}"\n'
            'valid_from = "2016-01-01T00:00:00Z"\n'
        )
        if self.profiles:
            keys += f"profiles = {json.dumps(self.profiles)}\n"
        lines = [record.hex().encode() if self.binary else record for record, _, _ in self.records]

        def written(items: list[Facts]) -> bytes:
            return (json.dumps(items, indent=1) + "\n").encode()

        return {
            "case.toml": case.encode(),
            "keys.toml": keys.encode(),
            "input.hex" if self.binary else "input.txt": b"".join(line + b"\n" for line in lines),
            "records.json": written(
                [self._read(record, facts) for record, facts, _ in self.records]
            ),
            "expected.json": written([self._verdict(*item) for item in self.records]),
        }

    def _read(self, record: bytes, facts: Facts) -> Facts:
        if "fault" in facts:
            return facts
        signed = READERS[facts["format"]](record)
        body = hashlib.sha256(signed.body).hexdigest()
        read = {"serial": self.serial, "signed_sha256": body, "signature": signed.signature.hex()}
        return {**read, **facts}

    def _verdict(self, record: bytes, facts: Facts, verdict: Facts) -> Facts:
        if verdict["verdict"] != "ok":
            return verdict
        measure, counter = facts["measure"], facts["counter"]
        shared = {
            "serial": self.serial,
            "counter": int(counter[1:]) if counter else facts["time_ms"],
            "time_s": facts["time_ms"] // 1000,
            "clock_status": facts["clock"],
            "digest": self._read(record, facts)["signed_sha256"],
        }
        return {**verdict, **shared, **({} if "start_ms" in measure else measure)}


OK: Facts = {"verdict": "ok", "meter": "meter"}


def false(code: str) -> Facts:
    return {"verdict": "false", "code": f"metering.{code}", "meter": "meter"}


def undecided(code: str, meter: str | None = "meter") -> Facts:
    return {"verdict": "undecided", "code": f"metering.{code}", "meter": meter}


def fault(record: bytes, kind: str, place: str) -> tuple[bytes, Facts, Facts]:
    return record, {"fault": kind, "place": place}, undecided("format", None)


def flipped(record: bytes, at: int) -> bytes:
    return record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]


# Glow ---------------------------------------------------------------------------------------------

GLOW = Signer("ecdsa-secp256k1", "glow equipment 7")
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def glow_packet(slot: int, energy_milliwh: int, *, high: bool | None = None) -> bytes:
    report = struct.pack("<IIq", 7, slot, energy_milliwh)
    body = b"EquipmentReport" + report
    r, s = GLOW.numbers(body, keccak_256(body))
    if high is not None and (s > SECP256K1_N // 2) != high:
        s = SECP256K1_N - s
    return report + r.to_bytes(32, "big") + s.to_bytes(32, "big")


def glow_reading(slot: int, energy_milliwh: int) -> Facts:
    start_s = 1_700_352_000 + 300 * slot
    return {
        "format": "glow",
        "prehash": "keccak256",
        "encoding": "fixed",
        "counter": f"S{slot}",
        "time_ms": (start_s + 300) * 1000,
        "clock": "I",
        "measure": {
            "start_ms": start_s * 1000,
            "import_milliwh": max(0, -energy_milliwh),
            "export_milliwh": max(0, energy_milliwh),
        },
        "deviations": [],
    }


def glow_cases() -> dict[str, Case]:
    def item(slot: int, energy: int, verdict: Facts, **how: bool) -> tuple[bytes, Facts, Facts]:
        return glow_packet(slot, energy, **how), glow_reading(slot, energy), verdict

    good = glow_packet(170_000, 41_667)
    return {
        "glow": Case(
            "energy of five minutes by slot: high and low s, consumption as a negative number, a "
            "slot told twice in two ways, changed numbers and signatures, other lengths",
            GLOW,
            "7",
            [
                item(170_000, 41_667, OK, high=True),
                item(170_001, 0, OK, high=False),
                item(170_002, -250, OK),
                item(170_002, 250, false("equivocation")),
                (flipped(good, 8), glow_reading(170_000, 41_666), false("signature_false")),
                (flipped(good, 79), glow_reading(170_000, 41_667), false("signature_false")),
                fault(glow_packet(170_003, 10**15 + 1), "value", "energy"),
                fault(glow_packet(170_003, -(2**63)), "value", "energy"),
                fault(good[:-1], "not recognised", "record"),
                fault(good + b"\0", "not recognised", "record"),
            ],
        )
    }


# Arkreen ------------------------------------------------------------------------------------------

MINER = Signer("ecdsa-secp256k1", "arkreen miner")
ADDRESS = "0x1134e1FEcA30FE9EAF77222b30C6CC571b33CD52"


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def sample(minute: int, power_milliwatt: int, energy_milliwh: int) -> str:
    time_s = T0 + 60 * minute
    return f"01{time_s:010x}{power_milliwatt:012x}{energy_milliwh:016x}"


def report(samples: list[str], *, call: bool = False, v: int = 0, **changes: object) -> bytes:
    signed: Facts = {"version": 1, "address": ADDRESS, "dataList": samples}
    body = json.dumps(signed, separators=(",", ":")).encode()
    signature = base58(MINER.fixed(body, keccak_256(body)) + bytes([v]))
    whole: Facts = {**signed, "signature": signature, **changes}
    if call:
        whole = {"jsonrpc": "2.0", "id": 1, "method": "tx_reportMinerPoGG", "params": whole}
    return json.dumps(whole).encode()


def arkreen_reading(minute: int, energy: int | None, power: list[tuple[int, int]]) -> Facts:
    return {
        "format": "arkreen",
        "prehash": "keccak256",
        "encoding": "fixed",
        "counter": None,
        "time_ms": (T0 + 60 * minute) * 1000,
        "clock": "I",
        "measure": {"code": "metering.register_fell"}
        if energy is None
        else {"import_milliwh": None, "export_milliwh": energy},
        "power": [[(T0 + 60 * at) * 1000, milliwatt] for at, milliwatt in power],
        "deviations": [],
    }


def arkreen_cases() -> dict[str, Case]:
    rising = [sample(0, 27_000, 9_000), sample(5, 71_000, 9_500), sample(10, 0, 9_500)]
    power = [(0, 27_000), (5, 71_000), (10, 0)]
    good = report(rising)
    later = [sample(20, 5, 9_700), sample(15, 6, 9_600)]
    fell = [sample(25, 5, 9_900), sample(30, 6, 9_800)]
    changed = good.replace(rising[0].encode(), sample(0, 27_001, 9_000).encode())
    changed_power = [(0, 27_001), *power[1:]]
    two = b'"version": 1, "version": 1'
    return {
        "arkreen": Case(
            "samples of a miner as parameters and as a whole call, rising or falling in time; the "
            "register is the latest; changed samples, a register that falls, other spellings",
            MINER,
            ADDRESS.lower(),
            [
                (good, arkreen_reading(10, 9_500, power), OK),
                (
                    report(later, call=True, v=1),
                    arkreen_reading(20, 9_700, [(15, 6), (20, 5)]),
                    OK,
                ),
                (changed, arkreen_reading(10, 9_500, changed_power), false("signature_false")),
                (
                    report(fell),
                    arkreen_reading(30, None, [(25, 5), (30, 6)]),
                    false("register_fell"),
                ),
                fault(good.replace(b'"version": 1', b'"version": 1.0'), "value", "version"),
                fault(good.replace(b'"version": 1', two), "structure", "report"),
                fault(good.replace(b'"version": 1', b'"price": 1'), "structure", "report"),
                fault(report(rising, address="0x12"), "value", "address"),
                fault(report([rising[0].upper()]), "value", "dataList"),
                fault(report([rising[0][:-1]]), "value", "dataList"),
                fault(report([sample(0, 0, 2**64 - 1)]), "value", "dataList"),
                fault(report([rising[0], rising[0]]), "repeated", "time of a sample"),
                fault(report([sample(n, 0, n) for n in range(129)]), "structure", "dataList"),
                fault(report([]), "missing", "dataList"),
                fault(report(rising, call=True).replace(b"tx_", b"ty_"), "value", "method"),
                fault(b'{"a":' * 1_000 + b"1" + b"}" * 1_000, "structure", "report"),
                fault(b"{" + b'"a":1,' * 2_000 + b"}", "too long", "record"),
                (
                    report(rising, v=2),
                    {**arkreen_reading(10, 9_500, power), "signature": None},
                    undecided("signature_encoding"),
                ),
            ],
            binary=False,
        )
    }


# The native record --------------------------------------------------------------------------------

RIG = Signer("ed25519", "gridrig native meter")
SERIAL = "GR-0042"


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for extra, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * width:
            return bytes([major << 5 | extra]) + number.to_bytes(width, "big")
    raise ValueError(number)


def cbor(value: object) -> bytes:
    """Write numbers, texts, bytes, lists and maps as RFC 8949, section 4.2.1 wants them."""
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    assert isinstance(value, dict)
    pairs = b"".join(cbor(key) + cbor(item) for key, item in value.items())
    return head(5, len(value)) + pairs


def key_id() -> bytes:
    return hashlib.sha256(RIG.public_key_der()).digest()[:8]


def cose(payload: bytes, header: bytes | None = None, unprotected: bytes = b"\xa0") -> bytes:
    header = cbor({1: -19, 4: key_id()}) if header is None else header
    signed = cbor(["Signature1", header, b"gridrig-reading-1", payload])
    signature = RIG.ed25519_key.sign(signed)
    return b"\xd2\x84" + cbor(header) + unprotected + cbor(payload) + cbor(signature)


def fields(n: int = 1, **changes: object) -> dict[int, object]:
    names = ["serial", "sequence", "time", "clock", "imported", "exported", "power", "status",
             "contract", "operating"]  # fmt: skip
    known: Facts = {
        "serial": SERIAL,
        "sequence": n,
        "time": (T0 + 900 * n) * 1000,
        "clock": "S",
        "imported": 1_000_000 * n,
        "exported": 0,
        **changes,
    }
    return {key: known[name] for key, name in enumerate(names, 1) if name in known}


def native_reading(n: int = 1, **changes: Any) -> Facts:
    return {
        "format": "gridrig",
        "prehash": "message",
        "encoding": "fixed",
        "declared": "ed25519",
        "named_key": key_id().hex(),
        "counter": f"N{n}",
        "operating_s": None,
        "time_ms": (T0 + 900 * n) * 1000,
        "clock": "S",
        "measure": {"import_milliwh": 1_000_000 * n, "export_milliwh": 0},
        "power": [],
        "status": "0",
        "contract": None,
        "deviations": [],
        **changes,
    }


def native_cases() -> dict[str, Case]:
    payload, good = cbor(fields()), cose(cbor(fields()))
    time_ms = (T0 + 1800) * 1000
    all_fields = fields(2, power=-1_500, status=0, contract="socket 3", operating=86_400)
    unordered = dict(reversed(fields().items()))
    twice = payload.replace(b"\xa6", b"\xa7", 1) + b"\x06\x00"

    def refused(payload: bytes, kind: str, place: str) -> tuple[bytes, Facts, Facts]:
        return fault(cose(payload), kind, place)

    def without(key: int) -> bytes:
        return cbor({name: value for name, value in fields().items() if name != key})

    def with_header(header: bytes, kind: str, place: str) -> tuple[bytes, Facts, Facts]:
        return fault(cose(payload, header), kind, place)

    return {
        "native": Case(
            "the record of rigs of our own: every field, fields left out, a status that does not "
            "vouch, changed bytes, another key, another algorithm",
            RIG,
            SERIAL,
            [
                (good, native_reading(), OK),
                (
                    cose(cbor(all_fields)),
                    native_reading(
                        2,
                        power=[[time_ms, -1_500]],
                        contract="socket 3",
                        operating_s=86_400,
                    ),
                    OK,
                ),
                (flipped(good, len(good) - 1), native_reading(), false("signature_false")),
                (
                    flipped(good, good.index(b"\x1a\x00\x0f\x42\x40") + 4),
                    native_reading(measure={"import_milliwh": 1_000_001, "export_milliwh": 0}),
                    false("signature_false"),
                ),
                (
                    cose(cbor(fields(3, status=5))),
                    native_reading(3, status="5", measure={"code": "metering.status_not_good"}),
                    undecided("status_not_good"),
                ),
                (
                    cose(payload, cbor({1: -19, 4: bytes(8)})),
                    native_reading(named_key=bytes(8).hex()),
                    undecided("key_other"),
                ),
                (
                    cose(payload, cbor({1: -8, 4: key_id()})),
                    native_reading(declared=None),
                    undecided("algorithm"),
                ),
            ],
        ),
        "native-refused": Case(
            "one reading has one encoding: everything that is not deterministic CBOR of the "
            "described fields is refused, whatever its signature",
            RIG,
            SERIAL,
            [
                fault(good + b"\0", "structure", "record"),
                fault(good[:-1], "structure", "record"),
                fault(b"\xd2\x9f" + good[2:] + b"\xff", "not recognised", "record"),
                fault(b"\xd2\x84" + good[1:], "structure", "record"),
                fault(cose(payload, unprotected=b"\xa1\x04\x41\x00"), "structure", "record"),
                fault(good.replace(b"\xa0\x58", b"\xb8\x00\x58", 1), "structure", "record"),
                with_header(b"", "structure", "protected header"),
                with_header(cbor({1: -19}), "missing", "kid"),
                with_header(cbor({1: -19, 4: bytes(7)}), "value", "kid"),
                with_header(cbor({4: key_id(), 1: -19}), "structure", "protected header"),
                with_header(cbor({1: -19, 4: key_id(), 5: 0}), "structure", "protected header"),
                refused(b"\xbf" + payload[1:] + b"\xff", "structure", "payload"),
                refused(payload.replace(b"\x02\x01", b"\x02\x18\x01", 1), "structure", "payload"),
                refused(
                    payload.replace(b"\x06\x00", b"\x06\x19\x00\x00", 1), "structure", "payload"
                ),
                refused(cbor(unordered), "structure", "payload"),
                refused(twice, "structure", "payload"),
                refused(payload + b"\0", "structure", "payload"),
                refused(cbor({**fields(), 11: 0}), "structure", "payload"),
                refused(b"\x81" * 64 + b"\x00", "structure", "payload"),
                refused(without(1), "missing", "serial"),
                refused(without(5), "missing", "import"),
                refused(cbor(fields(serial="")), "value", "serial"),
                refused(cbor(fields(serial="x" * 65)), "value", "serial"),
                refused(cbor(fields(sequence=-1)), "value", "sequence"),
                refused(cbor(fields(sequence=2**63)), "value", "sequence"),
                refused(cbor(fields(clock="SS")), "value", "clock"),
                refused(cbor(fields(imported=10**15 + 1)), "value", "import"),
                refused(cbor(fields(exported=-1)), "value", "export"),
                refused(cbor(fields(exported="1")), "value", "export"),
                fault(cose(payload + bytes(512)), "too long", "record"),
            ],
        ),
    }


# OCMF on every curve ------------------------------------------------------------------------------

MIDNIGHT = 1_751_320_800  # 2025-07-01T00:00:00+02:00
OCMF_CURVES = {
    "ecdsa-p384": ["secp384r1"],
    "ecdsa-secp256k1": ["secp256k1"],
    "ecdsa-brainpool256r1": ["brainpool256r1", "brainpoolP256r1"],
    "ecdsa-brainpool384r1": ["brainpool384r1", "brainpoolP384r1"],
    "ecdsa-secp192r1": ["secp192r1"],
    "ecdsa-secp192k1": ["secp192k1"],
}


def ocmf_payload(n: int, **changes: str) -> bytes:
    known = {"FV": '"1.4"', "PG": f'"T{n}"', "MS": '"GR-0043"', "RV": f"{n}.000500",
             "RI": '"01-0B:01.08.00*FF"', **changes}  # fmt: skip
    return (
        f'{{"FV":{known["FV"]},"GS":"GW-1","PG":{known["PG"]},"MS":{known["MS"]},"IS":true,'
        f'"ID":"1F2D3A4F5506C7","RD":[{{"TM":"2025-07-01T0{n}:00:00,000+0200 S","TX":"C",'
        f'"RV":{known["RV"]},"RI":{known["RI"]},"RU":"kWh","EF":"","ST":"G"}}]}}'
    ).encode()


def ocmf_record(payload: bytes, signature: bytes, **section: str) -> bytes:
    encoded = base64.b64encode(signature).decode() if section.get("SE") else signature.hex()
    return b"OCMF|" + payload + b"|" + json.dumps({**section, "SD": encoded}).encode()


def ocmf_reading(n: int, **changes: Any) -> Facts:
    return {
        "format": "ocmf",
        "prehash": "sha256",
        "encoding": "der",
        "counter": f"T{n}",
        "time_ms": (MIDNIGHT + 3600 * n) * 1000,
        "clock": "S",
        "measure": {"import_milliwh": 1_000_000 * n + 500, "export_milliwh": None},
        "contract": "1F2D3A4F5506C7",
        "status": "G",
        "deviations": [],
        **changes,
    }


def ocmf_curve_case(algorithm: str, spellings: list[str]) -> Case:
    signer, records = Signer(algorithm, f"ocmf on {algorithm}"), []
    for n, spelling in enumerate(spellings, 1):
        payload = ocmf_payload(n)
        how = {"SA": f"ECDSA-{spelling}-SHA256"}
        record = ocmf_record(payload, signer.der(payload), **how)
        records.append((record, ocmf_reading(n, declared=algorithm), OK))
    n = len(records) + 1
    payload = ocmf_payload(n)
    record = ocmf_record(payload, signer.der(payload), SE="base64")
    records.append((record, ocmf_reading(n, declared=None), OK))
    payload = ocmf_payload(n + 1)
    false_one = ocmf_record(payload, signer.der(ocmf_payload(n)))
    records.append((false_one, ocmf_reading(n + 1, declared=None), false("signature_false")))
    why = f"OCMF on {algorithm} with SHA-256: each name of the curve, hex and base64, a false one"
    return Case(why, signer, "GR-0043", records, binary=False)


PROFILES: list[tuple[str, Facts, Callable[[int], bytes]]] = [
    ("meter-serial-missing", {}, lambda n: ocmf_payload(n).replace(b'"MS":"GR-0043",', b"")),
    ("version-number", {}, lambda n: ocmf_payload(n, FV="1.4")),
    ("value-text", {}, lambda n: ocmf_payload(n, RV=f'"   000{n}.000500"')),
    ("obis-placeholder", {}, lambda n: ocmf_payload(n, RI='"1-b:1.8.e"')),
    ("obis-tariff-1", {}, lambda n: ocmf_payload(n, RI='"1-0:1.8.1"')),
    ("obis-storage", {}, lambda n: ocmf_payload(n, RI='"1-0:1.8.0*198"')),
]


def ocmf_profile_cases() -> dict[str, Case]:
    signer = Signer("ecdsa-p256", "ocmf meter with deviations")

    def case(name: str, make: Callable[[int], bytes], serial: str) -> list[Case]:
        payload = make(1)
        record = ocmf_record(payload, signer.der(payload))
        reading = ocmf_reading(1, deviations=[name])
        why = f"a meter with the deviation {name}"
        borne = Case(f"{why}, which its key is enrolled with", signer, serial,
                     [(record, reading, OK)], False, [name])  # fmt: skip
        refused = Case(f"{why}, which its key is not enrolled with", signer, serial,
                       [(record, reading, undecided("deviation"))], False)  # fmt: skip
        return [borne, refused]

    made = {}
    for name, _, make in PROFILES:
        serial = "GW-1" if name == "meter-serial-missing" else "GR-0043"
        borne, refused = case(name, make, serial)
        made[f"ocmf-{name}"] = borne
        made[f"ocmf-{name}-not-borne"] = refused
    return made


def cases() -> dict[str, Case]:
    """All made cases, by folder name."""
    curves = {
        f"ocmf-{algorithm.removeprefix('ecdsa-')}": ocmf_curve_case(algorithm, spellings)
        for algorithm, spellings in OCMF_CURVES.items()
    }
    return {**glow_cases(), **arkreen_cases(), **native_cases(), **curves, **ocmf_profile_cases()}


def write(root: Path = ROOT) -> None:
    """Write every made case below a folder."""
    for name, case in cases().items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for file, content in case.files().items():
            (root / name / file).write_bytes(content)


if __name__ == "__main__":
    write()
