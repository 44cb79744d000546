"""A physical world that is what the referee states: the truth that every answer is held against.

The emulated device is a face on it, as on the plant. It follows commands at once and without loss,
so a case knows to the last digit what the device has to say and what a driver made it do.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gridrig.devices.emulators.heating_terminal import HeatingState, Sensor
from gridrig.devices.emulators.terminal import PackState, TerminalState


class StatedTerminal:
    """The terminal of an inverter or the connection point of a meter.

    Parameters
    ----------
    rating_w : float
        Most that flows either way. [W]
    """

    functions: frozenset[str] = frozenset()

    def __init__(self, rating_w: float) -> None:
        self.rating_w = rating_w
        self.available_w = rating_w
        self.commands: list[tuple[str, Any]] = []
        self.now = TerminalState(1.0, 50.0, 0.0, 0.0, True, "running")

    def state(self) -> TerminalState:
        """Return the terminal as it is now."""
        return self.now

    def place(self, **values: Any) -> None:
        """Make it so."""
        self.now = replace(self.now, **values)

    def set_connect(self, on: bool) -> None:
        """Take a command."""
        self.commands.append(("connect", on))
        self.place(connected=on, status="running" if on else "off")
        if not on:
            self.place(p_w=0.0, q_var=0.0)

    def set_limit_w(self, p_w: float | None) -> None:
        """Take a command. [W]"""
        self.commands.append(("limit_w", p_w))
        self.place(limit_w=p_w)
        if p_w is not None and abs(self.now.p_w) > p_w:
            self.place(p_w=p_w if self.now.p_w > 0 else -p_w)

    def set_power_w(self, p_w: float) -> None:
        """Take a command, positive while discharging. [W]"""
        self.commands.append(("power_w", p_w))
        self.place(p_w=p_w if self.now.connected else 0.0)

    def set_q_var(self, q_var: float) -> None:
        """Take a command. [var]"""
        self.commands.append(("q_var", q_var))
        self.place(q_var=q_var)

    def set_function(self, name: str, settings: Mapping[str, object] | None) -> None:
        """Take a command that no case asks for; it is seen as one."""
        self.commands.append((name, settings))

    def function(self, name: str) -> tuple[bool, Mapping[str, Any]] | None:
        """Return None: this world has no grid-support functions."""
        return None


class StatedRoom:
    """A heat pump, its thermostat and the room that it heats.

    Parameters
    ----------
    rating_w : float
        The most it takes. [W]
    """

    def __init__(self, rating_w: float) -> None:
        self.own_w = round(0.3 * rating_w)
        self.commands: list[tuple[str, Any]] = []
        self.told_w: float | None = None
        self.now = HeatingState(self.own_w, 20.0, 3.0, 20.5, "own")

    def state(self) -> HeatingState:
        """Return them as they are now."""
        return self.now

    def place(self, **values: Any) -> None:
        """Make it so."""
        self.now = replace(self.now, **values)

    def tell(self, p_w: float | None) -> None:
        """Take a command. [W]"""
        self.commands.append(("power_w", p_w))
        self.told_w = p_w
        own = p_w is None
        self.place(p_w=self.own_w if own else p_w, mode="own" if own else "told")

    def hold(self, set_point_c: float) -> None:
        """Take a command. [deg C]"""
        self.commands.append(("set_point_c", set_point_c))
        self.place(set_point_c=set_point_c)

    def feel(self, sensor: Sensor) -> None:
        """Take the sensor, which decides nothing here: the referee does."""


class StatedPack:
    """A battery pack.

    Parameters
    ----------
    cells : int
        In series.
    capacity_ah : float
        Nominal capacity. [Ah]
    charge_a_max, discharge_a_max : float
        Nameplate currents. [A]
    """

    def __init__(
        self, cells: int, capacity_ah: float, charge_a_max: float, discharge_a_max: float
    ) -> None:
        self.commands: list[tuple[str, Any]] = []
        self.now = PackState(
            soc=0.5,
            v_v=3.3 * cells,
            i_a=0.0,
            cells_mv=(3300,) * cells,
            temperature_c=25.0,
            charge_fet=True,
            discharge_fet=True,
            charge_limit_a=charge_a_max,
            discharge_limit_a=discharge_a_max,
            capacity_ah=capacity_ah,
            cycles=17,
            charge_a_max=charge_a_max,
            discharge_a_max=discharge_a_max,
        )

    def pack(self) -> PackState:
        """Return the pack as it is now."""
        return self.now

    def place(self, **values: Any) -> None:
        """Make it so."""
        self.now = replace(self.now, **values)

    def set_fets(self, charge: bool, discharge: bool) -> None:
        """Take a command."""
        self.commands.append(("fets", (charge, discharge)))
        self.place(charge_fet=charge, discharge_fet=discharge)

    def set_counted_soc(self, soc: float) -> None:
        """Take a command."""
        self.commands.append(("soc", soc))
        self.place(soc=soc)

    def set_protection(self, name: str, trip: float) -> None:
        """Take a command."""
        self.commands.append((name, trip))
