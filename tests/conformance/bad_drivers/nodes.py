"""Drivers of a computing node that tell what is not so, or leave it as it is."""

from collections.abc import Mapping
from dataclasses import replace

from gridrig.computing.work import Work, result_hash
from gridrig.devices.compute_capability import ComputeReading
from gridrig.devices.drivers.compute_node import ScpiComputeNode
from gridrig.errors import DriverError


class DrawsIntoTheGrid(ScpiComputeNode):
    """What is drawn is positive."""

    async def read(self) -> ComputeReading:
        found = await super().read()
        return replace(found, p_w=-found.p_w)


class EnergyInWattHours(ScpiComputeNode):
    """Takes milliwatt-hours for watt-hours."""

    async def read(self) -> ComputeReading:
        found = await super().read()
        return replace(found, import_milliwh=found.import_milliwh * 1_000)


class NeverPauses(ScpiComputeNode):
    """Keeps a pause to itself, and tells it."""

    _paused = False

    async def set_running(self, on: bool) -> None:
        self._paused = not on
        if on:
            await super().set_running(True)

    async def read(self) -> ComputeReading:
        found = await super().read()
        return replace(found, state="paused") if self._paused else found


class AnySafeState(ScpiComputeNode):
    """Takes what it knows of a safe state."""

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        await super().make_safe({"running": safe_state["running"]})


class MakesNothingSafe(ScpiComputeNode):
    """Says that it is safe."""

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        if set(safe_state) != {"running"}:
            raise DriverError("driver.safe_state", "unknown", kind="limit")


class ResultOfBefore(ScpiComputeNode):
    """Tells the first result of all for every job."""

    _first: str | None = None

    async def read(self) -> ComputeReading:
        found = await super().read()
        self._first = self._first or found.result
        return replace(found, result=self._first) if found.result else found


class GuessesResults(ScpiComputeNode):
    """Computes what its node has not told yet."""

    _work = Work(0, 1, 1)

    async def begin_job(self, work: Work, work_s: float) -> None:
        self._work = work
        await super().begin_job(work, work_s)

    async def read(self) -> ComputeReading:
        return replace(await super().read(), result=result_hash(self._work, "numpy"))


class SwallowsErrors(ScpiComputeNode):
    """Tells the last value when the wire fails."""

    _kept: ComputeReading | None = None

    async def read(self) -> ComputeReading:
        try:
            self._kept = await super().read()
        except DriverError:
            if self._kept is None:
                raise
        return self._kept
