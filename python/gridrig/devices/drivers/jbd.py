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

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gridrig.devices.capabilities import BmsReading, Identity
from gridrig.devices.drivers.pack_limits import PackRule
from gridrig.devices.drivers.serial_line import LineTimes, SerialLine, Unfit
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import jbd
from gridrig.devices.wire import jbd_registers as registers
from gridrig.errors import DriverError

T = TypeVar("T")

SWITCHES = ("charge", "discharge")
MARKER = jbd.encode_request(jbd.Request(jbd.REG_HARDWARE, False, b""))


@dataclass(frozen=True, kw_only=True)
class JbdParameters(PackRule, LineTimes):
    """What the rig file may say of a JBD board: the rule, the waits, and its switches.

    Parameters
    ----------
    fet_open_a_max : float
        Largest current under which a switch may be opened. [A]
    readback_s : float
        Longest time until a switch must show its new state. [s]
    poll_s : float
        Pause between looks at a state that must change. [s]
    safe_wait_s : float
        Longest wait of `make_safe` for the current to fall. [s]
    """

    fet_open_a_max: float = 2.0
    readback_s: float = 2.0
    poll_s: float = 0.2
    safe_wait_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        PackRule.__post_init__(self)
        LineTimes.__post_init__(self)
        not_negative = min(self.fet_open_a_max, self.safe_wait_s) >= 0
        if not (0 < self.poll_s <= self.readback_s and not_negative):
            raise DriverError(
                "device.parameter",
                "0 < poll_s <= readback_s, and fet_open_a_max and safe_wait_s not negative, "
                "do not hold in {found}",
                kind="limit",
                found=self,
            )


class JbdDriver:
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
        self._line = SerialLine(name, link, parameters, lambda: jbd.Decoder("reply"))
        self._hardware: str | None = None
        self._as_found: tuple[bool, bool] | None = None

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

    async def set_fets(self, charge: bool, discharge: bool) -> None:
        """Close (True) or open the charge and discharge switches, and see that it happened.

        Raises
        ------
        DriverError
            Kind "limit" if a switch would open under load, "readback" if the switches do not show
            the new state in time, "refused" if the board says no.
        """
        info = await self._basic()
        found = _fets(info)
        if self._as_found is None:
            self._as_found = found
        opens = (found[0] and not charge) or (found[1] and not discharge)
        i_a = -info.i_charge_10ma / 100
        if opens and abs(i_a) > self._parameters.fet_open_a_max:
            raise DriverError(
                "bms.fet_under_load",
                "{device}: a switch is not opened at {i_a} A, only up to {most} A",
                kind="limit",
                device=self.name,
                i_a=i_a,
                most=self._parameters.fet_open_a_max,
            )
        open_bits = registers.FET_CHARGE * (not charge) | registers.FET_DISCHARGE * (not discharge)
        request = jbd.Request(jbd.REG_FETS, True, bytes((0, open_bits)))
        await self._ask(request, lambda payload: payload)
        await self._see_fets((charge, discharge))

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Set the switches named in `safe_state` ("charge", "discharge"); others stay.

        The current must fall first: it is waited for, at most `safe_wait_s`.
        """
        wrong = {
            k: v for k, v in safe_state.items() if k not in SWITCHES or not isinstance(v, bool)
        }
        if wrong:
            raise DriverError(
                "driver.unsupported",
                "{device}: safe state {wrong} is not true or false for {known}",
                device=self.name,
                wrong=wrong,
                known=SWITCHES,
            )
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._parameters.safe_wait_s
        info = await self._basic()
        while abs(info.i_charge_10ma) > 100 * self._parameters.fet_open_a_max:
            if loop.time() + self._parameters.poll_s > deadline_s:
                break  # set_fets refuses, and says why
            await asyncio.sleep(self._parameters.poll_s)
            info = await self._basic()
        charge, discharge = _fets(info)
        await self.set_fets(
            bool(safe_state.get("charge", charge)), bool(safe_state.get("discharge", discharge))
        )

    async def restore(self) -> None:
        """Set the switches as they were found; nothing, if none was ever set."""
        if self._as_found is not None:
            await self.set_fets(*self._as_found)

    async def _see_fets(self, wanted: tuple[bool, bool]) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._parameters.readback_s
        while (seen := _fets(await self._basic())) != wanted:
            if loop.time() + self._parameters.poll_s > deadline_s:
                raise DriverError(
                    "bms.fet_readback",
                    "{device}: switches (charge, discharge) were set to {wanted}, show {seen}",
                    kind="readback",
                    device=self.name,
                    wanted=wanted,
                    seen=seen,
                )
            await asyncio.sleep(self._parameters.poll_s)

    async def _basic(self) -> registers.BasicInfo:
        return await self._read(jbd.REG_BASIC, registers.parse_basic)

    async def _read(self, register: int, parse: Callable[[bytes], T | registers.Malformed]) -> T:
        return await self._ask(jbd.Request(register, False, b""), parse)

    async def _ask(
        self, request: jbd.Request, parse: Callable[[bytes], T | registers.Malformed]
    ) -> T:
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
        self, register: int, parse: Callable[[bytes], T | registers.Malformed]
    ) -> Callable[[object], T | Unfit]:
        def accept(event: object) -> T | Unfit:
            if isinstance(event, jbd.Dropped):
                return Unfit(event.reason)
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
            value = parse(event.payload)
            return Unfit(value.reason) if isinstance(value, registers.Malformed) else value

        return accept


def _text(payload: bytes) -> str | registers.Malformed:
    return payload.decode("ascii", "replace").rstrip("\x00 ")


def _fets(info: registers.BasicInfo) -> tuple[bool, bool]:
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
