"""What a computing node can do, whoever made it: its protocol and its reading.

As in `capabilities`: a driver fails with `DriverError` and a `kind`, never otherwise; positive
power flows from the device into the grid, so that a node that draws reads negative.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from gridrig.computing.work import Work
from gridrig.devices.capabilities import Driver

NodeState = Literal["idle", "running", "paused", "done"]


@dataclass(frozen=True)
class ComputeReading:
    """What a computing node reports of itself.

    Parameters
    ----------
    state : str
        "idle" without a job, "running", "paused", or "done" with a result to be fetched.
    p_w : float
        Into the grid, as it tells itself: negative while it draws. [W]
    import_milliwh : int
        What it says it has drawn since it was switched on, rounded down. [mWh]
    worked_s : float
        How long it has worked on the job it has. [s]
    result : str or None
        SHA-256 of the result in hex, once it is done.
    """

    state: NodeState
    p_w: float
    import_milliwh: int
    worked_s: float
    result: str | None


@runtime_checkable
class ComputeNode(Driver, Protocol):
    """A computer that takes one job at a time and can be stopped at any moment."""

    async def read(self) -> ComputeReading:
        """Return what it reports, asked for now."""

    async def begin_job(self, work: Work, work_s: float) -> None:
        """Give it a job that is planned to take so long, and let it run. [s]"""

    async def set_running(self, on: bool) -> None:
        """Pause the job it has, or let it go on."""

    async def end_job(self) -> None:
        """Let it forget its job, done or not, and draw nothing for it."""
