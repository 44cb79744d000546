"""What Pylontech's alarm reply (CID2 44) carries: INFO in, words out, and back.

Every cell, sensor and quantity has a byte: 00 normal, 01 below its limit, 02 above, F0 another
fault. Five status bytes follow; of these the switches and the acting protections are named here,
the rest is kept as sent.

Known gaps: an independent encoder of this reply has the same order of fields and the same four
states; its second byte is a count of modules where ours is the module. The bits of the status bytes
have no second source, and no capture from a real module was at hand, so the driver does without
this reply unless it is asked to.

References
----------
.. [1] Pylontech, "RS485-protocol-pylon-low-voltage," V3.3, 2018.
"""

from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Malformed

NORMAL, BELOW, ABOVE, FAULT = 0x00, 0x01, 0x02, 0xF0
STATES = frozenset((NORMAL, BELOW, ABOVE, FAULT))
STATUS_BYTES = 5

# Bits of the first status byte that are protections of the pack.
PROTECTIONS = {
    0: "pack_over_voltage",
    1: "cell_under_voltage",
    2: "charge_over_current",
    4: "discharge_over_current",
    5: "discharge_over_temperature",
    6: "charge_over_temperature",
    7: "pack_under_voltage",
}
FET_CHARGE, FET_DISCHARGE = 0x02, 0x04  # of the second


@dataclass(frozen=True)
class Alarms:
    """Alarms of one module.

    Parameters
    ----------
    number : int
        Module asked for.
    cells, temperatures : tuple of int
        One state each.
    charge_current, voltage, discharge_current : int
        States.
    status : bytes
        The five status bytes as sent.
    """

    flag: int
    number: int
    cells: tuple[int, ...]
    temperatures: tuple[int, ...]
    charge_current: int
    voltage: int
    discharge_current: int
    status: bytes

    @property
    def protections(self) -> tuple[str, ...]:
        """Names of the protections that act."""
        return tuple(name for bit, name in PROTECTIONS.items() if self.status[0] >> bit & 1)


def parse_alarms(info: bytes, asked: int) -> Alarms | Malformed:
    """Return the reply to 44 for one module, or why it cannot be."""
    if len(info) < 3:
        return Malformed(f"alarms have {len(info)} bytes")
    flag, number, cells = info[:3]
    at = 3 + cells
    sensors = info[at] if at < len(info) else 0
    size = at + 1 + sensors + 3 + STATUS_BYTES
    if len(info) != size:
        return Malformed(f"alarms of {cells} cells have {len(info)} bytes, not {size}")
    if number != asked:
        return Malformed(f"module {number} answers for {asked}")
    states = (*info[3:at], *info[at + 1 : size - STATUS_BYTES])
    if not STATES.issuperset(states):
        return Malformed(f"alarm states {sorted(set(states) - STATES)}")
    temperatures = states[cells : cells + sensors]
    charge, voltage, discharge = states[cells + sensors :]
    status = info[-STATUS_BYTES:]
    return Alarms(flag, number, states[:cells], temperatures, charge, voltage, discharge, status)


def encode_alarms(value: Alarms) -> bytes:
    """Return the INFO of a reply to 44."""
    rest = (value.charge_current, value.voltage, value.discharge_current)
    return (
        bytes((value.flag, value.number, len(value.cells), *value.cells))
        + bytes((len(value.temperatures), *value.temperatures, *rest))
        + value.status
    )
