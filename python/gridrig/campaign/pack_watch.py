"""What a battery told of itself over a run, to be judged afterwards."""

import math
from dataclasses import dataclass, field

from gridrig.devices.capabilities import BmsReading


@dataclass
class PackWatch:
    """What the manager of a battery told in a run, by its own wire.

    Parameters
    ----------
    soc_min, cell_mv_min : float
        The least. [1, mV]
    protections : set of str
        Those that acted.
    charged_wh : float
        What went into the pack less what it gave, by its counted charge and its voltage. [Wh]
    """

    soc_min: float = math.inf
    cell_mv_min: float = math.inf
    protections: set[str] = field(default_factory=set)
    charged_wh: float = 0.0
    _last: BmsReading | None = None

    def look(self, reading: BmsReading, capacity_ah: float) -> None:
        """Take a reading of a pack of such a capacity into account. [Ah]"""
        self.soc_min = min(self.soc_min, reading.soc)
        self.cell_mv_min = min(self.cell_mv_min, *reading.cells_mv)
        self.protections.update(reading.protections)
        if self._last is not None:
            mean_v = (reading.v_v + self._last.v_v) / 2
            self.charged_wh += (reading.soc - self._last.soc) * capacity_ah * mean_v
        self._last = reading
