"""The `[rig]` table: name, clock and nominal values of a rig, and what every run of it does."""

from dataclasses import dataclass
from typing import Annotated, Literal

from gridrig.rig.island_guard import ISLANDS, OpenedProtection
from gridrig.rig.schema import Name, Positive, between


@dataclass(frozen=True)
class Nominal:
    """What "1 pu" and "the frequency" mean on this bench.

    Parameters
    ----------
    f_hz : float
        Frequency. [Hz]
    v_ll : float
        Line-to-line voltage. [V]
    phases : int
        1 or 3.
    """

    f_hz: Positive
    v_ll: Positive
    phases: Literal[1, 3] = 3

    @property
    def v_n(self) -> float:
        """Voltage of one phase to neutral. [V]"""
        return float(self.v_ll) / (3**0.5 if self.phases == 3 else 1.0)


@dataclass(frozen=True)
class Header:
    """What a rig is called, its clock and nominal values, and what every run of it does.

    Parameters
    ----------
    watchdog_s : float
        The patience of its watchdog. [s]
    interlock_poll_s : float
        From one look at the safety loop to the next. [s]
    opened_protection : OpenedProtection
        What an island may do while trips are opened.
    capture : bool
        Whether its wires are recorded.
    """

    name: Name
    clock: Literal["virtual", "wall"]
    nominal: Nominal
    watchdog_s: Annotated[float, between(1, 60)] = 5.0
    interlock_poll_s: Annotated[float, between(0.1, 60)] = 1.0
    opened_protection: OpenedProtection = ISLANDS
    capture: bool = False
