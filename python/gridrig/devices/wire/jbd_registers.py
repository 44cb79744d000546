"""What JBD registers carry: payload in, integers out, and back.

Fields keep the wire's units and signs: the current is positive while charging. A content that
cannot be is a `Malformed`, never an exception. Printing what was parsed gives the same payload.

The settings (EEPROM) registers are in `jbd_settings`.

References
----------
.. [1] FurTrader, "JBD BMS Serial Interface and Register Map," OverkillSolarBMS repository.
"""

import struct
from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Malformed

FET_CHARGE = 0x01
FET_DISCHARGE = 0x02

I_10MA_MAX = 0x7FFF  # 327.67 A

# Bit number in the protection field = position here.
PROTECTIONS = (
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
    "short_circuit",
    "ic_error",
    "software_lock",
)

_BASIC = struct.Struct(">HhHHHHIHBBBBB")


@dataclass(frozen=True)
class BasicInfo:
    """Register 03, in the wire's own units and signs.

    Parameters
    ----------
    v_10mv : int
        Pack voltage. [10 mV]
    i_charge_10ma : int
        Pack current, positive while charging. [10 mA]
    remaining_10mah, nominal_10mah : int
        Charge left, nominal capacity. [10 mAh]
    cycles : int
        Full cycles.
    made_on : int
        Date of manufacture: day in bits 0-4, month in 5-8, year after 2000 in 9-15.
    balancing : int
        Bit n: cell n+1 balances, as sent (first word cells 1-16).
    protection : int
        Bits as named by `PROTECTIONS`.
    version : int
        Software version, 0x80 is 8.0.
    soc_percent : int
        State of charge. [%]
    fets : int
        `FET_CHARGE`, `FET_DISCHARGE`: closed switches.
    cells : int
        Number of cells in series.
    temperatures_dk : tuple of int
        Sensors. [0.1 K, 0 deg C is 2731]
    trailing : bytes
        What newer firmware appends; kept, not read.
    """

    v_10mv: int
    i_charge_10ma: int
    remaining_10mah: int
    nominal_10mah: int
    cycles: int
    made_on: int
    balancing: int
    protection: int
    version: int
    soc_percent: int
    fets: int
    cells: int
    temperatures_dk: tuple[int, ...]
    trailing: bytes = b""


def parse_basic(payload: bytes) -> BasicInfo | Malformed:
    """Return register 03's content, or why it cannot be."""
    if len(payload) < _BASIC.size:
        return Malformed(f"basic info has {len(payload)} bytes, fewer than {_BASIC.size}")
    sensors = payload[_BASIC.size - 1]
    end = _BASIC.size + 2 * sensors
    if len(payload) < end:
        return Malformed(f"basic info has {len(payload)} bytes, {end} with {sensors} sensors")
    temperatures = struct.unpack_from(f">{sensors}H", payload, _BASIC.size)
    fields = (*_BASIC.unpack_from(payload)[:-1], temperatures, payload[end:])
    info = BasicInfo(*fields)
    if info.soc_percent > 100:
        return Malformed(f"state of charge of {info.soc_percent} %")
    return info


def encode_basic(info: BasicInfo) -> bytes:
    """Return register 03's content; `struct.error` if a value does not fit its field."""
    sensors = len(info.temperatures_dk)
    head = _BASIC.pack(
        info.v_10mv,
        info.i_charge_10ma,
        info.remaining_10mah,
        info.nominal_10mah,
        info.cycles,
        info.made_on,
        info.balancing,
        info.protection,
        info.version,
        info.soc_percent,
        info.fets,
        info.cells,
        sensors,
    )
    return head + struct.pack(f">{sensors}H", *info.temperatures_dk) + info.trailing


def parse_cells(payload: bytes) -> tuple[int, ...] | Malformed:
    """Return the cell voltages [mV], or why they cannot be."""
    if not payload or len(payload) % 2:
        return Malformed(f"cell voltages have {len(payload)} bytes")
    return struct.unpack(f">{len(payload) // 2}H", payload)


def encode_cells(cells_mv: tuple[int, ...]) -> bytes:
    """Return register 04's content from cell voltages [mV]."""
    return struct.pack(f">{len(cells_mv)}H", *cells_mv)


def protection_names(bits: int) -> tuple[str, ...]:
    """Return the names of the protections set in `bits`; a bit without a name is "bit_13" etc.

    >>> protection_names(0b1000_0000_0010)
    ('cell_under_voltage', 'ic_error')
    """
    return tuple(
        PROTECTIONS[bit] if bit < len(PROTECTIONS) else f"bit_{bit}"
        for bit in range(16)
        if bits >> bit & 1
    )


def protection_bits(names: tuple[str, ...]) -> int:
    """Return the protection field; a name this protocol lacks raises `ValueError`."""
    return sum(1 << PROTECTIONS.index(name) for name in set(names))
