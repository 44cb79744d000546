"""Zones that the main grid is connected to: against a linear programme, and by hand.

GRIDRIG_CASES sets how many random networks the programme is tried on.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from gridrig.cli import main
from gridrig.errors import MarketError
from gridrig.market.auction import Order, Trade
from gridrig.market.mechanisms import PayAsClear
from gridrig.market.outcome import LinkOutcome, Outcome, ZoneOutcome
from gridrig.market.zonal_clearing import check_flows, clear_in_zones
from gridrig.market.zones import Link, Network, Zone
from gridrig.promises.zonal_optimum import ZonalOptimum

LOT, TICK = 1_000, 1_000
NAMES = ("hill", "valley", "harbour")
CASES = int(os.environ.get("GRIDRIG_CASES", "60"))
TWO = Network(
    (Zone("hill"), Zone("valley")),
    (
        Link("hill", "valley", 4_000_000, 4_000_000, 20_000, 20_000),
        Link("grid", "valley", forward_fee_micro_per_kwh=30_000),
    ),
    "grid",
)


def drawn(seed: int) -> tuple[list[Order], list[str | None], Network]:
    """Draw a market of three zones, a main grid and links with loops."""
    draw = Random(seed)

    def limit() -> int | None:
        return draw.randint(0, 20) * LOT if draw.random() < 0.3 else None

    def link(first: str, second: str) -> Link:
        limits = [draw.randint(0, 12) * LOT for _ in range(2)]
        fees = [draw.randint(0, 9) * TICK for _ in range(2)]
        return Link(first, second, *limits, *fees)

    pairs = [draw.sample(NAMES, 2) for _ in range(draw.randint(0, 4))]
    with_grid = [zone for zone in NAMES if draw.random() < 0.7]
    network = Network(
        tuple(Zone(name, limit(), limit()) for name in NAMES),
        (*(link(*pair) for pair in pairs), *(link("grid", zone) for zone in with_grid)),
        "grid",
    )
    places: list[str | None] = [draw.choice(NAMES) for _ in range(draw.randint(1, 30))]
    orders = [
        Order(n, f"p{n}", draw.choice(["bid", "offer"]), LOT * draw.randint(1, 9),
              TICK * draw.randint(-9, 40))
        for n in range(len(places))
    ]  # fmt: skip
    feed_in = draw.randint(-3, 15)
    orders.append(Order(900, "grid", "bid", 50 * LOT, TICK * feed_in))
    orders.append(Order(901, "grid", "offer", 50 * LOT, TICK * (feed_in + draw.randint(1, 20))))
    return orders, [*places, None, None], network.complete()


def welfare_of(orders: list[Order], outcome: Outcome) -> int:
    limit_of = {order.order_id: order.price_micro_per_kwh for order in orders}
    worth = sum(
        trade.energy_milliwh * limit_of[trade.order_id] * (1 if trade.side == "bid" else -1)
        for trade in outcome.trades
    )
    return worth - sum(abs(x.net_milliwh) * x.fee_micro_per_kwh for x in outcome.links)


@pytest.mark.parametrize("seed", range(CASES))
def test_highs_finds_the_same_welfare_and_the_same_prices(seed: int) -> None:
    orders, places, network = drawn(seed)
    outcome = clear_in_zones(PayAsClear(LOT, TICK), orders, places, network)
    optimum = ZonalOptimum(orders, places, network, LOT)
    assert welfare_of(orders, outcome) == optimum.welfare_pico()
    for zone in outcome.zones:
        if zone.price_micro_per_kwh is not None:
            least, largest = optimum.price_bounds(zone.name)
            assert least is None or least <= zone.price_micro_per_kwh
            assert largest is None or zone.price_micro_per_kwh <= largest


def test_most_prices_of_the_drawn_markets_are_unique() -> None:
    unique = 0
    for seed in range(20):
        optimum = ZonalOptimum(*drawn(seed), LOT)
        bounds = map(optimum.price_bounds, NAMES)
        unique += sum(least is not None and least == largest for least, largest in bounds)
    assert unique >= 30, "prices that may be anything prove nothing"


def test_a_full_link_parts_two_zones_as_by_hand() -> None:
    orders = [
        Order(1, "roof", "offer", 10_000_000, 100_000),
        Order(2, "mill", "bid", 8_000_000, 400_000),
        Order(3, "grid", "offer", 50_000_000, 300_000),
        Order(4, "grid", "bid", 50_000_000, 80_000),
    ]
    outcome = clear_in_zones(PayAsClear(), orders, ["hill", "valley", None, None], TWO)
    # The hill sells 4 kWh, all that the link carries, at its own offer of 0.10; the valley buys 4
    # more of the main grid, at 0.30 and the fee of 0.03. So the full link is worth 0.33 - 0.10, of
    # which 0.02 is its fee and 4 kWh x 0.21 = 0.84 is rent. It pays 4 x 0.02 + 4 x 0.03 in fees.
    assert [zone.price_micro_per_kwh for zone in outcome.zones] == [100_000, 330_000]
    assert [(x.name, x.net_milliwh, x.fee_micro) for x in outcome.links] == [
        ("hill-valley", 4_000_000, 80_000),
        ("grid-valley", 4_000_000, 120_000),
        ("grid-hill", 0, 0),
    ]
    assert (outcome.fees_micro, outcome.rent_micro) == (200_000, 840_000)
    assert outcome.price_micro_per_kwh is None


def test_the_main_grid_carries_nothing_from_one_zone_to_another() -> None:
    apart = Network((Zone("hill"), Zone("valley")), (), "grid")
    orders = [
        Order(1, "roof", "offer", 5_000, 0),
        Order(2, "mill", "bid", 5_000, 400_000),
        Order(3, "grid", "offer", 50_000, 300_000),
        Order(4, "grid", "bid", 50_000, 80_000),
    ]
    outcome = clear_in_zones(PayAsClear(), orders, ["hill", "valley", None, None], apart)
    assert [zone.price_micro_per_kwh for zone in outcome.zones] == [80_000, 300_000]
    assert [link.net_milliwh for link in outcome.links] == [-5_000, 5_000]


def test_the_command_clears_with_a_main_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones, orders = tmp_path / "zones.toml", tmp_path / "orders.csv"
    zones.write_text(
        'main_grid = "grid"\n[[zone]]\nname = "hill"\n[[zone]]\nname = "valley"\n[[link]]\n'
        'between = ["hill", "valley"]\nlimit_milliwh = 2000\nfinancial = true\n'
    )
    orders.write_text(
        "order_id,participant,side,energy_milliwh,price_micro_per_kwh,zone\n"
        "1,roof,offer,5000,0,hill\n2,mill,bid,4000,400000,valley\n"
        "3,grid,offer,9000,300000,grid\n4,grid,bid,9000,80000,grid\n"
    )
    assert main(["clear", str(orders), "--network", str(zones)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1:] == [
        "1,1,roof,offer,5000,80000,hill,2000",
        "2,2,mill,bid,4000,300000,valley,2000",
        "3,3,grid,offer,2000,300000,,0",
        "4,4,grid,bid,3000,80000,,0",
    ]
    assert printed.err.splitlines() == [
        "zone hill: 80000 micro/kWh, bought 0 mWh, sold 5000 mWh",
        "zone valley: 300000 micro/kWh, bought 4000 mWh, sold 0 mWh",
        "link hill-valley: 2000 mWh, fee 0 micro",
        "link grid-hill: -3000 mWh, fee 0 micro",
        "link grid-valley: 2000 mWh, fee 0 micro",
        "fees 0 micro, rent 440 micro",
        "financial only: 2000 mWh",
    ]


@pytest.mark.parametrize("zone", ["grid sells", "grid buys", "hills"])
def test_an_order_in_the_main_grid_s_own_half_is_refused_as_one_in_no_zone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], zone: str
) -> None:
    zones, orders = tmp_path / "zones.toml", tmp_path / "orders.csv"
    zones.write_text(
        'main_grid = "grid"\n[[zone]]\nname = "hill"\n[[link]]\n'
        'between = ["grid", "hill"]\nfee_micro_per_kwh = 20000\n'
    )
    orders.write_text(
        "order_id,participant,side,energy_milliwh,price_micro_per_kwh,zone\n"
        f"1,free-rider,bid,2000,310000,{zone}\n2,grid,offer,9000,300000,grid\n"
        f"3,free-rider,offer,2000,0,{zone}\n4,grid,bid,9000,80000,grid\n"
    )
    assert main(["clear", str(orders), "--network", str(zones)]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1, "no trade"
    assert printed.err.count("market.zone_unknown") == 2


@pytest.mark.parametrize(
    ("zones", "links", "told"),
    [
        ((), ((3_000, 0, 0),), "it tells of 0 zones and 1 links"),
        (None, ((2_000, 20, 10_000),), "zones are left with"),
        (None, ((9_000, 0, 0),), "carries 9000 mWh, beyond 4000"),
        (None, ((3_000, 30, 5_000),), "charges 5000 micro/kWh, not 10000"),
        (None, ((3_000, 31, 10_000),), "charges 31 micro, not 30"),
    ],
)
def test_flows_that_nobody_could_carry_are_refused(
    zones: tuple[ZoneOutcome, ...] | None, links: tuple[tuple[int, int, int], ...], told: str
) -> None:
    network = Network(
        (Zone("hill"), Zone("valley", import_milliwh_max=3_000)),
        (Link("hill", "valley", 4_000, 4_000, 10_000, 10_000),),
    )
    orders = [Order(1, "roof", "offer", 3_000, 0), Order(2, "mill", "bid", 3_000, 90_000)]
    places = ["hill", "valley"]
    right = PayAsClear().clear_zones(orders, places, network)
    check_flows("right", orders, places, right, network)
    wrong = Outcome(
        right.trades,
        zones=right.zones if zones is None else zones,
        links=tuple(LinkOutcome("hill-valley", *one) for one in links),
        volume_milliwh=right.volume_milliwh,
    )
    with pytest.raises(MarketError, match=told) as refused:
        check_flows("wrong", orders, places, wrong, network)
    assert refused.value.code == "market.outcome_false"


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        (("valley", "hill"), "it tells of zone valley in the place of hill"),
        (("hill", "hill"), "it tells of zone hill in the place of valley"),
    ],
)
def test_zones_that_are_told_of_in_another_order_are_refused(
    zones: tuple[str, ...], told: str
) -> None:
    orders = [Order(1, "roof", "offer", 3_000, 0), Order(2, "mill", "bid", 3_000, 90_000)]
    places, network = ["hill", "valley"], Network(TWO.zones, (Link("hill", "valley"),))
    right = PayAsClear().clear_zones(orders, places, network)
    named = {one.name: one for one in right.zones}
    wrong = replace(right, zones=tuple(named[name] for name in zones))
    with pytest.raises(MarketError, match=told):
        check_flows("wrong", orders, places, wrong, network)


@pytest.mark.parametrize("change", [{"bought_milliwh": 1_000}, {"sold_milliwh": 0}])
def test_what_a_zone_is_said_to_have_traded_is_what_its_trades_say(change: dict[str, int]) -> None:
    orders = [Order(1, "roof", "offer", 3_000, 0), Order(2, "mill", "bid", 3_000, 90_000)]
    places, network = ["hill", "valley"], Network(TWO.zones, (Link("hill", "valley"),))
    right = PayAsClear().clear_zones(orders, places, network)
    hill, valley = right.zones
    wrong = replace(right, zones=(replace(hill, **change), valley))
    with pytest.raises(MarketError, match=r"zone hill is said .*, its trades say \(0, 3000\)"):
        check_flows("wrong", orders, places, wrong, network)


@dataclass(frozen=True)
class RoundAndRound(PayAsClear):
    """A mechanism that lets the main grid sell to a zone what it buys there."""

    def clear_zones(
        self, orders: Sequence[Order], zone: Sequence[str], network: Network
    ) -> Outcome:
        trades = tuple(
            Trade(n, o.order_id, o.participant, o.side, 2_000, 100_000)
            for n, o in enumerate(orders, 1)
        )
        return Outcome(
            trades,
            volume_milliwh=4_000,
            zones=tuple(
                ZoneOutcome(
                    own.name,
                    100_000,
                    2_000 if own.name in ("hill", "grid buys") else 0,
                    2_000 if own.name in ("hill", "grid sells") else 0,
                )
                for own in network.zones
            ),
            links=(LinkOutcome("there", 2_000, 0), LinkOutcome("back", 2_000, 0)),
        )


def test_a_link_that_carries_both_ways_at_once_is_refused() -> None:
    orders = [
        Order(n, who, side, 2_000, 100_000)
        for n, (who, side) in enumerate(
            (("hut", "bid"), ("roof", "offer"), ("grid", "bid"), ("grid", "offer"))
        )
    ]
    places = ["hill", "hill", None, None]
    network = Network((Zone("hill"),), (), "grid")
    with pytest.raises(MarketError, match="link grid-hill carries both ways at once"):
        clear_in_zones(RoundAndRound(), orders, places, network)


def test_a_zone_beyond_its_own_limit_is_refused() -> None:
    network = Network(
        (Zone("hill"), Zone("valley", import_milliwh_max=2_000)), (Link("hill", "valley"),)
    )
    orders = [Order(1, "roof", "offer", 3_000, 0), Order(2, "mill", "bid", 3_000, 90_000)]
    wide = Network((Zone("hill"), Zone("valley")), network.links)
    outcome = PayAsClear().clear_zones(orders, ["hill", "valley"], wide)
    with pytest.raises(MarketError, match="zone valley gives -3000 mWh, beyond its limit"):
        check_flows("wrong", orders, ["hill", "valley"], outcome, network)
