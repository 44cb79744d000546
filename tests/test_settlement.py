"""Settlement against a plain Python oracle, and the journal that keeps it."""

import random
import sqlite3
from fractions import Fraction
from pathlib import Path

import pytest

from gridrig._core import (
    MeterPeriod,
    Settled,
    SettlementRules,
    Trade,
    VerifiedReading,
    Verifier,
    settle_period,
)
from gridrig.errors import SettlementError
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.settlement.audit import audit, priced_micro
from gridrig.settlement.journal import ENTRY_COLUMNS, Journal

T0 = 1_466_424_900
PARTICIPANTS = ("alice", "bob", "carol", "grid")
LONG, SHORT = 50_000, 400_000
RULES = SettlementRules(long_price_micro_per_kwh=LONG, short_price_micro_per_kwh=SHORT)


class Bench:
    """Meters that sign, and the verifier that believes them."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.signers = {name: OcmfSigner.from_seed(seed, name, name) for name in PARTICIPANTS}
        self.verifier = Verifier()
        enrol_all(
            self.verifier,
            [
                EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
                for name, signer in self.signers.items()
            ],
        )
        self.registers = {name: [0, 0] for name in PARTICIPANTS}
        self.readings = {name: self.sign(name, 0) for name in PARTICIPANTS}

    def sign(self, name: str, n: int) -> VerifiedReading:
        time_s = T0 + 900 * n
        record = self.signers[name].sign(n + 1, time_s, *self.registers[name])
        return self.verifier.verify(record, at_s=time_s)

    def pairs(self, n: int) -> dict[str, MeterPeriod]:
        """Move every register, read every meter at the end of period n - 1."""
        pairs = {}
        for name in PARTICIPANTS:
            for side in (0, 1):
                self.registers[name][side] += self.draw.choice([0, self.draw.randrange(3_000_000)])
            opening, self.readings[name] = self.readings[name], self.sign(name, n)
            pairs[name] = MeterPeriod(name, opening, self.readings[name])
        return pairs

    def trades(self) -> list[Trade]:
        trades = []
        for n in range(self.draw.randrange(4)):
            energy = 1_000 * self.draw.randrange(1, 2_000)
            price = 1_000 * self.draw.randrange(50, 401)
            seller, buyer = self.draw.choices(PARTICIPANTS, k=2)
            trades.append(Trade(2 * n + 1, n, seller, "offer", energy, price))
            trades.append(Trade(2 * n + 2, n, buyer, "bid", energy, price))
        return trades

    def settle(self, period: int, trades: list[Trade]) -> Settled:
        pairs = self.pairs(period + 1)
        return settle_period(
            period,
            [pairs[name] for name in PARTICIPANTS[:-1]],
            trades,
            from_ms=pairs["grid"].from_ms,
            to_ms=pairs["grid"].to_ms,
            rules=RULES,
            head=pairs["grid"],
        )


def rounded(exact: Fraction) -> int:
    """Half up by magnitude, by way of a fraction."""
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def oracle(settled: Settled, trades: list[Trade]) -> list[tuple[str, str, str, int, int]]:
    """Every line of a period, from the sentences of the rule and nothing else."""
    lines = []

    def line(kind: str, payer: str, paid: str, energy: int, price: int) -> None:
        amount = rounded(Fraction(energy * price, 1_000_000))
        if amount < 0:
            payer, paid, amount = paid, payer, -amount
        if energy:
            lines.append((kind, payer, paid, amount, energy))

    for pair in sorted(settled.meters, key=lambda pair: pair.participant):
        who = pair.participant
        left = pair.export_milliwh
        for trade in sorted(trades, key=lambda trade: trade.trade_id):
            if trade.participant == who and trade.side == "offer":
                delivered = min(left, trade.energy_milliwh)
                left -= delivered
                price = trade.price_micro_per_kwh
                line("delivered", "clearing", who, delivered, price)
                line("shortfall", who, "clearing", trade.energy_milliwh - delivered, SHORT - price)
        line("surplus", "clearing", who, left, LONG)
        left = pair.import_milliwh
        for trade in sorted(trades, key=lambda trade: trade.trade_id):
            if trade.participant == who and trade.side == "bid":
                taken = min(left, trade.energy_milliwh)
                left -= taken
                price = trade.price_micro_per_kwh
                line("taken", who, "clearing", taken, price)
                line("untaken", who, "clearing", trade.energy_milliwh - taken, price - LONG)
        line("excess", who, "clearing", left, SHORT)
    lost = sum(pair.export_milliwh - pair.import_milliwh for pair in settled.meters)
    line("losses", "losses", "clearing", lost, SHORT)
    left = sum(
        (paid == "clearing") * amount - (payer == "clearing") * amount
        for _, payer, paid, amount, _ in lines
    )
    if left:
        parties = ("clearing", "operator") if left > 0 else ("operator", "clearing")
        lines.append(("residual", *parties, abs(left), 0))
    return lines


@pytest.mark.parametrize("seed", range(12))
def test_a_period_settles_to_the_lines_of_the_plain_rule(seed: int) -> None:
    bench = Bench(seed)
    for period in range(3):
        trades = bench.trades()
        settled = bench.settle(period, trades)
        found = [
            (e.kind, e.debit, e.credit, e.amount_micro, e.energy_milliwh) for e in settled.entries
        ]
        assert found == oracle(settled, trades)
        assert settled.losses_milliwh == settled.exported_milliwh - settled.imported_milliwh


@pytest.mark.parametrize(
    ("exact", "expected"), [((1, 500_000), 1), ((-1, 500_000), -1), ((1, 499_999), 0), ((0, 5), 0)]
)
def test_amounts_round_half_up_by_magnitude(exact: tuple[int, int], expected: int) -> None:
    assert priced_micro(*exact) == expected == rounded(Fraction(exact[0] * exact[1], 1_000_000))


def test_a_settlement_refused_says_which_rule_and_why() -> None:
    bench = Bench(0)
    with pytest.raises(SettlementError, match="trade 2 is of 1500 mWh") as refused:
        bench.settle(
            0,
            [
                Trade(1, 1, "bob", "bid", 1000, 500_000),
                Trade(2, 2, "carol", "offer", 1500, 500_000),
            ],
        )
    assert refused.value.code == "settlement.trade_off_lot"
    with pytest.raises(TypeError):
        MeterPeriod("bob", "a reading", "another")  # type: ignore[arg-type]


def filled(path: Path, seed: int = 1, periods: int = 3) -> Journal:
    bench, journal = Bench(seed), Journal(path)
    for period in range(periods):
        settled = bench.settle(period, bench.trades())
        journal.post(period, settled, list(bench.readings.values()), bench.verifier.ledger_rows())
    return journal


def test_the_journal_keeps_every_entry_in_order_and_sums_to_zero(tmp_path: Path) -> None:
    bench, expected = Bench(5), []
    with Journal(tmp_path / "journal.sqlite") as journal:
        for period in (0, 1, 2):
            settled = bench.settle(period, bench.trades())
            journal.post(period, settled, (), bench.verifier.ledger_rows())
            expected += [tuple(getattr(e, c) for c in ENTRY_COLUMNS) for e in settled.entries]
        assert expected
        assert list(journal.entries()) == expected
        assert journal.periods() == [0, 1, 2]
        balances = journal.balances()
        assert list(balances) == sorted(balances)
        assert journal.sum_of_all_micro() == 0
        place = {name: n for n, name in enumerate(ENTRY_COLUMNS)}
        for account, balance in balances.items():
            assert balance == sum(
                row[place["amount_micro"]]
                * ((row[place["credit"]] == account) - (row[place["debit"]] == account))
                for row in expected
            )


def test_the_same_posts_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        filled(tmp_path / name).close()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_journal_is_read_back_and_its_ledger_restores_a_verifier(tmp_path: Path) -> None:
    filled(tmp_path / "j", seed=3).close()
    bench = Bench(3)
    fresh = Verifier()
    enrol_all(
        fresh,
        [EnrolledKey(n, n, "ecdsa-p256", s.public_key_der, 0) for n, s in bench.signers.items()],
    )
    with Journal(tmp_path / "j") as journal:
        fresh.restore(journal.ledger_rows())
        assert sorted(fresh.ledger_rows()) == journal.ledger_rows()
        assert len(journal.ledger_rows()) == 4 * len(PARTICIPANTS)


STATEMENTS = [
    "UPDATE entry SET amount_micro = amount_micro + 1",
    "DELETE FROM entry WHERE period = 0",
    "INSERT OR REPLACE INTO entry SELECT * FROM entry LIMIT 1",
    "REPLACE INTO period SELECT * FROM period LIMIT 1",
    "DELETE FROM period",
    "UPDATE ledger SET counter = counter + 1",
    "DELETE FROM reading",
    "UPDATE metered SET participant = 'me'",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_statement_changes_or_removes_a_row(tmp_path: Path, statement: str) -> None:
    filled(tmp_path / "j").close()
    before = (tmp_path / "j").read_bytes()
    stranger = sqlite3.connect(tmp_path / "j")
    with pytest.raises(sqlite3.IntegrityError, match=r"settlement\.(append_only|already_posted)"):
        stranger.execute(statement)
    stranger.close()
    assert (tmp_path / "j").read_bytes() == before


def code_of_post(journal: Journal, *arguments: object) -> str:
    before = list(journal.entries()), journal.ledger_rows(), journal.periods()
    with pytest.raises(SettlementError) as refused:
        journal.post(*arguments)  # type: ignore[arg-type]
    assert (list(journal.entries()), journal.ledger_rows(), journal.periods()) == before
    return str(refused.value.code)


def test_a_post_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    bench = Bench(9)
    first = bench.settle(0, [])
    journal = Journal(tmp_path / "j")
    journal.post(0, first, (), bench.verifier.ledger_rows())
    assert code_of_post(journal, 0, first) == "settlement.already_posted"
    assert code_of_post(journal, 1, first) == "settlement.period_mismatch"
    second = bench.settle(1, [])
    rows = bench.verifier.ledger_rows()
    altered = [(*row[:-1], bytes(32)) for row in rows]
    assert code_of_post(journal, 1, second, (), altered) == "settlement.already_posted"
    journal.post(1, second, (), rows)
    journal.close()


def test_a_number_no_journal_holds_is_refused_by_name(tmp_path: Path) -> None:
    trades = [
        Trade(2**63, 1, "alice", "offer", 1_000, 60_000),
        Trade(2, 2, "bob", "bid", 1_000, 60_000),
    ]
    with Journal(tmp_path / "j") as journal:
        settled = Bench(9).settle(0, trades)
        assert code_of_post(journal, 0, settled) == "settlement.journal_refused"


def test_readings_that_cover_settled_time_are_refused(tmp_path: Path) -> None:
    bench = Bench(9)
    start = dict(bench.readings)
    journal = Journal(tmp_path / "j")
    journal.post(0, bench.settle(0, []))
    bench.readings = start
    both = bench.settle(1, [])
    assert code_of_post(journal, 1, both) == "settlement.readings_overlap"
    journal.close()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, however long it may be" * 50)
    with pytest.raises(SettlementError) as refused:
        Journal(tmp_path / "text")
    assert refused.value.code == "settlement.journal_unusable"
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(SettlementError) as refused:
        Journal(tmp_path / "other")
    assert refused.value.code == "settlement.journal_foreign"


def tampered(path: Path, statement: str) -> list[str]:
    """Change a journal as somebody would who drops its triggers first."""
    filled(path).close()
    db = sqlite3.connect(path)
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    assert db.execute(statement).rowcount > 0
    db.commit()
    db.close()
    return audit(path)


def test_an_audit_finds_nothing_in_an_honest_journal(tmp_path: Path) -> None:
    filled(tmp_path / "j").close()
    assert audit(tmp_path / "j") == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE entry SET amount_micro = amount_micro + 1 WHERE entry_id = 1", "amount"),
        ("UPDATE entry SET debit = credit, credit = debit WHERE kind = 'excess'", "pays"),
        ("UPDATE reading SET export_milliwh = export_milliwh + 1 WHERE counter = 4", "export"),
        ("DELETE FROM entry WHERE kind = 'losses' AND period = 1", "losses"),
        ("UPDATE entry SET closing_digest = opening_digest WHERE entry_id = 2", "no verified"),
        ("UPDATE entry SET credit = 'mallory' WHERE kind = 'delivered'", "mallory"),
        ("UPDATE entry SET credit = 'mallory' WHERE kind = 'surplus'", "mallory"),
        ("UPDATE entry SET debit = 'mallory' WHERE kind = 'losses'", "mallory"),
        ("UPDATE entry SET kind = 'gift' WHERE kind = 'untaken'", "gift"),
        ("UPDATE entry SET kind = 'taken' WHERE kind = 'excess'", "taken"),
        (
            "UPDATE entry SET price_micro_per_kwh = 2 * price_micro_per_kwh, "
            "amount_micro = 2 * amount_micro WHERE kind = 'losses'",
            "price",
        ),
        ("DELETE FROM entry WHERE kind = 'untaken'", "bought"),
        (
            "UPDATE entry SET energy_milliwh = energy_milliwh + iif(credit = 'bob', -1000, 1000), "
            "amount_micro = amount_micro + iif(credit = 'bob', -50, 50) "
            "WHERE period = 2 AND kind = 'surplus' AND credit IN ('alice', 'bob')",
            "alice",
        ),
        ("UPDATE reading SET meter = 'bob' WHERE meter = 'alice'", "no reading"),
        ("UPDATE metered SET opening_ms = opening_ms - 900000 WHERE period = 2", "no reading"),
        ("DELETE FROM metered WHERE period = 1", "metered"),
    ],
)
def test_an_audit_finds_what_was_changed(tmp_path: Path, statement: str, told: str) -> None:
    faults = tampered(tmp_path / "j", statement)
    assert any(told in fault for fault in faults), faults


def test_an_audit_leaves_nothing_beside_the_journal(tmp_path: Path) -> None:
    filled(tmp_path / "j").close()
    assert audit(tmp_path / "j") == []
    assert [path.name for path in tmp_path.iterdir()] == ["j"]


def test_a_journal_that_is_read_while_it_closes_keeps_its_log(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j")
    reader = sqlite3.connect(tmp_path / "j")
    assert reader.execute("SELECT count(*) FROM period").fetchone() == (3,)
    journal.close()
    assert (tmp_path / "j-wal").exists()
    reader.close()
    assert audit(tmp_path / "j") == []


def test_an_audit_of_what_is_no_journal_says_so(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is not a database, however long it may be" * 50)
    with pytest.raises(SettlementError) as refused:
        audit(tmp_path / "text")
    assert refused.value.code == "settlement.journal_unusable"
