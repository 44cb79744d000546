"""What a test procedure works with: an opened bench, its world, and a place for measurements."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from gridrig.campaign.assembly import make_bench, make_loop, make_street
from gridrig.campaign.catalogue import measure
from gridrig.campaign.execution_records import ExecutionRecords
from gridrig.campaign.flow import Physics, coast
from gridrig.campaign.island_shown import IslandShown
from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Measurement
from gridrig.campaign.rig_grid import Grid, load_grid
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.setting_labels import Labelled
from gridrig.campaign.street import Street
from gridrig.campaign.timing import TickTimes
from gridrig.campaign.walked import Walked
from gridrig.circuit.bench_circuit import BenchCircuit
from gridrig.clock import Clock
from gridrig.devices.bench_capabilities import Recording
from gridrig.devices.capabilities import MeterReading
from gridrig.errors import CampaignError
from gridrig.events import EventLog
from gridrig.plant import World
from gridrig.quantity import DAY_S
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.lease import take_lease
from gridrig.rig.safe_end import SafeReport
from gridrig.rig.watchdog import watched
from gridrig.settlement.journal import Journal

SEED = 1
IN_MEMORY = Path(":memory:")
LAB_DAY_UTC_S = int(datetime(2016, 6, 20, tzinfo=UTC).timestamp())


@lru_cache(maxsize=2)
def _grid_of(rig_path: str, start_utc_s: int, days: int) -> Grid:
    """Load a rig's network once for all procedures; the feeder is put back before each."""
    return load_grid(load_rig(rig_path), start_utc_s, days * DAY_S)


@dataclass
class Lab:
    """An opened bench.

    The world is there for a procedure to act as the sun; what it judges it reads from instruments
    and meters, over their wires. `repetitions` is how
    often it tries what its standard wants to be tried more than once; `tried_settings` takes the
    settings that it evaluated, by their IEEE labels.
    """

    rig: Rig
    clock: Clock
    bench: Bench
    street: Street
    events: EventLog
    recorded: list[Measurement]
    grid: Grid | None
    repetitions: int = 1
    tried_settings: list[Labelled] = field(default_factory=list)
    walked: list[Walked] = field(default_factory=list)  # what was judged, to be drawn
    islands: list[IslandShown] = field(default_factory=list)  # likewise
    times: TickTimes = field(default_factory=TickTimes)  # of the steps in which time passed
    kept: ExecutionRecords | None = None  # None if nothing of it becomes evidence

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

    async def fetch(self, tracks: Sequence[str]) -> Recording:
        """Return what the analyser recorded, and keep it for the evidence."""
        recording: Recording = await self.driver(self.name_of("analyser")).fetch(tracks)
        if self.kept is not None:
            self.kept.recordings.append(recording)
        return recording

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
        """Be the DC source of an inverter; a real one has its own, which must offer it. [W]"""
        if device in self.street.devices:
            self.world.set_available(self.street.devices[device], available_w)

    async def pass_time(self, duration_s: float, *, step_s: float = 0.1, v_pu: float = 1.0) -> None:
        """Let time pass; for what is modelled, be the grid at nominal frequency. [s, pu]"""
        if self.street.circuit is not None:  # there the emulated source is the grid
            await self._pass_time_on_circuit(self.street.circuit, duration_s, step_s)
            return
        steps = round(duration_s / step_s)
        begin_s = self.clock.now_s()
        nominal_hz = float(self.rig.nominal.f_hz)
        late_s = 0.0
        for step in range(steps):
            self.times.began(late_s)
            self.world.held()  # what the devices give now is what the meters count
            self.world.impose([v_pu] * len(self.street.buses), nominal_hz)
            self.world.integrate(step_s)
            self.world.advance(step_s)
            self.times.ended(begin_s + step * step_s, step_s, self.clock.now_s())
            late_s = await self.clock.sleep_until(begin_s + (step + 1) * step_s)

    async def _pass_time_on_circuit(
        self, circuit: BenchCircuit, duration_s: float, step_s: float
    ) -> None:
        end_s = self.clock.now_s() + duration_s
        while self.clock.now_s() < end_s:
            await self.clock.sleep_until(min(end_s, self.clock.now_s() + step_s))
            circuit.now_s()

    async def run_scenario(self, scenario: Scenario) -> list[Measurement]:
        """Run the coupled loop and return every measurement of the catalogue."""
        loop = await self.run_loop(scenario)
        return measure(loop.observed(loop.trace.columns()))

    async def run_loop(self, scenario: Scenario, journal: Path = IN_MEMORY) -> Loop:
        """Run the coupled loop and return it with all that it kept.

        A second run begins with devices and packs as the first left them: their power, charge,
        settings and switches. Whoever compares runs puts back what matters to it first, as a bench
        of real devices would have to, or opens a fresh bench (`gridrig.promises.good_twin`).

        Parameters
        ----------
        scenario : Scenario
            On the day that the procedure states.
        journal : Path
            The file of the ledger.
        """
        if self.grid is None:
            raise CampaignError("campaign.no_feeder", "{path} has no feeder", path=self.rig.path)
        self.clock.restart()
        loop = make_loop(
            self.rig,
            scenario,
            self.grid,
            Physics(self.street, self.grid.feeder),
            self.bench,
            self.clock,
            self.events,
            Journal(journal, lock_wait_s=0.05),
            SEED,
            lambda _: None,
        )
        for device in self.rig.signing():
            await self.bench.devices[device.name].sync_clock(scenario.start_utc_s)
        await loop.run()
        return loop


@asynccontextmanager
async def open_lab(
    rig: Rig,
    clock: Clock,
    recorded: list[Measurement],
    safe: list[SafeReport],
    *,
    on_stop: Callable[[str], object] | None = None,
    kept: ExecutionRecords | None = None,
    days: int = 1,
) -> AsyncIterator[Lab]:
    """Open a bench for a procedure; whatever happens, leave it in its safe state.

    `safe` takes how the devices were left.
    `on_stop` ends the procedure if the watchdog is gone or the safety loop opens, and is told why;
    None cancels the running task. `kept` takes what happens, for the evidence. `days` is for how
    long the feeder's profiles have to reach.
    """
    events = EventLog(clock, [device.name for device in rig.devices])
    if kept is not None:
        directory = kept.directory
        events.listeners.append(lambda event: directory.note(event.row()))
    grid = None
    if rig.feeder is not None:
        grid = _grid_of(rig.path, clock.start_utc_s, days)
        grid.feeder.as_loaded()  # switching and last solution of the procedure before
    street = make_street(rig, grid, SEED)
    bench = make_bench(rig, street, clock, events)
    bench.on_abort = on_stop
    coasting: asyncio.Task[None] | None = None
    folder = kept.directory.path if kept is not None else None
    task = asyncio.current_task()
    assert task is not None
    try:
        async with AsyncExitStack() as stack:
            lease = stack.enter_context(take_lease(rig, "test"))
            await stack.enter_async_context(watched(rig, lease, folder, on_stop or task.cancel))
            await stack.enter_async_context(bench)
            try:
                yield Lab(rig, clock, bench, street, events, recorded, grid, kept=kept)
            finally:
                # Devices have to follow what they are told on the way to their safe state.
                coasting = asyncio.create_task(coast(street.world, clock, street.circuit))
    finally:
        if coasting is not None:
            coasting.cancel()
        if bench.safe_report is not None:
            safe.append(bench.safe_report)
        elif bench.devices:
            safe.append(SafeReport(dict.fromkeys(bench.devices, "unsafe: nobody made it safe")))
        if kept is not None:
            kept.directory.append_events(event.row() for event in events.ordered())
