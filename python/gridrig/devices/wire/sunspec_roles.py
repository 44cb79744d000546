"""Secure SunSpec Modbus: the role in a client's certificate, and what a role may write.

A certificate names one role in the extension 1.3.6.1.4.1.50316.802.1, a UTF8String. Every role may
read everything, which finding the models needs anyway; the table says who may write what. Without a
role, or with one that is not written as it must be, nothing is allowed at all.

References
----------
.. [1] SunSpec Alliance working group, "Role-Based Access Control for Secure SunSpec Modbus," 2025,
       https://github.com/dersecure/rbac, commit dc05ef68, `doc/model_*_rbac.md`, read for facts.
.. [2] Modbus Organization, "MODBUS/TCP Security," v36, 2021.
"""

from collections.abc import Mapping

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

ROLE_OID = ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
UTF8_STRING = 0x0C
READ_ONLY = "ReadOnlySunSpec"
GRID_SERVICE = "GridServiceSunSpec"
NETWORK_ADMINISTRATOR = "NetworkAdministratorSunSpec"
SUPER_ADMINISTRATOR = "SuperAdministratorSunSpec"
ROLES = (READ_ONLY, GRID_SERVICE, NETWORK_ADMINISTRATOR, SUPER_ADMINISTRATOR)

# Models whose writable points a grid service may write, and the points of them that it may not.
# Trip settings (707 to 710) and commands (715) are not among them.
_GRID_SERVICE: Mapping[int, frozenset[str]] = {
    **dict.fromkeys((121, 123, 124, 703, 704, 705, 706, 711, 712, 802), frozenset()),
    702: frozenset({"VNom", "VMax", "VMin"}),
}
# A network administrator writes what has to do with addresses.
_NETWORK: Mapping[int, frozenset[str]] = {1: frozenset({"DA"})}


def role_of(certificate_der: bytes) -> str | None:
    """Return the role a certificate names, None if it names none as it must.

    Parameters
    ----------
    certificate_der : bytes
        The client's certificate, already verified.
    """
    certificate = x509.load_der_x509_certificate(certificate_der)
    try:
        extension = certificate.extensions.get_extension_for_oid(ROLE_OID).value
    except x509.ExtensionNotFound:
        return None
    assert isinstance(extension, x509.UnrecognizedExtension)
    data = extension.value
    if len(data) < 2 or data[0] != UTF8_STRING or data[1] != len(data) - 2 or data[1] > 0x7F:
        return None
    role = data[2:].decode(errors="replace")
    return role if role in ROLES else None


def may_write(role: str, model_id: int, point: str) -> bool:
    """Return whether a role may write a point that the model's definition lets be written.

    Parameters
    ----------
    role : str
        One of `ROLES`.
    model_id : int
        The model; a vendor's own models are the super administrator's.
    point : str
        Name of the point in the model.
    """
    if role == SUPER_ADMINISTRATOR:
        return True
    if role == GRID_SERVICE:
        return model_id in _GRID_SERVICE and point not in _GRID_SERVICE[model_id]
    if role == NETWORK_ADMINISTRATOR:
        return point in _NETWORK.get(model_id, ())
    return False
