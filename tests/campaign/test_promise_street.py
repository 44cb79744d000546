"""What judges row N5 finds what no device can do: wrong markets, books, maps and marks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from gridrig.campaign.relief import settled_trades, zone_reliefs
from gridrig.errors import SettlementError
from gridrig.market.auction import Order, Trade
from gridrig.market.mechanisms import PayAsClear
from gridrig.market.zones import Network
from gridrig.metering import EnrolledKey, OcmfSigner
from gridrig.promises import zoned_books as books
from gridrig.promises.double_auction import Auction, auction, is_unlike_auction
from gridrig.promises.plant_year import day_start_utc_s
from gridrig.promises.zoned_day import ZonedDay
from gridrig.promises.zoned_street import ZONES, ZonedStreet
from gridrig.settlement import Journal
from gridrig.settlement.audit import audit

FIRST, SLOTS = 43, 3  # three roofs fall out with the second of them
STREET = ZonedStreet.draw(1, day_start_utc_s(6))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZonedDay]:
    with Journal(tmp_path_factory.mktemp("street") / "journal.sqlite") as journal:
        found = ZonedDay(STREET, journal, first=FIRST)
        found.begin({})
        assert all(found.pass_slot({}, {}) for _ in range(SLOTS))
        yield found


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
    assert books.border_moved_wh(day, matches, "local", day.slots) > 10


def test_contracts_counted_as_relief_are_found(day: ZonedDay) -> None:
    signed = books.signed_slots(day)
    matches = {
        slot: [replace(match, delivery="local") for match in matched]
        for slot, matched in books.settled(day).items()
    }
    found = books.local_checked(day, signed, matches)
    assert found.unlike_wires_milliwh > 0
    assert found.unlike_signed_milliwh > 0
    assert found.beyond_feeder_wh > 100
    assert books.border_moved_wh(day, matches, "local", day.slots) > 1_000
    assert books.border_moved_wh(day, matches, "financial-only", day.slots) < 0.1


def test_energy_that_was_traded_and_not_given_is_no_relief(day: ZonedDay) -> None:
    signed, real = books.signed_slots(day), books.settled(day)
    more = {
        slot: [replace(matched[0], energy_milliwh=matched[0].energy_milliwh + 1), *matched[1:]]
        for slot, matched in real.items()
    }
    found = books.local_checked(day, signed, more)
    assert (found.unlike_signed_milliwh, found.unlike_sums_milliwh) == (1, 1)
    short = {slot: matched[:-1] for slot, matched in real.items()}
    assert books.local_checked(day, signed, short).unlike_sums_milliwh > 0


def test_a_payment_for_another_energy_than_the_signed_one_is_found(day: ZonedDay) -> None:
    signed = books.signed_slots(day)
    home = next(trade.participant for trade in day.slots[0].trades if trade.side == "offer")
    other = {**signed[0].given, home: signed[0].given[home] + 1_000}
    changed = [replace(signed[0], given=other), *signed[1:]]
    assert books.payments_unlike_signed_micro(day, changed) > 0
    assert books.metered_unlike_feeder_wh(day, changed) > 0.9


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
