"""A region's energy by local days and in whole watt-hours, from registers and not from pages."""

from collections import defaultdict
from datetime import date
from zoneinfo import ZoneInfo

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.scenario import Scenario
from gridrig.clock import Clock
from gridrig.quantity import DAY_S
from gridrig.rig.description import Rig, load_rig
from gridrig.rig.safe_end import SafeReport
from gridrig.settlement.statement import statement_of

EPOCH_DAY = date(1970, 1, 1).toordinal()


async def run_beside(clock: Clock, rig_name: str, scenario: Scenario) -> tuple[Loop, int]:
    """Run a scenario on another rig that comes with gridrig, on the same clock.

    Returns
    -------
    tuple
        The loop, and how many devices of that rig were left unsafe.
    """
    left: list[SafeReport] = []
    async with open_lab(load_rig(RIGS / f"{rig_name}.toml"), clock, [], left) as lab:
        loop = await lab.run_loop(scenario)
    return loop, len(left[-1].left_unsafe)


def sources_of(rig: Rig) -> set[str]:
    """Return the meters of a rig's inverters."""
    inverters = {device.name for device in rig.of("inverter")}
    return {meter.name for meter in rig.signing() if meter.measures in inverters}


def days_unlike_meters_milliwh(loop: Loop, zone: ZoneInfo, utc_offset_s: int) -> int:
    """Return the worst difference of a participant's local day from what its meter counted. [mWh]

    Parameters
    ----------
    loop : Loop
        A run that is over.
    zone : ZoneInfo
        By which statements part the days.
    utc_offset_s : int
        How far local time is ahead of UTC, as an almanac has it. [s]
    """
    counted: dict[str, defaultdict[int, int]] = {}
    for settled in loop.account.settled:
        day = (settled.from_ms // 1000 + utc_offset_s) // DAY_S
        for meter in settled.meters:
            first, last = meter.opening, meter.closing
            energy = meter.import_milliwh + meter.export_milliwh
            if first is not None and last is not None:
                energy = (last.import_milliwh or 0) - (first.import_milliwh or 0)
                energy += (last.export_milliwh or 0) - (first.export_milliwh or 0)
            counted.setdefault(meter.participant, defaultdict(int))[day] += energy
    worst = 0
    for name, by_day in counted.items():
        shown = {
            day.day.toordinal() - EPOCH_DAY: day.sum("imported_milliwh")
            + day.sum("exported_milliwh")
            for day in statement_of(loop.account.journal, name).days(zone)
        }
        worst = max(worst, *(abs(shown.get(d, 0) - by_day.get(d, 0)) for d in shown | by_day))
    return worst


def delivered_wh(loop: Loop, sources: set[str]) -> int:
    """Return the whole watt-hours that meters signed for from first to last reading. [Wh]"""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for settled in loop.account.settled:
        for meter in settled.meters:
            if meter.meter in sources and meter.opening and meter.closing:
                first.setdefault(meter.meter, meter.opening.export_milliwh or 0)
                last[meter.meter] = meter.closing.export_milliwh or 0
    return sum((last[name] - first[name]) // 1000 for name in first)
