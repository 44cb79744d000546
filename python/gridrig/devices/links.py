"""Where a device is reached: one frozen record for each kind of wire."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModbusTcpLink:
    """One unit behind a Modbus TCP socket; a gateway carries many units.

    Parameters
    ----------
    host : str
        Address or name of the device or gateway.
    port : int
        TCP port, 1..65535.
    unit : int
        Modbus unit identifier, 1..247.
    """

    host: str
    port: int
    unit: int


@dataclass(frozen=True)
class ModbusTlsLink(ModbusTcpLink):
    """One unit behind a Modbus TCP socket secured by TLS, with certificates on both sides.

    Parameters
    ----------
    host, port, unit
        As `ModbusTcpLink`; the host is checked against the server's certificate.
    cafile : str
        Certificates, PEM, that the server's must come from.
    certfile, keyfile : str
        The client's certificate and key, PEM.
    role : str
        SunSpec role that the client's certificate names.
    """

    cafile: str
    certfile: str
    keyfile: str
    role: str


@dataclass(frozen=True)
class ModbusRtuLink:
    """One unit on a Modbus RTU bus.

    Parameters
    ----------
    path : str
        Serial device, for example `/dev/ttyUSB0` or `/dev/pts/7`.
    baudrate : int
        Line speed, 8 data bits, no parity, 1 stop bit. [Bd]
    unit : int
        Modbus unit identifier, 1..247.
    """

    path: str
    baudrate: int
    unit: int


@dataclass(frozen=True)
class SerialLink:
    """A serial line with one device of its own protocol, or several that have addresses.

    Parameters
    ----------
    path : str
        Serial device, for example `/dev/ttyUSB0` or `/dev/pts/7`.
    baudrate : int
        Line speed, 8 data bits, no parity, 1 stop bit. [Bd]
    address : int or None
        The device's own address, by its protocol; None where it has none or the usual one.
    """

    path: str
    baudrate: int
    address: int | None = None


@dataclass(frozen=True)
class SocketLink:
    """A plain TCP socket with one device of its own protocol, such as SCPI on port 5025.

    Parameters
    ----------
    host : str
        Address or name of the device.
    port : int
        TCP port, 1..65535.
    """

    host: str
    port: int


@dataclass(frozen=True)
class OcppLink:
    """A charger that comes to the rig's own OCPP management system, by websocket.

    Parameters
    ----------
    host : str
        Address on which the rig listens.
    port : int
        TCP port on which it listens, 1..65535; many chargers may share it.
    charge_point : str
        Name with which the charger comes, the end of the URL's path.
    version : str
        "1.6", "2.0.1" or "2.1".
    """

    host: str
    port: int
    charge_point: str
    version: str

    @property
    def sets_power(self) -> bool:
        """Whether its version has set-points beside limits."""
        return self.version == "2.1"


ModbusLink = ModbusTcpLink | ModbusRtuLink
Link = ModbusTcpLink | ModbusRtuLink | SerialLink | SocketLink | OcppLink
