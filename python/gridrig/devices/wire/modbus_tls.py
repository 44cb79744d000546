"""Modbus over TLS with certificates on both sides: what client and server demand of one another.

TLS 1.2 or 1.3, an ECDSA certificate on each side, cipher suites with forward secrecy. The client
checks the server's name or address against its certificate.

References
----------
.. [1] Modbus Organization, "MODBUS/TCP Security," v36, 2021.
"""

import ssl

from gridrig.devices.links import ModbusTlsLink
from gridrig.devices.wire.sunspec_roles import ROLES, role_of
from gridrig.errors import DriverError

# Of TLS 1.2; those of 1.3 are all good.
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"
)


def client_context(link: ModbusTlsLink) -> ssl.SSLContext:
    """Return what a driver connects with.

    Raises
    ------
    DriverError
        `modbus.tls_files` if a file cannot be used; `modbus.tls_role` if the certificate does not
        name the role that the rig file says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, link.cafile, link.certfile, link.keyfile)
    with open(link.certfile, encoding="ascii", errors="replace") as file:
        found = role_of(ssl.PEM_cert_to_DER_cert(_first_certificate(file.read())))
    if link.role not in ROLES or found != link.role:
        raise DriverError(
            "modbus.tls_role",
            "{certfile} names the role {found!r}, expected {expected!r}, one of {roles}",
            certfile=link.certfile,
            found=found,
            expected=link.role,
            roles=list(ROLES),
        )
    return context


def server_context(
    cafile: str, certfile: str, keyfile: str, *, asks: bool = True
) -> ssl.SSLContext:
    """Return what an emulated device listens with: no client without a certificate it trusts.

    Parameters
    ----------
    cafile, certfile, keyfile : str
        PEM files: what a client's certificate must come from, its own certificate and key.
    asks : bool
        Whether it asks for a certificate; one that does not lets everybody in.

    Raises
    ------
    DriverError
        `modbus.tls_files`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_NONE
    context.options |= ssl.OP_NO_RENEGOTIATION
    _load(context, cafile, certfile, keyfile)
    return context


def _load(context: ssl.SSLContext, cafile: str, certfile: str, keyfile: str) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        context.load_verify_locations(cafile)
        context.load_cert_chain(certfile, keyfile)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise DriverError(
            "modbus.tls_files",
            "cannot use {cafile}, {certfile} and {keyfile}: {cause}",
            cafile=cafile,
            certfile=certfile,
            keyfile=keyfile,
            cause=error.strerror or str(error) if isinstance(error, OSError) else str(error),
        ) from error


def _first_certificate(pem: str) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return pem[pem.index(begin) : pem.index(end) + len(end)]
