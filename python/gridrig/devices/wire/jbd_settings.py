"""JBD's settings registers (EEPROM): what each means, in integers of the wire.

They are read and written in factory mode only: write register 00 with 56 78 to enter; write 01 with
28 28 to leave and keep what was written, with 00 00 to leave without.

References
----------
.. [1] FurTrader, "JBD BMS Serial Interface and Register Map," OverkillSolarBMS repository.
"""

from dataclasses import dataclass
from typing import Literal

REG_FACTORY_ENTER = 0x00
REG_FACTORY_LEAVE = 0x01
ENTER = b"\x56\x78"
LEAVE = b"\x00\x00"
LEAVE_AND_SAVE = b"\x28\x28"

Unit = Literal["mv", "10mv", "10ma", "-10ma", "dk", "10mah", "bits", "count"]


@dataclass(frozen=True)
class SettingsRegister:
    """One register.

    Parameters
    ----------
    number : int
        Its number on the wire.
    name : str
        The map's short name.
    unit : str
        Of one step; "-10ma" is a discharge current, which the wire carries as a negative number,
        "dk" is 0.1 K.
    protection : str or None
        The protection of the pack that it belongs to.
    side : str
        "trip" or "release" of that protection.
    """

    number: int
    name: str
    unit: Unit
    protection: str | None = None
    side: Literal["trip", "release"] = "trip"

    def to_wire(self, value: float) -> int | None:
        """Return a value [V, A, deg C, Ah] as a word; None if the register cannot hold it."""
        match self.unit:
            case "mv":
                raw = round(value * 1000)
            case "10mv" | "10ma" | "10mah":
                raw = round(value * 100)
            case "-10ma":
                raw = -round(value * 100)
            case "dk":
                raw = round(value * 10) + 2731
            case _:
                raw = round(value)
        signed = self.unit in {"10ma", "-10ma"}
        low, high = (-0x8000, 0x7FFF) if signed else (0, 0xFFFF)
        return raw & 0xFFFF if low <= raw <= high else None

    def from_wire(self, word: int) -> float:
        """Return a word as a value. [V, A, deg C, Ah]"""
        match self.unit:
            case "mv":
                return word / 1000
            case "10mv" | "10mah":
                return word / 100
            case "10ma":
                return _signed(word) / 100
            case "-10ma":
                return -_signed(word) / 100
            case "dk":
                return (word - 2731) / 10
            case _:
                return word


def _signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word


def _pair(number: int, name: str, unit: Unit, protection: str) -> tuple[SettingsRegister, ...]:
    return (
        SettingsRegister(number, name, unit, protection, "trip"),
        SettingsRegister(number + 1, f"{name}_rel", unit, protection, "release"),
    )


REGISTERS: dict[int, SettingsRegister] = {
    one.number: one
    for one in (
        SettingsRegister(0x10, "design_cap", "10mah"),
        SettingsRegister(0x11, "cycle_cap", "10mah"),
        SettingsRegister(0x17, "cycle_cnt", "count"),
        *_pair(0x18, "chgot", "dk", "charge_over_temperature"),
        *_pair(0x1A, "chgut", "dk", "charge_under_temperature"),
        *_pair(0x1C, "dsgot", "dk", "discharge_over_temperature"),
        *_pair(0x1E, "dsgut", "dk", "discharge_under_temperature"),
        *_pair(0x20, "povp", "10mv", "pack_over_voltage"),
        *_pair(0x22, "puvp", "10mv", "pack_under_voltage"),
        *_pair(0x24, "covp", "mv", "cell_over_voltage"),
        *_pair(0x26, "cuvp", "mv", "cell_under_voltage"),
        SettingsRegister(0x28, "chgoc", "10ma", "charge_over_current"),
        SettingsRegister(0x29, "dsgoc", "-10ma", "discharge_over_current"),
        SettingsRegister(0x2D, "func_config", "bits"),
        SettingsRegister(0x2F, "cell_cnt", "count"),
    )
}
