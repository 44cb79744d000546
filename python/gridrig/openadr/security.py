"""Who an end of OpenADR is and whom it trusts: certificates, fingerprints and signatures.

A fingerprint is the last ten bytes of the SHA-256 of a certificate, as each end tells it to the
other beside OpenADR. The profile's "standard" security is TLS with certificates on both sides; its
"high" security signs each message as well.

References
----------
.. [1] OpenADR Alliance, "OpenADR 2.0 Profile Specification, B Profile," 2013, security.
"""

import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gridrig.errors import GridrigError

FINGERPRINT = re.compile(r"([0-9A-F]{2}:){9}[0-9A-F]{2}")


@dataclass(frozen=True)
class Credentials:
    """What an end of OpenADR shows, and what it asks of the other.

    Parameters
    ----------
    cafile : str
        Who may have signed the other end's certificate; PEM, as all three.
    certfile, keyfile : str
        This end's own.
    vtn_fingerprint : str
        Of the certificate by which the VTN signs its messages or, unless `signs`, answers TLS;
        empty for any that `cafile` vouches for, which is not enough to sign.
    signs : bool
        Whether messages are signed, ours and theirs.
    """

    cafile: str
    certfile: str
    keyfile: str
    vtn_fingerprint: str = ""
    signs: bool = False

    def check(self) -> None:
        """Read the three files.

        Raises
        ------
        GridrigError
            `openadr.file` names the first that cannot be used, and why.
        """
        _certificate("cafile", self.cafile)
        certificate = _certificate("certfile", self.certfile)
        if _private_key(self.keyfile).public_key() != certificate.public_key():
            raise _wrong("keyfile", self.keyfile, "another key", f"that of {self.certfile}")

    @property
    def fingerprint(self) -> str:
        """Of this end's certificate."""
        return fingerprint_of(self.certfile)

    def client_context(self) -> ssl.SSLContext:
        """Return what a VEN connects with: TLS 1.2 or later, the VTN's name checked."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self.cafile)
        context.load_cert_chain(self.certfile, self.keyfile)
        if self.vtn_fingerprint and not self.signs:
            context.sslobject_class = _pinned(self.vtn_fingerprint)
        return context


def fingerprint(der: bytes) -> str:
    """Return the fingerprint of a certificate, "AB:CD:..." of ten bytes."""
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest()[-10:])


def fingerprint_of(certfile: str) -> str:
    """Return the fingerprint of a certificate in a file.

    Raises
    ------
    GridrigError
        `openadr.file`.
    """
    certificate = _certificate("certfile", certfile)
    return fingerprint(certificate.public_bytes(serialization.Encoding.DER))


def _pinned(expected: str) -> type[ssl.SSLObject]:
    """Return a TLS connection that ends its handshake with one certificate only."""

    class Pinned(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            found = fingerprint(self.getpeercert(binary_form=True) or b"")
            if found != expected:
                raise ssl.SSLCertVerificationError(f"fingerprint {found}, expected {expected}")

    return Pinned


def _certificate(key: str, path: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(key, path))[0]
    except ValueError as error:
        raise _wrong(key, path, "none", "a certificate in PEM") from error


def _private_key(path: str) -> Any:
    try:
        key = serialization.load_pem_private_key(_read("keyfile", path), None)
    except TypeError as error:
        raise _wrong("keyfile", path, "one with a passphrase", "a key without") from error
    except ValueError as error:
        raise _wrong("keyfile", path, "none", "a private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise _wrong("keyfile", path, type(key).__name__, "a key of ECDSA or RSA")
    return key


def _read(key: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _wrong(key, path, error.strerror or str(error), "a file to read") from error


def _wrong(key: str, path: str, found: str, expected: str) -> GridrigError:
    return GridrigError(
        "openadr.file",
        "{key} {path}: {found}, expected {expected}",
        key=key,
        path=path,
        found=found,
        expected=expected,
    )
