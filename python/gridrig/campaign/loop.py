"""The coupled loop: sense, solve, impose, control, meter, record, tick after tick.

Order within a tick at t: at a period edge the meters sign what they counted up to t and the period
before is settled; events and faults of t take effect, and orders heard from outside; at a period
edge the operator switches; the devices are read; cars are planned; at a gate closure the next
period is cleared; the physics of [t, t + dt) is solved; jobs go on; set-points go out; the meters
integrate.
Nothing flows backwards inside a tick.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gridrig.campaign.account import Account
from gridrig.campaign.aggregating import Aggregating
from gridrig.campaign.balancing import Balancing
from gridrig.campaign.catalogue import Observed
from gridrig.campaign.charging import Charging
from gridrig.campaign.computing import Computing
from gridrig.campaign.control import Control
from gridrig.campaign.coordination import Coordination
from gridrig.campaign.curtailment import Curtailment
from gridrig.campaign.feeder_watch import FeederWatch
from gridrig.campaign.flow import Physics
from gridrig.campaign.grid_operator import GridOperator
from gridrig.campaign.heating import Heating
from gridrig.campaign.home_cars import HomeCars
from gridrig.campaign.home_rooms import HomeRooms
from gridrig.campaign.island_cars import IslandCars
from gridrig.campaign.island_watch import IslandWatch
from gridrig.campaign.metering_rounds import MeteringRounds
from gridrig.campaign.scenario import Scenario, Tick
from gridrig.campaign.sensing import Sensing, Telemetry
from gridrig.campaign.soc_limits import SocLimits
from gridrig.campaign.stimuli import Stimuli
from gridrig.campaign.timing import TickTimes
from gridrig.campaign.trace import Trace
from gridrig.campaign.trading import Trading
from gridrig.campaign.views import Views
from gridrig.clock import Clock
from gridrig.events import EventLog
from gridrig.plant import events_of
from gridrig.quantity import DeliveryPeriod


@dataclass
class Loop:
    """Everything a run steps, in the order it steps it.

    `outside` gives the bus of each analyser that measures a real device, `outside_switches` the
    branch of each real switch, `head` is the meter of the feeder's head.
    """

    clock: Clock
    scenario: Scenario
    periods: list[DeliveryPeriod]
    stimuli: Stimuli
    sensing: Sensing
    physics: Physics
    control: Control
    balancing: Balancing
    charging: Charging
    heating: Heating
    aggregating: Aggregating
    computing: Computing
    curtailment: Curtailment
    trading: Trading
    views: Views
    rounds: MeteringRounds
    account: Account
    islands: IslandWatch
    trace: Trace
    feeder: FeederWatch
    soc_limits: SocLimits
    events: EventLog
    outside: Mapping[str, str]
    outside_switches: Mapping[str, str]
    operator: GridOperator | None
    coordination: Coordination | None = None
    home_cars: HomeCars | None = None
    island_cars: IslandCars | None = None
    home_rooms: HomeRooms | None = None
    head: str = ""
    on_tick: Callable[[float], object] = lambda _: None
    times: TickTimes = field(default_factory=TickTimes)
    losses_wh: float = 0.0
    room_end_c: dict[str, float] = field(default_factory=dict)  # true rooms when it is over

    async def run(self) -> None:
        """Run the scenario from its first tick to the settlement of its last period."""
        wire = self.aggregating.wire
        try:
            if wire is not None:
                await wire.open()
            await self._run()
        finally:
            try:
                self.stimuli.end()
                self.physics.street.let_go()
            finally:
                await self.sensing.lost.end()
                if wire is not None:
                    await wire.close()

    async def _run(self) -> None:
        await self._begin()
        # Reading the opening registers took its time; the first tick begins with none lost.
        self.clock.restart()
        self.events.begin()
        for tick in self.scenario.ticks():
            late_s = await self.clock.sleep_until(tick.t_s)
            self.times.began(late_s)
            await self._period_edge(tick.t_s)
            await self._tick(tick, late_s)
            self.times.ended(tick.t_s, tick.dt_s, self.clock.now_s())
            self.on_tick(tick.t_s)
        self.times.began(await self.clock.sleep_until(float(self.scenario.duration_s)))
        # The bench coasts on from here: these are the rooms that the run leaves.
        pumps = self.physics.street.pumps
        self.room_end_c = {name: pump.room_c for name, pump in pumps.items()}
        await self._period_edge(float(self.scenario.duration_s))
        self.computing.finish()
        self.account.finish()
        self.sensing.lost.finish()

    def observed(self, columns: Mapping[str, list[float]]) -> Observed:
        """Return what the catalogue's measurements are taken from; `columns` is the trace."""
        return Observed(
            columns,
            self.feeder.extremes,
            self.islands,
            self.rounds,
            self.account,
            self.events,
            self.times,
            len(self.periods),
            self.account.journal.sum_of_all_micro(),
            self.room_end_c,
            float(self.scenario.duration_s),
        )

    async def _begin(self) -> None:
        self.stimuli.street.follow_profiles(self.clock.start_utc_s)
        self.aggregating.begin(self.clock.start_utc_s)
        if self.periods:
            opening = await self.rounds.read(-1, self.clock.start_utc_s)
            self.views.heard(opening)
            self.account.take(opening.values())
            self.computing.heard(0.0, opening)
            self._clear(self.periods[0], Telemetry(), 0.0)

    def _clear(self, period: DeliveryPeriod, telemetry: Telemetry, now_s: float) -> None:
        islanded = self.physics.islanded
        if self.trading.feeder is not None:
            self.trading.feeder.arrange(self.physics.feeder)
        cleared = self.trading.clear(
            period,
            islanded,
            self.views.of(period, telemetry, self.trading, now_s=now_s, islanded=islanded),
        )
        cleared.tell(self.events)

    async def _period_edge(self, t_s: float) -> None:
        for period in self.periods:
            if period.end_s == t_s:
                utc_s = self.clock.start_utc_s + period.end_s
                readings = await self.rounds.read(period.index, utc_s)
                self.views.heard(readings)
                cleared = self.trading.of_period(period.index)
                self.account.settle(cleared, readings, self.losses_wh)
                self.computing.heard(t_s, readings)
                self.losses_wh = 0.0

    async def _tick(self, tick: Tick, late_s: float) -> None:
        street = self.physics.street
        self.stimuli.apply(tick.t_s)
        if self.aggregating.wire is not None:
            self.aggregating.wire.hear(tick.t_s)
        utc_s = self.clock.start_utc_s + tick.t_s
        begins = tick.t_s % self.scenario.period_s == 0
        if self.operator is not None and begins and not self.physics.islanded:
            await self.operator.look(tick.t_s)
        street.follow_profiles(int(utc_s))
        street.follow_fleets(utc_s)
        telemetry = await self.sensing.read(self._needed())
        self.control.look(telemetry)
        self.soc_limits.look(tick.t_s, telemetry.batteries, islanded=self.physics.islanded)
        if self.coordination is not None:
            self.coordination.look(
                tick.t_s,
                tick.dt_s,
                telemetry,
                telemetry.meters.get(self.head),
                islanded=self.physics.islanded,
            )
        if self.home_cars is not None:
            self.home_cars.look(tick.t_s, telemetry)
        if self.home_rooms is not None:
            self.home_rooms.look(tick.t_s, telemetry)
        for period in self.periods[1:]:
            if self.trading.book.closes_s(period) == tick.t_s:
                self._clear(period, telemetry, tick.t_s)
        self.physics.follow(self._switches(telemetry))
        flow = self.physics.step(tick.t_s, tick.dt_s, self._measured())
        self.losses_wh += flow.solution.losses_w * tick.dt_s / 3600
        await self.computing.step(telemetry, tick.t_s)
        wanted_w = self.balancing.step(
            self.views.schedules(tick.t_s, self.trading),
            self.views.plan_w(tick.t_s, self.trading),
            telemetry.meters.get(self.head),
            self.control.bounds,
        )
        wanted_w |= self.aggregating.step(tick.t_s, tick.dt_s, utc_s)
        wanted_w |= self.computing.wanted_w(telemetry)
        acts_s, islanded = tick.t_s + tick.dt_s, self.physics.islanded
        if self.home_cars is not None:
            self.home_cars.step(acts_s, tick.dt_s, self.trading, islanded=islanded)
        if self.island_cars is not None:
            self.island_cars.step(acts_s, tick.dt_s, telemetry, islanded=islanded)
        if self.home_rooms is not None:
            self.home_rooms.step(acts_s, tick.dt_s, telemetry, self.trading, islanded=islanded)
        await asyncio.gather(
            self.control.step(wanted_w, tick.dt_s),
            self.curtailment.step(telemetry, tick.dt_s, islanded=self.physics.islanded),
            self.charging.step(telemetry),
            self.heating.step(telemetry),
        )
        islanded = flow.island is not None
        self.feeder.tick(tick.t_s, tick.dt_s, flow.solution, islanded=islanded)
        rooms = {} if self.home_rooms is None else self.home_rooms.row(tick.t_s)
        self.trace.add(
            tick, late_s, telemetry, self.sensing.measured, flow, self.control,
            self.aggregating.row(utc_s) | rooms,
        )  # fmt: skip
        street.advance_fleets(utc_s, tick.dt_s)
        self.physics.finish(tick.dt_s)
        for event in events_of(street.world):
            # What happened while connected; an island's events come with its trace.
            self.events.record(
                f"plant_{event.kind}",
                event.name,
                at_s=event.t_s,
                value=event.value,
                detail=event.detail,
            )
        if flow.island is not None:
            head = street.world.head()
            self.islands.tick(flow.island, (head.import_milliwh, head.export_milliwh))

    def _needed(self) -> tuple[str, ...]:
        """Return what an island that is there cannot do without: its former and its pack.

        Also a real former, which the plant has no part of.
        """
        rig = self.physics.street.rig
        if rig.island is None or not self.physics.islanded:
            return ()
        pack = rig.device(rig.island.former).bms
        return (rig.island.former,) if pack is None else (rig.island.former, pack)

    def _switches(self, telemetry: Telemetry) -> dict[str, bool]:
        """Return by branch whether its switch is closed: contacts if modelled, else as read."""
        closed = {branch: one.contacts()[0] for branch, one in self.physics.street.contacts.items()}
        for name, reading in telemetry.switches.items():
            closed[self.outside_switches[name]] = reading.closed
        return closed

    def _measured(self) -> tuple[list[float], list[float]]:
        """Return what real devices inject, as their analysers last measured it. [W, var]"""
        buses = self.physics.feeder.buses
        p_w, q_var = [0.0] * len(buses), [0.0] * len(buses)
        for analyser, bus in self.outside.items():
            reading = self.sensing.measured.get(analyser)
            if reading is not None:
                p_w[buses.index(bus)] += reading.p_w
                q_var[buses.index(bus)] += reading.q_var
        return p_w, q_var
