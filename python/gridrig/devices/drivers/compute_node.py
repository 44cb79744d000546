"""Driver of a computing node over SCPI: a computer with a small agent that starts and stops jobs.

driver = "scpi-compute-node"
link = { kind = "socket", host = "192.0.2.30", port = 5025 }

    :COMP:JOB 7x16x40,3600      a job, and how long it is planned to take [s]; JOB? answers it
    :COMP:RUN ON                start it or go on; OFF pauses; RUN? answers
    :COMP:FORG                  forget it
    :COMP:STAT?                 0 idle, 1 running, 2 paused, 3 done
    :COMP:WORK?                 how long it has worked on it [s]
    :COMP:RES?                  SHA-256 of the result, hex; NONE before
    :MEAS:POW?  :MEAS:ENER?     what it draws [W], and has drawn [mWh]

A job is no setting of the node: it is not put back when a run ends, it is forgotten.
"""

from gridrig.computing.work import Work
from gridrig.devices.compute_capability import ComputeReading, NodeState
from gridrig.devices.drivers.scpi_instrument import ScpiDriver

STATES: tuple[NodeState, ...] = ("idle", "running", "paused", "done")


class ScpiComputeNode(ScpiDriver):
    """A computer that takes jobs one by one."""

    capability = "compute_node"
    SAFE_KEY = "running"

    async def read(self) -> ComputeReading:
        """Return what it reports."""
        state, worked_s, p_w, energy = await self._line.numbers(
            ":COMP:STAT?", ":COMP:WORK?", ":MEAS:POW?", ":MEAS:ENER?"
        )
        if state not in range(len(STATES)):
            raise self._error(
                "framing",
                "{device}: :COMP:STAT? answers {found:g}, expected 0 to {most}",
                found=state,
                most=len(STATES) - 1,
            )
        named = STATES[int(state)]
        result = await self._line.text(":COMP:RES?") if named == "done" else None
        return ComputeReading(named, 0.0 - p_w, int(energy), worked_s, result)

    async def begin_job(self, work: Work, work_s: float) -> None:
        """Give it a job in place of any it has, see that it has it, and let it run."""
        await self.end_job()
        told = f"{work},{work_s:.0f}"
        await self._line.command(f":COMP:JOB {told}")
        shown = await self._line.text(":COMP:JOB?")
        if shown.upper() != told.upper():
            raise self._differs(":COMP:JOB?", told, shown)
        await self.set_running(True)

    async def set_running(self, on: bool) -> None:
        """Pause the job it has, or let it go on; it shows which."""
        await self._switch(":COMP:RUN", on)

    async def end_job(self) -> None:
        """Let it forget its job."""
        await self._line.command(":COMP:FORG")
        (state,) = await self._line.numbers(":COMP:STAT?")
        if state != STATES.index("idle"):
            raise self._differs(":COMP:STAT?", 0, state)

    async def _make(self, on: bool) -> None:
        if on:
            await self.set_running(True)
        else:
            await self.end_job()
