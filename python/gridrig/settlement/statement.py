"""A participant's statement: what its meters counted, what it traded, paid and was paid.

Every figure is the journal's, as it stands after all corrections, so that the statement adds up to
balance sheet and meters to the unit. It holds nothing of anybody else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridrig.errors import SettlementError
from gridrig.settlement.balance_sheet import BOUGHT, EXPORTED, IMPORTED, SOLD
from gridrig.settlement.bills import Metered
from gridrig.settlement.bills_journal import CREDIT_KINDS
from gridrig.settlement.journal_reader import EntryRow, JournalReader, MeteredRow
from gridrig.settlement.journal_schema import QUALITIES

IMBALANCE = frozenset({*SOLD, *BOUGHT}) - {*EXPORTED, *IMPORTED}
_AT_THE_TRADES_PRICE = frozenset({"delivered", "taken"})


@dataclass(frozen=True)
class Slot:
    """One delivery period of a participant.

    Parameters
    ----------
    period : int
        Its number.
    from_s, to_s : int
        When it was. [s since 1970]
    imported_milliwh, exported_milliwh : int
        What its meters counted. [mWh]
    bought_milliwh, sold_milliwh : int
        What it traded. [mWh]
    prices_micro_per_kwh : tuple of int
        Of its trades, each once, rising. [millionths/kWh]
    earned_micro, paid_micro, imbalance_micro, fees_micro : int
        For energy given, for energy taken, for energy promised and not given or not taken, and all
        else; received is positive in the first, paid in the others. [millionths]
    credit_micro : int
        Lent to it less what it gave back. [millionths]
    quality : str
        "measured", "interpolated" or "estimated", the least of its meters; "unmetered" if nothing
        but money was booked.
    corrected_in : tuple of int
        Periods of the posts that booked corrections, rising.
    """

    period: int
    from_s: int
    to_s: int
    imported_milliwh: int
    exported_milliwh: int
    bought_milliwh: int
    sold_milliwh: int
    prices_micro_per_kwh: tuple[int, ...]
    earned_micro: int
    paid_micro: int
    imbalance_micro: int
    fees_micro: int
    credit_micro: int
    quality: str
    corrected_in: tuple[int, ...]

    @property
    def balance_micro(self) -> int:
        """What it was paid for energy less what it paid. [millionths]"""
        return self.earned_micro - self.paid_micro - self.imbalance_micro - self.fees_micro


@dataclass(frozen=True)
class Day:
    """The periods that began on one local day, and how long that day is. [s]"""

    day: date
    length_s: int
    slots: tuple[Slot, ...]

    def sum(self, name: str) -> int:
        """Return the sum of a figure of its periods."""
        return sum(getattr(slot, name) for slot in self.slots)


@dataclass(frozen=True)
class Statement:
    """All periods of a participant, rising."""

    participant: str
    slots: tuple[Slot, ...]
    posts: int

    def sum(self, name: str) -> int:
        """Return the sum of a figure of all periods."""
        return sum(getattr(slot, name) for slot in self.slots)

    @property
    def balance_micro(self) -> int:
        """What it was paid for energy less what it paid: its profit, or less than none its cost."""
        return self.sum("balance_micro")

    def metered(self) -> list[Metered]:
        """Return what a bill is made from."""
        return [
            Metered(
                self.participant,
                slot.from_s,
                slot.to_s - slot.from_s,
                slot.imported_milliwh,
                slot.exported_milliwh,
            )
            for slot in self.slots
        ]

    def days(self, zone: ZoneInfo) -> list[Day]:
        """Return the periods by local day; a day of a clock change has 23 or 25 hours."""
        by_day: dict[date, list[Slot]] = defaultdict(list)
        for slot in self.slots:
            by_day[datetime.fromtimestamp(slot.from_s, zone).date()].append(slot)
        return [
            Day(day, _length_s(day, zone), tuple(slots)) for day, slots in sorted(by_day.items())
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the statement as a program reads it."""
        return {
            "participant": self.participant,
            "posts": self.posts,
            "balance_micro": self.balance_micro,
            "periods": [
                asdict(slot) | {"balance_micro": slot.balance_micro} for slot in self.slots
            ],
        }


def _length_s(day: date, zone: ZoneInfo) -> int:
    ends = (datetime.combine(day + timedelta(days=n), time(), zone).astimezone(UTC) for n in (0, 1))
    first, last = ends
    return int((last - first).total_seconds())


@dataclass
class _Account:
    """The lines of one participant in one period."""

    energy: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    micro: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    prices: set[int] = field(default_factory=set)

    def add(self, entry: EntryRow, participant: str) -> None:
        sign = 1 if entry.credit == participant else -1
        self.micro[entry.kind] += sign * entry.amount_micro
        self.energy[entry.kind] += entry.energy_milliwh
        if entry.kind in _AT_THE_TRADES_PRICE:
            self.prices.add(entry.price_micro_per_kwh)

    def received(self, kinds: Iterable[str]) -> int:
        return sum(self.micro[kind] for kind in self.micro if kind in kinds)

    def energy_of(self, kinds: Iterable[str]) -> int:
        return sum(self.energy[kind] for kind in self.energy if kind in kinds)


def statement_of(journal: JournalReader, participant: str) -> Statement:
    """Return the statement of a participant, of one state of the journal.

    Raises
    ------
    SettlementError
        `settlement.statement_unknown` for a name without a meter; names those that have one.
    """
    with journal.snapshot():
        posts = journal.posts()
        in_force: dict[tuple[int, str], MeteredRow] = {}
        corrections: dict[int, set[int]] = defaultdict(set)
        for row in journal.metered():
            in_force[row.period, row.meter] = row
            if row.revision > 0 and row.participant == participant:
                corrections[row.period].add(row.booked_in)
        accounts: dict[int, _Account] = defaultdict(_Account)
        for entry in journal.entries():
            if participant in (entry.debit, entry.credit):
                accounts[entry.period].add(entry, participant)
                if entry.revision > 0:
                    corrections[entry.period].add(entry.booked_in)
    meters: dict[int, list[MeteredRow]] = defaultdict(list)
    for row in in_force.values():
        if row.participant == participant:
            meters[row.period].append(row)
    if not meters:
        raise SettlementError(
            "settlement.statement_unknown",
            "{participant!r} has no meter in {path}, which has those of {names}",
            participant=participant,
            path=str(journal.path),
            names=", ".join(sorted({row.participant for row in in_force.values()})) or "nobody",
        )
    when = {post.period: (post.from_ms // 1000, post.to_ms // 1000) for post in posts}
    slots = (
        _slot(
            period,
            when[period],
            meters.get(period, []),
            accounts.get(period, _Account()),
            tuple(sorted(corrections.get(period, ()))),
        )
        for period in sorted(meters.keys() | accounts.keys())
    )
    return Statement(participant, tuple(slots), len(posts))


def _slot(
    period: int,
    when: tuple[int, int],
    rows: Sequence[MeteredRow],
    lines: _Account,
    corrected_in: tuple[int, ...],
) -> Slot:
    others = lines.micro.keys() - {*EXPORTED, *IMPORTED} - IMBALANCE - CREDIT_KINDS
    return Slot(
        period,
        *when,
        imported_milliwh=sum(row.import_milliwh for row in rows),
        exported_milliwh=sum(row.export_milliwh for row in rows),
        bought_milliwh=lines.energy_of(BOUGHT),
        sold_milliwh=lines.energy_of(SOLD),
        prices_micro_per_kwh=tuple(sorted(lines.prices)),
        earned_micro=lines.received(EXPORTED),
        paid_micro=-lines.received(IMPORTED),
        imbalance_micro=-lines.received(IMBALANCE),
        fees_micro=-lines.received(others),
        credit_micro=lines.received(CREDIT_KINDS),
        quality=max((row.quality for row in rows), key=QUALITIES.index, default="unmetered"),
        corrected_in=corrected_in,
    )
