"""Every period of a run settled again by the core, and compared with what was posted, line by line.

From the journal come the rules of each period and which readings are behind a meter; from the run
directory the readings themselves, verified anew, the trades, and what links carried, cleared again.
Entries, what each meter counted, corrections and receivables have to come out as they were posted.

Not settled again: the flows of links where the feeder has the last word, which are taken as posted
(the chain of the journal binds them), and the rules, which `run_rules.py` compares with the
scenario's.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from gridrig._core import (
    Correction,
    Entry,
    MeterPeriod,
    PostedLines,
    Settled,
    SettlementRules,
    Trade,
    VerifiedReading,
    meter_period,
    settle_period,
)
from gridrig.campaign.standings import Standings
from gridrig.errors import SettlementError
from gridrig.settlement.journal_reader import EntryRow, JournalReader, MeteredRow, PostRow

_COMPARED = (
    "kind",
    "debit",
    "credit",
    "amount_micro",
    "energy_milliwh",
    "price_micro_per_kwh",
    "trade_id",
    "meter",
)
_LINK = "link:"


class Agreed(NamedTuple):
    """What the run directory says beside readings and trades.

    Parameters
    ----------
    head : str or None
        The meter of the feeder head.
    deposit_micro : int or None
        What every other participant pays in; None if everybody pays afterwards. [millionths]
    flows : mapping or None
        Of each period name, energy and fee of the links that charge; None to take them as posted.
        [mWh, millionths/kWh]
    """

    head: str | None
    deposit_micro: int | None
    flows: Mapping[int, Sequence[tuple[str, int, int]]] | None = None


@dataclass
class _Resettling:
    """How far a run is settled again."""

    journal: JournalReader
    readings: Mapping[bytes, VerifiedReading]
    trades: Mapping[int, Sequence[Trade]]
    agreed: Agreed
    posts: dict[int, PostRow] = field(default_factory=dict)
    in_force: dict[int, Settled] = field(default_factory=dict)
    metered: dict[int, dict[str, MeteredRow]] = field(default_factory=dict)
    standings: Standings = field(default_factory=Standings)
    arrived: dict[str, list[tuple[int, VerifiedReading]]] = field(default_factory=dict)

    def faults_of(self, post: PostRow) -> Iterator[str]:
        """Settle what a post booked; yield what differs from it."""
        self.posts[post.period] = post
        corrections: list[Correction] = []
        booked: list[Sequence[Entry]] = []
        for period, revision, *_ in self.journal.settlements(post.period):
            where = f"period {period}" if revision == 0 else f"period {period}, revision {revision}"
            try:
                settled = self._settled(period, revision, post)
                if revision == 0:
                    if self.agreed.deposit_micro is not None:
                        settled = settled.with_receivables(corrections, self.standings.all())
                    entries = settled.entries
                else:
                    old = PostedLines.of(self.in_force[period])
                    corrections.append(Correction(old, settled, post.period))
                    entries = corrections[-1].entries
            except SettlementError as refused:
                yield f"{where}: cannot be settled again: {refused}"
                return
            posted = self.journal.entries_of(period, revision)
            for line, (found, due) in enumerate(zip_longest(posted, entries), 1):
                if difference := _difference(found, due):
                    yield f"{where}, line {line}: {difference}"
                    return
            self.in_force[period] = settled
            booked.append(entries)
        # Where participants stand is asked before a post, not in it.
        self.standings.add(booked)

    def _settled(self, period: int, revision: int, post: PostRow) -> Settled:
        """Settle a period by what was known when a post was made."""
        first = next(row for row in self.journal.settlements(period) if row[0] == period)
        rules = SettlementRules(**json.loads(first[9]))
        rows = self.metered.setdefault(period, {})
        rows.update({row.meter: row for row in self.journal.metered_of(period, revision)})
        meters = {name: self._counted(row, post) for name, row in rows.items()}
        head = meters.pop(self.agreed.head, None) if self.agreed.head else None
        crossed = head is not None and (head.import_milliwh or head.export_milliwh)
        deposit = self.agreed.deposit_micro
        is_first = period == min(self.posts)
        owners = [meter.participant for meter in meters.values()] if is_first and deposit else []
        return settle_period(
            period,
            list(meters.values()),
            list(self.trades.get(period, ())),
            from_ms=self.posts[period].from_ms,
            to_ms=self.posts[period].to_ms,
            rules=rules,
            head=head,
            revision=revision,
            island=bool(first[3]) and not crossed,
            links=self._flows(period),
            deposits=[(owner, deposit) for owner in owners if deposit],
        )

    def _flows(self, period: int) -> list[tuple[str, int, int]]:
        if self.agreed.flows is not None:
            return list(self.agreed.flows.get(period, ()))
        links = []
        for entry in self.journal.entries_of(period):
            if entry.kind == "link_fee":
                name = entry.credit if entry.credit.startswith(_LINK) else entry.debit
                energy, fee = entry.energy_milliwh, entry.price_micro_per_kwh
                links.append((name.removeprefix(_LINK), energy, fee))
        return links

    def _counted(self, row: MeteredRow, post: PostRow) -> MeterPeriod:
        """Return what a meter counted: by the readings it names, or by all that were posted.

        All are asked where what was counted began with a reading that is not behind it: a meter
        that was exchanged at the edge of the period.
        """
        period = self.posts[row.period]
        digests = [row.readings[at : at + 32] for at in range(0, len(row.readings), 32)]
        named = [self.readings[digest] for digest in digests if digest in self.readings]
        ends = (period.from_ms, period.to_ms)
        found = meter_period(row.participant, row.meter, named, *ends)
        if _is_as_posted(found, row):
            return found
        arrived = self._arrived().get(row.meter, ())
        known = [reading for arrival, reading in arrived if arrival <= post.arrival_last]
        found = meter_period(row.participant, row.meter, known, *ends)
        if not _is_as_posted(found, row):
            raise SettlementError(
                "settlement.not_as_metered",
                "meter {meter} counts import {imported} mWh, export {exported} mWh ({quality}) by "
                "its readings, not {found_imported}, {found_exported} ({found_quality})",
                meter=row.meter,
                imported=found.import_milliwh,
                exported=found.export_milliwh,
                quality=found.quality,
                found_imported=row.import_milliwh,
                found_exported=row.export_milliwh,
                found_quality=row.quality,
            )
        return found

    def _arrived(self) -> dict[str, list[tuple[int, VerifiedReading]]]:
        """Return the readings of each meter with their arrivals, read when first asked for."""
        if not self.arrived:
            for row in self.journal.reading_rows():
                if reading := self.readings.get(row.digest):
                    self.arrived.setdefault(reading.meter, []).append((row.arrival, reading))
        return self.arrived


def resettled_faults(
    journal: JournalReader,
    readings: Mapping[bytes, VerifiedReading],
    trades: Mapping[int, Sequence[Trade]],
    agreed: Agreed,
) -> Iterator[str]:
    """Yield the first thing in which a journal differs from its periods settled again, if any.

    Parameters
    ----------
    journal : JournalReader
        The journal, in a snapshot.
    readings : mapping of bytes to VerifiedReading
        The readings of the run by their digests, verified anew.
    trades : mapping of int to sequence of Trade
        The trades of each period.
    agreed : Agreed
        What else the run directory says.
    """
    resettling = _Resettling(journal, readings, trades, agreed)
    for post in journal.posts():
        for fault in resettling.faults_of(post):
            yield fault
            return  # whatever comes after rests on it


def _is_as_posted(found: MeterPeriod, row: MeteredRow) -> bool:
    counted = (found.from_ms, found.to_ms, found.import_milliwh, found.export_milliwh)
    behind = b"".join(reading.digest for reading in found.readings)
    return (*counted, found.quality, behind) == tuple(row[5:11])


def _difference(found: EntryRow | None, due: Entry | None) -> str | None:
    """Say in what a line that was posted is not the one that is due."""
    if due is None:
        return f"{found.kind} of {found.debit} is posted and not due" if found else None
    if found is None:
        return f"{due.kind} of {due.debit} is due and not posted"
    for name in _COMPARED:
        posted, owed = getattr(found, name), getattr(due, name)
        if posted != owed:
            return f"{name} {posted!r} is posted, {owed!r} comes out of readings, trades and rules"
    return None
