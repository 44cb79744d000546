"""A run's feeder solved again, tick by tick, by the engine that the run did not use.

What is put in comes from the profiles and from what the terminals gave; which branches were closed,
from the trace. So what an operator did can be judged beside what would have been without it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gridrig.campaign.loop import Loop
from gridrig.grid.engines import make_feeder
from gridrig.grid.feeder import Feeder
from gridrig.grid.solution import Solution

OTHER_ENGINE = {"pandapower": "opendss", "opendss": "pandapower"}


@dataclass(frozen=True)
class TickAgain:
    """One tick, by columns of the trace, and what every load would draw if none were shed."""

    row: Mapping[str, float]
    loads: Mapping[str, tuple[float, float]]  # [W, var]

    def changed(self, values: Mapping[str, float]) -> "TickAgain":
        """Return the tick with some of its columns as they were not."""
        return replace(self, row={**self.row, **values})

    @property
    def shed(self) -> dict[str, float]:
        """Power that each load did not get, by bus. [W]"""
        missing = {bus: self.row[f"load.{bus}.p_w"] - p for bus, (p, _) in self.loads.items()}
        return {bus: p_w for bus, p_w in missing.items() if p_w > 1.0}


class FeederAgain:
    """The feeder of a run, by the other engine."""

    def __init__(self, loop: Loop) -> None:
        run = loop.physics.feeder
        self._street = loop.physics.street
        rig_feeder = self._street.rig.feeder
        assert rig_feeder is not None, "a run has a feeder"
        engine = OTHER_ENGINE[run.engine_name]
        self._feeder: Feeder = make_feeder(engine, run.network, rig_feeder.pcc)
        self._columns = loop.trace.columns()
        self._start_utc_s = loop.clock.start_utc_s
        head = "switch."
        self._switched = [
            name.removeprefix(head).removesuffix(".closed")
            for name in self._columns
            if name.startswith(head)
        ]

    @property
    def buses(self) -> tuple[str, ...]:
        """Buses of its solutions."""
        return self._feeder.buses

    def ticks(self) -> Iterator[TickAgain]:
        """Yield every tick of the run."""
        profiles = self._street.profiles
        for values in zip(*self._columns.values(), strict=True):
            row = dict(zip(self._columns, values, strict=True))
            point = profiles.loads(self._start_utc_s + int(row["t_s"]))
            powers = zip(point.p_w.tolist(), point.q_var.tolist(), strict=True)
            yield TickAgain(row, dict(zip(profiles.buses, powers, strict=True)))

    def closed(self, tick: TickAgain) -> dict[str, bool]:
        """Return whether each branch with a switch was closed."""
        return {branch: tick.row[f"switch.{branch}.closed"] > 0 for branch in self._switched}

    def as_run(
        self, tick: TickAgain, *, given_back: str | None = None, taken: str | None = None
    ) -> Solution:
        """Solve a tick as it was, or with one load given back, or another taken."""
        self._set(self.closed(tick))
        off = (tick.shed.keys() - {given_back}) | {taken}
        return self._solve(tick, {bus: load for bus, load in tick.loads.items() if bus not in off})

    def without_operator(self, tick: TickAgain) -> Solution:
        """Solve a tick with the network as loaded and nothing shed."""
        as_loaded = self._street.open_as_loaded
        self._set({branch: branch not in as_loaded for branch in self._switched})
        return self._solve(tick, tick.loads)

    def _set(self, closed: Mapping[str, bool]) -> None:
        for branch, is_closed in closed.items():
            if is_closed == (branch in self._feeder.out):
                self._feeder.switch(branch, closed=is_closed)

    def _solve(self, tick: TickAgain, loads: Mapping[str, tuple[float, float]]) -> Solution:
        p_w, q_var = np.zeros(len(self.buses)), np.zeros(len(self.buses))
        for bus, (p, q) in loads.items():
            p_w[self.buses.index(bus)] += p
            q_var[self.buses.index(bus)] += q
        for name in (*self._street.devices, *self._street.outside):
            at = self.buses.index(self._street.bus_of(name))
            p_w[at] += tick.row[f"device.{name}.p_w"]
            q_var[at] += tick.row[f"device.{name}.q_var"]
        return self._feeder.solve(p_w, q_var)
