"""Whether homes may be members of a programme: a week of heartbeats, and a capacity that is shown.

A heartbeat is a signed reading at each edge of a quarter-hour. A quarter-hour counts if both its
ends were heard and believed.
"""

from collections.abc import Collection
from dataclasses import dataclass

from gridrig._core import MeterPeriod, VerifiedReading
from gridrig.campaign.home_meters import HomeMeters
from gridrig.errors import MeteringError
from gridrig.promises.fleet_credits import PROGRAMME, QUARTER_S, Event
from gridrig.settlement.rewards import RewardFleet

WEEK_S = 7 * 86_400


@dataclass(frozen=True)
class Heartbeats:
    """A week of one home. `replays_believed` counts old readings that were taken for new ones."""

    percent: float
    replays_believed: int


def heartbeats(
    meters: HomeMeters,
    fleet: RewardFleet,
    home: int,
    from_utc_s: int,
    *,
    lost: Collection[int],
    replayed: Collection[int] = (),
) -> Heartbeats:
    """Listen to a home for a week.

    Parameters
    ----------
    from_utc_s : int
        When it begins, an edge of a quarter-hour. [s since 1970]
    lost, replayed : collections of int
        When nothing is heard, and when the first reading is sent again instead of a new one, in
        quarter-hours from the beginning.
    """
    name, heard = meters.names[home], dict[int, VerifiedReading]()
    first: bytes | None = None
    believed = 0
    for quarter in range(WEEK_S // QUARTER_S + 1):
        if quarter in lost:
            continue
        utc_s = from_utc_s + quarter * QUARTER_S
        again = quarter in replayed and first is not None
        record = first if again and first is not None else meters.record(home, utc_s)
        first = first or record
        try:
            reading = meters.verifier.verify(record, at_s=utc_s, meter=name)
        except MeteringError:
            continue
        heard[utc_s] = reading
        believed += again
    periods = [
        MeterPeriod(name, heard[at], heard[at + QUARTER_S])
        for at in heard
        if at + QUARTER_S in heard
    ]
    signed, of = PROGRAMME.connectivity(
        fleet, name, periods, from_ms=1000 * from_utc_s, to_ms=1000 * (from_utc_s + WEEK_S)
    )
    return Heartbeats(100 * signed / of, believed)


@dataclass(frozen=True)
class Shown:
    """What members claimed, what a test showed of it, and of how many a doubled claim stood."""

    claimed_milliwh: int
    shown_milliwh: int
    liars_believed: int


def capacity(meters: HomeMeters, fleet: RewardFleet, test: Event, share: float) -> Shown:
    """Test what each home claims: a share of what it takes in the test's hour on days before.

    Each home is then asked to show twice that.
    """
    claimed = shown = liars = 0
    for home, name in enumerate(meters.names):
        periods = meters.periods(home, test.needed())
        before = [
            period.import_milliwh
            for period in periods
            for back in test.days_before()
            if period.from_ms == 1000 * (test.from_utc_s - back)
        ]
        claim = round(share * sum(before) / len(before))
        claimed += claim
        shown += test.shown(fleet, name, periods, claim)
        liars += test.shown(fleet, name, periods, 2 * claim) > 0
    return Shown(claimed, shown, liars)
