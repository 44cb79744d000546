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
    """A serial line with one device of its own protocol.

    Parameters
    ----------
    path : str
        Serial device, for example `/dev/ttyUSB0` or `/dev/pts/7`.
    baudrate : int
        Line speed, 8 data bits, no parity, 1 stop bit. [Bd]
    """

    path: str
    baudrate: int


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


ModbusLink = ModbusTcpLink | ModbusRtuLink
Link = ModbusTcpLink | ModbusRtuLink | SerialLink | SocketLink
