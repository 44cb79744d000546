"""Rows of the verifier of signatures alone: messages of 363 bytes, hash included, no format.

Every signature gets a strict verdict of its own, and all of them must be true. Keys are enrolled
with their tables before the clock starts. The goals depend on whether the CPU has lanes.
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridrig._core import signature_lanes, signature_rates, want_signature_lanes
from gridrig.bench.cores import OnCores
from gridrig.bench.peers import peer
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.clock.stopwatch import now_ns

MESSAGE_BYTES = 363
KEYS = 64
SMALL_BATCH = 8
MANY_KEYS = 10_000
THOUSAND = 1e3
NS_PER_S = 1e9
UNIT = "K signatures/s"
TABLE_BYTES_MAX = 8 << 30

_PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Scheme:
    """A signature scheme and what its rows are to reach. [K/s]"""

    name: str
    curve: ec.EllipticCurve | None
    goal_lanes: float
    goal_portable: float

    def private_key(self, number: int) -> _PrivateKey:
        """Derive a key from its number."""
        if self.curve is None:
            return ed25519.Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
        return ec.derive_private_key(1_000_003 + number, self.curve)


ED25519 = Scheme("ed25519", None, 250.0, 70.0)
P256 = Scheme("ecdsa-p256", ec.SECP256R1(), 150.0, 35.0)
SECP256K1 = Scheme("ecdsa-secp256k1", ec.SECP256K1(), 120.0, 50.0)
SCHEMES = (ED25519, P256, SECP256K1)

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Signed:
    """Keys, and messages signed with keys that were drawn among them."""

    scheme: Scheme
    private: dict[int, _PrivateKey]
    public_keys: list[bytes]
    messages: list[tuple[int, bytes, bytes]]
    """Place of the key, message, signature."""

    def rates(
        self,
        table: str,
        ways: Sequence[tuple[int, int]],
        repetitions: int,
        *,
        enrolling_threads: int = 1,
    ) -> tuple[float, int, list[float]]:
        """Return time to enrol a key [ms], size of all tables [bytes], and rates [K/s]."""
        enrolment_s, table_bytes, rates = signature_rates(
            self.scheme.name,
            table,
            self.public_keys,
            enrolling_threads,
            self.messages,
            ways,
            repetitions,
        )
        enrolment_ms = enrolment_s * THOUSAND / len(self.public_keys)
        return enrolment_ms, table_bytes, [rate / THOUSAND for rate in rates]


def _public_keys(scheme: Scheme, numbers: range) -> list[bytes]:
    return [
        scheme.private_key(number)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for number in numbers
    ]


def public_keys(scheme: Scheme, keys: int) -> list[bytes]:
    """Derive public keys, of which a million take a minute: on all cores, in processes."""
    if keys < MANY_KEYS:
        return _public_keys(scheme, range(keys))
    shares = [range(at, min(at + MANY_KEYS, keys)) for at in range(0, keys, MANY_KEYS)]
    with OnCores(os.cpu_count() or 1) as cores, ProcessPoolExecutor(cores) as pool:
        made = pool.map(_public_keys, [scheme] * len(shares), shares)
        return [key for share in made for key in share]


@cache
def signed_messages(scheme: Scheme, keys: int, size: int) -> Signed:
    """Sign messages, each with a key drawn from a seed; only keys that are drawn are held."""
    draw = random.Random(1)
    places = [draw.randrange(keys) for _ in range(size)]
    private = {number: scheme.private_key(number) for number in sorted(set(places))}
    messages = []
    for place in places:
        message, key = draw.randbytes(MESSAGE_BYTES), private[place]
        if isinstance(key, ed25519.Ed25519PrivateKey):
            signature = key.sign(message)
        else:
            signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
        messages.append((place, message, signature))
    return Signed(scheme, private, public_keys(scheme, keys), messages)


def few_keys(measured: Measured, size: int, repetitions: int) -> Iterator[Row]:
    """Measure 64 keys, shuffled, on one core; then small batches, and both cores."""
    word, in_lanes = signature_lanes()
    measured.remarks.append(f"signatures are verified by: {word}")
    for scheme in SCHEMES:
        signed = signed_messages(scheme, KEYS, size)
        ways = ((size, 1), (SMALL_BATCH, 1))
        _, _, (alone, small) = signed.rates("large", ways, repetitions)
        row: dict[str, Any] = {
            "task": f"{scheme.name}, signature alone",
            "workload": f"{MESSAGE_BYTES} bytes, {KEYS} keys, batch {size:,}",
            "ours": alone,
            "unit": UNIT,
            "goal": Goal(ours=scheme.goal_lanes if in_lanes else scheme.goal_portable),
        }
        for name, figure in _peers(signed, measured):
            yield Row(**row, peer=name, peer_figure=figure)
        yield Row(
            task=f"{scheme.name}, signature alone",
            workload=f"{MESSAGE_BYTES} bytes, {KEYS} keys, batches of {SMALL_BATCH}",
            ours=small,
            unit=UNIT,
            peer=f"ours, batch {size:,}",
            peer_figure=alone,
            goal=Goal(ours=150.0) if scheme is ED25519 and in_lanes else None,
        )
        with OnCores(2) as had:
            _, _, (one, both) = signed.rates("large", ((size, 1), (size, 2)), repetitions)
        yield Row(
            task=f"{scheme.name}, signature alone",
            workload=f"{MESSAGE_BYTES} bytes, {KEYS} keys, batch {size:,}, {had} cores",
            ours=both,
            unit=UNIT,
            peer="ours, one thread",
            peer_figure=one,
            goal=Goal(ratio=1.9),
        )


def few_keys_portable(measured: Measured, size: int, repetitions: int) -> Iterator[Row]:
    """Measure 64 keys on the path of machines without lanes, whatever this one has."""
    want_signature_lanes(False)
    try:
        word, _ = signature_lanes()
        for row in few_keys(measured, size, repetitions):
            yield replace(row, workload=f"{row.workload}, {word}")
    finally:
        want_signature_lanes(True)


def cold_keys(size: int, repetitions: int) -> Iterator[Row]:
    """Measure keys without tables, together and one signature at a time."""
    for scheme in SCHEMES:
        signed = signed_messages(scheme, KEYS, size)
        ways = ((size, 1), (SMALL_BATCH, 1), (1, 1))
        _, _, (together, small, alone) = signed.rates("none", ways, repetitions)
        for batch, figure in (
            (f"batch {size:,}", together),
            (f"batches of {SMALL_BATCH}", small),
        ):
            yield Row(
                task=f"{scheme.name}, signature alone",
                workload=f"{MESSAGE_BYTES} bytes, {KEYS} cold keys, no tables, {batch}",
                ours=figure,
                unit=UNIT,
                peer="ours, one at a time",
                peer_figure=alone,
            )


def many_keys(keys: int, table: str, size: int, repetitions: int) -> Iterator[Row]:
    """Measure Ed25519 and P-256 with so many keys, and what it takes to enrol one."""
    million = keys >= 1_000_000
    threads = (os.cpu_count() or 1) if million else 1
    goals = {ED25519.name: 50.0 if million else 140.0, P256.name: 50.0 if million else 100.0}
    for scheme in (ED25519, P256):
        signed = signed_messages(scheme, keys, size)
        with OnCores(threads) as cores:
            enrolment_ms, table_bytes, (rate,) = signed.rates(
                table, ((size, 1),), repetitions, enrolling_threads=threads
            )
        yield Row(
            task=f"{scheme.name}, signature alone",
            workload=f"{MESSAGE_BYTES} bytes, {keys:,} keys, batch {size:,}, table {table}",
            ours=rate,
            unit=UNIT,
            goal=Goal(ours=goals[scheme.name]),
        )
        yield Row(
            task="tables of all keys",
            workload=f"{scheme.name}, {keys:,} keys, table {table}",
            ours=table_bytes / 2**30,
            unit="GiB",
            goal=Goal(ours=TABLE_BYTES_MAX / 2**30),
            less_is_better=True,
        )
        yield Row(
            task="enrolment, table included",
            workload=f"{scheme.name}, {keys:,} keys, table {table}, {cores} core(s)",
            ours=enrolment_ms,
            unit="ms a key",
            goal=Goal(ours=0.5),
            less_is_better=True,
        )


def _peers(signed: Signed, measured: Measured) -> Iterator[tuple[str, float]]:
    """Measure packages that check the same signatures of the same messages. [K/s]"""
    some = [
        (signed.private[place].public_key(), message, signature)
        for place, message, signature in signed.messages[: max(1, len(signed.messages) // 4)]
    ]
    if signed.scheme is ED25519:
        yield "cryptography", _checked(lambda key, body, sig: key.verify(sig, body), some)
        if nacl := peer("PyNaCl", "nacl.signing", measured):
            raw = [
                (nacl.VerifyKey(key.public_bytes_raw()), body, sig)  # type: ignore[union-attr]
                for key, body, sig in some
            ]
            yield "PyNaCl", _checked(lambda key, body, sig: key.verify(body, sig), raw)
        return
    hashed = ec.ECDSA(hashes.SHA256())
    yield "cryptography", _checked(lambda key, body, sig: key.verify(sig, body, hashed), some)
    if signed.scheme is SECP256K1 and (coincurve := peer("coincurve", "coincurve", measured)):
        low = [(_coincurve_key(coincurve, key), body, _low(sig)) for key, body, sig in some]
        yield "coincurve", _checked(lambda key, body, sig: key.verify(sig, body), low)


def _coincurve_key(coincurve: Any, key: Any) -> Any:
    return coincurve.PublicKey(key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def _low(signature: bytes) -> bytes:
    """Make s low, which is all that libsecp256k1 accepts; outside the clock."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, SECP256K1_ORDER - s))


def _checked(check: Callable[[Any, bytes, bytes], Any], signed: Sequence[Any]) -> float:
    best = 0.0
    for _ in range(3):
        began = now_ns()
        for key, message, signature in signed:
            check(key, message, signature)
        best = max(best, len(signed) / (now_ns() - began) * NS_PER_S / THOUSAND)
    return best
