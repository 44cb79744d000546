"""A maker's own register beside a SunSpec map: here one that switches island detection."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymodbus.constants import ExcCodes

from gridrig.devices.emulators.inverter_commands import Commands
from gridrig.devices.emulators.register_image import SunSpecImage

OFF, ON = 0, 1


@dataclass
class DetectionSwitch:
    """What the register holds, and does.

    Parameters
    ----------
    commands : Commands
        Of the inverter.
    """

    commands: Commands
    value: int = ON

    def write(self, value: int) -> ExcCodes | None:
        """Switch island detection; anything but on or off is exception 3."""
        if value not in {OFF, ON}:
            return ExcCodes.ILLEGAL_VALUE
        self.value = value
        self.commands.function("island_detection", {"on": value == ON})
        return None


class WithMakersRegister:
    """A map, and one register outside it that is read and written alone.

    Parameters
    ----------
    image : SunSpecImage
        The map.
    address : int
        Of the register.
    switch : DetectionSwitch
        Behind it.
    """

    def __init__(self, image: SunSpecImage, address: int, switch: DetectionSwitch) -> None:
        self._image = image
        self._address = address
        self._switch = switch

    def read(self, address: int, count: int) -> Sequence[int] | ExcCodes:
        """Return registers, of the map or the one beside it."""
        if (address, count) == (self._address, 1):
            return [self._switch.value]
        return self._image.read(address, count)

    def write(self, address: int, values: Sequence[int]) -> ExcCodes | None:
        """Write registers, of the map or the one beside it."""
        if address == self._address and len(values) == 1:
            return self._switch.write(values[0])
        return self._image.write(address, values)
