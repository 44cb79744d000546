"""The emulated meter's side of the native record: COSE_Sign1 with Ed25519 over a small CBOR map.

`docs/metering_formats.md` describes the record in CDDL. Everything is deterministic: the key comes
from (seed, meter name), Ed25519 has no nonce to choose, and CBOR has one encoding here.

References
----------
.. [1] J. Schaad, "CBOR Object Signing and Encryption (COSE): Structures and Process," IETF, 2022,
       RFC 9052, 4.4.
.. [2] C. Bormann, P. Hoffman, "Concise Binary Object Representation (CBOR)," IETF, 2020, RFC 8949,
       4.2.1.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EXTERNAL_DATA = b"gridrig-reading-1"
"""Signed beside header and payload, so that no other COSE message reads as a reading."""

ALGORITHM_ED25519 = -19
"""Ed25519 among COSE's algorithms (RFC 9864)."""

KEY_ID_BYTES = 8
"""How much of the SHA-256 of the key names it. [bytes]"""


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    width = next(width for width in (1, 2, 4, 8) if number < 1 << 8 * width)
    return bytes([major << 5 | 23 + width.bit_length()]) + number.to_bytes(width, "big")


def _number(number: int) -> bytes:
    return _head(0, number) if number >= 0 else _head(1, -1 - number)


def _octets(octets: bytes) -> bytes:
    return _head(2, len(octets)) + octets


def _text(text: str) -> bytes:
    return _head(3, len(text.encode())) + text.encode()


def _value(value: int | str) -> bytes:
    return _number(value) if isinstance(value, int) else _text(value)


@dataclass(frozen=True)
class CoseSigner:
    """What an emulated meter signs native records with: its private key and its serial number."""

    key: Ed25519PrivateKey
    serial: str

    @classmethod
    def from_seed(cls, seed: int, meter: str, serial: str) -> "CoseSigner":
        """Make the signer of an emulated meter from its seed and name."""
        expand = HKDF(
            algorithm=hashes.SHA256(),
            length=32,
            salt=b"gridrig emulated meter key, Ed25519",
            info=meter.encode(),
        )
        return cls(Ed25519PrivateKey.from_private_bytes(expand.derive(str(seed).encode())), serial)

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo DER, to enrol."""
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return self.key.public_key().public_bytes(*form)

    @property
    def key_id(self) -> bytes:
        """The first bytes of the SHA-256 of the public key."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.public_key_der)
        return digest.finalize()[:KEY_ID_BYTES]

    def record(
        self,
        *,
        sequence: int,
        time_ms: int,
        import_milliwh: int,
        export_milliwh: int,
        clock_status: str = "S",
        power_milliwatt: int | None = None,
        status: int | None = None,
        contract: str | None = None,
        operating_s: int | None = None,
    ) -> bytes:
        """Write and sign one reading.

        Parameters
        ----------
        sequence : int
            The meter's counter of signed readings, one more each time.
        time_ms : int
            Time of the reading. [UTC ms]
        import_milliwh, export_milliwh : int
            The two registers: taken from and given to the grid, never negative. [mWh]
        clock_status : str
            U unsynchronised, I informative, S synchronised, R relative.
        power_milliwatt : int, optional
            Power at that time, positive into the grid. [mW]
        status : int, optional
            Bits by which the meter does not vouch for the record; 0 or left out if it does.
        contract : str, optional
            The contract, user or session.
        operating_s : int, optional
            How long the meter has been running. [s]

        Returns
        -------
        bytes
            COSE_Sign1 with its tag.
        """
        fields: list[int | str | None] = [
            self.serial,
            sequence,
            time_ms,
            clock_status,
            import_milliwh,
            export_milliwh,
            power_milliwatt,
            status,
            contract,
            operating_s,
        ]
        known = [(key, value) for key, value in enumerate(fields, 1) if value is not None]
        payload = _head(5, len(known)) + b"".join(_number(k) + _value(v) for k, v in known)
        algorithm, key_id = _number(1) + _number(ALGORITHM_ED25519), _number(4)
        protected = _head(5, 2) + algorithm + key_id + _octets(self.key_id)
        context = _head(4, 4) + _text("Signature1")
        parts = [_octets(protected), _octets(EXTERNAL_DATA), _octets(payload)]
        signature = self.key.sign(context + b"".join(parts))
        signed = parts[0] + _head(5, 0) + parts[2] + _octets(signature)
        return _head(6, 18) + _head(4, 4) + signed
