"""Which loads an unintentional-islanding test visits, and what it has learnt from them.

Every load of the sweep stands for one island: the larger reactive branch of the balanced load, in
percent of its balanced value.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

SWEEP_PERCENT = range(95, 106)
WIDEST_PERCENT = (85, 115)
REPEATED = 3  # the longest times, and how often each shall be seen
EACH_WAY_MIN = 3  # islands that drift up and down, after which the rest of a sweep may be left out


@dataclass
class Sweep:
    """The islands of one case.

    Parameters
    ----------
    repetitions : int
        How often the longest are tried. Once: the sweep ends, as the standard lets it, when enough
        islands drifted each way. More: all of it is gone through first. The standard's own is
        `REPEATED`.
    """

    repetitions: int = REPEATED
    cleared_s: dict[int, float] = field(default_factory=dict)
    islands: int = 0
    up: int = 0
    down: int = 0

    def take(self, percent: int, cleared_s: float, *, rose: bool) -> None:
        """Take one island: its clearing time, and whether frequency rose above nominal. [s]"""
        self.cleared_s[percent] = max(cleared_s, self.cleared_s.get(percent, 0.0))
        self.islands += 1
        self.up += rose
        self.down += not rose

    @property
    def longest_s(self) -> float:
        """The longest clearing time so far. [s]"""
        return max(self.cleared_s.values())

    @property
    def enough(self) -> bool:
        """Whether enough islands drifted each way."""
        return min(self.up, self.down) >= EACH_WAY_MIN

    @property
    def rises_at(self) -> int | None:
        """The end of the widest sweep at which times still rose, None if there is none. [%]"""
        for widest, inner in zip(WIDEST_PERCENT, (1, -1), strict=True):
            if widest in self.cleared_s and self._still_rises(widest, widest + inner):
                return widest
        return None

    def points(self) -> Iterator[int]:
        """Yield the loads in the order in which they are tried; `take` answers each. [%]

        The balanced one first and from there to each end; on, while times rise there; then the
        longest and what lies between them, again.
        """
        first, last = SWEEP_PERCENT[0], SWEEP_PERCENT[-1]
        yield 100
        for end, widest, step in ((first, WIDEST_PERCENT[0], -1), (last, WIDEST_PERCENT[1], 1)):
            for percent in range(100 + step, widest + step, step):
                outside = abs(percent - 100) > abs(end - 100)
                if outside and not self._still_rises(percent - step, percent - 2 * step):
                    break
                yield percent
                if self.enough and self.repetitions == 1:
                    return
        longest = sorted(self.cleared_s, key=self.cleared_s.__getitem__, reverse=True)[:REPEATED]
        for _ in range(self.repetitions - 1):
            yield from range(min(longest), max(longest) + 1)

    def _still_rises(self, end: int, inner: int) -> bool:
        return self.cleared_s[end] > self.cleared_s.get(inner, math.inf)

    def __str__(self) -> str:
        at = max(self.cleared_s, key=self.cleared_s.__getitem__)
        return f"longest at {at} %, {self.islands} islands, {self.up} up and {self.down} down"
