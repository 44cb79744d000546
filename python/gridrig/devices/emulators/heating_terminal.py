"""What an emulated heat pump may see and command of its plug and of the room that it heats."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

HeatingMode = Literal["own", "told", "cold", "warm", "fault"]
Sensor = Callable[[float], float | None]


@dataclass(frozen=True)
class HeatingState:
    """A heat pump and its room at one moment, as they are.

    Parameters
    ----------
    p_w : float
        Power it takes, not negative. [W]
    room_c, outdoor_c : float
        The true temperatures. [deg C]
    set_point_c : float
        What its thermostat holds. [deg C]
    mode : str
        "own": by its thermostat; "told": what it is told; "cold", "warm": more or less than it is
        told, for the room; "fault": by the weather alone, because it does not feel the room.
    heat_w : float
        Heat it gives. [W]
    import_milliwh, export_milliwh : int
        Registers of its terminal. [mWh]
    """

    p_w: float
    room_c: float
    outdoor_c: float
    set_point_c: float
    mode: HeatingMode
    heat_w: float = 0.0
    import_milliwh: int = 0
    export_milliwh: int = 0


class HeatingTerminal(Protocol):
    """The plug, the thermostat and the room."""

    def state(self) -> HeatingState:
        """Return them as they are now."""

    def tell(self, p_w: float | None) -> None:
        """Take this power from the next step on, None by its own thermostat. [W]"""

    def hold(self, set_point_c: float) -> None:
        """Hold another temperature from the next step on. [deg C]"""

    def feel(self, sensor: Sensor) -> None:
        """Feel the room through this sensor: it takes the true temperature. [deg C]"""
