"""What one execution of a procedure keeps for its evidence while it goes on."""

from dataclasses import dataclass, field

from gridrig.campaign.evidence import RunDirectory
from gridrig.devices.bench_capabilities import Recording


@dataclass
class ExecutionRecords:
    """Where events go as they happen, and the recordings of instruments until there is time.

    Parameters
    ----------
    directory : RunDirectory
        Of this execution alone; it is signed with the whole campaign.
    recordings : list of Recording
        As they were fetched. To write one takes longer than many a tick, so they wait until the
        bench has been left.
    """

    directory: RunDirectory
    recordings: list[Recording] = field(default_factory=list)
