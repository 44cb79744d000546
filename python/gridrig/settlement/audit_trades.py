"""Which period each trade of a journal was settled in: one, and no other."""

from collections.abc import Iterator

from gridrig.settlement.journal_reader import JournalReader, PostRow
from gridrig.settlement.journal_schema import NO_TRADE


class TradesSettled:
    """The trades of the posts looked at so far."""

    def __init__(self) -> None:
        self._period_of: dict[int, int] = {}
        self._last = NO_TRADE

    def faults_of(self, journal: JournalReader, post: PostRow) -> Iterator[str]:
        """Yield the trades of a post that another period settled, and a false count of them."""
        for period, revision, *_ in journal.settlements(post.period):
            for trade in journal.trades_of(period, revision):
                held = self._period_of.setdefault(trade, period)
                self._last = max(self._last, trade)
                if held != period:
                    yield f"period {period}: trade {trade} was settled in period {held}"
        if post.trade_last != self._last:
            where = f"period {post.period}"
            yield f"{where}: trades up to {post.trade_last} stated, up to {self._last} found"
