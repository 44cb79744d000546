"""Driver for newer Daly battery managers, which speak Modbus RTU.

Wiring
    The board's RS485 port through a USB adapter, 9600 8N1; its unit is 210 (D2).
Config
    capability = "bms", driver = "daly-modbus", link = { kind = "modbus-rtu", port = "/dev/ttyUSB0",
    baudrate = 9600, unit = 210 }, parameters = { charge_a_max = 100, discharge_a_max = 100 }
Manual
    None of the maker's at hand; captures and the register map of [1].

The wire's current is positive while charging, which is turned here. The wire carries no current
limits: they follow the rule of `pack_limits`. What the bits of its alarms mean has one source only,
so any that is set ends both limits. A switch is opened only below `fet_open_a_max`, and `make_safe`
waits for the current to fall first.

Known gaps: its settings are not read, and no real board was tried.

References
----------
.. [1] S. Syed, "esphome-daly-bms: protocol-register-map.md," GitHub, 2026.
"""

from dataclasses import dataclass

from gridrig.devices.capabilities import BmsReading, Identity
from gridrig.devices.drivers.modbus_line import ModbusLine, Patience, join_line
from gridrig.devices.drivers.pack_limits import PackRule
from gridrig.devices.drivers.pack_switches import Fets, PackSwitches, SwitchedPack, SwitchTimes
from gridrig.devices.links import ModbusRtuLink
from gridrig.devices.wire import daly_registers as layout
from gridrig.devices.wire.daly_data import parse_alarms
from gridrig.devices.wire.pack_frames import Malformed
from gridrig.errors import DriverError

SWITCHES = (layout.CHARGE_SWITCH, layout.DISCHARGE_SWITCH)
PROBES = (0,)  # what a reading reads, up to another register


@dataclass(frozen=True, kw_only=True)
class DalyModbusParameters(PackRule, SwitchTimes):
    """What the rig file may say of a Daly board on Modbus: the rule, the waits and its switches.

    Parameters
    ----------
    timeout_s : float
        From request to reply. [s]
    retries : int
        Further attempts after the first, 0..5.
    """

    timeout_s: float = 1.0
    retries: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        PackRule.__post_init__(self)
        SwitchTimes.__post_init__(self)
        if not (0 < self.timeout_s <= 60 and 0 <= self.retries <= 5):
            raise DriverError(
                "device.parameter",
                "timeout_s is {timeout_s}, expected more than 0, at most 60; retries is {retries}, "
                "expected 0 to 5",
                kind="limit",
                timeout_s=self.timeout_s,
                retries=self.retries,
            )


class DalyModbusDriver(SwitchedPack):
    """One Daly board on Modbus as a BMS.

    Parameters
    ----------
    name : str
        Device name.
    link : ModbusRtuLink
        Serial port, speed and unit.
    parameters : DalyModbusParameters
        Rule, waits and switches.
    """

    capability = "bms"
    PARAMETERS = DalyModbusParameters
    LINK = ModbusRtuLink

    def __init__(self, name: str, link: ModbusRtuLink, parameters: DalyModbusParameters) -> None:
        self.name = name
        self._link = link
        self._parameters = parameters
        self._patience = Patience(parameters.timeout_s, parameters.retries)
        self._line: ModbusLine | None = None
        self._switches = PackSwitches(name, parameters, self._look, self._command)
        self.found = self._switches.found

    async def open(self) -> None:
        """Open the port and read once; no setting is written."""
        if self._line is not None:
            return
        self._line = join_line(self._link, self.name)
        self._line.probe_at(self._link.unit, PROBES)
        try:
            await self._status()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the wire; closing twice is allowed."""
        line, self._line = self._line, None
        if line is not None:
            await line.leave()

    async def identify(self) -> Identity:
        """Return the board's versions; it tells no serial number."""
        found = await self._read(layout.VERSIONS, layout.VERSION_REGISTERS)
        software, hardware = layout.parse_versions(found)
        return Identity("Daly", hardware, "", software)

    async def read(self) -> BmsReading:
        """Return what the board reports now, with the limits by the stated rule."""
        status = await self._status()
        alarms = parse_alarms(status.alarms)
        charge_a, discharge_a = self._parameters.limits_a(
            cells_mv=status.cells_mv,
            temperatures_c=status.temperatures_c,
            charge_fet=status.charge_fet and not alarms,
            discharge_fet=status.discharge_fet and not alarms,
            protections=(),
        )
        return BmsReading(
            soc=status.soc_permille / 1000,
            v_v=status.v_100mv / 10,
            i_a=0.0 - status.i_charge_100ma / 10,
            cells_mv=status.cells_mv,
            temperature_c=float(max(status.temperatures_c)),
            charge_limit_a=charge_a,
            discharge_limit_a=discharge_a,
            charge_fet=status.charge_fet,
            discharge_fet=status.discharge_fet,
            protections=alarms,
        )

    async def _look(self) -> tuple[Fets, float]:
        status = await self._status()
        return (status.charge_fet, status.discharge_fet), 0.0 - status.i_charge_100ma / 10

    async def _command(self, wanted: Fets, found: Fets) -> None:
        """Tell each switch, also one that shows what is wanted."""
        for register, on in zip(SWITCHES, wanted, strict=True):
            await self._opened().write_one(self._link.unit, register, int(on), self._patience)

    async def _status(self) -> layout.Status:
        status = layout.parse_status(await self._read(0, layout.REGISTERS))
        if isinstance(status, Malformed):
            raise DriverError(
                "daly.malformed",
                "{device} tells what cannot be meant: {reason}",
                kind="framing",
                device=self.name,
                reason=status.reason,
            )
        return status

    async def _read(self, address: int, count: int) -> list[int]:
        return await self._opened().read(self._link.unit, address, count, self._patience)

    def _opened(self) -> ModbusLine:
        if self._line is None:
            raise DriverError("driver.not_open", "{device} has not been opened", device=self.name)
        return self._line
