"""An authority for Modbus/TCP Security: certificates of devices, and of clients with their roles.

A folder holds one authority and what it issued, as PEM:

| file | what |
|---|---|
| `ca.crt`, `ca.key` | the authority; its key belongs on no bench |
| `device.crt`, `device.key` | of the server, for the hosts it is reached at |
| `ROLE.crt`, `ROLE.key` | of a client, one for each role |
| `without-role.*`, `expired.*` | of clients that are to be refused: no role, and over yesterday |

Validity is real time, because TLS asks the host's clock and no other.

References
----------
.. [1] Modbus Organization, "MODBUS/TCP Security," v36, 2021.
"""

import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from gridrig.authority import CertificateAuthority, Issued
from gridrig.clock.wall_time import utc_now
from gridrig.devices.wire.sunspec_roles import GRID_SERVICE, ROLE_OID, ROLES, UTF8_STRING
from gridrig.errors import DriverError

AUTHORITY, DEVICE, WITHOUT_ROLE, EXPIRED = "ca", "device", "without-role", "expired"
SUFFIXES = (".crt", ".key")
NAME_BYTES_MAX = 64
HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
BACKDATED = timedelta(minutes=5)  # for a device whose clock is a little behind


class Authority:
    """Issues certificates into a folder.

    Parameters
    ----------
    folder : Path
        Where they go; made if it is not there.
    name : str
        Of the authority, for people.
    days : int
        How long what it issues is valid. [d]

    Raises
    ------
    DriverError
        `modbus.keys_there`, if the folder has certificates or keys already; `modbus.keys_folder`,
        if it cannot be written; `modbus.keys_name`, if a certificate cannot hold the name.
    """

    def __init__(self, folder: Path, name: str, days: int) -> None:
        if not 1 <= len(name.encode()) <= NAME_BYTES_MAX:
            raise DriverError(
                "modbus.keys_name",
                "name {name!r} of an authority, expected 1 to {most} bytes",
                name=name,
                most=NAME_BYTES_MAX,
            )
        self.folder = folder
        begin = datetime.fromisoformat(utc_now()) - BACKDATED
        self._authority = CertificateAuthority(name, begin, begin + timedelta(days=days))
        self._make_folder()
        self._write(AUTHORITY, self._authority.own)

    def device(self, names: Sequence[x509.GeneralName]) -> None:
        """Issue a server's certificate for the addresses and names it is reached at."""
        server = [ExtendedKeyUsageOID.SERVER_AUTH]
        self._write(DEVICE, self._authority.issue(DEVICE, server, names=names))

    def client(self, file: str, role: str | None, *, expired: bool = False) -> None:
        """Issue a client's certificate with a role, None for none."""
        extensions = []
        if role is not None:
            text = role.encode()
            value = bytes((UTF8_STRING, len(text))) + text
            extensions.append(x509.UnrecognizedExtension(ROLE_OID, value))
        today = self._authority.begin
        begin, end = (today - timedelta(days=1), today) if expired else (None, None)
        client = [ExtendedKeyUsageOID.CLIENT_AUTH]
        issued = self._authority.issue(file, client, extensions=extensions, begin=begin, end=end)
        self._write(file, issued)

    def _write(self, file: str, issued: Issued) -> None:
        self._create(f"{file}.key", issued.key)
        self._create(f"{file}.crt", issued.certificate)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            there = sorted(one.name for one in self.folder.iterdir() if one.suffix in SUFFIXES)
        except OSError as error:
            raise self._unusable(error) from error
        if there:  # also where only ca.key was put into a safe
            raise DriverError(
                "modbus.keys_there",
                "{folder} has {found} already, expected a folder without certificates and keys",
                folder=str(self.folder),
                found=there[0],
            )

    def _create(self, file: str, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            with open(os.open(self.folder / file, flags, 0o600), "wb") as stream:
                stream.write(data)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> DriverError:
        return DriverError(
            "modbus.keys_folder",
            "cannot write keys into {folder}: {cause}",
            folder=str(self.folder),
            cause=error.strerror or str(error),
        )


def make_keys(folder: Path, hosts: Iterable[str], *, name: str, days: int) -> None:
    """Make an authority, a device's certificate, and one of a client for each role.

    Parameters
    ----------
    folder : Path
        Where they go.
    hosts : iterable of str
        Addresses and names at which the device is reached.
    name, days
        As `Authority`.

    Raises
    ------
    DriverError
        As `Authority`; `modbus.keys_host`, of what is neither an address nor a name.
    """
    names = [_general_name(host) for host in dict.fromkeys(hosts)]
    authority = Authority(folder, name, days)
    authority.device(names)
    for role in ROLES:
        authority.client(role, role)
    authority.client(WITHOUT_ROLE, None)
    authority.client(EXPIRED, GRID_SERVICE, expired=True)


def files_of(folder: Path, file: str) -> tuple[str, str, str]:
    """Return the authority's certificate, and certificate and key of one that it issued."""
    return str(folder / "ca.crt"), str(folder / f"{file}.crt"), str(folder / f"{file}.key")


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if HOST_NAME.fullmatch(host) is None:
            raise DriverError(
                "modbus.keys_host",
                "host {host!r}, expected an address, or a name in ASCII, without a port",
                host=host,
            ) from None
        return x509.DNSName(host)
