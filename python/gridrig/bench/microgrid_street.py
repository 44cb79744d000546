"""The street of the microgrid benchmark: 5 consumers, 10 prosumers and the grid, drawn by a seed.

Consumers are shops and a farm, or homes if asked for; prosumers are homes with PV and a battery.
Loads are simbench's profiles, each home's moved by whole weeks so that no two do the same thing at
once; sizes are drawn from the ranges below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from gridrig.clock.seeds import stream
from gridrig.minds.open_series import generation_profiles, load_profiles
from gridrig.minds.series import FloatArray

HOUSEHOLDS = ("H0-A", "H0-B", "H0-C", "H0-G", "H0-L")
BUSINESSES = ("G1-B", "G2-A", "G3-A", "G4-A", "L1-A")
PROSUMER_HOUSEHOLDS = 2 * HOUSEHOLDS
ROOFS = tuple(f"PV{number}" for number in range(1, 9))
WEEK_STEPS = 7 * 96
MOVED_WEEKS = 6
YEARLY_KWH = (2_500.0, 5_000.0)
PEAK_KW = (4.0, 9.0)
BATTERY_KWH = (6.0, 14.0)
HOURS_TO_EMPTY = 2.0  # at full power
YEAR_HOURS = 366 * 24


@dataclass(frozen=True)
class Home:
    """One endpoint: what it uses and makes all year, and its battery.

    Parameters
    ----------
    name : str
    load_w, pv_w : array of float64, shape (steps of the year,)
        [W]
    battery_wh : float
        What the battery holds between empty and full; 0 without one. [Wh]
    battery_w : float
        What it takes and gives at most. [W]
    """

    name: str
    load_w: FloatArray
    pv_w: FloatArray
    battery_wh: float = 0.0
    battery_w: float = 0.0


def draw_street(seed: int, consumers: Sequence[str] = BUSINESSES) -> list[Home]:
    """Return the consumers, by their profiles, and then the prosumers of a seed."""
    random = stream(seed, "street")
    profiles, roofs = [*consumers, *PROSUMER_HOUSEHOLDS], generation(*ROOFS)
    homes = []
    for number, profile in enumerate(load(*profiles)):
        yearly_wh = 1000 * random.uniform(*YEARLY_KWH)
        moved = np.roll(profile, WEEK_STEPS * random.randint(-MOVED_WEEKS, MOVED_WEEKS))
        load_w = moved * (yearly_wh / YEAR_HOURS / profile.mean())
        if number < len(consumers):
            homes.append(Home(f"consumer-{number + 1}", load_w, np.zeros(len(load_w))))
            continue
        pv_w = roofs[random.randrange(len(roofs))] * (1000 * random.uniform(*PEAK_KW))
        battery_wh = 1000 * random.uniform(*BATTERY_KWH)
        name = f"prosumer-{number + 1 - len(consumers)}"
        homes.append(Home(name, load_w, pv_w, battery_wh, battery_wh / HOURS_TO_EMPTY))
    return homes


load, generation = cache(load_profiles), cache(generation_profiles)
