"""The test certificates that come with pysunspec2, good and bad, and links that carry them."""

from importlib import resources
from pathlib import Path

from gridrig.devices.links import ModbusTlsLink

PKI = Path(str(resources.files("sunspec2"))) / "tests" / "tls_data"
ROLE_FILES = {
    "ReadOnlySunSpec": "client_readonly",
    "GridServiceSunSpec": "client_gridservice",
    "NetworkAdministratorSunSpec": "client_netadmin",
    "SuperAdministratorSunSpec": "client_superadmin",
}


def files(folder: str, name: str) -> tuple[str, str]:
    return str(PKI / folder / f"{name}.crt"), str(PKI / folder / f"{name}.key")


def link(role: str, folder: str = "client/tls1_2", name: str = "", port: int = 0) -> ModbusTlsLink:
    ca = str(PKI / "ca" / "server_ca_chain.crt")
    return ModbusTlsLink("127.0.0.1", port, 1, ca, *files(folder, name or ROLE_FILES[role]), role)


def of_server(folder: str = "server/tls1_2", name: str = "server_valid") -> dict[str, str]:
    """Return what an `emulate` table says of certificates."""
    certificate, key = files(folder, name)
    ca = str(PKI / "ca" / "client_ca_chain.crt")
    return {"tls_cafile": ca, "tls_certfile": certificate, "tls_keyfile": key}
