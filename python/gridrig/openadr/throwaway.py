"""Certificates for an afternoon: an authority of its own, for an emulated VTN and its VEN.

Keys are new each time and nobody else trusts them; they prove nothing outside the run.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gridrig.openadr.security import Credentials

LOCALHOST = ipaddress.ip_address("127.0.0.1")
# Whatever the machine's clock says today: TLS knows no other.
FROM, TO = datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC) + timedelta(36500)


class ThrowawayAuthority:
    """A certificate authority in a folder.

    Parameters
    ----------
    folder : Path
        Where its files are written; theirs who may read it.
    name : str
        Of the authority, and of its file.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._serial = 0
        self.cafile = str(folder / f"{name}.pem")
        basic = x509.BasicConstraints(ca=True, path_length=0)
        own = self._signed(self._name, self._key.public_key(), [(basic, True)])
        Path(self.cafile).write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Credentials:
        """Give an end, on this machine, a certificate and a key."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(LOCALHOST)])
        certificate = self._signed(_named(name), key.public_key(), [(here, False)])
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        certfile, keyfile = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certfile.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        keyfile.touch(0o600)
        keyfile.write_bytes(pem)
        return Credentials(self.cafile, str(certfile), str(keyfile))

    def _signed(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        extensions: list[tuple[x509.ExtensionType, bool]],
    ) -> x509.Certificate:
        self._serial += 1
        builder = x509.CertificateBuilder(
            self._name, subject, public_key, self._serial, FROM, TO
        )  # fmt: skip
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
