"""Settlement against a plain Python oracle."""

import random
from fractions import Fraction

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
from gridrig.settlement.audit_lines import priced_micro

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
