"""What a post may not settle again: the time of a meter, and a trade.

Both are asked inside the transaction of the post, when its rows are in the tables.
"""

import json
import sqlite3
from collections.abc import Sequence

from gridrig._core import Settled
from gridrig.errors import SettlementError
from gridrig.settlement.journal_schema import NO_TRADE


def refuse_overlap(db: sqlite3.Connection, period: int, *, meters_known: int) -> None:
    """Compare the time of each meter with its time in the last period that has it.

    Parameters
    ----------
    db : sqlite3.Connection
        The journal.
    period : int
        The period posted.
    meters_known : int
        How many meters had a number before it.

    Raises
    ------
    SettlementError
        `settlement.readings_overlap`.
    """
    last = db.execute("SELECT max(period) FROM period WHERE period < ?", (period,)).fetchone()[0]
    if last is None:
        return
    both = (
        "SELECT m.name FROM metered n JOIN metered o ON o.meter = n.meter AND o.revision = 0 "
        "AND o.to_ms > n.from_ms JOIN meter m ON m.meter = n.meter "
        "WHERE n.period = ? AND n.revision = 0 AND "
    )
    found = db.execute(f"{both} o.period = ? LIMIT 1", (period, last)).fetchone()
    # Few meters are in an earlier period and not in the last: of each, every period is asked.
    absent = db.execute(
        "SELECT n.meter FROM metered n WHERE n.period = ? AND n.revision = 0 AND n.meter <= ? "
        "AND NOT EXISTS (SELECT 1 FROM metered o WHERE o.period = ? AND o.revision = 0 "
        "AND o.meter = n.meter)",
        (period, meters_known, last),
    ).fetchall()
    earlier = "n.meter = ? AND o.period IN (SELECT period FROM period WHERE period < ?)"
    for (meter,) in absent:
        asked = (period, meter, period)
        found = found or db.execute(f"{both} {earlier} LIMIT 1", asked).fetchone()
    if found:
        raise SettlementError(
            "settlement.readings_overlap",
            "period {period}: time of meter {meter!r} was settled before",
            period=period,
            meter=found[0],
        )


def refuse_trades_again(db: sqlite3.Connection, settled: Settled, added: Sequence[int]) -> int:
    """Look for trades that another period settled; return the highest number of any so far.

    A market counts its trades on, so all it made is above what is posted, and nothing has to be
    looked for. Numbers of any other origin are asked of every entry there is.

    Parameters
    ----------
    db : sqlite3.Connection
        The journal, with the rows of the post beside it as `posted`.
    settled : Settled
        The period posted.
    added : sequence of int
        Trades that its corrections settle for the first time.

    Raises
    ------
    SettlementError
        `settlement.trade_settled`.
    """
    asked = f"SELECT coalesce(max(trade_last), {NO_TRADE}) FROM period"
    last = int(db.execute(asked).fetchone()[0])
    lowest, highest = settled.trade_span or (last + 1, last)
    if added or lowest <= last:
        again = db.execute(
            "WITH asked (trade_id) AS (SELECT value FROM json_each(?) UNION "
            "SELECT trade_id FROM posted.entry WHERE period = ? AND revision = 0 "
            "AND trade_id BETWEEN 0 AND ?) "
            "SELECT trade_id, min(period), max(period) FROM main.entry "
            "WHERE trade_id IN (SELECT trade_id FROM asked) "
            "GROUP BY trade_id HAVING min(period) < max(period) LIMIT 1",
            (json.dumps(added), settled.period, last),
        ).fetchone()
        if again:
            trade, earlier, later = again
            raise SettlementError(
                "settlement.trade_settled",
                "trade {trade_id} is of period {earlier} and of period {later}",
                trade_id=trade,
                earlier=earlier,
                later=later,
            )
    return max(last, highest, *added)
