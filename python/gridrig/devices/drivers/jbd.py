"""Driver for JBD (Xiaoxiang, LLT, Overkill) battery managers over UART, RS232 or RS485.

Wiring
    The board's UART or RS485 port through a USB adapter, 9600 8N1; one board on a line.
Config
    capability = "bms", driver = "jbd", link = { kind = "serial", port = "/dev/ttyUSB0",
    baudrate = 9600 }, parameters = { charge_a_max = 100, discharge_a_max = 100 }
Manual
    "JBD BMS Serial Interface and Register Map," OverkillSolarBMS; "Software Board General
    Protocol," Jiabaida, V4.

The wire's current is positive while charging, ours while discharging. The wire carries no current
limits: they follow the rule of `pack_limits`. The two switches are one register, so setting one
writes both. A switch is opened only below `fet_open_a_max`: opening it under load is refused, and
`make_safe` waits for the current to fall first.

Known gaps: one sensor at least is needed; no settings registers; no serial number on this wire.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gridrig.devices.capabilities import BmsReading, Identity
from gridrig.devices.drivers.pack_answers import accepting
from gridrig.devices.drivers.pack_limits import PackRule
from gridrig.devices.drivers.pack_switches import Fets, PackSwitches, SwitchedPack, SwitchTimes
from gridrig.devices.drivers.serial_line import LineTimes, SerialLine, Unfit
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import jbd
from gridrig.devices.wire import jbd_registers as registers
from gridrig.devices.wire.pack_frames import Malformed
from gridrig.errors import DriverError

T = TypeVar("T")

MARKER = jbd.encode_request(jbd.Request(jbd.REG_HARDWARE, False, b""))


@dataclass(frozen=True, kw_only=True)
class JbdParameters(PackRule, LineTimes, SwitchTimes):
    """What the rig file may say of a JBD board: the rule, the waits, and its switches."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        PackRule.__post_init__(self)
        LineTimes.__post_init__(self)
        SwitchTimes.__post_init__(self)


class JbdDriver(SwitchedPack):
    """One JBD board as a BMS.

    Parameters
    ----------
    name : str
        Device name.
    link : SerialLink
        Serial port and speed.
    parameters : JbdParameters
        Rule, waits and switches.
    """

    capability = "bms"
    PARAMETERS = JbdParameters
    LINK = SerialLink

    def __init__(self, name: str, link: SerialLink, parameters: JbdParameters) -> None:
        self.name = name
        self._parameters = parameters
        self._line = SerialLine(name, link, parameters, lambda: jbd.Decoder("reply"), "jbd")
        self._hardware: str | None = None
        self._switches = PackSwitches(name, parameters, self._look, self._command)
        self.found = self._switches.found

    async def open(self) -> None:
        """Open the port and learn the hardware name; no setting is written."""
        await self._line.open()
        await self._basic()

    async def close(self) -> None:
        """Close the port; closing twice is allowed."""
        await self._line.close()

    async def identify(self) -> Identity:
        """Return the board's hardware name and software version; it tells no serial number."""
        info = await self._basic()
        version = f"{info.version >> 4}.{info.version & 15}"
        return Identity("JBD", self._hardware or "", "", version)

    async def read(self) -> BmsReading:
        """Return what the board reports now, with the limits by the stated rule."""
        info = await self._basic()
        cells_mv = await self._read(jbd.REG_CELLS, registers.parse_cells)
        if len(cells_mv) != info.cells:
            raise DriverError(
                "bms.inconsistent",
                "{device} says it has {said} cells and sends {sent}",
                kind="framing",
                device=self.name,
                said=info.cells,
                sent=len(cells_mv),
            )
        if not info.temperatures_dk:
            raise DriverError(
                "driver.unsupported",
                "{device} has no temperature sensor, so no current limit can be derived",
                device=self.name,
            )
        temperatures_c = [(value - 2731) / 10 for value in info.temperatures_dk]
        charge_fet, discharge_fet = _fets(info)
        protections = registers.protection_names(info.protection)
        charge_a, discharge_a = self._parameters.limits_a(
            cells_mv=cells_mv,
            temperatures_c=temperatures_c,
            charge_fet=charge_fet,
            discharge_fet=discharge_fet,
            protections=protections,
        )
        return BmsReading(
            soc=_soc(info),
            v_v=info.v_10mv / 100,
            i_a=-info.i_charge_10ma / 100,
            cells_mv=cells_mv,
            temperature_c=max(temperatures_c),
            charge_limit_a=charge_a,
            discharge_limit_a=discharge_a,
            charge_fet=charge_fet,
            discharge_fet=discharge_fet,
            protections=protections,
        )

    async def _look(self) -> tuple[Fets, float]:
        info = await self._basic()
        return _fets(info), -info.i_charge_10ma / 100

    async def _command(self, wanted: Fets, _: Fets) -> None:
        charge, discharge = wanted
        open_bits = registers.FET_CHARGE * (not charge) | registers.FET_DISCHARGE * (not discharge)
        request = jbd.Request(jbd.REG_FETS, True, bytes((0, open_bits)))
        await self._ask(request, lambda payload: payload)

    async def _basic(self) -> registers.BasicInfo:
        return await self._read(jbd.REG_BASIC, registers.parse_basic)

    async def _read(self, register: int, parse: Callable[[bytes], T | Malformed]) -> T:
        return await self._ask(jbd.Request(register, False, b""), parse)

    async def _ask(self, request: jbd.Request, parse: Callable[[bytes], T | Malformed]) -> T:
        frame = jbd.encode_request(request)
        return await self._line.ask(frame, self._acceptor(request.register, parse), self._mark)

    async def _mark(self) -> None:
        """Ask for the hardware name, which nothing else on this wire can be mistaken for."""
        hardware = await self._line.ask_once(MARKER, self._acceptor(jbd.REG_HARDWARE, _text))
        if self._hardware not in {None, hardware}:
            raise DriverError(
                "driver.device_changed",
                "{device} was {before!r} and is {now!r}",
                device=self.name,
                before=self._hardware,
                now=hardware,
            )
        self._hardware = hardware

    def _acceptor(
        self, register: int, parse: Callable[[bytes], T | Malformed]
    ) -> Callable[[object], T | Unfit]:
        def judge(event: jbd.Request | jbd.Reply) -> T | Malformed | Unfit:
            if not isinstance(event, jbd.Reply) or event.register != register:
                return Unfit(f"not a reply of register {register:02x}: {event}")
            if event.status != jbd.STATUS_OK:
                raise DriverError(
                    "driver.refused",
                    "{device} refuses register {register:02x} with status {status:02x}",
                    kind="refused",
                    device=self.name,
                    register=register,
                    status=event.status,
                )
            return parse(event.payload)

        return accepting(judge)


def _text(payload: bytes) -> str | Malformed:
    return payload.decode("ascii", "replace").rstrip("\x00 ")


def _fets(info: registers.BasicInfo) -> Fets:
    return bool(info.fets & registers.FET_CHARGE), bool(info.fets & registers.FET_DISCHARGE)


def _soc(info: registers.BasicInfo) -> float:
    """Return the state of charge, 0..1.

    The board tells whole percents, and the charge it counts. Where both say the same to one
    percent, the counted charge says it finer; where they differ, the board's own percents hold.
    """
    told = info.soc_percent / 100
    if info.nominal_10mah:
        counted = info.remaining_10mah / info.nominal_10mah
        if abs(counted - told) <= 0.01:
            return min(1.0, counted)
    return told
