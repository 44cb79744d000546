"""What a grid operator was told of a fleet, against what the fleet's own meters signed.

Which readings were heard is drawn again from the fleet, and the energy is summed from readings that
were verified again, period by period: nothing here comes from what made the reports.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridrig.campaign.home_meters import HomeMeters
from gridrig.circuit.heated_homes import QUARTER_S, HeatedHomes
from gridrig.openadr.vtn import Figure

WHOLE = "Quality Good - Non Specific"


@dataclass(frozen=True)
class Told:
    """How the reports of some quarter-hours were.

    Parameters
    ----------
    missing : int
        Figures that did not come, or without a value.
    off_milliwh : int
        The most by which an energy was not what the heard meters signed. [mWh]
    unmarked : int
        Figures that say they are of more meters than were heard.
    meters_percent : float
        The least share of the meters that a figure says it is of. [%]
    """

    missing: int
    off_milliwh: int
    unmarked: int
    meters_percent: float


def told(
    figures: Mapping[tuple[str, int], Figure],
    fleet: str,
    homes: HeatedHomes,
    meters: HomeMeters,
    quarters: Sequence[int],
    start_utc_s: int,
) -> Told:
    """Compare what was told of quarter-hours with the meters.

    Parameters
    ----------
    meters : HomeMeters
        Of the same run, read by nobody yet.
    quarters : sequence of int
        When they begin. [s since 1970]
    start_utc_s : int
        When the run began, and the first reading was due. [s since 1970]
    """
    lost = [homes.unheard(home) for home in range(homes.count)]
    periods = [meters.periods(home, quarters) for home in range(homes.count)]
    missing = unmarked = 0
    off_milliwh, least = 0.0, math.inf
    for place, quarter in enumerate(quarters):
        edge = (quarter - start_utc_s) // QUARTER_S
        heard = [home for home in range(homes.count) if not {edge, edge + 1} & lost[home]]
        signed = sum(periods[home][place].import_milliwh for home in heard)
        for quantity, per_milliwh in (("energy", 1000.0), ("power", 1000.0 * QUARTER_S / 3600)):
            figure = figures.get((f"{fleet}.{quantity}", quarter))
            if figure is None or math.isnan(figure.value):
                missing += 1
                continue
            off_milliwh = max(off_milliwh, abs(figure.value * per_milliwh - signed))
            whole = len(heard) == homes.count
            says_whole = figure.quality == WHOLE
            too_sure = figure.confidence > 100 * len(heard) // homes.count
            unmarked += too_sure or (says_whole and not whole)
            least = min(least, figure.confidence)
    return Told(missing, round(off_milliwh), unmarked, 0.0 if math.isinf(least) else least)
