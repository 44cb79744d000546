"""How long a set-point lasts that nobody renews, before the device lets it fall to nothing."""

import math

RENEWED_AFTER = 1 / 3  # of the reversion time
CONTROL_PERIODS = 3  # that a set-point lasts unless the rig says how long
TIMER_S_MAX = 0xFFFFFFFE


class ReversionTime:
    """The reversion time of one device.

    Parameters
    ----------
    stated_s : int or None
        As the rig says it; 0 lets nothing fall back, None is `CONTROL_PERIODS` of the control. [s]
    """

    def __init__(self, stated_s: int | None) -> None:
        self.stated = stated_s is not None
        self.seconds = stated_s or 0

    def follow(self, control_period_s: float) -> int:
        """Last some control periods, unless the rig says how long; return that. [s]"""
        if not self.stated:
            self.seconds = min(math.ceil(CONTROL_PERIODS * control_period_s), TIMER_S_MAX)
        return self.seconds

    def is_due(self, since_s: float) -> bool:
        """Return whether what was written so long ago should be renewed by now. [s]"""
        return since_s >= RENEWED_AFTER * self.seconds
