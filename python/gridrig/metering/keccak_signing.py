"""The emulated box's side of Glow and Arkreen: secp256k1 over Keccak-256, and both wire formats.

Deterministic, as `ocmf_signing` is: key from (seed, name), nonce of RFC 6979. The verifier is the
Rust core; nothing here verifies.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from Crypto.Hash import keccak
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridrig.metering.ocmf_signing import public_key_der

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Number of points on secp256k1 (SEC 2, clause 2.4.1)."""

GLOW_GENESIS_S = 1_700_352_000
"""Beginning of slot 0. [UTC s]"""

GLOW_SLOT_S = 300
"""Length of a slot. [s]"""

GLOW_DOMAIN = b"EquipmentReport"
"""Signed before every report."""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEY_MATERIAL_BYTES = 48  # as in `ocmf_signing`


def keccak_256(message: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256, with the padding from before SHA-3."""
    return keccak.new(data=message, digest_bits=256).digest()


def glow_slot(utc_s: int) -> int:
    """Return the slot that a time lies in; below 0 before slot 0."""
    return (utc_s - GLOW_GENESIS_S) // GLOW_SLOT_S


def even_key(key: ec.EllipticCurvePrivateKey) -> ec.EllipticCurvePrivateKey:
    """Return the key, or its negative, whichever has a public point of even y."""
    if key.public_key().public_numbers().y % 2 == 0:
        return key
    number = SECP256K1_ORDER - key.private_numbers().private_value
    return ec.derive_private_key(number, ec.SECP256K1())


@dataclass(frozen=True)
class KeccakSigner:
    """What an emulated box signs with; its public point has an even y, as Glow wants."""

    key: ec.EllipticCurvePrivateKey

    @classmethod
    def from_seed(cls, seed: int, name: str) -> "KeccakSigner":
        """Make the signer of a box from its seed and name."""
        expand = HKDF(hashes.SHA256(), _KEY_MATERIAL_BYTES, b"gridrig emulated box key", b"")
        material = int.from_bytes(expand.derive(f"{seed}\0{name}".encode()), "big")
        number = material % (SECP256K1_ORDER - 1) + 1
        return cls(even_key(ec.derive_private_key(number, ec.SECP256K1())))

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo DER, to enrol."""
        return public_key_der(self.key)

    @property
    def public_key_x(self) -> bytes:
        """The 32 octets by which Glow names a key."""
        return self.key.public_key().public_numbers().x.to_bytes(32, "big")

    @property
    def address(self) -> str:
        """The account of the key: 0x and the last 20 octets of its hash, small letters."""
        numbers = self.key.public_key().public_numbers()
        point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        return "0x" + keccak_256(point)[12:].hex()

    def sign(self, message: bytes) -> bytes:
        """Return r and s over the Keccak-256 of a message, s in the lower half."""
        algorithm = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
        r, s = decode_dss_signature(self.key.sign(keccak_256(message), algorithm))
        return r.to_bytes(32, "big") + min(s, SECP256K1_ORDER - s).to_bytes(32, "big")


def glow_report(signer: KeccakSigner, equipment: int, slot: int, energy_milliwh: int) -> bytes:
    """Sign what equipment gave in a slot; what it took is negative. Return 80 octets. [mWh]"""
    report = struct.pack("<IIq", equipment, slot, energy_milliwh)
    return report + signer.sign(GLOW_DOMAIN + report)


@dataclass(frozen=True)
class Sample:
    """One sample of a miner: when, power, register. [UTC s, mW, mWh]"""

    time_s: int
    power_milliwatt: int
    energy_milliwh: int

    def text(self) -> str:
        """Return it as 40 hexadecimal digits."""
        return f"01{self.time_s:010x}{self.power_milliwatt:012x}{self.energy_milliwh:016x}"


def arkreen_report(signer: KeccakSigner, samples: Sequence[Sample]) -> dict[str, object]:
    """Sign a miner's samples; return the parameters of its call `tx_reportMinerPoGG`.

    The recovery octet behind r and s is 0: who verifies has the key enrolled.
    """
    signed: dict[str, object] = {
        "version": 1,
        "address": signer.address,
        "dataList": [sample.text() for sample in samples],
    }
    body = json.dumps(signed, separators=(",", ":")).encode()
    return {**signed, "signature": base58(signer.sign(body) + b"\0")}


def base58(data: bytes) -> str:
    """Write octets in base58."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text
