"""What SunSpec devices of different vendors do differently, for every emulated SunSpec device.

| key | what vendors do |
|---|---|
| `base` | the map begins at 40000, at 0 or at 50000 |
| `end_model` | some maps have no end model: the register behind the last one is exception 2 |
| `fc6` | some devices answer function 6 with exception 1 |
| `read_count_max` | some give fewer than 125 registers at once and answer exception 3 |
| `common_length` | model 1 has 66 registers, or 65 on old devices |
| `order` | models by rising or falling number; the common model is always first |

The unit, 1 on most and 126 on some, is a matter of the link.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from weakref import WeakKeyDictionary

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.fault import OnEvent
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters, require
from gridrig.devices.emulators.register_image import ModelBlock, SunSpecImage
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_server import ModbusRtuServer, ModbusTcpServer, Reply
from gridrig.devices.wire.modbus_tls import server_context
from gridrig.devices.wire.modbus_units import BROADCAST
from gridrig.devices.wire.sunspec import READ_COUNT_MAX, Model
from gridrig.devices.wire.sunspec_definitions import standard_model
from gridrig.devices.wire.sunspec_roles import may_write, role_of
from gridrig.devices.wire.tls_door import HANDSHAKE_S, DoorRules, TlsDoor

ORDERS = ("rising", "falling")
TLS_ASKS = ("role", "certificate", "nothing")


@dataclass(frozen=True, kw_only=True)
class MapParameters(ModbusFaceParameters):
    """How one vendor's map differs.

    Parameters
    ----------
    end_model : bool
        Whether the end model closes the map.
    fc6 : bool
        Whether function 6 is served.
    read_count_max : int
        Most registers of one read.
    common_length : {66, 65}
        Length of model 1.
    order : {"rising", "falling"}
        Order of the models behind the first.
    tls_cafile, tls_certfile, tls_keyfile : str
        On a TLS link: what clients' certificates must come from, and its own certificate and key;
        PEM files. A rig may leave them out on both ends; keys are then made for the run.
    tls_asks : {"role", "certificate", "nothing"}
        What a client must have to be let in and obeyed: a certificate with a role that may, any
        certificate, or nothing. All but the first is wrong, as are the next three away from their
        defaults.
    tls_handshake_s : float
        Longest handshake. [s]
    tls_plain : bool
        Whether the port answers plain Modbus as well.
    tls_failures_max : int
        After so many failed handshakes nobody is let in any more; 0 for never.
    """

    end_model: bool = True
    fc6: bool = True
    read_count_max: int = READ_COUNT_MAX
    common_length: int = 66
    order: str = "rising"
    tls_cafile: str = ""
    tls_certfile: str = ""
    tls_keyfile: str = ""
    tls_asks: str = "role"
    tls_handshake_s: float = HANDSHAKE_S
    tls_plain: bool = False
    tls_failures_max: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        most = self.read_count_max
        require("read_count_max", most, 2 <= most <= READ_COUNT_MAX, f"2 to {READ_COUNT_MAX}")
        length = self.common_length
        require("common_length", length, length in {65, 66}, "65 or 66")
        require("order", self.order, self.order in ORDERS, " or ".join(ORDERS))
        require("tls_asks", self.tls_asks, self.tls_asks in TLS_ASKS, ", ".join(TLS_ASKS))
        wait_s = self.tls_handshake_s
        require("tls_handshake_s", wait_s, wait_s > 0, "> 0")
        most = self.tls_failures_max
        require("tls_failures_max", most, most >= 0, ">= 0")


def common_block(parameters: MapParameters, name: str) -> ModelBlock:
    """Return model 1 of a device; without a serial number its name is one."""
    model = standard_model(1)
    if parameters.common_length != model.length:
        points = {key: point for key, point in model.points.items() if key != "Pad"}
        model = Model(model.id, model.name, points)
    return ModelBlock(
        model,
        values={
            **{"Mn": parameters.manufacturer, "Md": parameters.product},
            **{"Vr": parameters.firmware, "SN": parameters.serial or name, "DA": 1},
        },
    )


def registers_written(pdu: bytes) -> tuple[int, int] | None:
    """Return address and count of the registers a request would write, None if it writes none."""
    asked = modbus_pdu.asked(pdu)
    if asked.function == modbus_pdu.READ_WRITE and len(pdu) >= 9:
        return int.from_bytes(pdu[5:7], "big"), int.from_bytes(pdu[7:9], "big")
    return (asked.address, asked.count) if asked.function in modbus_pdu.WRITES else None


class RoleGuard:
    """Asks a unit whether the role in a client's certificate allows a request.

    Parameters
    ----------
    server : ModbusTcpServer
        Whose units are asked.
    """

    def __init__(self, server: ModbusTcpServer) -> None:
        self._server = server
        self._roles: WeakKeyDictionary[asyncio.Transport, str | None] = WeakKeyDictionary()

    def __call__(self, transport: asyncio.Transport, unit: int, pdu: bytes) -> ExcCodes | None:
        """Return the exception that refuses the request, None if it is allowed."""
        if transport not in self._roles:
            tls = transport.get_extra_info("ssl_object")
            if tls is None:
                return None  # let in without TLS, by a device that is wrong on purpose
            self._roles[transport] = role_of(tls.getpeercert(binary_form=True))
        role = self._roles[transport]
        for number, device in self._server.units.items():
            if unit in {number, BROADCAST}:
                assert isinstance(device, SunSpecEmulator)
                if (refused := device.refuses(role, pdu)) is not None:
                    return refused
        return None


class SunSpecEmulator(ModbusEmulator):
    """An emulated device with a SunSpec map.

    Parameters
    ----------
    name, link, on_event
        See `ModbusEmulator`.
    parameters : MapParameters
        As the `emulate` table has them.
    blocks : sequence of ModelBlock
        The common model first.
    """

    LINKS: ClassVar[tuple[type[ModbusLink], ...]] = (ModbusTcpLink, ModbusTlsLink, ModbusRtuLink)

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: MapParameters,
        blocks: Sequence[ModelBlock],
        on_event: OnEvent,
    ) -> None:
        self._map = parameters
        common, *others = blocks
        if parameters.order == "falling":
            others.reverse()
        self.models = [common, *others]
        self._image = SunSpecImage(self.models, parameters.base, end_model=parameters.end_model)
        super().__init__(name, link, parameters, self._image, on_event)

    def reply(self, pdu: bytes) -> Reply | None:
        """Answer one request; what this vendor does not serve is an exception."""
        code = self._not_served(pdu)
        if code is None:
            return super().reply(pdu)
        self._on_event("refused", function=pdu[0], exception=int(code))
        return Reply(modbus_pdu.exception_reply(pdu[0], code), self._delay_s())

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds the device, as `gridrig emulate` prints it."""
        where, link = super().endpoint, self.link
        if not isinstance(link, ModbusTlsLink):
            return where
        files = {"cafile": link.cafile, "certfile": link.certfile, "keyfile": link.keyfile}
        absolute = {key: str(Path(file).absolute()) for key, file in files.items()}
        return {**where, "kind": "modbus-tls", **absolute, "role": link.role}

    @property
    def endpoint_link(self) -> ModbusLink:
        """The link a driver opens to reach this device."""
        link = super().endpoint_link
        if isinstance(self.link, ModbusTlsLink) and isinstance(link, ModbusTcpLink):
            return replace(self.link, port=link.port)
        return link

    def refuses(self, role: str | None, pdu: bytes) -> ExcCodes | None:
        """Return the exception that refuses a client of this role a request, None if it may.

        Without a role nothing is allowed; with one, everything may be read, and a write is allowed
        if every point it touches may be written by the role.
        """
        code = ExcCodes.ILLEGAL_FUNCTION  # as Modbus/TCP Security answers what is not authorised
        if role is None:
            refused = True
        elif (written := registers_written(pdu)) is None:
            refused = False
        else:
            touched = self._image.touched(*written)
            refused = not all(may_write(role, model, point) for model, point in touched)
        if refused:
            self._on_event("unauthorised", role=role or "none", function=pdu[0])
        return code if refused else None

    def _line_key(self) -> tuple[object, ...]:
        key = super()._line_key()
        return ("tls", *key) if isinstance(self.link, ModbusTlsLink) else key

    def _new_server(self) -> ModbusTcpServer | ModbusRtuServer:
        if not isinstance(self.link, ModbusTlsLink):
            return super()._new_server()
        said = self._map
        files = (said.tls_cafile, said.tls_certfile, said.tls_keyfile)
        door = TlsDoor(
            server_context(*files, asks=said.tls_asks != "nothing"),
            DoorRules(said.tls_handshake_s, said.tls_plain, said.tls_failures_max),
            lambda cause: self._on_event("tls_refused", cause=cause),
        )
        where = self.link.host, self.link.port
        server = ModbusTcpServer(*where, door=door, on_dropped=self._dropped)
        if said.tls_asks == "role":
            server.guard = RoleGuard(server)
        return server

    def _not_served(self, pdu: bytes) -> ExcCodes | None:
        if pdu[:1] == bytes((modbus_pdu.WRITE_ONE,)) and not self._map.fc6:
            return ExcCodes.ILLEGAL_FUNCTION
        reads = pdu[:1] and pdu[0] in {modbus_pdu.READ_HOLDING, modbus_pdu.READ_INPUT}
        if reads and len(pdu) == 5:
            count = int.from_bytes(pdu[3:5], "big")
            if count > self._map.read_count_max:
                return ExcCodes.ILLEGAL_VALUE
        return None

    def block(self, model_id: int) -> ModelBlock:
        """Return the first block of a model's number."""
        return next(block for block in self.models if block.model.id == model_id)
