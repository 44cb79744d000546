"""What Pylontech replies carry: INFO in, integers out, and back.

Fields keep the wire's units and signs: currents are positive while charging. A content that cannot
be is a `Malformed`, never an exception. Printing what was parsed gives the same INFO.

References
----------
.. [1] Pylontech, "RS485-protocol-pylon-low-voltage," V3.3, 2018.
.. [2] F. Villaro-Dixon, python-pylontech 0.3.3, tests and captured frames.
"""

import struct
from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Malformed

ALL_MODULES = 0xFF

STATUS_CHARGE = 0x80
STATUS_DISCHARGE = 0x40
STATUS_CHARGE_NOW_2 = 0x20
STATUS_CHARGE_NOW_1 = 0x10
STATUS_FULL_CHARGE = 0x08

I_100MA_MAX = 0x7FFF  # 3,276.7 A
_U16_BY_EXTENSION = 0xFFFF

_MANAGEMENT = struct.Struct(">BHHhhB")
_SYSTEM = struct.Struct(">BHHHHHhHHHHHh")
_MANUFACTURER = struct.Struct(">10s2B20s")
_SERIAL = struct.Struct(">B16s")


@dataclass(frozen=True)
class Module:
    """Analog values of one module, in the wire's own units and signs.

    Parameters
    ----------
    cells_mv : tuple of int
        Cell voltages. [mV]
    temperatures_dk : tuple of int
        The board first, then groups of cells. [0.1 K, 0 deg C is 2731]
    i_charge_100ma : int
        Current, positive while charging. [0.1 A]
    v_mv : int
        Voltage. [mV]
    remaining_mah, total_mah : int
        Charge left and capacity. [mAh]
    cycles : int
        Full cycles.
    wide : bool
        Whether charge and capacity came in the 24-bit user items.
    """

    cells_mv: tuple[int, ...]
    temperatures_dk: tuple[int, ...]
    i_charge_100ma: int
    v_mv: int
    remaining_mah: int
    total_mah: int
    cycles: int
    wide: bool


@dataclass(frozen=True)
class Analog:
    """Reply to 42: `number` is the module asked for, or the count if all were."""

    flag: int
    number: int
    modules: tuple[Module, ...]


@dataclass(frozen=True)
class Management:
    """Reply to 92: what the pack allows now; the discharge current is negative on the wire.

    Parameters
    ----------
    number : int
        Module asked for.
    charge_v_mv, discharge_v_mv : int
        Voltage limits. [mV]
    charge_i_100ma, discharge_i_100ma : int
        Current limits, positive while charging. [0.1 A]
    status : int
        `STATUS_*` bits.
    """

    number: int
    charge_v_mv: int
    discharge_v_mv: int
    charge_i_100ma: int
    discharge_i_100ma: int
    status: int


@dataclass(frozen=True)
class SystemParameters:
    """Reply to 47, in [mV], [0.1 K] and [0.1 A], positive while charging."""

    flag: int
    cell_high_mv: int
    cell_low_mv: int
    cell_under_mv: int
    charge_high_dk: int
    charge_low_dk: int
    charge_i_100ma: int
    module_high_mv: int
    module_low_mv: int
    module_under_mv: int
    discharge_high_dk: int
    discharge_low_dk: int
    discharge_i_100ma: int


@dataclass(frozen=True)
class Manufacturer:
    """Reply to 51."""

    device: str
    software: tuple[int, int]
    manufacturer: str


@dataclass(frozen=True)
class Serial:
    """Reply to 93."""

    number: int
    serial: str


class _Short(Exception):
    """INFO ended inside a field."""


class _Cursor:
    """Reads big-endian integers from INFO."""

    def __init__(self, info: bytes) -> None:
        self._info = info
        self._at = 0

    def take(self, size: int, *, signed: bool = False) -> int:
        chunk = self._info[self._at : self._at + size]
        if len(chunk) < size:
            raise _Short
        self._at += size
        return int.from_bytes(chunk, "big", signed=signed)

    @property
    def left(self) -> int:
        return len(self._info) - self._at


def parse_analog(info: bytes, asked: int) -> Analog | Malformed:
    """Return the reply to 42.

    Parameters
    ----------
    info : bytes
        INFO of the reply.
    asked : int
        INFO of the request: a module number, or `ALL_MODULES`. The two shapes cannot be told
        apart from the reply alone.
    """
    cursor = _Cursor(info)
    try:
        flag, number = cursor.take(1), cursor.take(1)
        if asked not in (ALL_MODULES, number):
            return Malformed(f"module {number} answers for {asked}")
        count = number if asked == ALL_MODULES else 1
        modules = tuple(_parse_module(cursor) for _ in range(count))
    except _Short:
        return Malformed(f"analog values end after {len(info)} bytes inside a field")
    if cursor.left:
        return Malformed(f"{cursor.left} bytes after the last module")
    return Analog(flag, number, modules)


def _parse_module(cursor: _Cursor) -> Module:
    cells = tuple(cursor.take(2, signed=True) for _ in range(cursor.take(1)))
    temperatures = tuple(cursor.take(2) for _ in range(cursor.take(1)))
    current, voltage = cursor.take(2, signed=True), cursor.take(2)
    remaining, items, total, cycles = (cursor.take(size) for size in (2, 1, 2, 2))
    wide = items > 2
    if wide:
        remaining, total = cursor.take(3), cursor.take(3)
    return Module(cells, temperatures, current, voltage, remaining, total, cycles, wide)


def encode_analog(analog: Analog) -> bytes:
    """Return the INFO of a reply to 42; `struct.error` or `OverflowError` if a value is too big."""
    return bytes((analog.flag, analog.number)) + b"".join(map(_encode_module, analog.modules))


def _encode_module(module: Module) -> bytes:
    cells, sensors = len(module.cells_mv), len(module.temperatures_dk)
    short = (module.remaining_mah, module.total_mah)
    remaining, total = (_U16_BY_EXTENSION, _U16_BY_EXTENSION) if module.wide else short
    data = struct.pack(
        f">B{cells}hB{sensors}HhHHBHH",
        cells,
        *module.cells_mv,
        sensors,
        *module.temperatures_dk,
        module.i_charge_100ma,
        module.v_mv,
        remaining,
        4 if module.wide else 2,
        total,
        module.cycles,
    )
    if module.wide:
        data += b"".join(value.to_bytes(3, "big") for value in short)
    return data


def parse_management(info: bytes) -> Management | Malformed:
    """Return the reply to 92, or why it cannot be."""
    if len(info) != _MANAGEMENT.size:
        return Malformed(f"management values have {len(info)} bytes, not {_MANAGEMENT.size}")
    return Management(*_MANAGEMENT.unpack(info))


def encode_management(value: Management) -> bytes:
    """Return the INFO of a reply to 92."""
    return _MANAGEMENT.pack(*vars(value).values())


def parse_system(info: bytes) -> SystemParameters | Malformed:
    """Return the reply to 47, or why it cannot be."""
    if len(info) != _SYSTEM.size:
        return Malformed(f"system parameters have {len(info)} bytes, not {_SYSTEM.size}")
    return SystemParameters(*_SYSTEM.unpack(info))


def encode_system(value: SystemParameters) -> bytes:
    """Return the INFO of a reply to 47."""
    return _SYSTEM.pack(*vars(value).values())


def _text(field: bytes) -> str:
    return field.rstrip(b"\x00 ").decode("ascii", "replace")


def parse_manufacturer(info: bytes) -> Manufacturer | Malformed:
    """Return the reply to 51, or why it cannot be."""
    if len(info) != _MANUFACTURER.size:
        return Malformed(f"manufacturer has {len(info)} bytes, not {_MANUFACTURER.size}")
    device, major, minor, manufacturer = _MANUFACTURER.unpack(info)
    return Manufacturer(_text(device), (major, minor), _text(manufacturer))


def encode_manufacturer(value: Manufacturer) -> bytes:
    """Return the INFO of a reply to 51; text is cut or filled to its field."""
    device, maker = value.device.encode("ascii"), value.manufacturer.encode("ascii")
    return _MANUFACTURER.pack(device, *value.software, maker)


def parse_serial(info: bytes) -> Serial | Malformed:
    """Return the reply to 93, or why it cannot be."""
    if len(info) != _SERIAL.size:
        return Malformed(f"serial number has {len(info)} bytes, not {_SERIAL.size}")
    number, serial = _SERIAL.unpack(info)
    return Serial(number, _text(serial))


def encode_serial(value: Serial) -> bytes:
    """Return the INFO of a reply to 93."""
    return _SERIAL.pack(value.number, value.serial.encode("ascii"))
