"""Driver for Pylontech batteries (US2000, US3000, US5000, UP2500, ...) on their RS485 port.

Wiring
    RS485 port (A, B) of the master module through a USB adapter, 115200 8N1, older modules 9600.
Config
    capability = "bms", driver = "pylontech", link = { kind = "serial", port = "/dev/ttyUSB0",
    baudrate = 115200 }, safe_state = { charge = true, discharge = true }
Manual
    Pylontech, "RS485-protocol-pylon-low-voltage," V3.3, 2018-08-21.

The wire's currents are positive while charging, ours while discharging; limits are ours as
magnitudes. A limit whose direction the pack has disabled is 0.

The switches cannot be set over this wire: `set_fets` fails closed. In a safe state, true leaves a
switch to the pack, which opens it by itself when it must; false is refused with the rig file,
because nobody could see to it. What is driven safe is the pack's inverter; `make_safe` sees that
the pack still answers, and switches nothing.

Several modules share a line by their addresses, each a device of its own. Unless `alarms` is set,
`protections` names only the directions that the pack has disabled: command 44 is written from other
clients, no capture of its answer was at hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from gridrig.devices.capabilities import BmsReading, Identity
from gridrig.devices.drivers.pack_answers import accepting
from gridrig.devices.drivers.serial_line import LineTimes, SerialLine, Unfit
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import pylontech as wire
from gridrig.devices.wire import pylontech_info as content
from gridrig.devices.wire.pack_frames import Malformed
from gridrig.devices.wire.pylontech_alarm import FET_CHARGE, FET_DISCHARGE, parse_alarms
from gridrig.errors import DriverError

T = TypeVar("T")

FIRST_ADDRESS = 2  # of group 0


@dataclass(frozen=True, kw_only=True)
class PylontechParameters(LineTimes):
    """What the rig file may say of a Pylontech module.

    Parameters
    ----------
    alarms : bool
        Whether command 44 is asked too, for the protections that act and the switches.
    """

    alarms: bool = False


class PylontechDriver:
    """One Pylontech module as a BMS.

    Parameters
    ----------
    name : str
        Device name.
    link : SerialLink
        Serial port, speed and address; without one it is 2, the first of group 0.
    parameters : PylontechParameters
        Waits, and whether alarms are read.
    """

    capability = "bms"
    PARAMETERS = PylontechParameters
    LINK = SerialLink
    ADDRESSES = range(1, 0xFF)
    # The wire cannot open a switch, so no other safe state can be promised.
    ONLY_SAFE_STATE: ClassVar[Mapping[str, bool]] = {"charge": True, "discharge": True}

    def __init__(self, name: str, link: SerialLink, parameters: PylontechParameters) -> None:
        self.name = name
        self._address = FIRST_ADDRESS if link.address is None else link.address
        self._alarms = parameters.alarms
        self._line = SerialLine(name, link, parameters, wire.Decoder, "pylontech")
        self._serial: str | None = None

    async def open(self) -> None:
        """Open the port and learn the serial number; no setting is written."""
        await self._line.open()
        await self._management()

    async def close(self) -> None:
        """Close the port; closing twice is allowed."""
        await self._line.close()

    async def identify(self) -> Identity:
        """Return the module's device name, serial number and software version."""
        maker = await self._ask(wire.CID2_MANUFACTURER, b"", content.parse_manufacturer)
        major, minor = maker.software
        return Identity(maker.manufacturer, maker.device, self._serial or "", f"{major}.{minor}")

    async def read(self) -> BmsReading:
        """Return what the module reports now."""
        analog = await self._ask(
            wire.CID2_ANALOG,
            bytes((self._address,)),
            lambda info: _checked(content.parse_analog(info, self._address)),
        )
        limits = await self._management()
        charge = bool(limits.status & content.STATUS_CHARGE)
        discharge = bool(limits.status & content.STATUS_DISCHARGE)
        disabled = {"charge_disabled": not charge, "discharge_disabled": not discharge}
        protections = tuple(name for name, acts in disabled.items() if acts)
        charge_fet, discharge_fet = charge, discharge
        if self._alarms:
            alarms = await self._ask(
                wire.CID2_ALARM,
                bytes((self._address,)),
                lambda info: parse_alarms(info, self._address),
            )
            protections += alarms.protections
            charge_fet = bool(alarms.status[1] & FET_CHARGE)
            discharge_fet = bool(alarms.status[1] & FET_DISCHARGE)
        return BmsReading(
            soc=min(1.0, analog.remaining_mah / analog.total_mah),
            v_v=analog.v_mv / 1000,
            i_a=-analog.i_charge_100ma / 10,
            cells_mv=analog.cells_mv,
            temperature_c=(max(analog.temperatures_dk) - 2731) / 10,
            charge_limit_a=limits.charge_i_100ma / 10 if charge else 0.0,
            discharge_limit_a=abs(limits.discharge_i_100ma) / 10 if discharge else 0.0,
            charge_fet=charge_fet,
            discharge_fet=discharge_fet,
            protections=protections,
        )

    async def set_fets(self, charge: bool, discharge: bool) -> None:
        """Fail closed: this wire has no command for the switches."""
        raise self._unsupported(f"set_fets(charge={charge}, discharge={discharge})")

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """See that the pack answers; there is nothing to switch.

        Raises
        ------
        DriverError
            `driver.unsupported`, if `safe_state` asks for an open switch.
        """
        only = self.ONLY_SAFE_STATE
        if any(value is not only.get(key) for key, value in safe_state.items()):
            raise self._unsupported(f"safe state {dict(safe_state)}")
        await self._management()

    async def restore(self) -> None:
        """Do nothing: no setting is ever written."""

    def _unsupported(self, asked: str) -> DriverError:
        return DriverError(
            "driver.unsupported",
            "{device}: {asked} is impossible, the protocol cannot switch; drive its inverter safe",
            device=self.name,
            asked=asked,
        )

    async def _management(self) -> content.Management:
        def parse(info: bytes) -> content.Management | Malformed:
            value = content.parse_management(info)
            if isinstance(value, Malformed):
                return value
            if value.number != self._address:
                return Malformed(f"module {value.number} answers for {self._address}")
            if value.charge_i_100ma < 0:
                return Malformed(f"charge limit of {value.charge_i_100ma / 10} A")
            return value

        return await self._ask(wire.CID2_MANAGEMENT, bytes((self._address,)), parse)

    async def _ask(self, command: int, info: bytes, parse: Callable[[bytes], T | Malformed]) -> T:
        request = wire.Frame(self._address, command, info)
        return await self._line.ask(
            wire.encode(request), self._acceptor(request, parse), self._mark
        )

    async def _mark(self) -> None:
        """Ask for the serial number, whose shape nothing else on this wire has."""
        request = wire.Frame(self._address, wire.CID2_SERIAL, bytes((self._address,)))
        answer = self._acceptor(request, content.parse_serial)

        def accept(event: object) -> content.Serial | Unfit:
            # A refusal does not say of what: here it can be the late answer to an older request.
            if isinstance(event, wire.Frame) and event.code != wire.RTN_OK:
                return Unfit(f"return code {event.code:02x}")
            return answer(event)

        found = (await self._line.ask_once(wire.encode(request), accept)).serial
        if self._serial not in {None, found}:
            raise DriverError(
                "driver.device_changed",
                "{device} had the serial number {before!r} and has {now!r}",
                device=self.name,
                before=self._serial,
                now=found,
            )
        self._serial = found

    def _acceptor(
        self, request: wire.Frame, parse: Callable[[bytes], T | Malformed]
    ) -> Callable[[object], T | Unfit]:
        def judge(event: wire.Frame) -> T | Malformed | Unfit:
            if event == request:
                return Unfit("echo")
            if event.address != request.address:
                return Unfit(f"not from address {request.address}: {event}")
            if event.kind != wire.CID1_BATTERY:
                return Unfit(f"not from a battery: {event}")
            if event.code in wire.RETURN_CODES and not event.info:
                raise DriverError(
                    "driver.refused",
                    "{device} refuses command {command:02x}: {reason} ({return_code:02x})",
                    kind="refused",
                    device=self.name,
                    command=request.code,
                    reason=wire.RETURN_CODES[event.code],
                    return_code=event.code,
                )
            if event.code != wire.RTN_OK:
                return Unfit(f"return code {event.code:02x}")
            return parse(event.info)

        return accepting(judge)


def _checked(analog: content.Analog | Malformed) -> content.Module | Malformed:
    if isinstance(analog, Malformed):
        return analog
    (module,) = analog.modules
    if not module.cells_mv or not module.temperatures_dk or module.total_mah <= 0:
        return Malformed("analog values without cells, temperatures or capacity")
    return module
