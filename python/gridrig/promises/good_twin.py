"""The same run on a good network: what a bad one must come to in the end."""

from collections import Counter
from dataclasses import replace

from gridrig.campaign.lab import Lab, open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Measurement
from gridrig.campaign.scenario import Scenario
from gridrig.rig.description import load_rig
from gridrig.rig.safe_end import SafeReport


async def run_twin(lab: Lab, scenario: Scenario) -> Loop:
    """Run a scenario without its faults, on a fresh bench of the rig as its file has it."""
    recorded: list[Measurement] = []
    safe: list[SafeReport] = []
    async with open_lab(load_rig(lab.rig.path), lab.clock, recorded, safe) as twin:
        return await twin.run_loop(replace(scenario, faults=()))


def energy_unlike_milliwh(loop: Loop, twin: Loop) -> int:
    """Return the worst difference of what a meter's register was settled for over the run. [mWh]

    Of each meter import and export by themselves: what was lost in one and doubled in the other
    direction does not make up for one another.
    """
    mine, theirs = _energy(loop), _energy(twin)
    return max((abs(mine[key] - theirs[key]) for key in mine.keys() | theirs.keys()), default=0)


def entries_unlike(loop: Loop, twin: Loop) -> int:
    """Return how many entries one of two runs has and the other has not.

    An entry is who gets how much of what for which period, and by which readings.
    """
    mine, theirs = _entries(loop), _entries(twin)
    return ((mine - theirs) + (theirs - mine)).total()


def _energy(loop: Loop) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for settled in loop.account.settled:
        for meter in settled.meters:
            found[meter.meter, "import"] += meter.import_milliwh
            found[meter.meter, "export"] += meter.export_milliwh
    return found


def _entries(loop: Loop) -> Counter[tuple[object, ...]]:
    return Counter(
        (e.period, e.kind, e.debit, e.credit, e.meter, e.energy_milliwh, e.amount_micro)
        for e in loop.account.entries()
    )


def troubles(loop: Loop) -> int:
    """Return how often a wire of a run was bad."""
    return sum(event.kind == "fault_fired" for event in loop.events.ordered())
