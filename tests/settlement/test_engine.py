"""The engine against the plain-Python oracle, on signed and verified readings."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import HOUSE, Agreed, Deal, Key, Line, Meter, Period, balances, settle

from gridrig._core import (
    Correction,
    Entry,
    MeterPeriod,
    PostedLines,
    Settled,
    SettlementRules,
    Trade,
    VerifiedReading,
    Verifier,
    meter_period,
    settle_period,
)
from gridrig.errors import SettlementError
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all

T0 = 1_466_424_900
PERIOD_S = 900
OWNER = {"m-1": "alice", "m-2": "bob", "m-3": "bob", "m-4": "carol", "head": "grid"}
TRADERS = ("alice", "bob", "carol", "grid")
KWH = 1_000_000


class Bench:
    """Meters that sign; every period is later than the one before."""

    def __init__(self) -> None:
        self.signers = {name: OcmfSigner.from_seed(1, name, name) for name in OWNER}
        self.verifier = Verifier()
        enrol_all(
            self.verifier,
            [
                EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
                for name, signer in self.signers.items()
            ],
        )
        self.registers = {name: [0, 0] for name in OWNER}
        self.number = 0
        self.readings = {name: self.sign(name) for name in OWNER}

    def sign(self, name: str) -> VerifiedReading:
        time_s = T0 + PERIOD_S * self.number
        record = self.signers[name].sign(self.number + 1, time_s, *self.registers[name])
        return self.verifier.verify(record, at_s=time_s)

    def count(self, energies: dict[str, tuple[int, int]]) -> dict[str, MeterPeriod]:
        """Let every meter count (import, export) in the next period. [mWh]"""
        self.number += 1
        periods = {}
        for name, (taken, given_) in energies.items():
            self.registers[name][0] += taken
            self.registers[name][1] += given_
            opening, self.readings[name] = self.readings[name], self.sign(name)
            periods[name] = MeterPeriod(OWNER[name], opening, self.readings[name])
        return periods


BENCH = Bench()


@st.composite
def drawn_deals(draw: Any) -> list[Deal]:
    """Trades that buy what they sell, of one lot up to many kilowatt-hours, in any order."""
    deals = []
    for n in range(draw(st.integers(0, 6))):
        lots = draw(st.sampled_from([1, 2, 7, 500, 3_000]))
        price = 1_000 * draw(st.integers(-200, 600))
        seller, buyer = draw(st.sampled_from(TRADERS)), draw(st.sampled_from(TRADERS))
        deals.append(Deal(2 * n + 1, seller, "offer", 1_000 * lots, price))
        deals.append(Deal(2 * n + 2, buyer, "bid", 1_000 * lots, price))
    shuffled: list[Deal] = draw(st.permutations(deals))
    return shuffled


AGREED = st.builds(
    lambda long, above, grid, operator, losses: Agreed(long, long + above, grid, operator, losses),
    st.integers(-50_000, 200_000),
    st.integers(0, 400_000),
    st.sampled_from([0, 1, 70_001]),
    st.sampled_from([0, 499_999]),
    st.sampled_from(["house", "importers"]),
)
ENERGY = st.sampled_from([0, 0, 1, 499, 999_999]) | st.integers(0, 2 * KWH)
ENERGIES = st.fixed_dictionaries({name: st.tuples(ENERGY, ENERGY) for name in OWNER})
LINKS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, KWH), st.integers(0, 90_000)),
    unique_by=lambda link: link[0],
    max_size=2,
)
DEPOSITS = st.lists(
    st.tuples(st.sampled_from(TRADERS), st.integers(-KWH, KWH)),
    unique_by=lambda d: d[0],
    max_size=2,
)


def rules_of(agreed: Agreed) -> SettlementRules:
    return SettlementRules(
        long_price_micro_per_kwh=agreed.long,
        short_price_micro_per_kwh=agreed.short,
        grid_fee_micro_per_kwh=agreed.grid_fee,
        operator_fee_micro_per_kwh=agreed.operator_fee,
        losses=agreed.losses,
    )


def engine(period: Period, metered: dict[str, MeterPeriod], **more: Any) -> Settled:
    head = metered["head"]
    return settle_period(
        7,
        [one for name, one in metered.items() if name != "head"],
        [
            Trade(d.trade_id, d.trade_id, d.participant, d.side, d.milliwh, d.price)
            for d in period.deals
        ],
        from_ms=head.from_ms,
        to_ms=head.to_ms,
        rules=rules_of(period.agreed),
        head=head,
        links=period.links,
        deposits=period.deposits,
        **more,
    )


def period_of(
    metered: dict[str, MeterPeriod],
    deals: list[Deal],
    agreed: Agreed,
    links: list[tuple[str, int, int]],
    deposits: list[tuple[str, int]],
) -> Period:
    meters = [
        Meter(one.participant, one.meter, one.import_milliwh, one.export_milliwh)
        for one in metered.values()
    ]
    return Period(meters, deals, agreed, "head", links, deposits)


def line_of(entry: Entry) -> tuple[Key, Line]:
    """Read an entry as the line it is of."""
    house, pays = HOUSE[entry.kind]
    house_pays = entry.debit == house
    account = entry.credit if house_pays else entry.debit
    micro = entry.amount_micro if house_pays == pays else -entry.amount_micro
    return Key(entry.kind, account, entry.trade_id, entry.meter), Line(micro, entry.energy_milliwh)


def lines_of(entries: list[Entry]) -> dict[Key, Line]:
    lines = [line_of(entry) for entry in entries]
    assert len({key for key, _ in lines}) == len(lines), "a line is booked once"
    return dict(lines)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ENERGIES, drawn_deals(), AGREED, LINKS, DEPOSITS)
def test_every_line_is_that_of_the_oracle(
    energies: dict[str, tuple[int, int]],
    deals: list[Deal],
    agreed: Agreed,
    links: list[tuple[str, int, int]],
    deposits: list[tuple[str, int]],
) -> None:
    metered = BENCH.count(energies)
    period = period_of(metered, deals, agreed, links, deposits)
    settled, expected = engine(period, metered), settle(period)
    assert lines_of(settled.entries) == expected
    assert [entry.entry_id for entry in settled.entries] == list(range(1, len(settled.entries) + 1))
    assert sum(balances(expected).values()) == 0
    assert balances(expected).get("clearing", 0) == 0


@settings(max_examples=40, deadline=None)
@given(ENERGIES, ENERGIES, drawn_deals(), drawn_deals(), AGREED)
def test_a_correction_is_exactly_new_less_old(
    first: dict[str, tuple[int, int]],
    second: dict[str, tuple[int, int]],
    deals: list[Deal],
    other_deals: list[Deal],
    agreed: Agreed,
) -> None:
    # Whatever was wrong: what the meters counted, or the trades, and with them the prices.
    old = period_of(one := BENCH.count(first), deals, agreed, [], [])
    new = period_of(other := BENCH.count(second), other_deals, agreed, [], [])
    posted = PostedLines.of(engine(old, one))
    correction = Correction(posted, engine(new, other, revision=1), 8)
    was, now = settle(old), settle(new)
    none = Line(0, 0)
    expected = {
        key: Line(
            now.get(key, none).micro - was.get(key, none).micro,
            now.get(key, none).milliwh - was.get(key, none).milliwh,
        )
        for key in was.keys() | now.keys()
    }
    assert lines_of(correction.entries) == {k: v for k, v in expected.items() if v != none}
    assert {entry.booked_in for entry in correction.entries} <= {8}


def test_a_trade_parted_into_lots_costs_what_it_costs_whole() -> None:
    # At 1 mWh a trade each part would be 0.3 and round to nothing; that is refused, and of whole
    # lots none rounds.
    agreed = Agreed(0, 400_000)
    metered = BENCH.count(
        {"m-1": (0, KWH), "m-2": (KWH, 0), "m-3": (0, 0), "m-4": (0, 0), "head": (0, 0)}
    )

    def paid(parts: int) -> dict[str, int]:
        size = KWH // parts
        deals = [
            Deal(2 * n + k, who, side, size, 301_000)
            for n in range(parts)
            for k, who, side in ((1, "alice", "offer"), (2, "bob", "bid"))
        ]
        lines = lines_of(engine(period_of(metered, deals, agreed, [], []), metered).entries)
        return balances(lines)

    whole = paid(1)
    assert whole == {"alice": 301_000, "bob": -301_000}
    assert paid(1_000) == whole
    with pytest.raises(SettlementError, match="not a positive multiple of 1000") as refused:
        paid(1_000_000 // 500)
    assert refused.value.code == "settlement.trade_off_lot"
    with pytest.raises(SettlementError) as refused:
        SettlementRules(long_price_micro_per_kwh=0, short_price_micro_per_kwh=1, lot_milliwh=1)
    assert refused.value.code == "settlement.lot_inexact"


def test_the_same_reading_trade_or_meter_twice_is_refused_or_changes_nothing() -> None:
    energies = {"m-1": (0, KWH), "m-2": (KWH, 0), "m-3": (0, 0), "m-4": (0, 0), "head": (0, 0)}
    metered = BENCH.count(energies)
    agreed = Agreed(0, 400_000)
    deals = [Deal(1, "alice", "offer", KWH, 100_000), Deal(2, "bob", "bid", KWH, 100_000)]
    with pytest.raises(SettlementError, match="trade 1 is given twice"):
        engine(period_of(metered, [*deals, *deals], agreed, [], []), metered)
    with pytest.raises(SettlementError) as refused:
        settle_period(
            7,
            [metered["m-1"], metered["m-1"]],
            [],
            from_ms=metered["m-1"].from_ms,
            to_ms=metered["m-1"].to_ms,
            rules=rules_of(agreed),
        )
    assert refused.value.code == "settlement.meter_repeated"
    pair = [metered["m-1"].opening, metered["m-1"].closing]
    ends = metered["m-1"].from_ms, metered["m-1"].to_ms
    readings = [reading for reading in pair if reading is not None]
    once = meter_period("alice", "m-1", readings, *ends)
    assert meter_period("alice", "m-1", readings * 3, *ends) == once == metered["m-1"]


def test_many_meters_since_mounted_count_what_each_of_them_counts() -> None:
    verifier = Verifier()
    signers = {name: OcmfSigner.from_seed(1, name, name) for name in ("m-1", "m-2")}
    keys = [
        EnrolledKey(name, name, "ecdsa-p256", one.public_key_der, 0, start_milliwh=(1_000, 0))
        for name, one in signers.items()
    ]
    enrol_all(verifier, keys)
    readings = [
        verifier.verify(one.sign(1, T0, 3_000 + place, 2_000), at_s=T0)
        for place, one in enumerate(signers.values())
    ]
    mounted_ms = 1000 * (T0 - 900)
    many = MeterPeriod.all_since_mounted(["alice", "bob"], mounted_ms, readings)
    assert many == [
        MeterPeriod.since_mounted(name, mounted_ms, reading)
        for name, reading in zip(("alice", "bob"), readings, strict=True)
    ]
    assert [one.import_milliwh for one in many] == [2_000, 2_001]
    with pytest.raises(ValueError, match="found 1 participants, expected 2"):
        MeterPeriod.all_since_mounted(["alice"], mounted_ms, readings)


def test_the_energy_of_another_period_is_refused() -> None:
    energies = dict.fromkeys(OWNER, (0, 0))
    stale, fresh = BENCH.count(energies), BENCH.count(energies)
    with pytest.raises(SettlementError, match="900000 ms off the period") as refused:
        engine(period_of(fresh, [], Agreed(0, 1), [], []), fresh | {"m-4": stale["m-4"]})
    assert refused.value.code == "settlement.readings_apart"


def test_a_reserve_is_the_trade_with_fees_or_the_worst_shortfall() -> None:
    rules = SettlementRules(
        long_price_micro_per_kwh=20_000,
        short_price_micro_per_kwh=400_000,
        floor_micro_per_kwh=-50_000,
        ceiling_micro_per_kwh=500_000,
        grid_fee_micro_per_kwh=70_000,
        operator_fee_micro_per_kwh=5_000,
    )
    rounding = 2  # half of four lines: three of the meter, one of the trade
    # Sold at 0.10 and not delivered, the short price may be as high as a trade may be: 0.40 on top.
    assert rules.reserve_micro("offer", KWH, 100_000) == 400_000 + rounding
    # Sold at -0.03 and delivered: 0.03 and the fee; not delivered: 0.53.
    assert rules.reserve_micro("offer", KWH, -30_000) == 530_000 + rounding
    # Bought at 0.10 and taken: 0.10 and both fees; not taken, the long price may be -0.05.
    assert rules.reserve_micro("bid", KWH, 100_000) == 175_000 + rounding
    assert rules.reserve_micro("bid", KWH, 100_000, meters=3) == 175_000 + 5
