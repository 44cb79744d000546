"""The metering benchmark: received records to readings, beside packages that check signatures.

Ours is everything a record needs: read, find the key, hash, check the signature, take the measure;
in the rows of the ledger also its place in history, written to SQLite before the verdict. A peer
checks the signature only, over the same bytes under the same keys, already parsed, except pyocmf,
which parses as well. So a ratio says less than our kernels do. The best repetition counts.
"""

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridrig.bench.cores import OnCores
from gridrig.bench.metering_signatures import (
    cold_keys,
    few_keys,
    few_keys_portable,
    many_keys,
)
from gridrig.bench.peers import peer
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.clock.stopwatch import now_ns
from gridrig.metering import VERIFIED, EnrolledKey, ReadingLedger, Verifier, enrol_all
from gridrig.metering.cose_signing import CoseSigner
from gridrig.metering.ocmf_signing import ocmf_payload, ocmf_record, sign_payload

WORKLOADS = (
    "signatures",
    "signatures-portable",
    "signatures-cold",
    "signatures-2048",
    "signatures-100000",
    "signatures-1000000",
    "ed25519",
    "p256",
    "secp256k1",
    "small-batches",
    "many-keys",
    "ledger",
)
ONLY_WHEN_NAMED = frozenset({"signatures-1000000"})
"""Takes minutes and 8 GiB."""
BATCH = 8_192
KEYS = 64
MANY_KEYS = 2_048
T0 = 1_466_424_900
THOUSAND = 1e3
NS_PER_S = 1e9
UNIT = "K records/s"
AT_ANY_TIME_S = 2**62


@dataclass(frozen=True)
class Bench:
    """Records of many meters, shuffled, with what a peer needs to check their signatures."""

    keys: list[EnrolledKey]
    records: list[bytes]
    signed: list[tuple[Any, bytes, bytes]]
    """Private key, signed bytes, signature; for Ed25519 the record itself is all a peer has."""


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen workloads, in the order asked for."""
    measured = Measured()
    size = 512 if quick else BATCH
    repetitions = 1 if quick else 5
    for workload in workloads:
        match workload:
            case "signatures":
                measured.rows += few_keys(measured, size, repetitions)
            case "signatures-portable":
                measured.rows += few_keys_portable(measured, size, repetitions)
            case "signatures-cold":
                measured.rows += cold_keys(size, repetitions)
            case "signatures-2048":
                measured.rows += many_keys(64 if quick else 2_048, "medium", size, repetitions)
            case "signatures-100000":
                measured.rows += many_keys(64 if quick else 100_000, "medium", size, repetitions)
            case "signatures-1000000":
                measured.rows += many_keys(64 if quick else 1_000_000, "small", size, repetitions)
            case "ed25519":
                measured.rows += _ed25519(measured, size, repetitions)
            case "p256":
                measured.rows += _ecdsa("ecdsa-p256", ec.SECP256R1(), measured, size, repetitions)
            case "secp256k1":
                measured.rows += _ecdsa(
                    "ecdsa-secp256k1", ec.SECP256K1(), measured, size, repetitions
                )
            case "small-batches":
                measured.rows += _small_batches(size, repetitions)
            case "many-keys":
                measured.rows += _many_keys(256 if quick else MANY_KEYS, size, repetitions)
            case "ledger":
                measured.rows += _ledger(measured, 2 if quick else 6, size)
    return measured


def _shuffled(keys: int, size: int) -> list[tuple[int, int]]:
    """Draw which key signs each record, and the record's number among those of its key."""
    draw, counted = random.Random(1), [0] * keys
    drawn = []
    for _ in range(size):
        key = draw.randrange(keys)
        counted[key] += 1
        drawn.append((key, counted[key]))
    return drawn


def _ocmf(algorithm: str, curve: ec.EllipticCurve, keys: int, size: int) -> Bench:
    private = [ec.derive_private_key(1_000_003 + n, curve) for n in range(keys)]
    enrolled = [
        EnrolledKey(
            f"meter-{n}",
            f"meter-{n}",
            algorithm,
            key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            0,
        )
        for n, key in enumerate(private)
    ]
    signed = []
    for key, number in _shuffled(keys, size):
        payload = ocmf_payload(
            serial=f"meter-{key}",
            pagination=number,
            time_s=T0 + 900 * number,
            import_milliwh=250_000 * number,
            export_milliwh=0,
        )
        signed.append((private[key], payload, sign_payload(private[key], payload)))
    return Bench(enrolled, [ocmf_record(body, der) for _, body, der in signed], signed)


def _verifier(keys: list[EnrolledKey]) -> Verifier:
    verifier = Verifier()
    enrol_all(verifier, keys)
    return verifier


def _rate(work: Callable[[], Any], size: int, repetitions: int) -> float:
    """Return thousands a second of the best repetition."""
    best = 0.0
    for _ in range(repetitions):
        began = now_ns()
        work()
        best = max(best, size / (now_ns() - began) * NS_PER_S / THOUSAND)
    return best


def _authenticated(bench: Bench, repetitions: int, batch: int) -> float:
    verifier = _verifier(bench.keys)
    batches = [bench.records[at : at + batch] for at in range(0, len(bench.records), batch)]

    def work() -> None:
        for records in batches:
            verifier.authenticate(records, at_s=AT_ANY_TIME_S)

    # A key's table is computed when it first signs: once, so not in what is timed.
    work()
    return _rate(work, len(bench.records), repetitions)


def _checked(check: Callable[[Any, bytes, bytes], None], signed: list[Any], size: int) -> float:
    some = signed[:size]

    def work() -> None:
        for key, body, signature in some:
            check(key, body, signature)

    return _rate(work, len(some), 2)


def _ed25519(measured: Measured, size: int, repetitions: int) -> Iterator[Row]:
    signers = [CoseSigner.from_seed(n, f"meter-{n}", f"meter-{n}") for n in range(KEYS)]
    keys = [EnrolledKey(s.serial, s.serial, "ed25519", s.public_key_der, 0) for s in signers]
    records = [
        signers[key].record(
            sequence=number,
            time_ms=(T0 + 900 * number) * 1_000,
            import_milliwh=250_000 * number,
            export_milliwh=0,
        )
        for key, number in _shuffled(KEYS, size)
    ]
    ours = _authenticated(Bench(keys, records, []), repetitions, size)
    private = [ed25519.Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(KEYS)]
    bodies = [record.ljust(363, b"\0")[:363] for record in records[: size // 4]]
    places = [key for key, _ in _shuffled(KEYS, len(bodies))]
    signatures = [private[n].sign(body) for n, body in zip(places, bodies, strict=True)]
    public = [key.public_key() for key in private]
    triples = list(zip([public[n] for n in places], bodies, signatures, strict=True))
    row: dict[str, Any] = {
        "task": "Ed25519, one strict verdict a record",
        "workload": f"native COSE record of {len(records[0])} bytes, {KEYS} keys, batch {size:,}",
        "ours": ours,
        "unit": UNIT,
        "goal": Goal(ours=70.0),
    }
    theirs = _checked(lambda key, body, sig: key.verify(sig, body), triples, len(triples))
    yield Row(**row, peer="cryptography, 363 bytes", peer_figure=theirs)
    if nacl := peer("PyNaCl", "nacl.signing", measured):
        raw = [nacl.VerifyKey(key.public_bytes_raw()) for key in public]
        triples = list(zip([raw[n] for n in places], bodies, signatures, strict=True))
        theirs = _checked(lambda key, body, sig: key.verify(body, sig), triples, len(triples))
        yield Row(**row, peer="PyNaCl, 363 bytes", peer_figure=theirs)


def _ecdsa(
    algorithm: str, curve: ec.EllipticCurve, measured: Measured, size: int, repetitions: int
) -> Iterator[Row]:
    bench = _ocmf(algorithm, curve, KEYS, size)
    row: dict[str, Any] = {
        "task": f"{algorithm}, one strict verdict a record",
        "workload": f"OCMF of {len(bench.signed[0][1])} signed bytes, {KEYS} keys, batch {size:,}",
        "ours": _authenticated(bench, repetitions, size),
        "unit": UNIT,
        "goal": Goal(ours=35.0 if algorithm == "ecdsa-p256" else 50.0),
    }
    public = [(key.public_key(), body, der) for key, body, der in bench.signed]
    hashed = ec.ECDSA(hashes.SHA256())
    theirs = _checked(lambda key, body, der: key.verify(der, body, hashed), public, size // 4)
    yield Row(**row, peer="cryptography", peer_figure=theirs)
    if algorithm == "ecdsa-secp256k1" and (coincurve := peer("coincurve", "coincurve", measured)):
        yield Row(**row, peer="coincurve", peer_figure=_coincurve(coincurve, bench, size // 4))


def _coincurve(coincurve: Any, bench: Bench, size: int) -> float:
    """Measure libsecp256k1 on signatures it accepts: s made low first, outside the clock."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    made = []
    for key, body, der in bench.signed[:size]:
        r, s = decode_dss_signature(der)
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        low = encode_dss_signature(r, min(s, order - s))
        made.append((coincurve.PublicKey(point), body, low))
    return _checked(lambda key, body, der: key.verify(der, body), made, size)


def _small_batches(size: int, repetitions: int) -> Iterator[Row]:
    bench = _ocmf("ecdsa-p256", ec.SECP256R1(), KEYS, size)
    yield Row(
        task="ecdsa-p256, one strict verdict a record",
        workload=f"OCMF, {KEYS} keys, batches of 8",
        ours=_authenticated(bench, repetitions, 8),
        unit=UNIT,
        peer=f"ours, batch {size:,}",
        peer_figure=_authenticated(bench, repetitions, size),
    )


def _many_keys(keys: int, size: int, repetitions: int) -> Iterator[Row]:
    bench = _ocmf("ecdsa-p256", ec.SECP256R1(), keys, size)
    began = now_ns()
    verifier = _verifier(bench.keys)

    def work() -> None:
        verifier.authenticate(bench.records, at_s=AT_ANY_TIME_S)

    # A key's table is computed when it first signs, so in the first batch.
    work()
    cold_ms = (now_ns() - began) / 1e6
    rate = _rate(work, size, repetitions)
    enrolment_ms = (cold_ms - size / rate) / keys
    yield Row(
        task="ecdsa-p256, one strict verdict a record",
        workload=f"OCMF, {keys:,} keys, batch {size:,}",
        ours=rate,
        unit=UNIT,
        goal=Goal(ours=100.0),
    )
    yield Row(
        task="enrolment, table included",
        workload=f"ecdsa-p256, {keys:,} keys",
        ours=enrolment_ms,
        unit="ms a key",
        goal=Goal(ours=0.5),
        less_is_better=True,
    )


def _ledger(measured: Measured, batches: int, size: int) -> Iterator[Row]:
    bench = _ocmf("ecdsa-p256", ec.SECP256R1(), KEYS, batches * size)
    parts = [bench.records[at : at + size] for at in range(0, len(bench.records), size)]
    theirs = _pyocmf(measured, bench)
    for cores, threads, note in (
        (1, 1, "one core for signatures, ledger and writer"),
        (2, 2, "both cores: signatures on two threads while the writer has what is left"),
    ):
        with (
            OnCores(cores) as had,
            tempfile.TemporaryDirectory() as folder,
            ReadingLedger(bench.keys, Path(folder) / "ledger", threads=threads) as ledger,
        ):
            began = now_ns()
            verified = sum(int((v.status == VERIFIED).sum()) for v in ledger.verify_all(parts))
            elapsed_s = (now_ns() - began) / NS_PER_S
        if verified != len(bench.records):
            measured.remarks.append(f"{len(bench.records) - verified} records were refused")
        yield Row(
            task="OCMF text to verified reading, ledger applied",
            workload=f"{batches} batches of {size:,}, {had} cores",
            ours=verified / elapsed_s / THOUSAND,
            unit=UNIT,
            peer="pyocmf, parsed and checked, no ledger" if theirs else None,
            peer_figure=theirs,
            goal=Goal(ours=100.0),
            note=f"one row a reading, one durable transaction a batch; {note}",
        )


def _pyocmf(measured: Measured, bench: Bench) -> float | None:
    pyocmf = peer("pyocmf", "pyocmf", measured)
    if pyocmf is None:
        return None
    keys = {key.serial: key.public_key.hex() for key in bench.keys}
    texts = [
        (record.decode(), keys[body.split(b'"MS":"')[1].split(b'"')[0].decode()])
        for record, (_, body, _) in zip(bench.records[:500], bench.signed, strict=False)
    ]

    def work() -> None:
        for text, key in texts:
            pyocmf.OCMF.from_string(text).verify_signature(key)

    return _rate(work, len(texts), 2)
