"""The emulated devices of a rig: who serves which wire, started in one go.

Units of one gateway must share a port before anyone knows which is free, so the bench looks for a
free one; if somebody takes it in between, it looks again. A stated port that is taken is an issue.
"""

import inspect
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gridrig.devices.links import (
    Link,
    ModbusRtuLink,
    ModbusTcpLink,
    ModbusTlsLink,
    OcppLink,
    SerialLink,
    SocketLink,
)
from gridrig.errors import DriverError
from gridrig.metering.ocmf_signing import OcmfSigner
from gridrig.rig import links
from gridrig.rig.description import Rig
from gridrig.rig.device import Device
from gridrig.rig.issues import At, Issues
from gridrig.rig.key_files import lacks_files, with_made_keys
from gridrig.rig.registry import EMULATORS, Registry

PORT_ATTEMPTS = 5
OnDeviceEvent = Callable[..., object]
MakeSigner = Callable[[int, str, str], Any]  # (seed, meter, serial)


class EmulatedDevices:
    """Emulators of a rig, in rig order.

    Parameters
    ----------
    rig : Rig
        Which devices are emulated and how.
    registry : Registry
        Where their classes are looked up.
    terminals : mapping of str to terminal
        The plant's terminal of each emulated device; a pack's is that of its storage.
    report : callable
        Takes (device, kind, **data): what happens on the emulated devices.
    make_signer : callable
        Makes what an emulated meter signs with, from (seed, meter, serial).
    """

    def __init__(
        self,
        rig: Rig,
        registry: Registry,
        terminals: Mapping[str, Any],
        report: OnDeviceEvent,
        *,
        make_signer: MakeSigner = OcmfSigner.from_seed,
    ) -> None:
        self._given = self._rig = rig
        self._registry = registry
        self._terminals = terminals
        self._report = report
        self._make_signer = make_signer
        self._ports: dict[str, int] = {}
        self._keys: TemporaryDirectory[str] | None = None
        self.running: dict[str, Any] = {}

    async def start(self, at: Callable[[str], At], issues: Issues) -> None:
        """Start every emulator; note what cannot be served.

        Keys that the rig leaves out are made first.

        Parameters
        ----------
        at : callable
            Place of a device in the rig file, by name.
        issues : Issues
            Takes busy ports and packs that do not fit their wire.
        """
        if any(lacks_files(device) for device in self._rig.devices):
            self._keys = TemporaryDirectory(prefix="gridrig-keys-")
            devices = with_made_keys(self._rig.devices, Path(self._keys.name))
            self._rig = replace(self._rig, devices=devices)
        failed: set[str] = set()
        for device in self._rig.devices:
            wire = device.link.wire()
            if not device.emulated or wire in failed:
                continue
            try:
                self.running[device.name] = await self._start(device)
            except DriverError as error:
                if wire is not None:
                    failed.add(wire)
                _note(device, error, at(device.name), issues)

    async def stop(self) -> None:
        """Stop them all; stopping twice is allowed."""
        while self.running:
            _, emulator = self.running.popitem()
            await emulator.stop()
        if self._keys is not None:
            self._keys.cleanup()
            self._keys, self._rig = None, self._given

    def link_of(self, name: str) -> Link:
        """Return where a driver finds an emulated device."""
        where = self.running[name].endpoint
        if where["kind"] in {"modbus-tcp", "modbus-tls"}:
            link = driver_link(self._rig.device(name).link)
            assert isinstance(link, ModbusTcpLink)
            return replace(link, host=where["host"], port=where["port"], unit=where["unit"])
        if where["kind"] == "modbus-rtu":
            return ModbusRtuLink(where["port"], where["baudrate"], where["unit"])
        if where["kind"] == "socket":
            return SocketLink(where["host"], where["port"])
        if where["kind"] == "ocpp":
            point, version = where["charge_point"], where["version"]
            return OcppLink(where["host"], where["port"], point, version)
        return SerialLink(where["port"], where["baudrate"], where.get("address"))

    async def _start(self, device: Device) -> Any:
        on_socket = isinstance(device.link, links.TcpLink | links.TlsLink)
        gateway = device.link.gateway if on_socket else None  # type: ignore[union-attr]
        shared = gateway is not None and device.link.is_free()
        attempts = PORT_ATTEMPTS if shared and gateway not in self._ports else 1
        for left in reversed(range(attempts)):
            link = driver_link(device.link)
            if shared and isinstance(link, ModbusTcpLink):
                assert gateway is not None
                port = self._ports.get(gateway) or _free_port(link.host)
                link = replace(link, port=port)
            emulator = self._make(device, link)
            try:
                await emulator.start()
            except DriverError as error:
                if error.code != "emulator.port_busy" or not left:
                    raise
                continue
            if shared and isinstance(link, ModbusTcpLink):
                assert gateway is not None
                self._ports[gateway] = link.port
            return emulator
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _make(self, device: Device, link: Link) -> Any:
        emulation = device.emulation
        assert emulation is not None, "only emulated devices are started"
        cls: Any = self._registry.load(EMULATORS, emulation.emulator)

        def on_event(kind: str, **data: object) -> None:
            self._report(device.name, kind, **data)

        more: dict[str, Any] = {}
        takes = inspect.signature(cls).parameters
        if "pack" in takes:
            more["pack"] = self._terminals.get(device.bms or "")
        if "make_signer" in takes:
            more["make_signer"] = self._make_signer
        terminal = self._terminals[device.name]
        return cls(device.name, link, emulation.face, terminal, on_event, **more)


def driver_link(link: links.RigLink) -> Link:
    """Return a rig file's link as drivers and emulators take it."""
    if isinstance(link, links.TcpLink):
        return ModbusTcpLink(link.host, link.port, link.unit)
    if isinstance(link, links.TlsLink):
        files = (link.cafile, link.certfile, link.keyfile, link.role)
        return ModbusTlsLink(link.host, link.port, link.unit, *files)
    if isinstance(link, links.RtuLink):
        return ModbusRtuLink(link.port, link.baudrate, link.unit)
    if isinstance(link, links.SocketLink):
        return SocketLink(link.host, link.port)
    if isinstance(link, links.OcppLink):
        return OcppLink(link.host, link.port, link.charge_point, link.version)
    return SerialLink(link.port, link.baudrate, link.address)


def _free_port(host: str) -> int:
    family, _, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind(address)
        port: int = probe.getsockname()[1]
    return port


def _note(device: Device, error: DriverError, at: At, issues: Issues) -> None:
    if error.code == "emulator.port_busy":
        place = at.key("link").key("port")
        issues.add(place, f"{device.link.port}, which is busy", "a free port, or 0 for any")
    elif error.code == "emulator.out_of_range":
        place = at.key("emulate").key(error.facts["key"])
        issues.add(place, f"{error.facts['found']:g}", str(error.facts["expected"]))
    else:
        issues.add(at.key("emulate"), error.message, "a device that can be served")
