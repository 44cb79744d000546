"""The trace of a run: one row a tick, one column a quantity."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from gridrig.campaign.control import Control
from gridrig.campaign.flow import Flow
from gridrig.campaign.scenario import Tick
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.street import Street
from gridrig.devices.capabilities import MeterReading
from gridrig.grid.feeder import Feeder


class Trace:
    """Collects rows; a quantity that was not seen at a tick is NaN."""

    def __init__(self, street: Street, feeder: Feeder) -> None:
        self._street = street
        self._buses = feeder.buses
        self._feeder = feeder
        self._switched = [d.branch for d in street.rig.of("switch") if d.branch is not None]
        self._rows: list[dict[str, float]] = []

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def latest(self) -> Mapping[str, float]:
        """The row added last; empty before the first."""
        return self._rows[-1] if self._rows else {}

    def add(
        self,
        tick: Tick,
        late_s: float,
        telemetry: Telemetry,
        measured: Mapping[str, MeterReading],
        flow: Flow,
        control: Control,
        more: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Add the row of one tick; `more` are columns that another part knows."""
        solution = flow.solution
        row = {"t_s": tick.t_s, "dt_s": tick.dt_s, "tick.lateness_s": late_s}
        for bus, v_pu in zip(self._buses, solution.v_pu.tolist(), strict=True):
            row[f"bus.{bus}.v_pu"] = v_pu
        world = self._street.world
        p_w, q_var = world.held()
        for name, index in self._street.devices.items():
            terminal = world.terminal(index)
            row[f"device.{name}.p_w"] = p_w[index]
            row[f"device.{name}.q_var"] = q_var[index]
            told = (
                *(telemetry.inverters, telemetry.chargers, telemetry.computers),
                telemetry.pumps,
            )
            reading = next((of[name] for of in told if name in of), None)
            row[f"device.{name}.telemetry_p_w"] = math.nan if reading is None else reading.p_w
            limit = terminal.limit_w
            row[f"device.{name}.limit_w"] = math.nan if limit is None else limit
            if name in self._street.sun:
                row[f"device.{name}.available_w"] = self._street.available_w[name]
            if name in control.set_points:
                row[f"device.{name}.setpoint_w"] = control.set_points[name]
        for name, analyser in self._street.outside.items():
            if analyser in measured:
                row[f"device.{name}.p_w"] = measured[analyser].p_w
                row[f"device.{name}.q_var"] = measured[analyser].q_var
        for bus, index in self._street.loads.items():
            row[f"load.{bus}.p_w"] = p_w[index]
        for name, battery in telemetry.batteries.items():
            row[f"pack.{name}.soc"] = battery.soc
            row[f"pack.{name}.i_a"] = battery.i_a
            row[f"pack.{name}.charge_limit_a"] = battery.charge_limit_a
            row[f"pack.{name}.discharge_limit_a"] = battery.discharge_limit_a
        for name, charger in telemetry.chargers.items():
            row[f"vehicle.{name}.soc"] = _number(charger.soc)
            row[f"device.{name}.allowed_w"] = _number(charger.allowed_w)
        for name, pump in self._street.pumps.items():
            row[f"room.{name}.c"] = pump.room_c
            row[f"room.{name}.outdoor_c"] = pump.outdoor_c
        for name, said in telemetry.pumps.items():
            row[f"room.{name}.telemetry_c"] = _number(said.room_c)
            row[f"device.{name}.told_w"] = _number(said.told_w)
        for branch in self._switched:
            row[f"switch.{branch}.closed"] = float(branch not in self._feeder.out)
        row["feeder.head_p_w"] = solution.head_p_w
        row["feeder.losses_w"] = solution.losses_w
        row["feeder.trafo_loading_percent"] = float(self._feeder.pcc_loading_percent(solution))
        row["grid.f_hz"] = flow.f_hz
        row["grid.island"] = 0.0 if flow.island is None else 1.0
        row |= more
        self._rows.append(row)

    def columns(self) -> dict[str, list[float]]:
        """Return the columns, in the order in which they first appeared."""
        names: dict[str, None] = {}
        for row in self._rows:
            names.update(dict.fromkeys(row))
        return {name: [row.get(name, math.nan) for row in self._rows] for name in names}


def _number(value: float | None) -> float:
    return math.nan if value is None else value
