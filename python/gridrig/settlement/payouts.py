"""What holders of an asset are paid, span by span: revenue, less costs, less losses carried so far.

The revenue of a participant is what the journal credits it for energy less what it debits; what it
was lent and gave back is none. A span is negative if its costs are more than its revenue: nobody is
paid, nobody pays, and the loss is made good out of later spans first. Parting money, and weighing
shares that moved, are the core's (`ShareRegister`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gridrig.errors import SettlementError
from gridrig.settlement.bills_journal import CREDIT_KINDS
from gridrig.settlement.journal_reader import JournalReader
from gridrig.settlement.shares import ShareRegister

Span = tuple[int, int]
"""From and to. [UTC ms]"""


@dataclass(frozen=True)
class Transfer:
    """Shares that move. [UTC ms]"""

    at_ms: int
    holder: str
    to: str
    shares: int


@dataclass(frozen=True)
class Payout:
    """What one span came to.

    Parameters
    ----------
    from_ms, to_ms : int
        The span. [UTC ms]
    revenue_micro, cost_micro : int
        Of the asset in it. [millionths]
    made_good_micro : int
        What went to losses of earlier spans. [millionths]
    carried_micro : int
        Losses carried on from here. [millionths]
    paid : tuple of (str, int)
        By name of the holder. [millionths]
    """

    from_ms: int
    to_ms: int
    revenue_micro: int
    cost_micro: int
    made_good_micro: int
    carried_micro: int
    paid: tuple[tuple[str, int], ...]

    @property
    def paid_micro(self) -> int:
        """What all holders are paid. [millionths]"""
        return sum(amount for _, amount in self.paid)


def months(from_ms: int, to_ms: int, zone: ZoneInfo) -> list[Span]:
    """Return the calendar months of a zone that a time touches, cut to it. [UTC ms]"""
    edges = [from_ms]
    local = datetime.fromtimestamp(from_ms / 1000, zone)
    while True:
        later = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
        local = later.replace(day=1, hour=0, fold=0)
        edge_ms = round(local.timestamp() * 1000)
        if edge_ms >= to_ms:
            break
        edges.append(edge_ms)
    return list(zip(edges, [*edges[1:], to_ms], strict=True))


def equal_spans(from_ms: int, to_ms: int, span_s: int) -> list[Span]:
    """Return spans of one length from a time to another; the last one is cut. [UTC ms]"""
    edges = range(from_ms, to_ms, span_s * 1000)
    return [(edge, min(edge + span_s * 1000, to_ms)) for edge in edges]


def journal_time(journal: JournalReader) -> Span:
    """Return from when to when a journal is. [UTC ms]

    Raises
    ------
    SettlementError
        `settlement.payouts_nothing` for a journal without a period.
    """
    ends = [(row.from_ms, row.to_ms) for row in journal.metered()]
    if not ends:
        raise SettlementError("settlement.payouts_nothing", "the journal has no settled period")
    return min(first for first, _ in ends), max(last for _, last in ends)


def revenue(journal: JournalReader, participant: str, spans: Sequence[Span]) -> list[int]:
    """Return what a participant earned less what it paid in each span. [millionths]

    A period belongs to the span in which it begins, and its corrections with it.

    Raises
    ------
    SettlementError
        `settlement.payouts_unknown` for a participant without a meter.
    """
    begin_of: dict[int, int] = {}
    known = set()
    for row in journal.metered():
        begin_of[row.period] = row.from_ms
        known.add(row.participant)
    if participant not in known:
        raise SettlementError(
            "settlement.payouts_unknown",
            "no participant {found!r}, expected one of {known}",
            found=participant,
            known=", ".join(sorted(known)),
        )
    earned = [0] * len(spans)
    for entry in journal.entries():
        sign = (entry.credit == participant) - (entry.debit == participant)
        if sign and entry.kind not in CREDIT_KINDS:
            begin = begin_of[entry.period]
            place = next(k for k, (first, last) in enumerate(spans) if first <= begin < last)
            earned[place] += sign * entry.amount_micro
    return earned


def payouts(
    founders: Sequence[tuple[str, int]],
    transfers: Iterable[Transfer],
    spans: Sequence[Span],
    revenues_micro: Sequence[int],
    cost_micro: int,
) -> list[Payout]:
    """Pay the holders of an asset, span after span.

    Parameters
    ----------
    founders : sequence of (str, int)
        Holders and their shares at the beginning.
    transfers : iterable of Transfer
        In any order; one within a span parts it by time.
    spans, revenues_micro : sequence
        One revenue a span. [millionths]
    cost_micro : int
        Of running the asset for one span. [millionths]

    Raises
    ------
    SettlementError
        `settlement.share_*`.
    """
    register = ShareRegister(founders)
    for one in sorted(transfers, key=lambda transfer: transfer.at_ms):
        register.transfer(one.at_ms, one.holder, one.to, one.shares)
    made, losses = [], 0
    for (from_ms, to_ms), earned in zip(spans, revenues_micro, strict=True):
        paid, made_good, losses = register.distribute(
            earned - cost_micro, from_ms=from_ms, to_ms=to_ms, losses_micro=losses
        )
        made.append(Payout(from_ms, to_ms, earned, cost_micro, made_good, losses, tuple(paid)))
    return made
