"""What a heat pump can do, whoever made it: its protocol and its reading.

As in `capabilities`: a driver fails with `DriverError` and a `kind`, never otherwise; positive
power flows from the device into the grid, so that a pump that heats reads negative.

A heat pump has a thermostat of its own and may be told an electric power instead. What it is told
lasts only while it is told again in time; a pump that hears nothing any more goes back to its own
thermostat. Whatever it is told, it keeps its room: below the lowest temperature that it is set to
it heats, above the highest it stops. Those two belong to who lives there: no driver writes them.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from gridrig.devices.capabilities import Driver

HeatPumpState = Literal["own", "told", "cold", "warm", "off", "fault"]


@dataclass(frozen=True)
class HeatPumpReading:
    """What a heat pump reports of itself.

    Parameters
    ----------
    p_w : float
        Into the grid, as it tells itself: never positive, negative while it heats. [W]
    room_c, outdoor_c : float or None
        Temperatures, None where a sensor is missing or broken. [deg C]
    set_point_c : float or None
        What its own thermostat holds, None if it has none or does not say. [deg C]
    told_w : float or None
        The power it is told and still holds, never positive; None while it is told nothing. [W]
    p_w_max : float
        The most it takes, by its nameplate: positive. [W]
    state : str
        "own": it follows its thermostat; "told": it follows what it is told; "cold", "warm": its
        room is at the lowest or the highest temperature, and it heats more or less than it is told;
        "off": it takes no powers; "fault": it says that something is broken.
    """

    p_w: float
    room_c: float | None
    outdoor_c: float | None
    set_point_c: float | None
    told_w: float | None
    p_w_max: float
    state: HeatPumpState


@runtime_checkable
class HeatPump(Driver, Protocol):
    """A heat pump that keeps a room, and can be told what power to take."""

    async def read(self) -> HeatPumpReading:
        """Return what it reports, asked for now; tell it again what would lapse."""

    async def set_power_w(self, p_w: float | None) -> None:
        """Let it follow an electric power, 0 or negative; None gives it back. [W]"""
