"""Driver for Daly battery managers over UART or RS485.

Wiring
    The board's UART or RS485 port through a USB adapter, 9600 8N1; up to 16 boards on one RS485
    bus.
Config
    capability = "bms", driver = "daly", link = { kind = "serial", port = "/dev/ttyUSB0",
    baudrate = 9600, address = 1 }, parameters = { charge_a_max = 100, discharge_a_max = 100 }
Manual
    Daly Electronics, "UART/485 Communications Protocol," V1.2.

The wire's current is positive while discharging, as ours, and read unsigned: beyond 276.7 A too.
The wire carries no current limits: they follow the rule of `pack_limits`. A switch is opened only
below `fet_open_a_max`, and `make_safe` waits for the current to fall first. Warnings (first-level
alarms) are not protections and limit nothing.

Known gaps: one sensor at least is needed; the sums are eight bits wide, so of damaged frames one in
256 passes where it is not caught by address, command, order or content.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from gridrig.devices.capabilities import BmsReading, Identity
from gridrig.devices.drivers.pack_answers import accepting
from gridrig.devices.drivers.pack_limits import PackRule
from gridrig.devices.drivers.pack_switches import Fets, PackSwitches, SwitchedPack, SwitchTimes
from gridrig.devices.drivers.serial_line import LineTimes, SerialLine, Unfit
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import daly
from gridrig.devices.wire import daly_data as content
from gridrig.devices.wire.pack_frames import Malformed
from gridrig.errors import DriverError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class DalyParameters(PackRule, LineTimes, SwitchTimes):
    """What the rig file may say of a Daly board: the rule, the waits, its switches and its port.

    Parameters
    ----------
    uart : bool
        Whether it is asked as from the UART or Bluetooth port (80) instead of RS485 (40 and up).
    """

    uart: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        PackRule.__post_init__(self)
        LineTimes.__post_init__(self)
        SwitchTimes.__post_init__(self)


class DalyDriver(SwitchedPack):
    """One Daly board as a BMS.

    Parameters
    ----------
    name : str
        Device name.
    link : SerialLink
        Serial port, speed, and the board's place on the bus, 1 if there is none.
    parameters : DalyParameters
        Rule, waits, switches and port.
    """

    capability = "bms"
    PARAMETERS = DalyParameters
    LINK = SerialLink
    ADDRESSES = range(1, daly.PACKS_MAX + 1)

    def __init__(self, name: str, link: SerialLink, parameters: DalyParameters) -> None:
        self.name = name
        self._parameters = parameters
        self._pack = 1 if link.address is None else link.address
        self._host = daly.HOST_UART if parameters.uart else daly.host_address(self._pack)
        self._line = SerialLine(name, link, parameters, daly.Decoder, "daly")
        self._setup: content.Setup | None = None
        self._marks = 0
        self._switches = PackSwitches(name, parameters, self._look, self._command)
        self.found = self._switches.found

    async def open(self) -> None:
        """Open the port and learn how many cells there are; no setting is written."""
        await self._line.open()
        await self._one(daly.CMD_PACK, content.parse_pack)

    async def close(self) -> None:
        """Close the port; closing twice is allowed."""
        await self._line.close()

    async def identify(self) -> Identity:
        """Return the board's battery code as its serial number; it tells no firmware."""
        parts = await self._several(daly.CMD_CODE, content.CODE_FRAMES, lambda d: (d[0], d[1:]))
        code = b"".join(parts).decode("ascii", "replace").strip("\x00 ")
        return Identity("Daly", f"{self._known_setup().cells}S", code, "")

    async def read(self) -> BmsReading:
        """Return what the board reports now, with the limits by the stated rule."""
        pack = await self._one(daly.CMD_PACK, content.parse_pack)
        setup = self._known_setup()
        if not setup.sensors:
            raise DriverError(
                "driver.unsupported",
                "{device} has no temperature sensor, so no current limit can be derived",
                device=self.name,
            )
        cells_mv = await self._numbered(
            daly.CMD_CELLS, setup.cells, content.CELLS_A_FRAME, content.parse_cells
        )
        temperatures_c = await self._numbered(
            daly.CMD_TEMPERATURES,
            setup.sensors,
            content.TEMPERATURES_A_FRAME,
            content.parse_temperatures,
        )
        switches = await self._one(daly.CMD_SWITCHES, content.parse_switches)
        alarms = await self._one(daly.CMD_ALARMS, content.parse_alarms)
        protections = tuple(name for name in alarms if not name.endswith(content.WARNING))
        charge_a, discharge_a = self._parameters.limits_a(
            cells_mv=cells_mv,
            temperatures_c=temperatures_c,
            charge_fet=switches.charge_fet,
            discharge_fet=switches.discharge_fet,
            protections=protections,
        )
        return BmsReading(
            soc=pack.soc_permille / 1000,
            v_v=pack.v_100mv / 10,
            i_a=pack.i_discharge_100ma / 10,
            cells_mv=cells_mv,
            temperature_c=float(max(temperatures_c)),
            charge_limit_a=charge_a,
            discharge_limit_a=discharge_a,
            charge_fet=switches.charge_fet,
            discharge_fet=switches.discharge_fet,
            protections=protections,
        )

    async def _look(self) -> tuple[Fets, float]:
        pack = await self._one(daly.CMD_PACK, content.parse_pack)
        shown = await self._one(daly.CMD_SWITCHES, content.parse_switches)
        return (shown.charge_fet, shown.discharge_fet), pack.i_discharge_100ma / 10

    async def _command(self, wanted: Fets, found: Fets) -> None:
        """Send each switch its command; one that shows what is wanted is told it again."""
        for command, on in zip((daly.CMD_CHARGE_FET, daly.CMD_DISCHARGE_FET), wanted, strict=True):
            await self._one(command, _acknowledged(on), bytes((int(on),)).ljust(8, b"\x00"))

    def _known_setup(self) -> content.Setup:
        if self._setup is None:
            raise DriverError("driver.not_open", "{device} has not been opened", device=self.name)
        return self._setup

    async def _numbered(
        self,
        command: int,
        count: int,
        each: int,
        parse: Callable[[bytes], tuple[int, tuple[int, ...]]],
    ) -> tuple[int, ...]:
        """Return the values of an answer in numbered frames, without what fills the last one."""
        parts = await self._several(command, ceil(count / each), parse)
        return tuple(value for part in parts for value in part)[:count]

    async def _one(
        self,
        command: int,
        parse: Callable[[bytes], T | Malformed],
        data: bytes = bytes(daly.DATA_BYTES),
    ) -> T:
        request = daly.encode(daly.Frame(self._host, command, data))
        return await self._line.ask(request, self._acceptor(command, parse), self._mark)

    async def _several(
        self, command: int, frames: int, parse: Callable[[bytes], tuple[int, T]]
    ) -> list[T]:
        """Ask what is answered in numbered frames, which count only in their order from 1.

        A frame out of order starts the collection anew, and so does another try, before which
        the marker is asked: frames of two answers never mix.
        """
        parts: list[T] = []
        marks = self._marks

        def collect(data: bytes) -> list[T] | Malformed:
            nonlocal marks
            number, part = parse(data)
            if number == 1 or marks != self._marks:
                marks = self._marks
                parts.clear()
            if number != len(parts) + 1:
                parts.clear()
                return Malformed(f"frame {number} of {command:02x} out of order")
            parts.append(part)
            if len(parts) < frames:
                return Malformed(f"frame {number} of {frames} of {command:02x}")
            return parts

        return await self._one(command, collect)

    async def _mark(self) -> None:
        """Ask for the numbers of cells and sensors, which nothing else asks for."""
        self._marks += 1
        request = daly.encode(daly.Frame(self._host, daly.CMD_SETUP))
        accept = self._acceptor(daly.CMD_SETUP, content.parse_setup)
        found = await self._line.ask_once(request, accept)
        known = self._setup
        if known is not None and (known.cells, known.sensors) != (found.cells, found.sensors):
            raise DriverError(
                "driver.device_changed",
                "{device} had {before} cells and sensors and has {now}",
                device=self.name,
                before=(known.cells, known.sensors),
                now=(found.cells, found.sensors),
            )
        self._setup = found

    def _acceptor(
        self, command: int, parse: Callable[[bytes], T | Malformed]
    ) -> Callable[[object], T | Unfit]:
        def judge(event: daly.Frame) -> T | Malformed | Unfit:
            if event.address == self._host and event.command == command:
                return Unfit("echo")
            if event.address != self._pack or event.command != command:
                return Unfit(f"not an answer of pack {self._pack} to {command:02x}: {event}")
            return parse(event.data)

        return accepting(judge)


def _acknowledged(on: bool) -> Callable[[bytes], bool | Malformed]:
    def parse(data: bytes) -> bool | Malformed:
        return True if data[0] == int(on) else Malformed(f"switch says {data[0]}")

    return parse
