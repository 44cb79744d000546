"""What the operator of a feeder expects of the periods ahead, at every bus.

Each load is expected to be as it was a day before, times how it was in the last hour, as its signed
meter counted it, against the same hour a day before. A load without a meter, or whose meter was not
verified, goes on as a day before; photovoltaics give what the sun gave then.

Known gap: what storages will do is not in it.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gridrig.campaign.street import Street
from gridrig.campaign.views import SAMPLE_S
from gridrig.minds.switching import Moment
from gridrig.quantity import DAY_S, SECONDS_PER_HOUR

LAST_S = 3600  # how far back the level is looked at
LEVEL_MIN, LEVEL_MAX = 0.2, 5.0  # beyond it the meter is not believed
NOTHING_W = 50.0  # a load below it a day ago says nothing of a level


class Outlook:
    """Expected injections by bus.

    Parameters
    ----------
    street : Street
        Whose profiles tell of the day before.
    start_utc_s : int
        Scenario start. [s since 1970]
    period_s : int
        Length of a period. [s]
    """

    def __init__(self, street: Street, start_utc_s: int, period_s: int) -> None:
        self._street = street
        self._start_utc_s = start_utc_s
        self._period_s = period_s
        self.levels: dict[str, float] = {}
        """Of a bus's load against the day before; kept where nothing new is known."""

    def heard(
        self, now_s: int, counted_wh: Mapping[str, Sequence[float]], shed: frozenset[str]
    ) -> None:
        """Take what the meters of loads have counted in each period until now.

        Parameters
        ----------
        now_s : int
            End of the last period counted. [s]
        counted_wh : mapping of bus to sequence of float
            + is delivery; NaN where no reading was verified. [Wh]
        shed : frozenset of str
            Buses whose load is off, which says nothing of what it would draw.
        """
        for bus, counted in counted_wh.items():
            recent = counted[-(LAST_S // self._period_s) :]
            if bus in shed or not recent or not all(map(math.isfinite, recent)):
                continue
            first = now_s // self._period_s - len(recent)
            before_w = sum(self._loads(first + k)[bus][0] for k in range(len(recent)))
            drawn_w = sum(recent) * SECONDS_PER_HOUR / self._period_s
            if before_w < -NOTHING_W * len(recent):
                self.levels[bus] = min(max(drawn_w / before_w, LEVEL_MIN), LEVEL_MAX)

    def ahead(self, now_s: int, periods: int) -> list[Moment]:
        """Return what is expected of so many periods from now on."""
        first = now_s // self._period_s
        moments = []
        for index in range(first, first + periods):
            p_w: dict[str, float] = {}
            q_var: dict[str, float] = {}
            for bus, (p, q) in self._loads(index).items():
                level = self.levels.get(bus, 1.0)
                p_w[bus], q_var[bus] = level * p, level * q
            for name in self._street.sun:
                bus = self._street.bus_of(name)
                given = [self._street.sun_w(name, t) for t in self._day_before(index)]
                p_w[bus] = p_w.get(bus, 0.0) + sum(given) / len(given)
            moments.append(Moment(p_w, q_var))
        return moments

    def _loads(self, index: int) -> dict[str, tuple[float, float]]:
        """Return the mean power of each load in a period, a day before. [W, var]"""
        profiles = self._street.profiles
        points = [profiles.loads(utc_s) for utc_s in self._day_before(index)]
        p_w = np.mean([point.p_w for point in points], axis=0).tolist()
        q_var = np.mean([point.q_var for point in points], axis=0).tolist()
        return {bus: (p, q) for bus, p, q in zip(profiles.buses, p_w, q_var, strict=True)}

    def _day_before(self, index: int) -> range:
        begin = self._start_utc_s + index * self._period_s - DAY_S
        return range(begin, begin + self._period_s, SAMPLE_S)
