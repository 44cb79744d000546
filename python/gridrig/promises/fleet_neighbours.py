"""What two members of a programme gain if, in an event, one's load runs over the other's meter."""

from collections.abc import Mapping, Sequence

from gridrig._core import RewardFleet
from gridrig.campaign.home_meters import HomeMeters
from gridrig.promises.fleet_credits import PROGRAMME, Event
from gridrig.settlement.rewards import Measured


def shifted_gain_micro(
    meters: HomeMeters,
    others: HomeMeters,
    fleet: RewardFleet,
    event: Event,
    pairs: Sequence[tuple[int, int]],
    honest: Mapping[str, Measured],
) -> int:
    """Return what the luckiest pair gains, all the first one's load of the event being shifted.

    Parameters
    ----------
    meters, others : HomeMeters
        Of the same run, each read by nobody yet: what is signed twice is refused.
    pairs : sequence of (int, int)
        Who shifts, and over whose meter; nobody is in two pairs.
    honest : mapping of str to Measured
        What each is credited if nobody shifts.

    Returns
    -------
    int
        What both are paid more together. [millionths]
    """
    starts, hours = event.needed(), set(event.quarters())
    gains = []
    for pair in pairs:
        load = [
            period.import_milliwh if period.from_ms // 1000 in hours else 0
            for period in meters.periods(pair[0], starts)
        ]
        gain = 0
        for home, sign in zip(pair, (-1, 1), strict=True):
            moved = [sign * energy for energy in load]
            periods = others.periods(home, starts, inflated_milliwh=moved)
            name = others.names[home]
            found = event.measure(fleet, name, periods)
            gain += PROGRAMME.due_micro(found.counted_milliwh)
            gain -= PROGRAMME.due_micro(honest[name].counted_milliwh)
        gains.append(gain)
    return max(gains)
