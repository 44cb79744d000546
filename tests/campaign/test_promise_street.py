"""What judges row N5 finds what no device can do: wrong markets, books, maps and marks."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from criteria import (
    RecordingLab,
    Unpassed,
    assert_fails,
    assert_fails_alone,
    not_passed_in,
    procedure_of,
)

from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.relief import settled_trades, zone_reliefs
from gridrig.errors import SettlementError
from gridrig.market.auction import Order, Trade
from gridrig.market.counterparties import Match
from gridrig.market.mechanisms import PayAsClear
from gridrig.market.zones import Network
from gridrig.metering import EnrolledKey, OcmfSigner
from gridrig.promises import zoned_books as books
from gridrig.promises import zoned_day
from gridrig.promises.double_auction import Auction, auction, is_unlike_auction
from gridrig.promises.plant_days import day_start_utc_s
from gridrig.promises.zoned_day import ZonedDay
from gridrig.promises.zoned_street import TICK_MICRO_PER_KWH, ZONES, ZonedStreet
from gridrig.settlement import Journal, SettlementRules
from gridrig.settlement.audit import audit

NAME = "test_street_of_410"
FIRST, SLOTS = 43, 3  # three roofs fall out with the second of them
STREET = ZonedStreet.draw(1, day_start_utc_s(6))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZonedDay]:
    with Journal(tmp_path_factory.mktemp("street") / "journal.sqlite") as journal:
        found = ZonedDay(STREET, journal, first=FIRST)
        found.begin({})
        assert all(found.pass_slot({}, {}) for _ in range(SLOTS))
        yield found


@pytest.fixture(name="judged")
def judged_by_the_procedure(day: ZonedDay, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what lets the procedure's own body judge a day's few slots: what does not pass."""

    def judge(
        other: ZonedDay = day, matches: Mapping[int, Sequence[Match]] | None = None
    ) -> Unpassed:
        async def ran(_: RecordingLab) -> ZonedDay:
            return other

        judging = procedure_of(NAME).body.__globals__
        with monkeypatch.context() as patch:
            patch.setitem(judging, "run_day", ran)
            patch.setitem(judging, "SOLVED_AGAIN", slice(None))
            if matches is not None:
                patch.setattr(books, "settled", lambda _: matches)
            return asyncio.run(not_passed_in(NAME, RecordingLab()))

    return judge


FEW = {"slots_settled": Outcome.FAIL}
"""What does not pass of a right day of three slots."""


def swapped(network: Network, one: str, other: str) -> Network:
    """Say of two homes that each is where the other one is."""
    instead = {one: other, other: one}
    zones = (
        replace(zone, participants=tuple(instead.get(name, name) for name in zone.participants))
        for zone in network.zones
    )
    return replace(network, zones=tuple(zones))


def test_a_right_day_is_found_right_and_its_journal_holds(day: ZonedDay) -> None:
    signed, matches = books.signed_slots(day), books.settled(day)
    assert day.missing == 0
    assert books.auctions_unlike_rule(day) == 0
    assert day.journal.sum_of_all_micro() == books.payments_unlike_signed_micro(day, signed) == 0
    assert books.metered_unlike_feeder_wh(day, signed) < 0.1
    found = books.local_checked(day, signed, matches)
    assert (found.unlike_wires_milliwh, found.unlike_signed_milliwh) == (0, 0)
    assert found.unlike_sums_milliwh == 0
    assert found.beyond_feeder_wh < 0.1
    assert min(found.local_milliwh, found.financial_only_milliwh, found.undelivered_milliwh) > 0
    assert books.border_moved_wh(day, matches, "local", day.slots) < 0.1
    assert books.border_moved_wh(day, matches, "financial-only", day.slots) > 1_000
    trades = settled_trades(day.journal)
    reliefs = zone_reliefs(trades, matches, day.network)
    assert [one.zone for one in reliefs] == list(ZONES)
    assert sum(one.local_milliwh for one in reliefs) == found.local_milliwh
    assert sum(one.financial_only_milliwh for one in reliefs) == 0
    assert audit(day.journal.path) == []


def test_a_part_of_a_day_passes_but_for_the_slots_that_it_lacks(judged: Any) -> None:
    assert_fails_alone(judged(), "test_street_of_410.slots_settled")


def test_a_map_that_swaps_two_homes_is_found_by_the_wires_and_the_borders(day: ZonedDay) -> None:
    signed, right = books.signed_slots(day), day.network
    buyers = [trade.participant for trade in day.slots[0].trades if trade.side == "bid"]
    east, west = (next(b for b in buyers if b.startswith(zone)) for zone in ("east", "west"))
    day.network = swapped(right, east, west)
    try:
        matches = books.settled(day)
    finally:
        day.network = right
    found = books.local_checked(day, signed, matches)
    assert found.unlike_wires_milliwh > 0
    assert found.unlike_signed_milliwh > 0
    moved_wh = books.border_moved_wh(day, matches, "local", day.slots)
    assert moved_wh > 10
    assert_fails(moved_wh, "test_street_of_410.border_moved_by_local_wh")


def test_contracts_counted_as_relief_are_found(day: ZonedDay, judged: Any) -> None:
    signed = books.signed_slots(day)
    matches = {
        slot: [replace(match, delivery="local") for match in matched]
        for slot, matched in books.settled(day).items()
    }
    found = books.local_checked(day, signed, matches)
    assert found.unlike_wires_milliwh > 0
    assert found.unlike_signed_milliwh > 0
    assert found.beyond_feeder_wh > 100
    assert_fails(found.beyond_feeder_wh, "test_street_of_410.local_beyond_feeder_wh")
    assert books.border_moved_wh(day, matches, "local", day.slots) > 1_000
    assert books.border_moved_wh(day, matches, "financial-only", day.slots) < 0.1
    assert judged(matches=matches).keys() - FEW == {
        "traded_financial_only_wh",
        "marks_unlike_wires_wh",
        "matched_unlike_signed_wh",
        "local_beyond_feeder_wh",
        "border_moved_by_local_wh",
        "border_moved_by_financial_wh",
    }


def test_energy_that_was_traded_and_not_given_is_no_relief(day: ZonedDay, judged: Any) -> None:
    signed, real = books.signed_slots(day), books.settled(day)
    more = {
        slot: [replace(matched[0], energy_milliwh=matched[0].energy_milliwh + 1), *matched[1:]]
        for slot, matched in real.items()
    }
    found = books.local_checked(day, signed, more)
    assert (found.unlike_signed_milliwh, found.unlike_sums_milliwh) == (1, 1)
    assert_fails_alone(
        judged(matches=more), "test_street_of_410.matched_unlike_signed_wh", beside=FEW
    )
    short = {slot: matched[:-1] for slot, matched in real.items()}
    assert books.local_checked(day, signed, short).unlike_sums_milliwh > 0


def test_a_payment_for_another_energy_than_the_signed_one_is_found(day: ZonedDay) -> None:
    signed = books.signed_slots(day)
    home = next(trade.participant for trade in day.slots[0].trades if trade.side == "offer")
    other = {**signed[0].given, home: signed[0].given[home] + 1_000}
    changed = [replace(signed[0], given=other), *signed[1:]]
    assert books.payments_unlike_signed_micro(day, changed) > 0
    assert books.metered_unlike_feeder_wh(day, changed) > 0.9


def test_a_wrong_mark_on_a_milliwatt_hour_is_found(day: ZonedDay, judged: Any) -> None:
    real, zone_of = books.settled(day), day.feeder.zone_of
    slot, matched = next(iter(real.items()))
    across = next(match for match in matched if match.delivery == "financial-only")
    inside = next(
        match
        for match in matched
        if match.delivery == "local" and zone_of(match.buyer) == zone_of(across.buyer)
    )
    # One of each changes its mark with the other, so that no network's sum differs.
    swapped_marks = [
        part
        for match in matched
        for part in (_divided(match) if match in (across, inside) else (match,))
    ]
    found = judged(matches={**real, slot: swapped_marks})
    assert_fails_alone(found, "test_street_of_410.marks_unlike_wires_wh", beside=FEW)


def _divided(match: Match) -> tuple[Match, Match]:
    """Return a match whose last milliwatt-hour has the other mark."""
    other = {"local": "financial-only", "financial-only": "local"}[match.delivery]
    rest = replace(match, energy_milliwh=match.energy_milliwh - 1)
    return rest, replace(match, energy_milliwh=1, delivery=other)


class DearDay(ZonedDay):
    """A day whose market is a tick dearer than its rule."""

    def clear(self, orders: Sequence[Order]) -> list[Trade]:
        return [
            Trade(t.trade_id, t.order_id, t.participant, t.side, t.energy_milliwh,
                  t.price_micro_per_kwh + TICK_MICRO_PER_KWH)
            for t in super().clear(orders)
        ]  # fmt: skip


def lived(
    folder: Path,
    judged: Any,
    of: type[ZonedDay] = ZonedDay,
    powers_w: Mapping[str, float] | None = None,
) -> Unpassed:
    """Live a slot of another day, and return what of it does not pass."""
    with Journal(folder / "journal.sqlite") as journal:
        other = of(STREET, journal, first=FIRST)
        other.begin({})
        assert other.pass_slot(powers_w or {}, {})
        found: Unpassed = judged(other)
        return found


def test_a_market_that_is_a_tick_too_dear_is_found(tmp_path: Path, judged: Any) -> None:
    found = lived(tmp_path, judged, DearDay)
    assert_fails_alone(found, "test_street_of_410.auctions_unlike_rule", beside=FEW)


def test_a_settlement_by_another_rule_is_found(
    tmp_path: Path, judged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rule book pays a millionth too much for a kilowatt-hour that nobody had bought.
    right = zoned_day.RULES
    wrong = SettlementRules(
        long_price_micro_per_kwh=right.long_price_micro_per_kwh + 1,
        short_price_micro_per_kwh=right.short_price_micro_per_kwh,
    )
    monkeypatch.setattr(zoned_day, "RULES", wrong)
    found = lived(tmp_path, judged)
    assert_fails_alone(found, "test_street_of_410.payments_unlike_signed_micro", beside=FEW)


def test_a_day_on_which_all_give_what_they_sold_does_not_try_it(
    tmp_path: Path, judged: Any
) -> None:
    sunny = {home.name: 2 * home.roof_w for home in STREET.homes if home.roof_w}
    found = lived(tmp_path, judged, powers_w=sunny)
    assert_fails_alone(found, "test_street_of_410.sold_not_given_wh", beside=FEW)


def test_a_street_in_one_network_has_nothing_across_its_borders(
    tmp_path: Path, judged: Any
) -> None:
    east = replace(STREET, homes=tuple(home for home in STREET.homes if home.zone == "east"))
    with Journal(tmp_path / "journal.sqlite") as journal:
        alone = ZonedDay(east, journal, first=FIRST)
        alone.begin({})
        assert alone.pass_slot({}, {})
        signed, matches = books.signed_slots(alone), books.settled(alone)
        checked = books.local_checked(alone, signed, matches)
        assert checked.local_milliwh > 0
        across_wh = checked.financial_only_milliwh / 1_000
        assert_fails(across_wh, "test_street_of_410.traded_financial_only_wh")
        moved_wh = books.border_moved_wh(alone, matches, "financial-only", alone.slots)
        assert_fails(moved_wh, "test_street_of_410.border_moved_by_financial_wh")
        assert judged(alone).keys() - FEW == {
            "traded_financial_only_wh",
            "border_moved_by_financial_wh",
        }


@pytest.mark.parametrize("seed", range(40))
def test_prop_the_auction_in_python_is_the_cores_for_orders_of_many_ties(seed: int) -> None:
    draw = Random(seed)
    orders = [
        Order(n, f"p{n}", draw.choice(("bid", "offer")), 1_000 * draw.randint(1, 9),
              1_000 * draw.randint(-3, 9))
        for n in range(1, draw.randint(2, 30))
    ]  # fmt: skip
    outcome, rule = PayAsClear().clear(orders), auction(orders)
    assert rule.energy_milliwh == outcome.volume_milliwh
    price = outcome.price_micro_per_kwh
    assert price is None if not rule.energy_milliwh else rule.middle(1_000) == price
    assert not is_unlike_auction(orders, outcome.trades, 1_000)


ORDERS = [
    Order(1, "house", "bid", 5_000, 300_000),
    Order(2, "hut", "bid", 4_000, 180_000),
    Order(3, "roof", "offer", 3_000, 80_000),
    Order(4, "barn", "offer", 6_000, 150_000),
]
FILLS = (5_000, 4_000, 3_000, 6_000)


def traded(price: int, fills: tuple[int, ...] = FILLS) -> list[Trade]:
    both = zip(ORDERS, fills, strict=True)
    return [Trade(o.order_id, o.order_id, o.participant, o.side, f, price) for o, f in both if f]


def test_wrong_clearings_are_found() -> None:
    assert auction(ORDERS) == Auction(9_000, 150_000, 180_000)  # by hand, as docs/market.md shows
    assert not is_unlike_auction(ORDERS, traded(165_000), 1_000)
    one_cheaper = [*traded(165_000)[:3], Trade(4, 4, "barn", "offer", 6_000, 164_000)]
    stranger = [Trade(1, 9, "house", "bid", 5_000, 165_000), *traded(165_000)[1:]]
    for wrong in (
        traded(166_000),  # another price
        traded(165_000, (5_000, 3_000, 3_000, 6_000)),  # less bought than sold
        traded(165_000, (5_000, 3_000, 3_000, 5_000)),  # less than the rule gives
        traded(165_000, (6_000, 3_000, 3_000, 6_000)),  # beyond an order's energy
        one_cheaper,  # cash that comes from nowhere
        stranger,
        [],
    ):
        assert is_unlike_auction(ORDERS, wrong, 1_000)


def test_a_record_changed_after_signing_ends_the_day(tmp_path: Path) -> None:
    home = STREET.homes[0].name
    signer = OcmfSigner.from_seed(5, home, home)
    key = EnrolledKey(home, home, "ecdsa-p256", signer.public_key_der, 0)
    with Journal(tmp_path / "journal.sqlite") as journal:
        day = ZonedDay(STREET, journal, {home: key}, first=FIRST)
        edges = [STREET.begins_utc_s(FIRST + n) for n in (0, 1)]
        records = [signer.sign(n + 1, at, 0, 500_000 * n) for n, at in enumerate(edges)]
        day.begin({home: records[0]})
        forged = records[1].replace(b"500", b"900", 1)
        assert forged != records[1]
        assert not day.pass_slot({home: 2_000.0}, {home: forged})
        assert day.missing == 1
        assert journal.periods() == []


def test_a_home_that_the_map_forgets_is_named(day: ZonedDay) -> None:
    right = day.network
    east, *others = right.zones
    day.network = replace(right, zones=(replace(east, participants=()), *others))
    try:
        with pytest.raises(SettlementError, match="'east-house-10' traded in period 43"):
            books.settled(day)
    finally:
        day.network = right
