"""A certificate authority without files: it signs certificates, and gives them and keys as PEM.

What it issues bears what RFC 5280 asks of a path, so that a verifier that takes it strictly (as
Python's from 3.13 on does) finds nothing missing. Keys are of P-256 and come from the system's
randomness: here a seed would be a hole.

References
----------
.. [1] D. Cooper et al., "Internet X.509 Public Key Infrastructure Certificate and Certificate
       Revocation List (CRL) Profile," RFC 5280, 2008, 4.2.1.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CURVE = ec.SECP256R1


class Issued(NamedTuple):
    """A certificate and its private key, as PEM."""

    certificate: bytes
    key: bytes


class CertificateAuthority:
    """Signs certificates of ends, and none of other authorities.

    Parameters
    ----------
    name : str
        For people, 1 to 64 bytes.
    begin, end : datetime
        From when to when what it issues is valid, unless said otherwise; with a zone.
    """

    def __init__(self, name: str, begin: datetime, end: datetime) -> None:
        self.begin, self.end = begin, end
        self._name = _named(name)
        self._key = ec.generate_private_key(CURVE())
        builder = self._builder(self._name, self._key, begin, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.own = self._signed(builder, self._key, signs_certificates=True)

    def issue(
        self,
        name: str,
        usages: Sequence[x509.ObjectIdentifier],
        *,
        names: Sequence[x509.GeneralName] = (),
        extensions: Sequence[x509.ExtensionType] = (),
        begin: datetime | None = None,
        end: datetime | None = None,
    ) -> Issued:
        """Issue a new key's certificate.

        Parameters
        ----------
        name : str
            Of the end.
        usages : sequence of ObjectIdentifier
            Whether it is a server, a client or both.
        names : sequence of GeneralName
            Addresses and names at which it is reached.
        extensions : sequence of ExtensionType
            More that it says; none is critical.
        begin, end : datetime or None
            Other times than the authority's.
        """
        key = ec.generate_private_key(CURVE())
        builder = self._builder(_named(name), key, begin or self.begin, end or self.end)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        for extension in extensions:
            builder = builder.add_extension(extension, False)
        return self._signed(builder, key)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        public, issuer = key.public_key(), self._key.public_key()
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(identifier, False)
        )

    def _signed(
        self,
        builder: x509.CertificateBuilder,
        key: ec.EllipticCurvePrivateKey,
        *,
        signs_certificates: bool = False,
    ) -> Issued:
        usage = x509.KeyUsage(
            digital_signature=not signs_certificates,
            key_cert_sign=signs_certificates,
            crl_sign=signs_certificates,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = builder.add_extension(usage, True).sign(self._key, hashes.SHA256())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return Issued(certificate.public_bytes(serialization.Encoding.PEM), pem)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
