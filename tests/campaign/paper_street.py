"""Two meters whose drivers are a sheet of paper, and the account that settles what they sign."""

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from gridrig._core import SettlementRules, Trade, VerifiedReading, Verifier
from gridrig.campaign.account import Account
from gridrig.campaign.metering_rounds import ATTEMPTS, MeteringRounds
from gridrig.campaign.settlement_terms import Terms
from gridrig.campaign.trading import Cleared
from gridrig.errors import DriverError
from gridrig.events import EventLog
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.quantity import DeliveryPeriod
from gridrig.settlement.journal import Journal

T0 = 1_467_206_100
PERIOD_S = 60
NAMES = ("home", "head")


# ------------------------------------------------------------------------- catalogue of values
class StoppedClock:
    def now_s(self) -> float:
        return 0.0


def new_log() -> EventLog:
    return EventLog(StoppedClock(), [])


@dataclass
class PaperMeter:
    """A meter's driver without a wire: signs what it is told to count."""

    signer: OcmfSigner
    pagination: int = 0
    import_milliwh: int = 0
    refuses: int = 0
    answers: list[bytes] = field(default_factory=list)

    async def sign(self, time_s: int) -> bytes:
        if self.refuses:
            self.refuses -= 1
            raise DriverError("modbus.timeout", "no answer", kind="timeout")
        if self.answers:
            return self.answers.pop(0)
        self.pagination += 1
        return self.signer.sign(self.pagination, time_s, self.import_milliwh, 0)


class Street:
    """Two meters, whom the verifier knows, and the account of their owners."""

    def __init__(self, deposit_micro: int | None = None, journal: str = ":memory:") -> None:
        signers = {name: OcmfSigner.from_seed(1, name, name) for name in NAMES}
        self.meters = {name: PaperMeter(signer) for name, signer in signers.items()}
        self.verifier, self.events = Verifier(), new_log()
        enrol_all(
            self.verifier,
            [EnrolledKey(n, n, "ecdsa-p256", s.public_key_der, 0) for n, s in signers.items()],
        )
        self.rounds = MeteringRounds(self.meters, self.verifier, self.events)
        self.journal = Journal(Path(journal))
        self.account = Account(
            {"house": "home", "grid": "head"},
            "grid",
            Terms(
                SettlementRules(long_price_micro_per_kwh=20_000, short_price_micro_per_kwh=400_000),
                deposit_micro,
            ),
            T0,
            self.journal,
            self.verifier,
            self.events,
        )
        self.rounds.on_fork = self.account.withdraw
        self.verified: dict[bytes, VerifiedReading] = {}

    def read(self, period: int) -> dict[str, VerifiedReading]:
        found = asyncio.run(self.rounds.read(period, T0 + PERIOD_S * (period + 1)))
        self.verified |= {reading.digest: reading for reading in found.values()}
        return found

    def settle(
        self,
        period: int,
        trades: tuple[Trade, ...] = (),
        link_flows: tuple[tuple[str, int, int], ...] = (),
    ) -> None:
        when = DeliveryPeriod(period, period * PERIOD_S, PERIOD_S)
        cleared = Cleared(when, False, (), trades, (), None, 0, link_flows=link_flows)
        self.account.settle(cleared, self.read(period), 0.0)

    def balances(self) -> dict[str, int]:
        return {name: sum_ for name, sum_ in self.journal.balances().items() if sum_}

    def outcomes(self) -> list[tuple[str, str]]:
        return [(row.meter, row.outcome) for row in self.rounds.received]


def lived(
    silent: Container[int], *, deposit_micro: int | None = None, linked: bool = False
) -> Street:
    """Five periods in which the home uses more and more, and is silent at the end of some.

    Linked, the grid sells from a cheaper zone: a link takes a fee, and what is left is rent.
    """
    street = Street(deposit_micro)
    street.account.take(street.read(-1).values())
    for period in range(5):
        live(street, period, is_silent=period in silent, linked=linked)
    return street


def live(street: Street, period: int, *, is_silent: bool = False, linked: bool = False) -> None:
    """Let one period pass."""
    flows = (("cable", 1_500_000, 20_000), ("spare", 0, 20_000)) if linked else ()
    for meter in street.meters.values():
        meter.import_milliwh += 1_000_000 * (period + 1)
    street.meters["home"].refuses = ATTEMPTS if is_silent else 0
    bid = Trade(2 * period + 1, 1, "house", "bid", 1_500_000, 300_000)
    offer = Trade(2 * period + 2, 2, "grid", "offer", 1_500_000, 250_000 if linked else 300_000)
    street.settle(period, (bid, offer), flows)
