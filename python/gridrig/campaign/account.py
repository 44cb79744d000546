"""From verified readings and trades to the journal: one period settled in one transaction.

Every period settles at its end with what is known then. A meter that gave no reading is estimated
and marked. When a reading comes later, or one is withdrawn, the periods it tells about are settled
anew; what they come to beyond what was posted is booked in the period that is open, as corrections
that name them. What was posted stays.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gridrig._core import (
    Correction,
    Entry,
    MeterPeriod,
    PostedLines,
    Settled,
    VerifiedReading,
    Verifier,
    meter_period,
    settle_period,
)
from gridrig.campaign.delayed_posts import DelayedPosts
from gridrig.campaign.records import EnergyRow
from gridrig.campaign.settlement_terms import Terms
from gridrig.campaign.standings import Standings
from gridrig.campaign.trading import Cleared
from gridrig.errors import SettlementError
from gridrig.events import EventLog
from gridrig.settlement.journal import Journal

RESOLUTION_MILLIWH = 1  # of a signed register
ESTIMATED = "estimated"
MEASURED = "measured"


@dataclass(frozen=True)
class _Posted:
    """A period in the journal: what it was settled from, and what it comes to now."""

    cleared: Cleared
    losses_wh: float
    settled: Settled


@dataclass
class Account:
    """Settles periods as their readings come in.

    Parameters
    ----------
    meter_of : mapping of participant to meter
        In rig order; the participant of the feeder head is `head`.
    terms : Terms
        What was agreed.
    start_utc_s : int
        When the run began. [s since 1970-01-01 UTC]
    """

    meter_of: Mapping[str, str]
    head: str
    terms: Terms
    start_utc_s: int
    journal: Journal
    verifier: Verifier
    events: EventLog
    not_settled: list[int] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    _first: list[Settled] = field(default_factory=list)
    _posted: dict[int, _Posted] = field(default_factory=dict)
    _readings: dict[str, list[VerifiedReading]] = field(default_factory=dict)
    _told_from_ms: dict[str, float] = field(default_factory=dict)
    _standings: Standings = field(default_factory=Standings)
    _posts: DelayedPosts = field(init=False)

    def __post_init__(self) -> None:
        self._posts = DelayedPosts(self.journal, self.verifier, self.events)

    def take(self, readings: Iterable[VerifiedReading]) -> None:
        """Take readings, whenever they come; one that was taken before changes nothing."""
        for reading in readings:
            known = self._readings.setdefault(reading.meter, [])
            if all(reading.digest != other.digest for other in known):
                known.append(reading)
                self._tell(reading)

    def withdraw(self, meter: str, counter: int) -> None:
        """Take a reading back, because its meter signed another under the same counter.

        What is posted of its periods is corrected with the next period that settles. Certificates
        of these periods are to be frozen: the event names meter, time and digest.
        """
        known = self._readings.get(meter, [])
        forked = [reading for reading in known if reading.counter == counter]
        self._readings[meter] = [reading for reading in known if reading.counter != counter]
        for reading in forked:
            self._tell(reading)
            self.events.record(
                "reading_withdrawn", meter, time_ms=reading.time_ms, digest=reading.digest.hex()
            )

    def _tell(self, reading: VerifiedReading) -> None:
        """Note from when on a meter's periods may come to something else."""
        before = [r.time_ms for r in self._readings[reading.meter] if r.time_ms < reading.time_ms]
        from_ms = max(before, default=float("-inf"))
        known_ms = self._told_from_ms.get(reading.meter, float("inf"))
        self._told_from_ms[reading.meter] = min(known_ms, from_ms)

    def settle(
        self, cleared: Cleared, readings: Mapping[str, VerifiedReading], engine_losses_wh: float
    ) -> None:
        """Settle one period, and correct earlier ones by what its readings tell of them."""
        self.take(readings.values())
        period = cleared.period.index
        corrected, corrections = self._correct(period)
        estimated = [name for name, meter in self.meter_of.items() if meter not in readings]
        if estimated:
            self.events.record("readings_estimated", period=period, missing=estimated)
        try:
            settled = self._settle(cleared, 0)
            if self.terms.deposit_micro is not None:
                settled = settled.with_receivables(corrections, self._standings.all())
        except SettlementError as error:
            self.not_settled.append(period)
            self.events.record("period_not_settled", period=period, cause=str(error))
            return
        self._posts.post(settled, corrections)
        for correction in corrections:
            self.events.record(
                "period_corrected",
                period=correction.period,
                revision=correction.revision,
                entries=len(correction.entries),
            )
        self._told_from_ms.clear()
        self._posted |= corrected | {period: _Posted(cleared, engine_losses_wh, settled)}
        self._first.append(settled)
        self.corrections += corrections
        self._standings.add([settled.entries, *(one.entries for one in corrections)])

    def finish(self) -> None:
        """Post what still waits; `settlement.journal_unusable` if that cannot be."""
        self._posts.finish()

    def _correct(self, booked_in: int) -> tuple[dict[int, _Posted], list[Correction]]:
        """Settle anew the periods whose meters are known otherwise than when they were posted."""
        corrected, corrections = {}, []
        owner_of = {meter: name for name, meter in self.meter_of.items()}
        told = {owner_of[m]: at for m, at in self._told_from_ms.items() if m in owner_of}
        for period, posted in sorted(self._posted.items()):
            old = posted.settled
            was = {meter.participant: meter for meter in old.meters}
            if not any(
                old.to_ms > from_ms and self._metered(name, posted.cleared) != was[name]
                for name, from_ms in told.items()
            ):
                continue
            try:
                new = self._settle(posted.cleared, old.revision + 1)
                corrections.append(Correction(PostedLines.of(old), new, booked_in))
            except SettlementError as error:
                self.events.record("period_not_corrected", period=period, cause=str(error))
                continue
            corrected[period] = replace(posted, settled=new)
        return corrected, corrections

    def _ends_ms(self, cleared: Cleared) -> tuple[int, int]:
        start_s, end_s = cleared.period.start_s, cleared.period.end_s
        return 1000 * (self.start_utc_s + start_s), 1000 * (self.start_utc_s + end_s)

    def _metered(self, name: str, cleared: Cleared) -> MeterPeriod:
        meter = self.meter_of[name]
        return meter_period(name, meter, self._readings.get(meter, []), *self._ends_ms(cleared))

    def _settle(self, cleared: Cleared, revision: int) -> Settled:
        from_ms, to_ms = self._ends_ms(cleared)
        metered = {name: self._metered(name, cleared) for name in self.meter_of}
        head = metered.pop(self.head, None)
        deposits = []
        first = min(self._posted, default=cleared.period.index)
        if cleared.period.index == first and self.terms.deposit_micro:
            deposits = [(name, self.terms.deposit_micro) for name in metered]
        crossed = head is not None and (head.import_milliwh or head.export_milliwh)
        return settle_period(
            cleared.period.index,
            list(metered.values()),
            list(cleared.trades),
            from_ms=from_ms,
            to_ms=to_ms,
            rules=self.terms.rules_of(cleared.period.index),
            head=head,
            revision=revision,
            # A period that was cleared for an island and saw the main grid settles with it.
            island=cleared.islanded and not crossed,
            links=cleared.link_flows,
            deposits=deposits,
        )

    def held_micro(self, participant: str) -> int | None:
        """Return what a participant can trade on; None if without a bound. [millionths]

        Deposits are posted with the first period, and stand for its trades before that.
        """
        deposit = self.terms.deposit_micro
        if deposit is None or participant == self.head:
            return None
        return self._standings.held_micro(participant) if self._posted else deposit

    def is_settled(self, period: int) -> bool:
        """Tell whether a period is posted."""
        return period in self._posted

    @property
    def settled(self) -> list[Settled]:
        """What each period comes to now, by number."""
        return [posted.settled for _, posted in sorted(self._posted.items())]

    @property
    def energy(self) -> list[EnergyRow]:
        """Energy and losses of each period; none of one in which a meter is not measured.

        Energy that was laid out evenly says nothing of when it was lost.
        """
        return [
            EnergyRow(
                period,
                posted.settled.imported_milliwh,
                posted.settled.exported_milliwh,
                posted.settled.losses_milliwh,
                posted.losses_wh * 1000,
                (len(posted.settled.meters) + 1) * RESOLUTION_MILLIWH,
            )
            for period, posted in sorted(self._posted.items())
            if all(meter.quality == MEASURED for meter in posted.settled.meters)
        ]

    def qualities(self) -> Counter[str]:
        """Count the periods of meters by how they are known now."""
        return Counter(meter.quality for settled in self.settled for meter in settled.meters)

    def entries(self) -> list[Entry]:
        """Return every entry so far, in the order of posting."""
        corrections: dict[int, list[Correction]] = {}
        for correction in self.corrections:
            corrections.setdefault(correction.booked_in, []).append(correction)
        return [
            entry
            for settled in self._first
            for one in (settled, *corrections.get(settled.period, ()))
            for entry in one.entries
        ]
