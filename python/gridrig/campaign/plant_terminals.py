"""Terminals of the plant as emulators see them: a device's own, and the feeder head's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.emulators import plant_functions
from gridrig.devices.emulators.terminal import PackState, ProtectionSetting, TerminalState
from gridrig.plant import World


@dataclass
class DeviceTerminal:
    """One device's terminal, as its emulator may see and command it."""

    world: World
    index: int
    w_share: float = 1.0  # maximum active power as a share of apparent power
    keeps: frozenset[str] = frozenset()  # settings of functions that nothing written changes

    def state(self) -> TerminalState:
        """Return the terminal now."""
        t = self.world.terminal(self.index)
        return TerminalState(
            t.v_pu,
            t.f_hz,
            t.p_w,
            t.q_var,
            t.connected,
            t.status,
            t.trip_cause,
            t.limit_w,
            t.import_milliwh,
            t.export_milliwh,
        )

    def pack(self) -> PackState:
        """Return the battery behind the terminal now."""
        p = self.world.pack(self.index)
        return PackState(
            soc=p.soc_counted,
            v_v=p.v_v,
            i_a=p.i_measured_a,
            cells_mv=tuple(p.cells_mv),
            temperature_c=p.temperature_c,
            charge_fet=p.charge_fet,
            discharge_fet=p.discharge_fet,
            charge_limit_a=p.charge_limit_a,
            discharge_limit_a=p.discharge_limit_a,
            capacity_ah=p.capacity_ah,
            cycles=p.cycles,
            protections=tuple(p.protections),
            balancing=tuple(p.balancing),
            settings=tuple(ProtectionSetting(*one) for one in p.protection_settings),
            charge_a_max=p.charge_a_max,
            discharge_a_max=p.discharge_a_max,
        )

    functions: ClassVar[frozenset[str]] = plant_functions.FUNCTIONS

    def set_function(self, name: str, settings: Mapping[str, object] | None) -> None:
        """Enable a grid-support function with its settings; None disables it."""
        now = self.world.functions(self.index)
        said = plant_functions.to_plant(name, settings, now, w_share=self.w_share)
        taken = {key: value for key, value in said.items() if key not in self.keeps}
        self.world.set_functions(self.index, taken)

    def function(self, name: str) -> tuple[bool, Mapping[str, object]] | None:
        """Return whether a grid-support function is enabled and its settings."""
        return plant_functions.from_plant(name, self.world.functions(self.index))

    def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection."""
        self.world.set_connect(self.index, on)

    def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power. [W]"""
        self.world.set_limit_w(self.index, p_w)

    def set_power_w(self, p_w: float) -> None:
        """Set active power, + is discharge. [W]"""
        self.world.set_power_w(self.index, p_w)

    def set_q_var(self, q_var: float) -> None:
        """Set reactive power. [var]"""
        self.world.set_q_var(self.index, q_var)

    def set_fets(self, charge: bool, discharge: bool) -> None:
        """Close or open the battery's switches."""
        self.world.set_fets(self.index, charge, discharge)

    def set_counted_soc(self, soc: float) -> None:
        """Tell the battery's manager a state of charge."""
        self.world.set_counted_soc(self.index, soc)

    def set_protection(self, name: str, trip: float) -> None:
        """Set the threshold of one of the battery's protections. [V, deg C or A]"""
        self.world.set_protection(self.index, name, trip)


@dataclass
class HeadTerminal:
    """The feeder head, as its meter sees it: the main grid is the device."""

    world: World

    def state(self) -> TerminalState:
        """Return the feeder head now."""
        t = self.world.head()
        return TerminalState(
            t.v_pu,
            t.f_hz,
            t.p_w,
            t.q_var,
            t.connected,
            t.status,
            None,
            None,
            t.import_milliwh,
            t.export_milliwh,
        )
