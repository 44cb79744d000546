"""Members of a programme whose meters are not heard in an event, and what the others show then.

What a silent meter counted comes with its next reading, but over the whole event and not by its
quarter-hours: no period of the event has both of its ends, and nothing is guessed.
"""

from collections.abc import Collection

from gridrig._core import RewardFleet
from gridrig.campaign.home_meters import HomeMeters
from gridrig.clock.seeds import stream
from gridrig.promises.fleet_credits import QUARTER_S, Event
from gridrig.settlement.rewards import Measured

PERCENT = 100.0


def silent_homes(count: int, silent: int, seed: int) -> list[int]:
    """Draw so many of the homes of a fleet, in order."""
    return sorted(stream(seed, "silent members").sample(range(count), silent))


def of_silent(
    meters: HomeMeters, fleet: RewardFleet, event: Event, silent: Collection[int]
) -> dict[str, Measured]:
    """Measure members whose meters are not heard from the beginning of an event to its end.

    Parameters
    ----------
    meters : HomeMeters
        Of the run, where nobody has read the silent ones yet.
    silent : collection of int
        Which homes.
    """
    lost = set(range(event.from_utc_s, event.to_utc_s + 1, QUARTER_S))
    heard = [at for at in event.needed() if not {at, at + QUARTER_S} & lost]
    return {
        meters.names[home]: event.measure(fleet, meters.names[home], meters.periods(home, heard))
        for home in silent
    }


def unlike_share_percent(
    heard_wh: float, feeder_wh: float, ordered_wh: float, members: int, silent: int
) -> float:
    """Return how far the heard responses are from their share of the feeder's. [% of the order]"""
    share_wh = feeder_wh * (members - silent) / members
    return PERCENT * abs(heard_wh - share_wh) / ordered_wh
