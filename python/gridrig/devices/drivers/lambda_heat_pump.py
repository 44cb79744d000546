"""Driver for Lambda's heat pumps, which take a power through their energy manager.

Wiring
    The controller's network socket (Modbus TCP, port 502), or its RS485 port; unit 1. At the
    controller: energy manager "Automatik", E-Meter "ModBus Client", measuring point "E-Eintrag".
Config
    capability = "heat_pump", driver = "lambda-heat-pump", link = { kind = "modbus-tcp", host =
    "192.0.2.40", port = 502, unit = 1 }, parameters = { p_w_max = 3000 }
Manual
    [1] of `devices.wire.lambda_registers`.

A power is written as watts, read back, and written again every third of the controller's five
minutes, as long as the rig shows that it lives: `read` or `set_power_w` was called within
`revert_s`, or within three control periods of a run. A rig that falls silent lets it lapse, and the
pump goes back to its own thermostat. To give it back at once 0x8000 is written, "no value"; a
controller that refuses that gets it back when it lapses. So does `restore`, whoever told the pump
something before: a power is no setting, and another master tells his own again.

The registers have no nameplate, so the rig says it (`p_w_max`), and no serial number. They have no
word for "kept warm against orders" either: the heating circuit's states "frost" and "maximum
temperature" are told as "cold" and "warm".

Known gaps: cooling, hot water and heat requests; a room temperature cannot be written; no real
pump was tried.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from gridrig.devices.as_found import AsFound
from gridrig.devices.capabilities import Identity
from gridrig.devices.drivers.modbus_line import ModbusLine, Patience, join_line
from gridrig.devices.drivers.reversion import CONTROL_PERIODS, RENEWED_AFTER
from gridrig.devices.heat_pump_capability import HeatPumpReading, HeatPumpState
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire import lambda_registers as layout
from gridrig.devices.wire.pack_frames import Malformed
from gridrig.errors import DriverError, DriverFailure

POWER = "power"
SAFE_STATE = {"power": "own"}
SETTLE_S, LOOK_S = 2.0, 0.2  # from a write to what the controller shows
STATES: Mapping[int, HeatPumpState] = {
    layout.C_FROST: "cold",
    layout.C_MAX_TEMP: "warm",
    layout.C_ERROR: "fault",
}
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class LambdaParameters:
    """What the rig file may say of the driver of a Lambda heat pump.

    Parameters
    ----------
    p_w_max : float
        The most the pump takes, by its nameplate. [W]
    pump, circuit : int
        Which pump and which heating circuit of the controller, counted from 1.
    revert_s : int
        After which the controller lets a power lapse: its own time, which nobody sets. [s]
    timeout_s : float
        From request to reply. [s]
    retries : int
        Further attempts after the first, 0..5.
    """

    TELLS_AGAIN: ClassVar[bool] = True  # between readings, too
    p_w_max: float
    pump: int = 1
    circuit: int = 1
    revert_s: int = layout.LAPSES_S
    timeout_s: float = 1.0
    retries: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for key, right, expected in (
            ("p_w_max", 0 < self.p_w_max <= layout.POWER_W_MAX, "> 0, at most 32767"),
            ("pump", 1 <= self.pump <= layout.HEAT_PUMPS_MAX, "1 to 3"),
            ("circuit", 1 <= self.circuit <= layout.CIRCUITS_MAX, "1 to 12"),
            ("revert_s", 1 <= self.revert_s <= 86_400, "1 to 86400"),
            ("timeout_s", 0 < self.timeout_s <= 60, "> 0, at most 60"),
            ("retries", 0 <= self.retries <= 5, "0 to 5"),
        ):
            if not right:
                raise DriverError(
                    "device.parameter",
                    "{key} = {found!r}, expected {expected}",
                    kind="limit",
                    key=key,
                    found=getattr(self, key),
                    expected=expected,
                )


class LambdaHeatPump:
    """One heat pump with one heating circuit.

    Parameters
    ----------
    name : str
        Device name.
    link : ModbusTcpLink or ModbusRtuLink
        The controller, and its unit.
    parameters : LambdaParameters
        Nameplate, and which pump and circuit.
    """

    capability = "heat_pump"
    PARAMETERS: ClassVar[type[LambdaParameters]] = LambdaParameters
    LINKS: ClassVar[tuple[type[ModbusTcpLink] | type[ModbusRtuLink], ...]] = (
        ModbusTcpLink,
        ModbusRtuLink,
    )

    def __init__(self, name: str, link: ModbusLink, parameters: LambdaParameters) -> None:
        self.name = name
        self._link, self._p = link, parameters
        self._patience = Patience(parameters.timeout_s, parameters.retries)
        self._pump_at = layout.pump_at(parameters.pump)
        self._circuit_at = layout.circuit_at(parameters.circuit)
        self._line: ModbusLine | None = None
        self._lives_s = float(parameters.revert_s)  # how long a rig may be silent and still lives
        self._told: int | None = None  # what is told again
        self._written_s = self._heard_s = self._told_s = 0.0
        self._telling: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()  # of what writes
        self.found = AsFound()

    async def open(self) -> None:
        """Connect and see that there is an energy manager and this pump; nothing is written."""
        if self._line is not None:
            return
        self._line = join_line(self._link, self.name)
        self._line.probe_at(self._link.unit, (self._pump_at,), layout.PUMP_COUNT)
        try:
            await self._manager()
            await self._pump()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the wire and tell nothing again; closing twice is allowed."""
        self._let_go()
        line, self._line = self._line, None
        if line is not None:
            await line.leave()

    async def identify(self) -> Identity:
        """Return whose registers they are; they have no type, serial number or version."""
        await self._manager()
        return Identity("Lambda", f"EU-L, heat pump {self._p.pump}", "", "")

    async def use_control_period(self, control_period_s: float) -> Mapping[str, object]:
        """Tell a power again between control periods, too; return how it does. [s]"""
        self._lives_s = max(self._p.revert_s, CONTROL_PERIODS * control_period_s)
        return {"revert_s": self._p.revert_s, "stated": True, "set_points": [POWER]}

    async def read(self) -> HeatPumpReading:
        """Return what it reports, asked for now.

        Raises
        ------
        DriverError
            `driver.reverted`, once, if the power that was told is no more, or another one is told.
        """
        asked_s = asyncio.get_running_loop().time()
        outdoor = await self._read(layout.AMBIENT, layout.AMBIENT_COUNT)
        manager = await self._manager()
        pump = await self._pump()
        circuit = await self._read(self._circuit_at, layout.CIRCUIT_COUNT)
        settings = await self._read(self._circuit_at + layout.SETTINGS, layout.SETTINGS_COUNT)
        self._lives(manager, asked_s)
        told_w = manager.told_w if manager.state == layout.AUTOMATIC else None
        return HeatPumpReading(
            p_w=0.0 - pump.taken_w,
            room_c=layout.temperature_c(circuit[4], layout.ROOM_RANGE_C),
            outdoor_c=layout.temperature_c(outdoor[2], layout.OUTDOOR_RANGE_C),
            set_point_c=layout.temperature_c(settings[1], layout.SET_POINT_RANGE_C),
            told_w=None if told_w is None else 0.0 - told_w,
            p_w_max=self._p.p_w_max,
            state=_state(manager, pump, circuit, told_w),
        )

    async def set_power_w(self, p_w: float | None) -> None:
        """Let it follow an electric power, 0 or negative; None gives it back. [W]

        It is rounded to the watt.

        Raises
        ------
        DriverError
            Kind "limit" for a power that it cannot take, `driver.unsupported` if its energy manager
            takes none, "readback" if it shows another.
        """
        if p_w is not None and not -self._p.p_w_max <= p_w <= 0:
            raise self._error(
                "limit",
                "{device}: a power of {found} W, expected {low:g} to 0 W",
                found=p_w,
                low=-self._p.p_w_max,
            )
        async with self._one:
            self._let_go()
            before = await self._manager()
            if p_w is None:
                await self._give_back(before)
                return
            if not before.takes_powers:
                raise DriverError(
                    "driver.unsupported",
                    "{device}: its energy manager is switched {state}, and takes no power",
                    kind="other",
                    device=self.name,
                    state="off" if before.state == layout.OFF else "to manual",
                )
            await self.found.note({POWER: None})
            wanted = round(-p_w)
            await self._write(wanted)
            self._told_s = asyncio.get_running_loop().time()
            self._told, self._telling = wanted, asyncio.create_task(self._tell_again(wanted))

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Give it back to its own thermostat."""
        if dict(safe_state) != SAFE_STATE:
            raise DriverError(
                "driver.safe_state",
                '{device}: safe state {found}, expected power = "own"',
                kind="limit",
                device=self.name,
                found=dict(safe_state),
            )
        await self.set_power_w(None)

    async def restore(self) -> None:
        """Give it back to its own thermostat, if this driver has told it a power."""
        if self.found:
            await self.set_power_w(None)

    async def _give_back(self, before: layout.Manager) -> None:
        if before.told_w is not None:
            await self._write(layout.NO_VALUE)
        self.found.drop([POWER])

    async def _write(self, raw: int) -> None:
        """Write what the pumps may take, and wait, bounded, until the manager shows it."""
        await self._opened().write(self._link.unit, layout.POWER, [raw], self._patience)
        loop = asyncio.get_running_loop()
        self._written_s = self._heard_s = loop.time()
        while True:
            shown = await self._manager()
            follows = raw == layout.NO_VALUE or shown.state == layout.AUTOMATIC
            if _raw(shown.told_w) == raw and follows:
                return
            if loop.time() - self._written_s > SETTLE_S:
                raise self._error(
                    "readback",
                    "{device}: its manager in state {state} shows {found}, expected {expected}",
                    state=shown.state,
                    found=_told(_raw(shown.told_w)),
                    expected=f"{_told(raw)} as written",
                )
            await asyncio.sleep(LOOK_S)

    async def _tell_again(self, raw: int) -> None:
        """Tell what it follows again in time, as long as the rig lives."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = self._written_s + RENEWED_AFTER * self._p.revert_s
            await asyncio.sleep(max(due_s - loop.time(), 0.0))
            if loop.time() - self._heard_s > self._lives_s:
                return
            # What fails here shows at the next reading: it has lapsed by then, or has not.
            with contextlib.suppress(DriverError):
                await self._opened().write(self._link.unit, layout.POWER, [raw], self._patience)
            self._written_s = loop.time()

    def _lives(self, manager: layout.Manager, asked_s: float) -> None:
        """Note that the rig lives, and see whether the pump still has what it was told. [s]"""
        self._heard_s = asyncio.get_running_loop().time()
        if self._told is None or asked_s < self._told_s:
            return
        shown_w = manager.told_w if manager.state == layout.AUTOMATIC else None
        if shown_w != self._told:
            told = self._told
            self._let_go()
            raise DriverError(
                "driver.reverted",
                "{device}: a power of {p_w:g} W that it was told is no more: {now}",
                kind="readback",
                device=self.name,
                p_w=0.0 - told,
                now="it is its own" if shown_w is None else f"another told it {0.0 - shown_w:g} W",
            )
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_again(self._told))

    def _let_go(self) -> None:
        """Tell nothing again."""
        self._told, task, self._telling = None, self._telling, None
        if task is not None:
            task.cancel()

    async def _manager(self) -> layout.Manager:
        found = await self._read(layout.MANAGER, layout.MANAGER_COUNT)
        return self._meant(layout.parse_manager(found))

    async def _pump(self) -> layout.Pump:
        return self._meant(layout.parse_pump(await self._read(self._pump_at, layout.PUMP_COUNT)))

    def _meant(self, found: T | Malformed) -> T:
        if isinstance(found, Malformed):
            raise DriverError(
                "lambda.malformed",
                "{device} tells what cannot be meant: {reason}",
                kind="framing",
                device=self.name,
                reason=found.reason,
            )
        return found

    async def _read(self, address: int, count: int) -> list[int]:
        return await self._opened().read(self._link.unit, address, count, self._patience)

    def _opened(self) -> ModbusLine:
        if self._line is None:
            raise DriverError("driver.not_open", "{device} has not been opened", device=self.name)
        return self._line

    def _error(self, kind: DriverFailure, message: str, **facts: object) -> DriverError:
        return DriverError(f"driver.{kind}", message, kind=kind, device=self.name, **facts)


def _raw(told_w: int | None) -> int:
    return layout.NO_VALUE if told_w is None else told_w


def _told(raw: int) -> str:
    return "no power" if raw == layout.NO_VALUE else f"{raw} W"


def _state(
    manager: layout.Manager, pump: layout.Pump, circuit: list[int], told_w: int | None
) -> HeatPumpState:
    """Return what it does, the gravest first."""
    if pump.kind_of_error >= layout.ALARM or circuit[0] != 0:
        return "fault"
    named = STATES.get(circuit[1])
    if named == "fault":
        return named
    if not manager.takes_powers:
        return "off"
    if told_w is None:
        return "own"
    return named or "told"
