"""How a SunSpec inverter's protection is set: models 707 to 710, and anti-islanding in 704."""

from gridrig.devices.drivers.sunspec_curves import Curves
from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.protection import ANTI_ISLANDING

CONTROL, ENABLE = 704, "AntiIslEna"  # on and off are 1 and 0


async def read_protection(device: SunSpecDevice, curves: Curves) -> dict[str, object]:
    """Return the trip functions as raw values, and whether islands are detected if it says so."""
    found: dict[str, object] = dict(await curves.read_trips())
    if device.has(CONTROL):
        point = (await device.model(CONTROL)).points[ENABLE]
        raw = (await device.read(CONTROL, point.offset, point.size)).raw(ENABLE)
        if raw is not None:
            found[ANTI_ISLANDING] = raw == 1
    return found
