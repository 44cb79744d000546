"""Keeping what flows through the feeder head at what was traded, by storages.

At every control period the head's meter is read over its wire. What the main grid delivers beyond
what the market cleared for it (the plan) is shared out to the storages that balance, on top of
their own schedules, within what their batteries allow. The correction moves by `GAIN` of the
deviation: with a reading that is one period old it settles with some overshoot, with a prompt one
without.
"""

from collections.abc import Mapping, Sequence

from gridrig.campaign.dispatch import Bounds
from gridrig.devices.capabilities import MeterReading

GAIN = 0.5


class Balancing:
    """The corrections of the storages that balance.

    Parameters
    ----------
    storages : sequence of str
        Who balances; none for nobody.
    """

    def __init__(self, storages: Sequence[str]) -> None:
        self.storages = tuple(storages)
        self._correction_w = dict.fromkeys(self.storages, 0.0)

    def step(
        self,
        scheduled_w: Mapping[str, float],
        plan_w: float,
        reading: MeterReading | None,
        bounds: Mapping[str, Bounds],
    ) -> dict[str, float]:
        """Return what each storage should give. [W]

        Parameters
        ----------
        scheduled_w : mapping of storage to float
            By its own trades, + is discharge. [W]
        plan_w : float
            What the main grid sold less what it bought, as a mean power. [W]
        reading : MeterReading or None
            Of the head; without one the corrections stay as they are.
        bounds : mapping of storage to Bounds
            What each battery allows now.
        """
        wanted_w = dict(scheduled_w)
        if not self.storages:
            return wanted_w
        deviation_w = 0.0 if reading is None else reading.p_w - plan_w
        for name in self.storages:
            own_w = wanted_w.get(name, 0.0)
            more_w = GAIN * deviation_w / len(self.storages)
            wanted_w[name] = bounds[name].clamp(own_w + self._correction_w[name] + more_w)
            # Only what the battery follows is kept, or it would take as long to come back.
            self._correction_w[name] = wanted_w[name] - own_w
        return wanted_w
