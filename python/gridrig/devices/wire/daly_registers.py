"""The registers of newer Daly boards, which speak Modbus RTU as unit D2. Sans-IO.

All that a board measures stands in 62 registers, which clients read at once:

| register | what |
|---|---|
| 00 to 1F | cells [mV], unused ones 0 |
| 20 to 27 | temperatures [deg C + 40], unused ones 0 |
| 28, 29, 2A | voltage [0.1 V]; current [0.1 A + 30000], positive while charging; charge [0.1 %] |
| 2B to 2E | highest and lowest cell [mV], highest and lowest temperature |
| 2F, 30 | 0 idle, 1 charging, 2 discharging; what is left [0.1 Ah] |
| 31, 32, 33 | number of cells, of temperatures, of cycles |
| 34, 35, 36 | balancing, charge switch, discharge switch: 0 or 1 |
| 37, 38, 39 | mean of the cells, highest less lowest [mV]; power [W], without a sign |
| 3A to 3D | alarms, eight bytes |

Beyond them: 80 rated capacity [0.1 Ah]; A5 and A6, which switch charge and discharge; A7, which
sets the charge; A9 to C8, software and hardware version. That alarms lie as in the older protocol's
command 98 is an assumption.

References
----------
.. [1] S. Syed, "esphome-daly-bms: protocol-register-map.md" and captured frames, GitHub, 2024-2026.
.. [2] P. Loschmidt, "aiobmsble: daly_bms," GitHub, 2025: the same lay-out of the 62 registers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gridrig.devices.wire.pack_frames import Malformed

UNIT = 0xD2
REGISTERS = 62
CELLS_MAX, SENSORS_MAX = 32, 8
CHARGE_SWITCH, DISCHARGE_SWITCH, SET_SOC = 0xA5, 0xA6, 0xA7
RATED_100MAH = 0x80
VERSIONS, VERSION_REGISTERS, VERSION_CHARACTERS = 0xA9, 32, 32
I_OFFSET_100MA = 30_000
I_100MA_MAX = 0xFFFF - I_OFFSET_100MA
T_OFFSET_C = 40
IDLE, CHARGING, DISCHARGING = 0, 1, 2

PLACES = {
    **{"cells_mv": 0x00, "temperature_c": 0x20, "v_v": 0x28, "i_a": 0x29, "soc": 0x2A},
    **{"cycles": 0x33, "protections": 0x3A},
}
"""The first register of what a board tells, by our names."""

_TEMPERATURES, _PACK, _COUNTS, _ALARMS = 0x20, 0x28, 0x2B, 0x3A


@dataclass(frozen=True)
class Status:
    """What a board tells in one read.

    Parameters
    ----------
    cells_mv : tuple of int
        Cell voltages. [mV]
    temperatures_c : tuple of int
        Temperatures. [deg C]
    v_100mv : int
        Pack voltage. [0.1 V]
    i_charge_100ma : int
        Pack current, positive while charging. [0.1 A]
    soc_permille : int
        State of charge. [0.1 %]
    state : int
        `IDLE`, `CHARGING` or `DISCHARGING`.
    remaining_100mah : int
        What is left. [0.1 Ah]
    cycles : int
        Cycles.
    balancing, charge_fet, discharge_fet : bool
        Whether cells are bled, and each switch is closed.
    alarms : bytes
        Eight bytes of bits.
    """

    cells_mv: tuple[int, ...]
    temperatures_c: tuple[int, ...]
    v_100mv: int
    i_charge_100ma: int
    soc_permille: int
    state: int
    remaining_100mah: int
    cycles: int
    balancing: bool
    charge_fet: bool
    discharge_fet: bool
    alarms: bytes = bytes(8)


def encode_status(status: Status) -> list[int]:
    """Return the 62 registers.

    >>> one = Status((3300, 3310), (25,), 66, -123, 550, DISCHARGING, 1100, 7, False, True, True)
    >>> parse_status(encode_status(one)) == one
    True
    """
    cells, warm = status.cells_mv, [t + T_OFFSET_C for t in status.temperatures_c]
    power_w = round(status.v_100mv * abs(status.i_charge_100ma) / 100)
    pairs = zip(status.alarms[::2], status.alarms[1::2], strict=True)
    return [
        *(*cells, *[0] * (CELLS_MAX - len(cells))),
        *(*warm, *[0] * (SENSORS_MAX - len(warm))),
        *(status.v_100mv, status.i_charge_100ma + I_OFFSET_100MA, status.soc_permille),
        *(max(cells), min(cells), max(warm), min(warm)),
        *(status.state, status.remaining_100mah, len(cells), len(warm), status.cycles),
        *(int(status.balancing), int(status.charge_fet), int(status.discharge_fet)),
        *(round(sum(cells) / len(cells)), max(cells) - min(cells), min(power_w, 0xFFFF)),
        *(high << 8 | low for high, low in pairs),
    ]


def parse_status(registers: Sequence[int]) -> Status | Malformed:
    """Return what 62 registers tell, or why they cannot be meant."""
    if len(registers) != REGISTERS:
        return Malformed(f"{len(registers)} registers instead of {REGISTERS}")
    v, i, soc = registers[_PACK:_COUNTS]
    high_mv, low_mv, _, _, state, left, count, sensors, cycles = registers[_COUNTS:0x34]
    flags = registers[0x34:0x37]
    cells = tuple(registers[:count])
    if not 1 <= count <= CELLS_MAX or not 1 <= sensors <= SENSORS_MAX:
        return Malformed(f"{count} cells and {sensors} temperatures")
    if (max(cells), min(cells)) != (high_mv, low_mv):
        return Malformed(f"cells of {cells} mV with {high_mv} and {low_mv} mV as their ends")
    if soc > 1000 or state > DISCHARGING or not set(flags) <= {0, 1}:
        return Malformed(f"charge {soc} permille, state {state}, flags {flags}")
    warm = registers[_TEMPERATURES : _TEMPERATURES + sensors]
    balancing, charge_fet, discharge_fet = map(bool, flags)
    return Status(
        cells_mv=cells,
        temperatures_c=tuple(t - T_OFFSET_C for t in warm),
        v_100mv=v,
        i_charge_100ma=i - I_OFFSET_100MA,
        soc_permille=soc,
        state=state,
        remaining_100mah=left,
        cycles=cycles,
        balancing=balancing,
        charge_fet=charge_fet,
        discharge_fet=discharge_fet,
        alarms=b"".join(r.to_bytes(2, "big") for r in registers[_ALARMS:]),
    )


def encode_versions(software: str, hardware: str) -> list[int]:
    """Return the registers of both versions, 32 ASCII characters each at most."""
    padded = (v.encode("ascii").ljust(VERSION_CHARACTERS, b"\x00") for v in (software, hardware))
    raw = b"".join(padded)
    return [high << 8 | low for high, low in zip(raw[::2], raw[1::2], strict=True)]


def parse_versions(registers: Sequence[int]) -> tuple[str, str]:
    """Return software and hardware version, the first two words: clients differ on their lengths.

    >>> parse_versions(encode_versions("4.1", "BMS"))
    ('4.1', 'BMS')
    """
    raw = b"".join(r.to_bytes(2, "big") for r in registers)
    words = [*raw.replace(b"\x00", b" ").decode("ascii", "replace").split(), "", ""]
    return words[0], words[1]
