"""Links as a rig file writes them, and what two devices on one wire must agree on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import Name, between

Unit = Annotated[int, between(1, 247)]
TcpPort = Annotated[int, between(0, 65_535)]
Baudrate = Annotated[int, between(300, 4_000_000)]
Address = Annotated[int, between(1, 254)]

FREE_TCP_PORT = 0
FREE_PTY = "auto"


@dataclass(frozen=True)
class TcpLink:
    """A Modbus TCP unit.

    Parameters
    ----------
    host : str
        Address or name.
    port : int
        TCP port; 0 lets an emulated device take a free one.
    unit : int
        Modbus unit identifier.
    gateway : str or None
        Name shared by the units behind one server; needed only where the port is 0, because
        a stated host and port already say which server it is.
    """

    kind: Literal["modbus-tcp"]
    host: Name
    port: TcpPort
    unit: Unit
    gateway: Name | None = None

    def wire(self) -> str | None:
        """Return what devices on this wire have in common, None if nobody can share it."""
        if self.gateway is not None:
            return f"gateway {self.gateway!r}"
        return None if self.port == FREE_TCP_PORT else f"{self.host}:{self.port}"

    def is_free(self) -> bool:
        """Return whether the address is chosen when the bench opens."""
        return self.port == FREE_TCP_PORT


@dataclass(frozen=True)
class TlsLink:
    """A Modbus TCP unit secured by TLS, with certificates on both sides.

    Files are PEM, with absolute paths or relative to the rig file. An emulated device whose link
    names none has keys made for the run.

    Parameters
    ----------
    host : str
        Address or name, as the server's certificate has it.
    port : int
        TCP port; 0 lets an emulated device take a free one.
    unit : int
        Modbus unit identifier.
    role : str
        SunSpec role that the bench's certificate names.
    cafile : str
        Certificates that the server's must come from.
    certfile, keyfile : str
        The bench's own certificate and key.
    gateway : str or None
        As for `TcpLink`.
    """

    kind: Literal["modbus-tls"]
    host: Name
    port: TcpPort
    unit: Unit
    role: Literal[
        "ReadOnlySunSpec",
        "GridServiceSunSpec",
        "NetworkAdministratorSunSpec",
        "SuperAdministratorSunSpec",
    ]
    cafile: Name = ""
    certfile: Name = ""
    keyfile: Name = ""
    gateway: Name | None = None

    def wire(self) -> str | None:
        """Return what devices on this wire have in common, None if nobody can share it."""
        if self.gateway is not None:
            return f"gateway {self.gateway!r}"
        return None if self.port == FREE_TCP_PORT else f"{self.host}:{self.port}"

    def is_free(self) -> bool:
        """Return whether the address is chosen when the bench opens."""
        return self.port == FREE_TCP_PORT


@dataclass(frozen=True)
class RtuLink:
    """A Modbus RTU unit on a serial line.

    Parameters
    ----------
    port : str
        Serial device; "auto" gives an emulated device a pseudo-terminal of its own, "auto:NAME"
        one that all devices with that name share.
    baudrate : int
        8 data bits, no parity, 1 stop bit. [Bd]
    unit : int
        Modbus unit identifier.
    """

    kind: Literal["modbus-rtu"]
    port: Name
    baudrate: Baudrate
    unit: Unit

    def wire(self) -> str | None:
        """Return what devices on this wire have in common, None if nobody can share it."""
        return None if self.port == FREE_PTY else self.port

    def is_free(self) -> bool:
        """Return whether the address is chosen when the bench opens."""
        return self.port == FREE_PTY or self.port.startswith(f"{FREE_PTY}:")


@dataclass(frozen=True)
class SerialLink:
    """A serial line with one device of its own protocol, or several that have addresses.

    Parameters
    ----------
    port : str
        Serial device; "auto" gives an emulated device a pseudo-terminal of its own, "auto:NAME"
        one that all devices with that name share.
    baudrate : int
        8 data bits, no parity, 1 stop bit. [Bd]
    address : int or None
        The device's address on the line, where its protocol has addresses.
    """

    kind: Literal["serial"]
    port: Name
    baudrate: Baudrate
    address: Address | None = None

    def wire(self) -> str | None:
        """Return what devices on this wire have in common, None if nobody can share it."""
        return None if self.port == FREE_PTY else self.port

    def is_free(self) -> bool:
        """Return whether the address is chosen when the bench opens."""
        return self.port == FREE_PTY or self.port.startswith(f"{FREE_PTY}:")


@dataclass(frozen=True)
class SocketLink:
    """A plain TCP socket with one device of its own protocol.

    Parameters
    ----------
    host : str
        Address or name.
    port : int
        TCP port; 0 lets an emulated device take a free one.
    """

    kind: Literal["socket"]
    host: Name
    port: TcpPort

    def wire(self) -> str | None:
        """Return what devices on this wire have in common, None if nobody can share it."""
        return None if self.port == FREE_TCP_PORT else f"{self.host}:{self.port}"

    def is_free(self) -> bool:
        """Return whether the address is chosen when the bench opens."""
        return self.port == FREE_TCP_PORT


@dataclass(frozen=True)
class OcppLink:
    """A charger that comes to the rig's own management system.

    Parameters
    ----------
    host : str
        Address on which the rig listens.
    port : int
        TCP port on which it listens; 0 lets an emulated charger choose a free one.
    charge_point : str
        Name with which the charger comes, the end of its URL's path.
    version : str
        Of OCPP.
    """

    kind: Literal["ocpp"]
    host: Name
    port: TcpPort
    charge_point: Name
    version: Literal["1.6", "2.0.1", "2.1"]

    def wire(self) -> str | None:
        """Return what devices on this wire have in common: nobody shares a charger's name."""
        if self.port == FREE_TCP_PORT:
            return None
        return f"{self.host}:{self.port}/{self.charge_point}"

    def is_free(self) -> bool:
        """Return whether the address is chosen when the bench opens."""
        return self.port == FREE_TCP_PORT


RigLink = TcpLink | TlsLink | RtuLink | SerialLink | SocketLink | OcppLink
OF_ONE_DEVICE = (SocketLink, OcppLink)


@dataclass(frozen=True)
class Wired:
    """One device on its wire, as the checks below need it."""

    name: str
    link: RigLink
    emulated: bool
    at: At


def check_wires(devices: Sequence[Wired], issues: Issues) -> None:
    """Note every pair of devices that cannot share the wire they name."""
    first_on: dict[str, Wired] = {}
    units: dict[tuple[str, int], Wired] = {}
    for device in devices:
        wire = device.link.wire()
        if wire is None:
            continue
        first = first_on.setdefault(wire, device)
        if first is not device:
            _check_pair(first, device, wire, issues)
        key, unit = _unit(device.link)
        if unit is not None:
            holder = units.setdefault((wire, unit), device)
            if holder is not device:
                issues.add(
                    device.at.key(key),
                    f"{key} {unit}, which {holder.name!r} has on {wire}",
                    f"{'an' if key == 'address' else 'a'} {key} of its own on that wire",
                )


def _unit(link: RigLink) -> tuple[str, int | None]:
    """Return what tells a device from the others on its wire: its key, and its value."""
    if isinstance(link, SerialLink):
        return "address", link.address
    if isinstance(link, OF_ONE_DEVICE):
        return "port", None
    return "unit", link.unit


def _check_pair(first: Wired, device: Wired, wire: str, issues: Issues) -> None:
    if first.emulated != device.emulated:
        kinds = "emulated", "real"
        issues.add(
            device.at,
            f"{kinds[not device.emulated]}, on {wire} with {first.name!r}, which is "
            f"{kinds[not first.emulated]}",
            "devices on one wire all emulated or all real",
        )
    both = [isinstance(one.link, SerialLink) for one in (first, device)]
    addressed = all(_unit(one.link)[1] is not None for one in (first, device))
    alone = any(isinstance(one.link, OF_ONE_DEVICE) for one in (first, device))
    if alone or (any(both) and not (all(both) and addressed)):
        expected = "a port of its own" + (", or an address for each device" if all(both) else "")
        issues.add(device.at.key("port"), f"{wire}, which {first.name!r} uses", expected)
        return
    if device.link.kind != first.link.kind:
        issues.add(
            device.at.key("kind"),
            f"{device.link.kind} on {wire}, where {first.name!r} speaks {first.link.kind}",
            "one protocol on one wire",
        )
        return
    for key in ("host", "port", "baudrate", "cafile", "certfile", "keyfile"):
        mine, theirs = getattr(device.link, key, None), getattr(first.link, key, None)
        if mine != theirs:
            issues.add(
                device.at.key(key),
                f"{shown(mine)} on {wire}, where {first.name!r} states {shown(theirs)}",
                f"one {key} on one wire",
            )
