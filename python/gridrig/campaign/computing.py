"""The compute market of a run: jobs are taken, run, metered, and paid or given back.

A job begins in the tick at which a delivery period begins, after the meters of its place have
signed, and is paid at the first period edge after its end at which they have signed again. Its
energy is the lesser of what the node's meter took and what the meters of its battery and its
sources gave in between, on their AC side. Its result is right if doing the work again gives the
same hash.

The battery of a place follows its node: it gives what the node draws and the sun does not give, and
takes what is left of the sun. At its reserve it gives nothing: a job that can be interrupted waits
there, any other is given up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gridrig.campaign.pack_watch import PackWatch
from gridrig.campaign.places import Place, Signed, places_of
from gridrig.campaign.sensing import Telemetry
from gridrig.campaign.street import Street
from gridrig.computing.admission import Battery, answer
from gridrig.computing.escrow import Escrow
from gridrig.computing.job import Ended, Job
from gridrig.computing.work import result_hash
from gridrig.devices.compute_capability import ComputeReading
from gridrig.errors import DriverError
from gridrig.events import EventLog
from gridrig.rig.description import Rig

CHECKED_BY = "integers"  # the backend that does the work again


@dataclass
class _Taken:
    """A job that was taken, and how far it has come."""

    job: Job
    deposit_micro: int
    begun_s: float | None = None
    opening: Signed = field(default_factory=dict)
    done_s: float | None = None
    result: str | None = None
    failed: str = ""
    paused: bool = False

    @property
    def is_over(self) -> bool:
        return self.done_s is not None or bool(self.failed)

    def left_s(self, worked_s: float) -> float:
        return 0.0 if self.is_over else max(0.0, self.job.work_s - worked_s)


class Computing:
    """Runs the jobs of a scenario.

    Parameters
    ----------
    rig : Rig
        Whose participants with agent "compute" make the places.
    drivers : mapping of name to driver
        Guarded by the bench.
    jobs : tuple of Job
        In the order of their offers.
    period_s : float
        Length of a delivery period. [s]
    """

    def __init__(
        self,
        rig: Rig,
        drivers: Mapping[str, Any],
        street: Street,
        events: EventLog,
        jobs: tuple[Job, ...],
        period_s: float,
    ) -> None:
        self.places = {place.node: place for place in places_of(rig)}
        self.escrow = Escrow()
        self.ended: list[Ended] = []
        self.watches = {node: PackWatch() for node in self.places}
        self._drivers, self._street, self._events = drivers, street, events
        self._offers = list(jobs)
        self._period_s = period_s
        self._taken: dict[str, list[_Taken]] = {node: [] for node in self.places}
        self._signed: Signed = {}
        self._draws_w: dict[str, float] = {}

    def heard(self, t_s: float, readings: Signed) -> None:
        """Take what the meters signed at a period edge, and settle what is over. [s]"""
        self._signed = readings
        for node, taken in self._taken.items():
            if taken and taken[0].is_over and self._all_signed(self.places[node]):
                self._settle(self.places[node], taken.pop(0))

    async def step(self, telemetry: Telemetry, t_s: float) -> None:
        """Take the offers that are made now, and bring every node forward. [s]"""
        while self._offers and self._offers[0].at_s <= t_s:
            self._offer(self._offers.pop(0), telemetry, t_s)
        await asyncio.gather(*(self._advance(p, telemetry, t_s) for p in self.places.values()))

    def wanted_w(self, telemetry: Telemetry) -> dict[str, float]:
        """Return what the battery of each place is to give, + is discharge. [W]"""
        wanted = {}
        for place in self.places.values():
            told = (telemetry.inverters.get(name) for name in place.sources)
            sun_w = sum(reading.p_w for reading in told if reading is not None)
            lacking_w = self._draws_w.get(place.node, 0.0) - sun_w
            battery = telemetry.batteries.get(place.pack)
            if lacking_w > 0 and (battery is None or battery.soc <= place.reserve_soc):
                lacking_w = 0.0
            wanted[place.storage] = lacking_w
        return wanted

    def finish(self) -> None:
        """Give back what was not settled when the run ended."""
        for node, taken in self._taken.items():
            for one in taken:
                one.failed = one.failed or "not_delivered"
                self._refund(self.places[node], one, 0)
            taken.clear()

    def _offer(self, job: Job, telemetry: Telemetry, t_s: float) -> None:
        place = self.places[job.node]
        pack = telemetry.batteries.get(place.pack)
        reading = telemetry.computers.get(place.node)
        if pack is None or reading is None:
            self._refuse(job, "no_reading")
            return
        capacity_wh = self._street.capacity_ah(place.pack) * pack.v_v
        battery = Battery(pack.soc, capacity_wh, place.reserve_soc)
        before = self._taken[place.node]
        said = answer(
            battery,
            draws_w=place.draws_w,
            work_s=job.work_s,
            promised_s=_promised_s(before, reading.worked_s, self._period_s),
            now_s=t_s,
            due_s=job.due_s,
            starts_every_s=self._period_s,
            interruptible=job.interruptible,
        )
        facts: dict[str, Any] = {
            "soc": pack.soc,
            "soc_after": said.soc_after,
            "reserve_soc": place.reserve_soc,
        }
        if said.refusal is not None:
            self._refuse(job, said.refusal, **facts)
            return
        deposit = job.deposit_micro(place.draws_w)
        self.escrow.hold(job.name, job.buyer, deposit)
        before.append(_Taken(job, deposit))
        self._events.record("job_taken", job.node, job=job.name, deposit_micro=deposit, **facts)

    async def _advance(self, place: Place, telemetry: Telemetry, t_s: float) -> None:
        taken, reading = self._taken[place.node], telemetry.computers.get(place.node)
        if reading is None:
            return
        self._draws_w[place.node] = 0.0 - reading.p_w
        pack = telemetry.batteries.get(place.pack)
        if pack is not None:
            self.watches[place.node].look(pack, self._street.capacity_ah(place.pack))
        driver = self._drivers[place.node]
        if not taken or taken[0].is_over:
            return
        now = taken[0]
        if now.begun_s is None:
            may = pack is not None and pack.soc > place.reserve_soc
            if may and t_s % self._period_s == 0 and self._all_signed(place):
                await self._begin(place, now, t_s)
            elif t_s > now.job.due_s:
                now.failed = "late"
        elif reading.state == "done":
            now.done_s, now.result = t_s, reading.result
            if await self._told(place, "job_done", now, driver.end_job, result=reading.result):
                self._draws_w[place.node] = 0.0
        elif t_s > now.job.due_s:
            await self._give_up(place, now, "late")
        elif pack is not None:
            await self._mind_reserve(place, now, pack.soc, reading)

    async def _begin(self, place: Place, now: _Taken, t_s: float) -> None:
        job = now.job

        async def begin() -> None:
            await self._drivers[place.node].begin_job(job.work, job.work_s)

        if await self._told(place, "job_begun", now, begin):
            now.begun_s, now.opening = t_s, self._signed
            self._draws_w[place.node] = place.draws_w

    async def _mind_reserve(
        self, place: Place, now: _Taken, soc: float, reading: ComputeReading
    ) -> None:
        """Pause or give up at the reserve; go on when the battery has recovered."""
        driver = self._drivers[place.node]
        if soc <= place.reserve_soc and not now.job.interruptible:
            await self._give_up(place, now, "reserve_reached", soc=soc)
        elif soc <= place.reserve_soc and not now.paused:
            stop = driver.set_running
            now.paused = await self._told(place, "job_paused", now, lambda: stop(False), soc=soc)
            self._draws_w[place.node] = 0.0
        elif now.paused and soc >= place.resume_soc:
            go = driver.set_running
            if await self._told(place, "job_resumed", now, lambda: go(True), soc=soc):
                now.paused = False
                self._draws_w[place.node] = place.draws_w

    async def _give_up(self, place: Place, now: _Taken, why: str, **facts: Any) -> None:
        end = self._drivers[place.node].end_job
        if await self._told(place, "job_given_up", now, end, why=why, **facts):
            now.failed = why
            self._draws_w[place.node] = 0.0

    async def _told(
        self,
        place: Place,
        kind: str,
        now: _Taken,
        tell: Callable[[], Awaitable[None]],
        **facts: Any,
    ) -> bool:
        """Tell a node something, and record it; one that does not take it is told again."""
        try:
            await tell()
        except DriverError as error:
            code, failure = error.code, error.kind
            self._events.record("write_failed", place.node, code=code, failure=failure)
            return False
        self._events.record(kind, place.node, job=now.job.name, **facts)
        return True

    def _all_signed(self, place: Place) -> bool:
        return all(meter in self._signed for meter in place.meter_of.values())

    def _settle(self, place: Place, one: _Taken) -> None:
        energy = place.taken_milliwh(one.opening, self._signed) if one.begun_s is not None else 0
        if not one.failed:
            assert one.done_s is not None, "only what is over is settled"
            if one.done_s > one.job.due_s:
                one.failed = "late"
            elif one.result != result_hash(one.job.work, CHECKED_BY):
                one.failed = "wrong_result"
        if one.failed:
            self._refund(place, one, energy)
            return
        paid = one.job.due_micro(energy, one.deposit_micro)
        self._end(place, one, "paid", energy, paid)

    def _refund(self, place: Place, one: _Taken, energy_milliwh: int) -> None:
        self._end(place, one, "refunded", energy_milliwh, 0)

    def _end(self, place: Place, one: _Taken, ending: Any, energy_milliwh: int, paid: int) -> None:
        rest = self.escrow.close(one.job.name, place.node, paid)
        ended = Ended(
            one.job, ending, one.failed, one.begun_s, one.done_s, energy_milliwh, one.result,
            one.deposit_micro, paid, rest,
        )  # fmt: skip
        self.ended.append(ended)
        self._events.record(
            f"job_{ending}",
            place.node,
            job=one.job.name,
            why=one.failed,
            energy_milliwh=energy_milliwh,
            paid_micro=paid,
            refunded_micro=rest,
        )

    def _refuse(self, job: Job, why: str, **facts: Any) -> None:
        self.ended.append(Ended(job, "refused", why))
        self._events.record("job_refused", job.node, job=job.name, why=why, **facts)


def _promised_s(taken: list[_Taken], worked_s: float, period_s: float) -> float:
    """Return how long the jobs before take still, each with its wait for a period edge. [s]"""
    total_s = 0.0
    for one in taken:
        if not one.is_over:
            total_s += one.left_s(worked_s if one.begun_s is not None else 0.0) + period_s
    return total_s
