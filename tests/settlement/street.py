"""A street whose meters sign, whose verifier believes them, and whose periods are settled."""

import random
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridrig.market.auction import Trade
from gridrig.metering import EnrolledKey, OcmfSigner, VerifiedReading, Verifier, enrol_all
from gridrig.settlement import Journal, MeterPeriod, Settled, SettlementRules, settle_period
from gridrig.settlement.unposted import NumberedRow, Unposted

T0 = 1_466_424_900
PARTICIPANTS = ("alice", "bob", "carol", "grid")
RULES = SettlementRules(long_price_micro_per_kwh=50_000, short_price_micro_per_kwh=400_000)
# A key that stands in public, and signs nothing but what tests make.
KEY = Ed25519PrivateKey.from_private_bytes(b"gridrig tests, worth nothing....")


class Street:
    """Meters with their registers, moved on period by period as the seed says."""

    def __init__(self, seed: int, start_s: int = T0) -> None:
        self.start_s = start_s
        self.draw = random.Random(seed)
        self.signers = {name: OcmfSigner.from_seed(seed, name, name) for name in PARTICIPANTS}
        self.verifier = self.new_verifier()
        self.registers = {name: [0, 0] for name in PARTICIPANTS}
        self.readings = {name: self.sign(name, 0) for name in PARTICIPANTS}
        self.traded = 0

    def new_verifier(self) -> Verifier:
        verifier = Verifier()
        enrol_all(
            verifier,
            [
                EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
                for name, signer in self.signers.items()
            ],
        )
        return verifier

    def record(self, name: str, n: int) -> bytes:
        return self.signers[name].sign(n + 1, self.start_s + 900 * n, *self.registers[name])

    def sign(self, name: str, n: int) -> VerifiedReading:
        return self.verifier.verify(self.record(name, n), at_s=self.start_s + 900 * n)

    def move(self) -> None:
        for name in PARTICIPANTS:
            for side in (0, 1):
                self.registers[name][side] += self.draw.choice([0, self.draw.randrange(3_000_000)])

    def pairs(self, n: int) -> dict[str, MeterPeriod]:
        """Move every register, read every meter at the end of period n - 1."""
        self.move()
        pairs = {}
        for name in PARTICIPANTS:
            opening, self.readings[name] = self.readings[name], self.sign(name, n)
            pairs[name] = MeterPeriod(name, opening, self.readings[name])
        return pairs

    def trades(self) -> list[Trade]:
        trades = []
        for n in range(self.draw.randrange(4)):
            energy = 1_000 * self.draw.randrange(1, 2_000)
            price = 1_000 * self.draw.randrange(50, 401)
            seller, buyer = self.draw.choices(PARTICIPANTS, k=2)
            trades.append(Trade(self.traded + 1, n, seller, "offer", energy, price))
            trades.append(Trade(self.traded + 2, n, buyer, "bid", energy, price))
            self.traded += 2
        return trades

    def settle(self, period: int, trades: list[Trade] | None = None) -> Settled:
        return settled_of(
            period, self.pairs(period + 1), self.trades() if trades is None else trades
        )

    def posts(self, journal: Journal, periods: int) -> Iterator[tuple[Settled, list[NumberedRow]]]:
        """Settle periods, each with the readings that the journal lacks then."""
        unposted = Unposted(journal)
        for period in range(periods):
            settled = self.settle(period)
            yield settled, unposted.of(self.verifier.ledger_rows())


def settled_of(
    period: int, pairs: dict[str, MeterPeriod], trades: list[Trade], *, revision: int = 0
) -> Settled:
    head = pairs["grid"]
    return settle_period(
        period,
        [pair for name, pair in pairs.items() if name != "grid"],
        trades,
        from_ms=head.from_ms,
        to_ms=head.to_ms,
        rules=RULES,
        head=head,
        revision=revision,
    )
