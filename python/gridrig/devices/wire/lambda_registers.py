"""The registers of Lambda's heat pumps (EU-L series, also sold by Zewotherm). Sans-IO.

A register's number is made of a module's index, its place among its like, and a data point: 1104 is
point 04 of the second heat pump. Modbus TCP (port 502) or RTU, unit 1, holding registers; read by
function 3, written by function 16 only, also one register. What is used here:

| register | what |
|---|---|
| 0000 to 0003 | error; state; outdoor temperature now, and over an hour [0.1 deg C] |
| 0100 | the energy manager's error |
| 0101 | its state: 0 off, 1 automatic, 2 manual, 3 error, 4 offline |
| 0102 | power that the pumps may take [W], unsigned; written, and lapses |
| 0103, 0104 | what all pumps take, and shall take [W] |
| 1n00 to 1n03 | pump n: kind of error, error, state, what it does (`OPERATING`) |
| 1n11 to 1n13 | heat [0.1 kW], power taken [W], coefficient of performance [0.01] |
| 1n20, 1n22 | electricity and heat since the last reset [Wh], 32 bits, the high word first |
| 5n00, 5n01 | heating circuit n: error; what it does (`CIRCUIT`) |
| 5n04 | room temperature [0.1 deg C], -29.9 to 99.9 |
| 5n06 | mode of the circuit: 0 off, 1 manual, 2 automatic, ... |
| 5n51 | what the room's thermostat holds [0.1 deg C], 15.0 to 40.0; written, and kept |

Points up to 49 that a master writes hold for five minutes unless they are written again. Register
0102 is read so if the controller's "E-Meter" is set to "ModBus Client", "E-Eintrag" (energy input).

A temperature without a sensor is told as -300.0 deg C, a point without a value as 0x8000; that the
latter stands in 0102 before anything is told is what two owners saw. 0103 is 0 unless the energy
manager is in automatic mode. From controller software 1.1.3 on the words of the 32-bit points are
exchanged. That a master may write 0x8000 to 0102 to take a power back before it lapses has no
source: see `docs/heat_pumps.md`.

References
----------
.. [1] Lambda Waermepumpen, "Modbus Beschreibung und Protokoll," 13 February 2025.
.. [2] "openHAB Lambda binding" and "lambda_heat_pumps," GitHub, 2024-2026: two independent
   clients, which agree on every register above.
.. [3] evcc, "lambda-zewotherm," GitHub, 2025: 0102 as energy input, one register by function 16.
.. [4] Issues lambda_heat_pumps 100, lambda-heatpump-modbus-tcp-HA 9: -3000 and 0x8000 as read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Malformed

UNIT = 1
LAPSES_S = 300
NO_VALUE = 0x8000
NO_SENSOR = -3000 & 0xFFFF
HEAT_PUMPS_MAX, CIRCUITS_MAX = 3, 12

AMBIENT, AMBIENT_COUNT = 0, 4
MANAGER, MANAGER_COUNT = 100, 5
POWER = 102  # the one point that is told
PUMP, PUMP_COUNT = 1000, 24
CIRCUIT_COUNT = 7  # 07 answers no read on some controllers
SETTINGS, SETTINGS_COUNT = 50, 3
POWER_W_MAX = NO_VALUE - 1

OFF, AUTOMATIC, MANUAL, ERROR, OFFLINE = range(5)
ALARM = 3  # kind of error from which on a pump stands still
STANDBY, HEATING = 0, 1  # OPERATING: of many, what is used here
C_HEATING, C_FROST, C_MAX_TEMP, C_ERROR, C_STANDBY = 0, 4, 5, 6, 16  # CIRCUIT, likewise
C_AUTOMATIC = 2  # the mode of a heating circuit

OUTDOOR_RANGE_C = (-50.0, 80.0)
ROOM_RANGE_C = (-29.9, 99.9)
SET_POINT_RANGE_C = (15.0, 40.0)


def pump_at(number: int) -> int:
    """Return the first register of a heat pump, counted from 1."""
    return PUMP + 100 * (number - 1)


def circuit_at(number: int) -> int:
    """Return the first register of a heating circuit, counted from 1."""
    return 5000 + 100 * (number - 1)


def signed(raw: int) -> int:
    """Return a register as a signed number.

    >>> signed(0xFFFF)
    -1
    """
    return raw - 0x10000 if raw & 0x8000 else raw


def temperature_c(raw: int, range_c: tuple[float, float]) -> float | None:
    """Return a temperature; None out of its range: no sensor and no value are, too. [deg C]

    >>> temperature_c(215, ROOM_RANGE_C), temperature_c(NO_SENSOR, ROOM_RANGE_C)
    (21.5, None)
    """
    value = signed(raw) / 10
    return value if range_c[0] <= value <= range_c[1] else None


def temperature_raw(value_c: float | None, range_c: tuple[float, float]) -> int:
    """Return a temperature as a register; beyond the range it is told as the range's end."""
    if value_c is None:
        return NO_SENSOR
    return round(10 * min(max(value_c, range_c[0]), range_c[1])) & 0xFFFF


def words(value: int) -> tuple[int, int]:
    """Return a 32-bit point as two registers, the high one first."""
    return value >> 16 & 0xFFFF, value & 0xFFFF


@dataclass(frozen=True)
class Manager:
    """The energy manager.

    Parameters
    ----------
    error : int
        0 for none.
    state : int
        `OFF`, `AUTOMATIC`, `MANUAL`, `ERROR` or `OFFLINE`.
    told_w : int or None
        What the pumps may take, None while nothing is told. [W]
    taken_w, wanted_w : int
        What all pumps take, and shall take. [W]
    """

    error: int
    state: int
    told_w: int | None
    taken_w: int = 0
    wanted_w: int = 0

    @property
    def takes_powers(self) -> bool:
        """Whether a power that is written is followed: it is switched on, and to automatic."""
        return self.state not in (OFF, MANUAL)


def encode_manager(manager: Manager) -> list[int]:
    """Return registers 0100 to 0104.

    >>> parse_manager(encode_manager(Manager(0, AUTOMATIC, 1500, 1480, 1500)))
    Manager(error=0, state=1, told_w=1500, taken_w=1480, wanted_w=1500)
    """
    told = NO_VALUE if manager.told_w is None else manager.told_w
    both_w = (manager.taken_w & 0xFFFF, manager.wanted_w & 0xFFFF)
    return [manager.error & 0xFFFF, manager.state, told, *both_w]


def parse_manager(registers: Sequence[int]) -> Manager | Malformed:
    """Return what registers 0100 to 0104 tell, or why they cannot be meant."""
    if len(registers) != MANAGER_COUNT:
        return Malformed(f"{len(registers)} registers instead of {MANAGER_COUNT}")
    error, state, told, taken, wanted = registers
    if state > OFFLINE:
        return Malformed(f"{state} as state of the energy manager")
    told_w = None if told == NO_VALUE else told
    return Manager(signed(error), state, told_w, signed(taken), signed(wanted))


@dataclass(frozen=True)
class Pump:
    """A heat pump.

    Parameters
    ----------
    kind_of_error, error : int
        0 none, 1 message, 2 warning, 3 alarm, 4 fault; and its number.
    state, operating : int
        As the maker counts them.
    taken_w : int
        What it takes, not negative. [W]
    heat_100w : int
        Heat. [0.1 kW]
    cop_100 : int
        Coefficient of performance. [0.01]
    taken_wh, heat_wh : int
        Since the last reset. [Wh]
    """

    kind_of_error: int
    error: int
    state: int
    operating: int
    taken_w: int
    heat_100w: int = 0
    cop_100: int = 0
    taken_wh: int = 0
    heat_wh: int = 0


def encode_pump(pump: Pump) -> list[int]:
    """Return the 24 registers of a pump; what the model has not is without a value."""
    registers = [NO_VALUE] * PUMP_COUNT
    registers[:4] = [pump.kind_of_error, pump.error & 0xFFFF, pump.state, pump.operating]
    registers[11:14] = [pump.heat_100w, pump.taken_w & 0xFFFF, pump.cop_100]
    registers[20:24] = [*words(pump.taken_wh), *words(pump.heat_wh)]
    return registers


def parse_pump(registers: Sequence[int]) -> Pump | Malformed:
    """Return what the first 24 registers of a pump tell, or why they cannot be meant."""
    if len(registers) != PUMP_COUNT:
        return Malformed(f"{len(registers)} registers instead of {PUMP_COUNT}")
    kind, error, state, operating = registers[:4]
    heat, taken, cop = registers[11:14]
    if taken & 0x8000:
        return Malformed(f"0x{taken:04X} as power taken")
    pairs = zip(registers[20:24:2], registers[21:24:2], strict=True)
    taken_wh, heat_wh = (high << 16 | low for high, low in pairs)
    return Pump(kind, signed(error), state, operating, taken, heat, cop, taken_wh, heat_wh)
