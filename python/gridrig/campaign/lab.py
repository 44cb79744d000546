"""What a test procedure works with: an opened bench, its world, and a place for measurements."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from gridrig.campaign.assembly import Grid, load_grid, make_bench, make_loop, make_street
from gridrig.campaign.catalogue import Observed, measure
from gridrig.campaign.flow import Physics, coast
from gridrig.campaign.measurements import Measurement
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.street import Street
from gridrig.clock import Clock
from gridrig.devices.capabilities import MeterReading
from gridrig.errors import CampaignError
from gridrig.events import EventLog
from gridrig.plant import IslandTick, World
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.safe_end import SafeReport
from gridrig.settlement.journal import Journal

SEED = 1
DAY_S = 86_400
LAB_DAY_UTC_S = int(datetime(2016, 6, 20, tzinfo=UTC).timestamp())


@lru_cache(maxsize=2)
def _grid_of(rig_path: str) -> Grid:
    """Load a rig's network once for all procedures; the feeder is put back before each."""
    return load_grid(load_rig(rig_path), LAB_DAY_UTC_S, DAY_S)


@dataclass
class Lab:
    """An opened bench.

    The world is there for a procedure to act as the source and the load; what it judges it reads
    from a meter, over the wire, or from the trace of the modelled island.
    """

    rig: Rig
    clock: Clock
    bench: Bench
    street: Street
    events: EventLog
    recorded: list[Measurement]
    grid: Grid | None

    @property
    def world(self) -> World:
        """The modelled world."""
        return self.street.world

    def name_of(self, capability: str) -> str:
        """Return the name of the rig's first device with a capability."""
        for device in self.rig.devices:
            if device.capability == capability:
                return device.name
        raise CampaignError(
            "campaign.no_device", "the rig has no {capability}", capability=capability
        )

    def driver(self, name: str) -> Any:
        """Return a device's driver, guarded by the rig's limits."""
        return self.bench.devices[name]

    def record(
        self, name: str, unit: str, value: float | None, uncertainty: float = 0.0, note: str = ""
    ) -> None:
        """Record a measurement for its criterion."""
        self.recorded.append(Measurement(name, unit, value, uncertainty, note))

    async def measured(self, device: str) -> MeterReading:
        """Return what the meter of a device measures now, read over its wire."""
        meter = self.rig.meter_of(device)
        if meter is None:
            raise CampaignError(
                "campaign.no_meter", "no meter of the rig measures {device}", device=device
            )
        reading: MeterReading = await self.bench.devices[meter.name].read()
        return reading

    def give(self, device: str, available_w: float) -> None:
        """Be the DC source of an inverter. [W]"""
        self.world.set_available(self.street.devices[device], available_w)

    async def pass_time(self, duration_s: float, *, step_s: float = 0.1, v_pu: float = 1.0) -> None:
        """Be the grid: hold nominal frequency and a voltage while time passes. [s, pu]"""
        steps = round(duration_s / step_s)
        begin_s = self.clock.now_s()
        nominal_hz = float(self.rig.nominal.f_hz)
        for step in range(steps):
            self.world.impose([v_pu] * len(self.street.buses), nominal_hz)
            self.world.integrate(step_s)
            self.world.advance(step_s)
            await self.clock.sleep_until(begin_s + (step + 1) * step_s)

    def island(self, duration_s: float) -> IslandTick:
        """Open the connection and let the island run by itself. [s]"""
        now_s = self.clock.now_s()
        self.world.open_pcc(now_s)
        return self.world.island_tick(now_s, duration_s, 0.0)

    async def run_scenario(self, scenario: Scenario) -> list[Measurement]:
        """Run the coupled loop and return every measurement of the catalogue."""
        if self.grid is None:
            raise CampaignError("campaign.no_feeder", "{path} has no feeder", path=self.rig.path)
        journal = Journal(Path(":memory:"))
        self.clock.restart()
        loop = make_loop(
            self.rig,
            scenario,
            self.grid,
            Physics(self.street, self.grid.feeder),
            self.bench,
            self.clock,
            self.events,
            journal,
            SEED,
            lambda _: None,
        )
        for device in self.rig.of("meter"):
            await self.bench.devices[device.name].sync_clock(scenario.start_utc_s)
        await loop.run()
        observed = Observed(
            loop.trace.columns(),
            loop.islands,
            loop.rounds,
            loop.account,
            loop.events,
            loop.lateness_s,
            len(loop.periods),
            journal.sum_of_all_micro(),
        )
        return measure(observed)


@asynccontextmanager
async def open_lab(
    rig: Rig, clock: Clock, recorded: list[Measurement], safe: list[SafeReport]
) -> AsyncIterator[Lab]:
    """Open a bench for a procedure; whatever happens, leave it in its safe state."""
    events = EventLog(clock, [device.name for device in rig.devices])
    grid = None
    if rig.feeder is not None:
        grid = _grid_of(rig.path)
        grid.feeder.close_pcc()
    street = make_street(rig, grid, SEED)
    bench = make_bench(rig, street, clock, events)
    try:
        await bench.open()
        yield Lab(rig, clock, bench, street, events, recorded, grid)
    finally:
        coasting = asyncio.create_task(coast(street.world, clock))
        safe.append(await bench.make_safe())
        coasting.cancel()
        await bench.close()
