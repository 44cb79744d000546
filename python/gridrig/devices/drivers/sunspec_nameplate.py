"""Nameplate and configuration over SunSpec model 702, alarms over model 701."""

from gridrig.devices.drivers.sunspec_map import SunSpecDevice
from gridrig.devices.nameplate import NameplateReading
from gridrig.devices.wire.sunspec import to_raw
from gridrig.errors import DriverError

MEASUREMENT, CAPACITY = 701, 702
NORMAL, ABNORMAL = ("A", "B"), ("I", "II", "III")
# Bits of Alrm, model 701.
ALARMS = (
    *("ground_fault", "dc_over_voltage", "ac_disconnect", "dc_disconnect", "grid_disconnect"),
    *("cabinet_open", "manual_shutdown", "over_temperature", "over_frequency"),
    *("under_frequency", "over_voltage", "under_voltage", "blown_fuse", "under_temperature"),
    *("memory_or_comm", "hardware_test_failure", "manufacturer"),
)


async def read_nameplate(device: SunSpecDevice) -> NameplateReading:
    """Return what a device says it is rated for."""
    capacity = await device.read(CAPACITY)

    def category(point: str, words: tuple[str, ...]) -> str | None:
        number = capacity.number(point)
        return words[number] if number is not None and 0 <= number < len(words) else None

    return NameplateReading(
        capacity.value("WMaxRtg"),
        capacity.value("VAMaxRtg"),
        capacity.value("VarMaxInjRtg"),
        capacity.value("VarMaxAbsRtg"),
        capacity.value("VNomRtg"),
        category("NorOpCatRtg", NORMAL),
        category("AbnOpCatRtg", ABNORMAL),
        capacity.value("WMax"),
    )


async def set_rated_w(device: SunSpecDevice, p_w: float) -> None:
    """Set the active power a device is capable of, read back. [W]

    Raises
    ------
    DriverError
        `driver.limit` beyond its rating, before anything is sent; kind "readback".
    """
    capacity = await device.read(CAPACITY)
    rated_w, scale = capacity.value("WMaxRtg"), capacity.scale_factor("WMax")
    if rated_w is None or scale is None or not 0.0 < p_w <= rated_w:
        raise DriverError(
            "driver.limit",
            "{device}: a rating of {found} W is not above 0, at most {rated_w} W",
            kind="limit",
            device=device.name,
            found=p_w,
            rated_w=rated_w,
        )
    await device.write(CAPACITY, {"WMax": to_raw(p_w, scale)})


async def read_alarms(device: SunSpecDevice) -> tuple[str, ...]:
    """Return the names of the alarms a device raises.

    Raises
    ------
    DriverError
        `driver.unsupported` if it has none to read.
    """
    bits = (await device.read(MEASUREMENT)).number("Alrm")
    if bits is None:
        raise DriverError(
            "driver.unsupported",
            "{device} does not implement {point}",
            device=device.name,
            point="Alrm",
        )
    return tuple(name for bit, name in enumerate(ALARMS) if bits >> bit & 1)
