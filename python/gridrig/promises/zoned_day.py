"""A day of the street of 410: traded by forecast, signed by every meter, settled by what is signed.

In each slot the orders are cleared first, in the three networks at once, joined by contracts. Then
the networks are solved with what everybody really gives, whose sum is what the meter at the head
counts; all meters sign; what verifies is settled and posted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridrig._core import MeterPeriod, Order, Trade, VerifiedReading, Verifier
from gridrig.market.mechanisms import PayAsClear
from gridrig.market.outcome import check_outcome
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.promises.zoned_feeder import Border, ZonedFeeder
from gridrig.promises.zoned_street import MAIN_GRID, SLOT_S, ZonedStreet
from gridrig.settlement import Journal, SettlementRules, settle_period

MECHANISM = PayAsClear()
RULES = SettlementRules(long_price_micro_per_kwh=50_000, short_price_micro_per_kwh=400_000)
HISTORY = 2
"""Readings that the verifier remembers of each meter: those of this edge and the one before."""
MILLIWH_PER_W = 1_000 * SLOT_S / 3600


@dataclass(frozen=True)
class Slot:
    """What a slot was: orders, trades by their numbers of the day, true powers, and borders. [W]"""

    number: int
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    powers_w: Mapping[str, float]
    borders: Mapping[str, Border]


@dataclass
class ZonedDay:
    """The day so far.

    Parameters
    ----------
    street : ZonedStreet
    journal : Journal
        Where every slot is posted.
    wired : mapping of home to EnrolledKey
        Keys of meters on real wires.
    first : int
        The slot with which it begins; 0 for a whole day.

    `records` are what each meter signed, as received, at the edges of slots; `missing` counts
    readings that did not come or were refused.
    """

    street: ZonedStreet
    journal: Journal
    wired: Mapping[str, EnrolledKey] = field(default_factory=dict)
    first: int = 0
    slots: list[Slot] = field(default_factory=list)
    records: dict[str, list[bytes]] = field(default_factory=dict)
    missing: int = 0

    def __post_init__(self) -> None:
        self.feeder = ZonedFeeder(self.street.homes)
        self.network = self.street.network()
        names = [*(home.name for home in self.street.homes), MAIN_GRID]
        self._signers = {
            name: OcmfSigner.from_seed(self.street.seed, name, name)
            for name in names
            if name not in self.wired
        }
        self._registers = {name: [0, 0] for name in self._signers}
        self._verifier = Verifier(history=HISTORY)
        fleet = [
            EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
            for name, signer in self._signers.items()
        ]
        enrol_all(self._verifier, [*fleet, *self.wired.values()])
        self.records = {name: [] for name in names}
        self._readings: dict[str, VerifiedReading] = {}
        self._traded = 0

    def begin(self, wired: Mapping[str, bytes | None]) -> None:
        """Have every meter sign before the first slot; `wired` is what those on wires signed."""
        self._readings = self._signed(self.first, wired)

    def pass_slot(self, wired_w: Mapping[str, float], wired: Mapping[str, bytes | None]) -> bool:
        """Trade, deliver, sign and settle the next slot; False if a reading is missing.

        Parameters
        ----------
        wired_w : mapping of home to float
            What devices on wires gave less what they took. [W]
        wired : mapping of home to bytes or None
            What their meters signed at its end; None if one did not.
        """
        number = self.first + len(self.slots)
        orders = self.street.orders(number)
        trades = self.clear(orders)
        powers_w = self.street.powers_w(number) | dict(wired_w)
        borders = self.feeder.borders(powers_w)
        self.slots.append(Slot(number, tuple(orders), tuple(trades), powers_w, borders))
        self._count(powers_w | {MAIN_GRID: sum(one.import_w for one in borders.values())})
        opening, closing = self._readings, self._signed(number + 1, wired)
        if len(closing) < len(self.records):
            return False
        *homes, head = (MeterPeriod(name, opening[name], closing[name]) for name in self.records)
        from_ms, to_ms = (1_000 * self.street.begins_utc_s(edge) for edge in (number, number + 1))
        settled = settle_period(
            number, homes, trades, from_ms=from_ms, to_ms=to_ms, rules=RULES, head=head
        )
        accepted = self.journal.unposted(self._verifier.ledger_rows())
        self.journal.post(settled, accepted=accepted)
        self._readings = closing
        return True

    def clear(self, orders: Sequence[Order]) -> list[Trade]:
        """Clear a slot's orders in the three networks, and number the trades on."""
        zone_of = self.network.zone_of()
        zones = [str(zone_of[order.participant]) for order in orders]
        outcome = MECHANISM.clear_zones(orders, zones, self.network)
        check_outcome("pay-as-clear", orders, outcome, lot_milliwh=MECHANISM.lot_milliwh)
        first, self._traded = self._traded, self._traded + len(outcome.trades)
        return [
            Trade(
                first + trade.trade_id,
                trade.order_id,
                trade.participant,
                trade.side,
                trade.energy_milliwh,
                trade.price_micro_per_kwh,
            )
            for trade in outcome.trades
        ]

    def _count(self, powers_w: Mapping[str, float]) -> None:
        for name, registers in self._registers.items():
            energy = round(powers_w[name] * MILLIWH_PER_W)
            registers[energy > 0] += abs(energy)

    def _signed(self, edge: int, wired: Mapping[str, bytes | None]) -> dict[str, VerifiedReading]:
        """Have all meters sign an edge; return what verifies, each as the meter that was asked."""
        at_s = self.street.begins_utc_s(edge)
        received = {
            name: wired[name]
            if name in self.wired
            else self._signers[name].sign(edge + 1, at_s, *self._registers[name])
            for name in self.records
        }
        told = {name: record for name, record in received.items() if record is not None}
        staged = self._verifier.stage(self._verifier.authenticate(list(told.values()), at_s=at_s))
        self._verifier.commit()
        found: dict[str, VerifiedReading] = {}
        for place, (name, record) in enumerate(told.items()):
            self.records[name].append(record)
            outcome = staged.outcome(place)
            meter = self.wired[name].meter if name in self.wired else name
            if isinstance(outcome, VerifiedReading) and outcome.meter == meter:
                found[name] = outcome
        self.missing += len(self.records) - len(found)
        return found
