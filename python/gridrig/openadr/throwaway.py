"""Certificates for an afternoon: an authority of its own, for an emulated VTN and its VEN.

Keys are new each time and nobody else trusts them; they prove nothing outside the run.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from gridrig.authority import CertificateAuthority
from gridrig.openadr.security import Credentials

LOCALHOST = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
# Whatever the machine's clock says today: TLS knows no other.
FROM, TO = datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC) + timedelta(36500)
USAGES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


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
        self._folder = folder
        self._authority = CertificateAuthority(name, FROM, TO)
        self.cafile = str(folder / f"{name}.pem")
        Path(self.cafile).write_bytes(self._authority.own.certificate)

    def issue(self, name: str) -> Credentials:
        """Give an end, on this machine, a certificate and a key."""
        issued = self._authority.issue(name, USAGES, names=[LOCALHOST])
        certfile, keyfile = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certfile.write_bytes(issued.certificate)
        keyfile.touch(0o600)
        keyfile.write_bytes(issued.key)
        return Credentials(self.cafile, str(certfile), str(keyfile))
