"""In-memory terminals in the plant's place: what a device does, without physics of a feeder."""

from dataclasses import dataclass, field
from typing import ClassVar

from gridrig.devices.emulators.terminal import PackState, TerminalState
from gridrig.rig.description import Rig


@dataclass
class Point:
    """One terminal; a storage's and its pack's are the same.

    Parameters
    ----------
    p_w : float
        Power it gives while connected. [W]
    stuck : bool
        Whether it goes on whatever it is told.
    """

    p_w: float = 0.0
    stuck: bool = False
    connected: bool = True
    limit_w: float | None = None
    charge_fet: bool = True
    discharge_fet: bool = True
    v_pack_v: float = 51.2
    commands: list[tuple[str, object]] = field(default_factory=list)

    def power_w(self) -> float:
        """Return what it gives now. [W]"""
        if self.stuck:
            return self.p_w
        if not self.connected:
            return 0.0
        return self.p_w if self.limit_w is None else min(self.p_w, self.limit_w)

    def state(self) -> TerminalState:
        """Return the terminal as it is now."""
        return TerminalState(1.0, 50.0, self.power_w(), 0.0, self.connected, "running")

    def pack(self) -> PackState:
        """Return the pack as it is now."""
        return PackState(
            soc=0.5,
            v_v=self.v_pack_v,
            i_a=self.power_w() / self.v_pack_v,
            cells_mv=(3200,) * 16,
            temperature_c=25.0,
            charge_fet=self.charge_fet,
            discharge_fet=self.discharge_fet,
            charge_limit_a=100.0,
            discharge_limit_a=100.0,
            capacity_ah=200.0,
            cycles=0,
        )

    functions: ClassVar[frozenset[str]] = frozenset()

    def function(self, name: str) -> None:
        """Show no function of the plant."""

    def set_connect(self, on: bool) -> None:
        """Permit or withdraw connection."""
        self.commands.append(("connect", on))
        self.connected = on

    def set_limit_w(self, p_w: float | None) -> None:
        """Limit active power. [W]"""
        self.commands.append(("limit_w", p_w))
        self.limit_w = p_w

    def set_power_w(self, p_w: float) -> None:
        """Set a storage's power. [W]"""
        self.commands.append(("power_w", p_w))
        if not self.stuck:
            self.p_w = p_w

    def set_q_var(self, q_var: float) -> None:
        """Set reactive power. [var]"""
        self.commands.append(("q_var", q_var))

    def set_fets(self, charge: bool, discharge: bool) -> None:
        """Close or open the pack's switches."""
        self.commands.append(("fets", (charge, discharge)))
        self.charge_fet, self.discharge_fet = charge, discharge


def points_of(rig: Rig, **powers_w: float) -> dict[str, Point]:
    """Return a terminal for each emulated device; powers by `pv_1`, `storage_1`. [W]"""
    points = {
        device.name: Point(powers_w.get(device.name.replace("-", "_"), 0.0))
        for device in rig.of("inverter", "storage")
    }
    for device in rig.of("storage"):
        points[str(device.bms)] = points[device.name]
    for meter in rig.of("meter"):
        points[meter.name] = points.get(str(meter.measures), Point())
    return points
