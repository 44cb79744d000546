"""A journal of the day on which clocks go back, with a period before it, and one settled again."""

from pathlib import Path

from street import KEY, Street, settled_of

from gridrig.market.auction import Trade
from gridrig.settlement import Correction, Journal, PostedLines

MIDNIGHT_S = 1_477_778_400  # 29 October 2016, 22:00 UTC; in Berlin the clock goes back at 01:00 UTC
PERIODS_OF_THE_LONG_DAY = 100
PERIODS = 1 + PERIODS_OF_THE_LONG_DAY + 5
SOLD = [
    Trade(9_001, 1, "alice", "offer", 500_000, 100_000),
    Trade(9_002, 2, "bob", "bid", 500_000, 100_000),
]


def write_autumn(path: Path) -> Path:
    """Settle the periods; the trades of the second are known with the third only."""
    street = Street(4, start_s=MIDNIGHT_S - 900)
    with Journal(path, key=KEY) as journal:
        first = settled_of(0, street.pairs(1), street.trades())
        journal.post(first, accepted=journal.unposted(street.verifier.ledger_rows()))
        pairs = street.pairs(2)
        second = settled_of(1, pairs, [])
        journal.post(second)
        again = settled_of(1, pairs, SOLD, revision=1)
        journal.post(street.settle(2), corrections=[Correction(PostedLines.of(second), again, 2)])
        for period in range(3, PERIODS):
            journal.post(street.settle(period))
    return path
