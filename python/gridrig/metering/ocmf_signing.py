"""The emulated meter's side of OCMF: payload text, private key from a seed, signature.

Everything here is deterministic: the key comes from (seed, meter name), the nonce of a signature
from the key and the message (RFC 6979), the text of a payload from its values. A real meter keeps
its own key and never comes here.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Number of points on P-256; a private key is in 1..n-1 (SEC 2, clause 2.4.2)."""

_KEY_MATERIAL_BYTES = 48
"""128 bits more than the order has, so that reducing leaves no bias worth a name (FIPS 186-5,
A.2.1)."""


def derive_private_key(seed: int, meter: str) -> ec.EllipticCurvePrivateKey:
    """Derive the private key of an emulated meter.

    Parameters
    ----------
    seed : int
        Seed of the meter's `emulate` table; any integer.
    meter : str
        Name of the meter in the rig.

    Returns
    -------
    EllipticCurvePrivateKey
        The same key for the same seed and name, on any machine.

    References
    ----------
    .. [1] H. Krawczyk, P. Eronen, "HMAC-based Extract-and-Expand Key Derivation Function (HKDF),"
           IETF, 2010, RFC 5869.
    .. [2] NIST, "Digital Signature Standard," 2023, FIPS 186-5, A.2.1.
    """
    expand = HKDF(
        algorithm=hashes.SHA256(),
        length=_KEY_MATERIAL_BYTES,
        salt=b"gridrig emulated meter key",
        info=meter.encode(),
    )
    material = int.from_bytes(expand.derive(str(seed).encode()), "big")
    return ec.derive_private_key(material % (P256_ORDER - 1) + 1, ec.SECP256R1())


def public_key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key as SubjectPublicKeyInfo DER, the form in which keys are enrolled."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def milliwh_as_watt_hours(energy_milliwh: int) -> str:
    """Write a register with its three decimals.

    Parameters
    ----------
    energy_milliwh : int
        Register value, not negative. [mWh]

    Returns
    -------
    str
        The same value as decimal text. [Wh]

    Examples
    --------
    >>> milliwh_as_watt_hours(1_234_567)
    '1234.567'
    """
    if energy_milliwh < 0:
        msg = f"a register is not negative, found {energy_milliwh} mWh"
        raise ValueError(msg)
    return f"{energy_milliwh // 1000}.{energy_milliwh % 1000:03d}"


def ocmf_payload(
    *,
    serial: str,
    pagination: int,
    time_s: int,
    import_milliwh: int,
    export_milliwh: int,
    clock_status: str = "S",
) -> bytes:
    """Write the payload of one reading, byte for byte as an emulated meter signs it.

    Parameters
    ----------
    serial : str
        Serial number of the meter.
    pagination : int
        The meter's counter of signed readings, one more each time.
    time_s : int
        Time of the reading. [UTC s]
    import_milliwh, export_milliwh : int
        The two registers: taken from and given to the grid, never negative. [mWh]
    clock_status : str
        U unsynchronised, I informative, S synchronised, R relative.

    Returns
    -------
    bytes
        UTF-8 JSON with a fixed key order and no white space.
    """
    moment = datetime.fromtimestamp(time_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S,000+0000")
    text = json.dumps(serial)
    return (
        f'{{"FV":"1.4","GI":"gridrig","GS":{text},"GV":"1.0","PG":"T{pagination}",'
        f'"MV":"gridrig","MM":"emulated","MS":{text},"IS":false,"RD":['
        f'{{"TM":"{moment} {clock_status}","TX":"C",'
        f'"RV":{milliwh_as_watt_hours(import_milliwh)},"RI":"1-b:1.8.0","RU":"Wh","ST":"G"}},'
        f'{{"RV":{milliwh_as_watt_hours(export_milliwh)},"RI":"1-b:2.8.0","RU":"Wh"}}]}}'
    ).encode()


def sign_payload(key: ec.EllipticCurvePrivateKey, payload: bytes) -> bytes:
    """Return the signature over a payload as DER, with the nonce of RFC 6979."""
    return key.sign(payload, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def ocmf_record(payload: bytes, signature_der: bytes) -> bytes:
    """Join a payload and its signature into the record that goes over the wire."""
    return b"OCMF|" + payload + b'|{"SD":"' + signature_der.hex().encode() + b'"}'


@dataclass(frozen=True)
class OcmfSigner:
    """What an emulated meter signs with: its private key and its serial number."""

    key: ec.EllipticCurvePrivateKey
    serial: str

    @classmethod
    def from_seed(cls, seed: int, meter: str, serial: str) -> "OcmfSigner":
        """Make the signer of an emulated meter from its seed and name."""
        return cls(derive_private_key(seed, meter), serial)

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo DER, to enrol."""
        return public_key_der(self.key)

    def sign(self, pagination: int, time_s: int, import_milliwh: int, export_milliwh: int) -> bytes:
        """Sign one reading; parameters as in `ocmf_payload`. Return the OCMF record."""
        payload = ocmf_payload(
            serial=self.serial,
            pagination=pagination,
            time_s=time_s,
            import_milliwh=import_milliwh,
            export_milliwh=export_milliwh,
        )
        return ocmf_record(payload, sign_payload(self.key, payload))

    def sign_bytes(self, data: bytes) -> bytes:
        """Sign bytes of another format; return the signature as DER."""
        return sign_payload(self.key, data)
