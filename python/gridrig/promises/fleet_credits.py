"""What members of a programme are credited for an event, from what their own meters signed.

Baselines and responses are the settlement core's (`RewardProgramme`, day matching 10 of 10 with a
capped adjustment before the notice). Here is the event, who is a member, and what a member gains
who wastes energy to look bigger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridrig._core import MeterPeriod
from gridrig.campaign.home_meters import HomeMeters
from gridrig.errors import SettlementError
from gridrig.quantity import DAY_S
from gridrig.settlement.rewards import Due, Measured, RewardFleet, RewardProgramme, reward

QUARTER_S = 900
PRICE_MICRO_PER_KWH, ENERGY_MICRO_PER_KWH = 250_000, 300_000
WEEKDAYS = 5
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, Monday is 0
PROGRAMME = RewardProgramme(
    period_ms=1000 * QUARTER_S,
    utc_offset_s=0,
    baseline_days=10,
    look_back_days=45,
    unread_days_max=0,
    adjustment_periods=2,
    adjustment_permille_max=200,
    dead_band_permille=50,
    event_periods_max=2,
    event_days_max=4,
    response_price_micro_per_kwh=PRICE_MICRO_PER_KWH,
    energy_price_micro_per_kwh_min=ENERGY_MICRO_PER_KWH,
)


@dataclass(frozen=True)
class Event:
    """An event, on edges of quarter-hours. [s since 1970]"""

    notice_utc_s: int
    from_utc_s: int
    to_utc_s: int

    def quarters(self) -> list[int]:
        """Return when the quarter-hours of the event begin. [s since 1970]"""
        return list(range(self.from_utc_s, self.to_utc_s, QUARTER_S))

    def days_before(self) -> list[int]:
        """Return how long before it its baseline days lie: the ten weekdays before. [s]"""
        day = self.from_utc_s // DAY_S
        back = [k for k in range(1, 45) if (day - k + EPOCH_WEEKDAY) % 7 < WEEKDAYS]
        return [k * DAY_S for k in back[:10]]

    def adjusting(self) -> list[int]:
        """Return when the quarter-hours before the notice begin that move a baseline. [s]"""
        return list(range(self.notice_utc_s - 2 * QUARTER_S, self.notice_utc_s, QUARTER_S))

    def needed(self) -> list[int]:
        """Return when the quarter-hours begin that a credit rests on, in order. [s since 1970]"""
        today = [*self.adjusting(), *self.quarters()]
        return sorted(at - back for back in (0, *self.days_before()) for at in today)

    def shown(
        self, fleet: RewardFleet, name: str, periods: Sequence[MeterPeriod], claimed_milliwh: int
    ) -> int:
        """Return what a member showed in a test of each quarter-hour's claim. [mWh]"""
        return PROGRAMME.capacity(
            fleet,
            name,
            periods,
            notice_ms=1000 * self.notice_utc_s,
            from_ms=1000 * self.from_utc_s,
            to_ms=1000 * self.to_utc_s,
            claimed_milliwh=claimed_milliwh,
        ).counted_milliwh

    def measure(self, fleet: RewardFleet, name: str, periods: Sequence[MeterPeriod]) -> Measured:
        """Measure what a member did in it."""
        return PROGRAMME.response(
            fleet,
            name,
            periods,
            notice_ms=1000 * self.notice_utc_s,
            from_ms=1000 * self.from_utc_s,
            to_ms=1000 * self.to_utc_s,
        )


def point_of(home: str) -> str:
    """Return the connection point of a home, as the network operator lists it."""
    return f"point of {home}"


def enrolled(homes: Sequence[str], commitment_milliwh: int) -> RewardFleet:
    """Enrol homes, each with the one meter that it has."""
    fleet = RewardFleet({point_of(home): [home] for home in homes})
    for home in homes:
        fleet.enrol(home, point_of(home), commitment_milliwh=commitment_milliwh)
    return fleet


def responses(meters: HomeMeters, fleet: RewardFleet, event: Event) -> dict[str, Measured]:
    """Measure what each member did in an event, from what its meter signed."""
    starts = event.needed()
    return {
        name: event.measure(fleet, name, meters.periods(home, starts))
        for home, name in enumerate(meters.names)
    }


def response_milliwh(found: Mapping[str, Measured]) -> int:
    """Return what all members took less than their baselines, before any dead band. [mWh]"""
    return sum(one.baseline_milliwh - one.net_load_milliwh for one in found.values())


def inflating_gain_micro(
    meters: HomeMeters, fleet: RewardFleet, event: Event, home: int, *, wasted_w: float, honest: int
) -> int:
    """Return what a home gains that wastes energy in the event's hours of the days before.

    Parameters
    ----------
    meters : HomeMeters
        Of the same run, read by nobody yet: what is signed twice is refused.
    wasted_w : float
        For how much more it looks. [W]
    honest : int
        What it is credited if it does not. [mWh]

    Returns
    -------
    int
        What it is paid more, less what the energy cost. [millionths]
    """
    hours = {at - back for back in event.days_before() for at in event.quarters()}
    return _gain_micro(meters, fleet, event, home, hours, wasted_w, honest)


def preheating_gain_micro(
    meters: HomeMeters, fleet: RewardFleet, event: Event, home: int, *, wasted_w: float, honest: int
) -> int:
    """Return what a home gains that heats more just before the notice. [millionths]

    As `inflating_gain_micro`, of who expects the notice; the heat is taken to be of no use.
    """
    return _gain_micro(meters, fleet, event, home, set(event.adjusting()), wasted_w, honest)


def _gain_micro(
    meters: HomeMeters,
    fleet: RewardFleet,
    event: Event,
    home: int,
    hours: set[int],
    wasted_w: float,
    honest: int,
) -> int:
    starts = event.needed()
    wasted = round(wasted_w * QUARTER_S / 3.6)
    extra = [wasted if start in hours else 0 for start in starts]
    periods = meters.periods(home, starts, inflated_milliwh=extra)
    name = meters.names[home]
    found = event.measure(fleet, name, periods)
    more = PROGRAMME.due_micro(found.counted_milliwh) - PROGRAMME.due_micro(honest)
    return more - sum(extra) * ENERGY_MICRO_PER_KWH // 1_000_000


def credited_twice(fleet: RewardFleet, found: Mapping[str, Measured]) -> int:
    """Try to be paid twice for one response, in each way there is, and count what is taken."""
    name = next(iter(found))
    one = found[name]
    due = Due(name, "response", 1000, tuple(one.digests))

    def again_in_the_fleet() -> None:
        fleet.enrol("another", point_of(name), commitment_milliwh=1)

    def one_meter_at_two_points() -> None:
        RewardFleet({"a": [name], "b": [name]})

    def one_due_twice() -> None:
        reward(2 * due.amount_micro, [due, due])

    def without_a_reading() -> None:
        reward(1, [Due("another", "response", 1, ())])

    taken = 0
    for trick in (again_in_the_fleet, one_meter_at_two_points, one_due_twice, without_a_reading):
        try:
            trick()
        except SettlementError:
            continue
        taken += 1
    return taken


def paid(found: Mapping[str, Measured], pool_micro: int) -> dict[str, int]:
    """Pay all responses from a pool, each backed by its readings. [millionths]"""
    dues = [
        Due(name, "response", PROGRAMME.due_micro(one.counted_milliwh), tuple(one.digests))
        for name, one in found.items()
    ]
    rewards, _ = reward(pool_micro, dues)
    return {one.due.site: one.paid_micro for one in rewards}
