"""The computing jobs of a scenario file, `[[job]]`, and whether they fit a rig."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from gridrig.computing.job import Job
from gridrig.computing.work import Work
from gridrig.errors import GridrigError
from gridrig.rig.description import Rig
from gridrig.rig.issues import At, Issues, near_miss, shown
from gridrig.rig.participants import ComputeAgent
from gridrig.rig.schema import Draft, Name, Positive, at_least, between

PRICE_MICRO_MAX = 10**15


@dataclass(frozen=True, kw_only=True)
class JobTable:
    """A `[[job]]` as it is written; see `Job`."""

    name: Name
    node: Name
    buyer: Name
    at_s: Annotated[float, at_least(0)]
    work: Name
    work_s: Positive
    due_s: Positive
    price_micro: Annotated[int, between(0, PRICE_MICRO_MAX)]
    energy_price_micro_per_kwh: Annotated[int, between(0, 10**9)]
    interruptible: bool = False

    def job(self) -> Job:
        """Return it as a job."""
        return Job(**(vars(self) | {"work": Work.read(self.work)}))


def check_jobs(jobs: Sequence[Draft[JobTable]], at: At, *, market: bool, issues: Issues) -> None:
    """Note names that stand twice, work that is none, and jobs that are due before they can be.

    Without a market meters sign nothing, and no job can be paid.
    """
    if jobs and not market:
        issues.add(at, "jobs without a [market]", "one: its delivery periods are when meters sign")
    first: dict[str, Draft[JobTable]] = {}
    for job in jobs:
        name, work = job.text("name"), job.text("work")
        if name is not None and first.setdefault(name, job) is not job:
            issues.add(job.at.key("name"), shown(name), "a name of its own")
        if work is not None:
            try:
                Work.read(work)
            except GridrigError as error:
                issues.add(job.at.key("work"), shown(work), str(error))
        at_s, work_s, due_s = (job.get(key) for key in ("at_s", "work_s", "due_s"))
        if at_s is not None and work_s is not None and due_s is not None and at_s + work_s > due_s:
            expected = f"at least at_s + work_s = {at_s + work_s:g}"
            issues.add(job.at.key("due_s"), shown(due_s), expected)


def check_jobs_fit(rig: Rig, tables: Sequence[Mapping[str, Any]], at: At, issues: Issues) -> None:
    """Note jobs for nodes that the rig has not, or that nobody runs a place around."""
    nodes = {p.agent.node for p in rig.participants if isinstance(p.agent, ComputeAgent)}
    for number, table in enumerate(tables):
        if table["node"] not in nodes:
            place = at.item(number, table["name"]).key("node")
            expected = f'the node of agents {{ kind = "compute" }} in {rig.path}'
            issues.add(place, shown(table["node"]), expected, near_miss(table["node"], nodes))
