"""A bad network for as long as one likes: the scenario of minutes, stretched, and the plant's word.

A device that gives no answer three times in a row is lost, and taken back in the same run.
In a long run a storage whose reading is lost is led otherwise than in a good one, so the good twin
is no measure of it. What must hold is that each meter is settled for exactly what the plant's own
registers counted in the same run.
"""

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from gridrig.campaign.catalogue import measure
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Measurement
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.scenario_windows import Window
from gridrig.campaign.street import Street
from gridrig.clock import Clock
from gridrig.promises.bad_node import WAIT_S, Anchoring, anchor_in_trouble
from gridrig.promises.good_twin import troubles
from gridrig.quantity import DAY_S
from gridrig.rig.description import Rig
from gridrig.rig.safe_end import SafeReport

A_ROOT_S = 6.0  # to send each: a sender has a bounded number under way


@dataclass(frozen=True)
class Stretch:
    """What a long bad time came to.

    Parameters
    ----------
    troubles : int
        How often a wire was bad.
    unlike_registers_milliwh : int
        Worst difference of what a meter was settled for and what the plant counted. [mWh]
    not_once : int
        Periods of a meter that were settled more than once, or not at all.
    measured : mapping of str to float or None
        What the catalogue measures of the run.
    anchoring : Anchoring
        Of its periods, through a bad node.
    left_unsafe : tuple of str
        Devices that were.
    lost : tuple of str
        Devices that were lost, each time, in order.
    away_s : tuple of float
        How long each was away that came back. [s]
    """

    troubles: int
    unlike_registers_milliwh: int
    not_once: int
    measured: dict[str, float | None]
    anchoring: Anchoring
    left_unsafe: tuple[str, ...]
    lost: tuple[str, ...]
    away_s: tuple[float, ...]


def stretched(scenario: Scenario, duration_s: int, tick_s: float) -> Scenario:
    """Return a scenario that lasts longer, with its faults armed nearly to the end.

    Parameters
    ----------
    scenario : Scenario
        Of minutes.
    duration_s, tick_s
        What it is to last, and its control period. [s]

    Returns
    -------
    Scenario
        Good for its last two periods, so that what was estimated can still be corrected.
    """
    until_s = float(duration_s - 2 * scenario.period_s)
    faults = []
    for fault in scenario.faults:
        faults.append(replace(fault, parameters={**fault.parameters, "for_s": until_s}))
    windows = (Window(from_s=0.0, tick_s=tick_s),)
    return replace(scenario, duration_s=duration_s, windows=windows, faults=tuple(faults))


async def bad_time(rig: Rig, scenario: Scenario, clock: Clock) -> Stretch:
    """Run a scenario on a fresh bench, compare its books with its plant, and anchor them."""
    recorded: list[Measurement] = []
    safe: list[SafeReport] = []
    days = -(-scenario.duration_s // DAY_S) + 1
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.sqlite"
        async with open_lab(rig, clock, recorded, safe, days=days) as lab:
            before = _registers(lab.street)
            loop = await lab.run_loop(scenario, journal)
            after = _registers(lab.street)
            measured = {m.name: m.value for m in measure(loop.observed(loop.trace.columns()))}
            bad, not_once = troubles(loop), _not_once(loop, scenario)
            loop.account.journal.close()
        wait_s = WAIT_S + A_ROOT_S * scenario.duration_s / scenario.period_s
        anchoring = await anchor_in_trouble(journal, clock, wait_s=wait_s)
    counted = {key: after[key] - before[key] for key in after}
    unlike = energy_unlike_registers_milliwh(loop, counted)
    told = loop.events.ordered()
    lost = tuple(event.device for event in told if event.kind == "device_lost")
    away_s = tuple(float(event.data["away_s"]) for event in told if event.kind == "device_back")
    return Stretch(bad, unlike, not_once, measured, anchoring, safe[-1].left_unsafe, lost, away_s)


def energy_unlike_registers_milliwh(loop: Loop, counted: dict[tuple[str, str], int]) -> int:
    """Return the worst difference of settled energy and the plant's registers. [mWh]"""
    settled: Counter[tuple[str, str]] = Counter()
    for period in loop.account.settled:
        for meter in period.meters:
            settled[meter.meter, "import"] += meter.import_milliwh
            settled[meter.meter, "export"] += meter.export_milliwh
    return max(abs(settled[key] - counted.get(key, 0)) for key in settled.keys() | counted.keys())


def _registers(street: Street) -> dict[tuple[str, str], int]:
    """Return what the plant has counted at each signed meter. [mWh]"""
    found: dict[tuple[str, str], int] = {}
    for device in street.rig.signing():
        state = street.terminal_of(device).state()
        found[device.name, "import"] = state.import_milliwh
        found[device.name, "export"] = state.export_milliwh
    return found


def _not_once(loop: Loop, scenario: Scenario) -> int:
    """Return how many periods of a meter were settled another number of times than once."""
    times = Counter((p.period, m.meter) for p in loop.account.settled for m in p.meters)
    meters = {device.name for device in loop.physics.street.rig.signing()}
    periods = range(scenario.duration_s // scenario.period_s)
    return sum(times[period, meter] != 1 for period in periods for meter in meters)
