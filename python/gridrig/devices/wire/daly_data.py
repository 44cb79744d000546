"""What Daly frames carry: eight data bytes in, integers out, and back.

Fields keep the wire's units; the current is positive while discharging, as a number of 0.1 A above
-3000 A. Clients that read it as a signed word see it wrap beyond 276.7 A; here it is unsigned, as
the protocol says. A content that cannot be is a `Malformed`, never an exception.

References
----------
.. [1] Daly Electronics, "UART/485 Communications Protocol," V1.2.
"""

import struct
from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Malformed

I_OFFSET_100MA = 30_000
I_100MA_MIN, I_100MA_MAX = -30_000, 0xFFFF - I_OFFSET_100MA  # -3000.0 A, 3553.5 A
I_100MA_MAX_SIGNED = 0x7FFF - I_OFFSET_100MA  # 276.7 A, the last that signed clients understand
T_OFFSET_C = 40
CELLS_A_FRAME = 3
TEMPERATURES_A_FRAME = 7
CODE_CHARACTERS_A_FRAME = 7
CODE_FRAMES = 5
CELLS_MAX = 48
SENSORS_MAX = 16

IDLE, CHARGING, DISCHARGING = 0, 1, 2

# Alarms by bit number; of each pair the even one warns and the odd one acts.
_PAIRS = (
    "cell_over_voltage",
    "cell_under_voltage",
    "pack_over_voltage",
    "pack_under_voltage",
    "charge_over_temperature",
    "charge_under_temperature",
    "discharge_over_temperature",
    "discharge_under_temperature",
    "charge_over_current",
    "discharge_over_current",
    "soc_high",
    "soc_low",
    "cell_voltage_difference",
    "temperature_difference",
)
_SINGLE = {
    32: "charge_fet_over_temperature",
    33: "discharge_fet_over_temperature",
    34: "charge_fet_sensor",
    35: "discharge_fet_sensor",
    36: "charge_fet_stuck",
    37: "discharge_fet_stuck",
    38: "charge_fet_open",
    39: "discharge_fet_open",
    40: "afe_failure",
    41: "cell_wire_lost",
    42: "temperature_sensor",
    43: "eeprom_failure",
    44: "clock_failure",
    45: "precharge_failure",
    46: "vehicle_communication",
    47: "internal_communication",
    48: "current_sensor",
    49: "pack_voltage_sensor",
    50: "short_circuit",
    51: "low_voltage_no_charging",
}
WARNING = "_warning"
ALARMS: dict[int, str] = {
    **{2 * n: name + WARNING for n, name in enumerate(_PAIRS)},
    **{2 * n + 1: name for n, name in enumerate(_PAIRS)},
    **_SINGLE,
}
_ALARM_BITS = {name: bit for bit, name in ALARMS.items()}

_PACK = struct.Struct(">HHHH")
_RANGE = struct.Struct(">HBHB2x")
_SWITCHES = struct.Struct(">BBBBI")
_SETUP = struct.Struct(">BBBBBHx")
_RATED = struct.Struct(">IHH")
_CELLS = struct.Struct(">B3Hx")
_SOC = struct.Struct(">6BH")


@dataclass(frozen=True)
class Pack:
    """Reply to 90: voltages [0.1 V], current while discharging [0.1 A], charge [0.1 %]."""

    v_100mv: int
    acquired_100mv: int
    i_discharge_100ma: int
    soc_permille: int


@dataclass(frozen=True)
class CellRange:
    """Reply to 91: highest and lowest cell [mV] and their numbers from 1."""

    high_mv: int
    high_number: int
    low_mv: int
    low_number: int


@dataclass(frozen=True)
class Switches:
    """Reply to 93: idle, charging or discharging; the switches; charge left [mAh]."""

    state: int
    charge_fet: bool
    discharge_fet: bool
    life: int
    remaining_mah: int


@dataclass(frozen=True)
class Setup:
    """Reply to 94: how many cells and sensors, what is connected, inputs, full cycles."""

    cells: int
    sensors: int
    charger: bool
    load: bool
    inputs: int
    cycles: int


def parse_pack(data: bytes) -> Pack | Malformed:
    """Return the content of 90, or why it cannot be."""
    v_100mv, acquired_100mv, current, soc = _PACK.unpack(data)
    if soc > 1000:
        return Malformed(f"state of charge of {soc / 10} %")
    return Pack(v_100mv, acquired_100mv, current - I_OFFSET_100MA, soc)


def encode_pack(pack: Pack) -> bytes:
    """Return the content of 90; `struct.error` if a value does not fit."""
    current = pack.i_discharge_100ma + I_OFFSET_100MA
    return _PACK.pack(pack.v_100mv, pack.acquired_100mv, current, pack.soc_permille)


def parse_cell_range(data: bytes) -> CellRange | Malformed:
    """Return the content of 91, or why it cannot be."""
    found = CellRange(*_RANGE.unpack(data))
    if found.low_mv > found.high_mv:
        return Malformed(f"lowest cell of {found.low_mv} mV above the highest, {found.high_mv} mV")
    return found


def encode_cell_range(cells_mv: tuple[int, ...]) -> bytes:
    """Return the content of 91."""
    high, low = max(cells_mv), min(cells_mv)
    return _RANGE.pack(high, cells_mv.index(high) + 1, low, cells_mv.index(low) + 1)


def encode_temperature_range(temperatures_c: tuple[int, ...]) -> bytes:
    """Return the content of 92."""
    high, low = max(temperatures_c), min(temperatures_c)
    numbers = temperatures_c.index(high) + 1, temperatures_c.index(low) + 1
    return bytes((high + T_OFFSET_C, numbers[0], low + T_OFFSET_C, numbers[1], 0, 0, 0, 0))


def parse_switches(data: bytes) -> Switches | Malformed:
    """Return the content of 93, or why it cannot be."""
    state, charge, discharge, life, remaining = _SWITCHES.unpack(data)
    if state > DISCHARGING or charge > 1 or discharge > 1:
        return Malformed(f"state {state}, switches {charge} and {discharge}")
    return Switches(state, bool(charge), bool(discharge), life, remaining)


def encode_switches(value: Switches) -> bytes:
    """Return the content of 93."""
    return _SWITCHES.pack(*vars(value).values())


def parse_setup(data: bytes) -> Setup | Malformed:
    """Return the content of 94, or why it cannot be."""
    cells, sensors, charger, load, inputs, cycles = _SETUP.unpack(data)
    if not 1 <= cells <= CELLS_MAX or sensors > SENSORS_MAX:
        return Malformed(f"{cells} cells and {sensors} sensors")
    return Setup(cells, sensors, bool(charger), bool(load), inputs, cycles)


def encode_setup(value: Setup) -> bytes:
    """Return the content of 94."""
    return _SETUP.pack(*vars(value).values())


def encode_cells(cells_mv: tuple[int, ...], frames: int) -> list[bytes]:
    """Return the contents of 95, numbered from 1; cells that are not there are 0."""
    padded = cells_mv + (0,) * (frames * CELLS_A_FRAME - len(cells_mv))
    return [
        _CELLS.pack(n + 1, *padded[n * CELLS_A_FRAME : (n + 1) * CELLS_A_FRAME])
        for n in range(frames)
    ]


def parse_cells(data: bytes) -> tuple[int, tuple[int, ...]]:
    """Return a content of 95: its number from 1 and its cells. [mV]"""
    number, *cells = _CELLS.unpack(data)
    return number, tuple(cells)


def encode_temperatures(temperatures_c: tuple[int, ...], frames: int) -> list[bytes]:
    """Return the contents of 96, numbered from 1; sensors that are not there are 0."""
    raw = tuple(c + T_OFFSET_C for c in temperatures_c)
    raw += (0,) * (frames * TEMPERATURES_A_FRAME - len(raw))
    return [
        bytes((n + 1, *raw[n * TEMPERATURES_A_FRAME : (n + 1) * TEMPERATURES_A_FRAME]))
        for n in range(frames)
    ]


def parse_temperatures(data: bytes) -> tuple[int, tuple[int, ...]]:
    """Return a content of 96: its number from 1 and its sensors. [deg C]"""
    return data[0], tuple(value - T_OFFSET_C for value in data[1:])


def encode_balancing(cells: tuple[bool, ...]) -> bytes:
    """Return the content of 97: cell 1 is the lowest bit of the first byte."""
    return sum(1 << n for n, on in enumerate(cells) if on).to_bytes(8, "little")


def parse_alarms(data: bytes) -> tuple[str, ...]:
    """Return the alarms of 98 by name; a bit without a name is "bit_52" and so on.

    >>> parse_alarms(bytes.fromhex("0200000000000400"))
    ('cell_over_voltage', 'short_circuit')
    """
    bits = int.from_bytes(data[:7], "little")
    names = [ALARMS.get(bit, f"bit_{bit}") for bit in range(56) if bits >> bit & 1]
    return (*names, *([f"fault_code_{data[7]}"] if data[7] else []))


def encode_alarms(names: tuple[str, ...]) -> bytes:
    """Return the content of 98; a name this protocol lacks raises `KeyError`."""
    return sum(1 << _ALARM_BITS[name] for name in set(names)).to_bytes(8, "little")


def has_alarm(name: str) -> bool:
    """Return whether the protocol has a bit for this alarm."""
    return name in _ALARM_BITS


def encode_rated(capacity_mah: int, cell_mv: int) -> bytes:
    """Return the content of 50: capacity and nominal cell voltage."""
    return _RATED.pack(capacity_mah, 0, cell_mv)


def parse_rated(data: bytes) -> tuple[int, int]:
    """Return the content of 50: capacity [mAh] and nominal cell voltage [mV]."""
    capacity_mah, _, cell_mv = _RATED.unpack(data)
    return capacity_mah, cell_mv


def encode_code(code: str) -> list[bytes]:
    """Return the contents of 57: the battery code, seven characters a frame."""
    raw = code.encode("ascii").ljust(CODE_FRAMES * CODE_CHARACTERS_A_FRAME)
    return [
        bytes((n + 1,)) + raw[n * CODE_CHARACTERS_A_FRAME : (n + 1) * CODE_CHARACTERS_A_FRAME]
        for n in range(CODE_FRAMES)
    ]


def parse_set_soc(data: bytes) -> int | Malformed:
    """Return the state of charge that 21 sets [0.1 %]; its clock fields are not looked at."""
    soc = _SOC.unpack(data)[-1]
    return Malformed(f"state of charge of {soc / 10} %") if soc > 1000 else int(soc)
