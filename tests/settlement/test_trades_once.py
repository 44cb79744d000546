"""A trade is settled in one period, whatever its number and whoever gives it to which."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from street import KEY, Street, Trade, settled_of

from gridrig.errors import SettlementError
from gridrig.settlement import Correction, Journal, PostedLines, Settled
from gridrig.settlement.audit import audit


def sold(first: int) -> list[Trade]:
    """Alice sells to Bob, under two numbers."""
    return [
        Trade(first, 1, "alice", "offer", 500_000, 100_000),
        Trade(first + 1, 2, "bob", "bid", 500_000, 100_000),
    ]


def again(
    journal: Journal, settled: Settled, corrections: Sequence[Correction] = ()
) -> tuple[int, int, int]:
    """Post what has to be refused; return the trade named, and its two periods."""
    head = journal.head()
    with pytest.raises(SettlementError) as refused:
        journal.post(settled, corrections=corrections)
    assert refused.value.code == "settlement.trade_settled"
    assert journal.head() == head, "nothing is posted then"
    facts = refused.value.facts
    return facts["trade_id"], facts["earlier"], facts["later"]


def test_a_trade_that_was_settled_in_another_period_is_refused(tmp_path: Path) -> None:
    street = Street(3)
    with Journal(tmp_path / "j", key=KEY) as journal:
        journal.post(street.settle(0, sold(7)))
        journal.post(street.settle(1, sold(1)))  # lower numbers, of some other origin
        journal.post(street.settle(2, []))
        pairs = street.pairs(4)
        assert again(journal, settled_of(3, pairs, sold(7))) == (7, 0, 3)
        assert again(journal, settled_of(3, pairs, sold(2))) == (2, 1, 3)
        journal.post(settled_of(3, pairs, sold(9)))
        assert [post.trade_last for post in journal.posts()] == [8, 8, 8, 10]
        # One number of two is enough, also for the highest there is.
        assert again(journal, street.settle(4, sold(10))) == (10, 3, 4)
    with Journal(tmp_path / "j", key=KEY) as journal:
        street.readings = {name: street.sign(name, 6) for name in street.readings}
        assert again(journal, street.settle(6, sold(8)))[0] == 8, "known when it is opened again"


def test_a_correction_adds_no_trade_that_another_period_has(tmp_path: Path) -> None:
    street = Street(6)
    pairs = street.pairs(1)
    first = settled_of(0, pairs, sold(1))
    with Journal(tmp_path / "j", key=KEY) as journal:
        journal.post(first)
        second = street.settle(1, sold(3))

        def corrected(trades: list[Trade], booked_in: int) -> Correction:
            anew = settled_of(0, pairs, trades, revision=1)
            return Correction(PostedLines.of(first), anew, booked_in)

        # Of the post itself, then of one before it; its own it may keep or lose.
        assert again(journal, second, [corrected([*sold(1), *sold(3)], 1)]) == (3, 0, 1)
        journal.post(second)
        third = street.settle(2, [])
        assert again(journal, third, [corrected([*sold(1), *sold(4)], 2)]) == (4, 0, 1)
        late = corrected(sold(5), 2)
        assert late.trades_added == [5, 6]
        journal.post(third, corrections=[late])
        assert journal.posts()[2].trade_last == 6
        assert again(journal, street.settle(3, sold(6))) == (6, 0, 3)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE entry SET trade_id = 1 WHERE trade_id = 3", "trade 1 was settled in period 0"),
        ("UPDATE period SET trade_last = 9", "trades up to 9 stated, up to 2 found"),
    ],
)
def test_an_audit_finds_a_trade_of_two_periods(tmp_path: Path, statement: str, told: str) -> None:
    street = Street(3)
    with Journal(tmp_path / "j") as journal:
        for period in (0, 1):
            settled = street.settle(period, sold(1 + 2 * period))
            journal.post(settled, accepted=journal.unposted(street.verifier.ledger_rows()))
    assert audit(tmp_path / "j") == []
    db = sqlite3.connect(tmp_path / "j")
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute(statement)
    db.commit()
    db.close()
    assert any(told in fault for fault in audit(tmp_path / "j"))
