"""Orders that their participants could not pay for are refused before they trade."""

import csv
from collections import Counter
from pathlib import Path

from small_street import rig_file, run_here, scenario_file

from gridrig._core import Order, SettlementRules, Trade
from gridrig.campaign.reserves import Reserves

FLOOR, CEILING = -100_000, 500_000
RULES = SettlementRules(
    long_price_micro_per_kwh=20_000,
    short_price_micro_per_kwh=400_000,
    floor_micro_per_kwh=FLOOR,
    ceiling_micro_per_kwh=CEILING,
)
KWH = 1_000_000
ROUNDING = 2  # millionths of a reserve beyond its exact amount: three lines that can round
DEPOSIT = 30_000


def held(deposit: int | None, *settled: int) -> Reserves:
    return Reserves([RULES], lambda name: None if name == "grid" else deposit, settled.__contains__)


def numbers(reserves: Reserves, *orders: Order, unsettled: tuple[Trade, ...] = ()) -> list[int]:
    covered, refused = reserves.cover(orders, unsettled)
    assert {one.code for one in refused} <= {"market.reserve_short"}
    assert len(covered) + len(refused) == len(orders)
    return [order.order_id for order in covered]


def test_an_order_is_taken_up_to_the_last_millionth_of_what_is_held() -> None:
    # Sold and not delivered: the ceiling less the price. Bought: the price, or the price less the
    # floor if nothing is taken.
    offer = Order(1, "solar", "offer", KWH, 80_000)
    bid = Order(2, "house", "bid", KWH, 80_000)
    for order, worst in ((offer, CEILING - 80_000), (bid, 80_000 - FLOOR)):
        assert numbers(held(worst + ROUNDING), order) == [order.order_id]
        assert numbers(held(worst + ROUNDING - 1), order) == []


def test_earlier_orders_and_unsettled_trades_are_held_for() -> None:
    bids = [Order(number, "house", "bid", KWH, 80_000) for number in (1, 2, 3)]
    one = 80_000 - FLOOR + ROUNDING
    assert numbers(held(2 * one), *bids) == [1, 2]
    # A smaller one behind still finds room, and another's order takes none.
    small = Order(4, "house", "bid", KWH // 2, 80_000)
    assert numbers(held(2 * one + one // 2 + 1), *bids, small) == [1, 2, 4]
    assert numbers(held(one), Order(9, "pub", "bid", KWH, 80_000), bids[0]) == [9, 1]
    trade = Trade(1, 7, "house", "bid", KWH, 80_000)
    assert numbers(held(2 * one), *bids, unsettled=(trade,)) == [1]


def test_the_main_grid_trades_without_a_bound() -> None:
    assert numbers(held(0), Order(1, "grid", "bid", 10**9, 400_000)) == [1]


def test_a_run_takes_no_order_beyond_what_was_paid_in(tmp_path: Path) -> None:
    terms = {
        "deposit_micro": DEPOSIT,
        "floor_micro_per_kwh": FLOOR,
        "ceiling_micro_per_kwh": CEILING,
    }
    scenario = scenario_file(tmp_path, settlement=terms)
    run_here(tmp_path, rig_file(tmp_path), scenario)
    with (tmp_path / "run" / "trades.csv").open(newline="") as file:
        trades = list(csv.DictReader(file))
    with (tmp_path / "run" / "orders.csv").open(newline="") as file:
        refused = Counter(row["refused"] for row in csv.DictReader(file))
    assert refused["market.reserve_short"] > 0
    # Both auctions are before anything is settled: the deposit covers the trades of both.
    worst: Counter[str] = Counter()
    for trade in trades:
        price, energy = int(trade["price_micro_per_kwh"]), int(trade["energy_milliwh"])
        dearest = CEILING - price if trade["side"] == "offer" else price - FLOOR
        worst[trade["participant"]] += dearest * energy // KWH
    assert {trade["period"] for trade in trades} == {"0", "1"}
    assert len(worst) > 2
    for name, micro in worst.items():
        assert name == "grid" or micro <= DEPOSIT, name
