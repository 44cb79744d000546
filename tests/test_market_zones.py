"""The clearing in zones, against HiGHS and against enumeration, and the files of `gridrig clear`.

GRIDRIG_CASES sets how many random networks each oracle is tried on.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from gridrig.campaign.clearing_command import clear_command, parameter
from gridrig.cli import main
from gridrig.errors import MarketError, RigError
from gridrig.market.auction import (
    AuctionRules,
    Order,
    clear_pay_as_bid,
    clear_pay_as_clear,
    pay_as_bid,
    pay_as_clear,
)
from gridrig.market.zones import Link, Network, ZonalClearing, Zone, clear_zonal, clear_zones
from gridrig.rig.zone_file import read_zones

LOT, TICK = 1_000, 1_000
RULES = AuctionRules(lot_milliwh=LOT, tick_micro_per_kwh=TICK)
CASES = int(os.environ.get("GRIDRIG_CASES", "200"))


def drawn(
    draw: Random, *, zones: int, links: int, orders: int, lots: int, ticks: int
) -> tuple[list[Order], list[int], Network]:
    """Draw a market: orders of a participant each, their zones, and a network with loops."""
    names = [f"z{number}" for number in range(zones)]

    def limit() -> int | None:
        return draw.randint(0, 2 * lots) * LOT if draw.random() < 0.3 else None

    network = Network(
        tuple(Zone(name, limit(), limit()) for name in names),
        tuple(
            Link(
                *draw.sample(names, 2),
                forward_milliwh_max=draw.randint(0, 2 * lots) * LOT,
                backward_milliwh_max=draw.randint(0, 2 * lots) * LOT,
                forward_fee_micro_per_kwh=draw.randint(0, ticks // 3) * TICK,
                backward_fee_micro_per_kwh=draw.randint(0, ticks // 3) * TICK,
            )
            for _ in range(links if zones > 1 else 0)
        ),
    )
    book = [
        Order(
            number,
            f"p{number}",
            draw.choice(["bid", "offer"]),
            LOT * draw.randint(1, lots),
            TICK * draw.randint(-ticks // 3, ticks),
        )
        for number in range(orders)
    ]
    return book, [draw.randrange(zones) for _ in book], network


def welfare_of(
    orders: list[Order], network: Network, fills: list[int], nets: list[tuple[int, int]]
) -> int:
    """Recompute a welfare in Python integers: bids less offers less fees, forward and back."""
    welfare = 0
    for order, fill in zip(orders, fills, strict=True):
        welfare += order.price_micro_per_kwh * fill * (1 if order.side == "bid" else -1)
    for link, (there, back) in zip(network.links, nets, strict=True):
        welfare -= link.forward_fee_micro_per_kwh * there + link.backward_fee_micro_per_kwh * back
    return welfare


def fits(
    orders: list[Order],
    zone: list[int],
    network: Network,
    fills: list[int],
    nets: list[tuple[int, int]],
) -> bool:
    """Return whether fills and flows keep every limit and balance every zone."""
    given = [0] * len(network.zones)
    for order, at, fill in zip(orders, zone, fills, strict=True):
        given[at] += fill if order.side == "offer" else -fill
        if not 0 <= fill <= order.energy_milliwh:
            return False
    left = given.copy()
    for link, (there, back) in zip(network.links, nets, strict=True):
        if not (0 <= there <= link.forward_milliwh_max and 0 <= back <= link.backward_milliwh_max):
            return False
        left[network.number(link.first)] -= there - back
        left[network.number(link.second)] += there - back
    within = (
        (own.export_milliwh_max is None or net <= own.export_milliwh_max)
        and (own.import_milliwh_max is None or -net <= own.import_milliwh_max)
        for own, net in zip(network.zones, given, strict=True)
    )
    return all(within) and not any(left)


def highs(
    orders: list[Order], zone: list[int], network: Network
) -> tuple[list[int], list[tuple[int, int]]]:
    """Solve the same market as a linear programme and round its vertex to whole lots."""
    count, links, zones = len(orders), len(network.links), len(network.zones)
    # Columns: one an order, two a link, one a zone for what it gives to all its links.
    width = count + 2 * links + zones
    cost, upper, lower = np.zeros(width), np.zeros(width), np.zeros(width)
    entries: list[tuple[int, int, float]] = []
    for column, (order, at) in enumerate(zip(orders, zone, strict=True)):
        sign = 1 if order.side == "offer" else -1
        cost[column], upper[column] = sign * order.price_micro_per_kwh, order.energy_milliwh / LOT
        entries.append((at, column, sign))
    for place, link in enumerate(network.links):
        ends = network.number(link.first), network.number(link.second)
        for back, most, fee in (
            (0, link.forward_milliwh_max, link.forward_fee_micro_per_kwh),
            (1, link.backward_milliwh_max, link.backward_fee_micro_per_kwh),
        ):
            column = count + 2 * place + back
            cost[column], upper[column] = fee, most / LOT
            entries += [(zones + ends[back], column, -1), (zones + ends[1 - back], column, 1)]
    for at, own in enumerate(network.zones):
        column = count + 2 * links + at
        upper[column] = np.inf if own.export_milliwh_max is None else own.export_milliwh_max / LOT
        lower[column] = -np.inf if own.import_milliwh_max is None else -own.import_milliwh_max / LOT
        entries += [(at, column, -1), (zones + at, column, 1)]
    rows, columns, values = zip(*entries, strict=True)
    solved = linprog(
        cost,
        A_eq=coo_array((values, (rows, columns)), shape=(2 * zones, width)).tocsr(),
        b_eq=np.zeros(2 * zones),
        bounds=np.column_stack([lower, upper]),
        method="highs",
    )
    assert solved.success, solved.message
    whole = [round(value) * LOT for value in solved.x.tolist()]
    flows = whole[count : count + 2 * links]
    return whole[:count], list(zip(flows[::2], flows[1::2], strict=True))


def ours(clearing: ZonalClearing) -> tuple[list[int], list[tuple[int, int]]]:
    nets = [(max(net, 0), max(-net, 0)) for net in clearing.columns.net_milliwh]
    return clearing.columns.filled_milliwh.tolist(), nets


@pytest.mark.parametrize("seed", range(CASES))
def test_highs_finds_no_larger_welfare(seed: int) -> None:
    draw = Random(seed)
    zones = draw.randint(1, 12)
    market = drawn(
        draw, zones=zones, links=2 * zones, orders=draw.randint(1, 120), lots=40, ticks=90
    )
    orders, zone, network = market
    found = ours(clear_zonal(orders, zone, network.native(), RULES))
    solved = highs(*market)
    assert fits(*market, *found)
    assert fits(*market, *solved), "HiGHS gave no vertex; its rounding proves nothing"
    assert welfare_of(orders, network, *found) == welfare_of(orders, network, *solved)


def test_highs_finds_no_larger_welfare_of_a_large_market() -> None:
    market = drawn(Random(7), zones=60, links=150, orders=3_000, lots=500, ticks=900)
    orders, zone, network = market
    clearing = clear_zonal(orders, zone, network.native(), RULES)
    solved = highs(*market)
    assert fits(*market, *solved)
    assert clearing.columns.welfare_pico == welfare_of(orders, network, *solved)


def everything(
    orders: list[Order], zone: list[int], network: Network
) -> Iterator[tuple[int, int, int]]:
    """Try every fill and every net flow; give (welfare, energy, -flow) of those that fit."""
    fills = [range(0, order.energy_milliwh + LOT, LOT) for order in orders]
    nets = [
        range(-link.backward_milliwh_max, link.forward_milliwh_max + LOT, LOT)
        for link in network.links
    ]
    for chosen in itertools.product(*nets):
        flows = [(max(net, 0), max(-net, 0)) for net in chosen]
        for fill in itertools.product(*fills):
            if fits(orders, zone, network, list(fill), flows):
                bought = sum(f for o, f in zip(orders, fill, strict=True) if o.side == "bid")
                welfare = welfare_of(orders, network, list(fill), flows)
                yield welfare, bought, -sum(map(sum, flows))


@pytest.mark.parametrize("seed", range(CASES // 2))
def test_enumeration_finds_nothing_better_then_larger_then_shorter(seed: int) -> None:
    market = drawn(Random(1_000 + seed), zones=3, links=3, orders=4, lots=1, ticks=4)
    clearing = clear_zonal(market[0], market[1], market[2].native(), RULES).columns
    carried = sum(map(abs, clearing.net_milliwh))
    best = max(everything(*market))
    assert (clearing.welfare_pico, clearing.volume_milliwh, -carried) == best


def test_columns_say_what_orders_say() -> None:
    orders, zone, network = drawn(Random(3), zones=4, links=6, orders=200, lots=9, ticks=9)
    columns = (
        np.array([order.order_id for order in orders], dtype=np.uint64),
        np.arange(len(orders), dtype=np.uint32),
        np.array([order.side == "bid" for order in orders]),
        np.array([order.energy_milliwh for order in orders]),
        np.array([order.price_micro_per_kwh for order in orders]),
    )
    plain, one = clear_pay_as_clear(orders, RULES), pay_as_clear(*columns, RULES)
    fills = {trade.order_id: trade.energy_milliwh for trade in plain.trades}
    assert one.filled_milliwh.tolist() == [fills.get(order.order_id, 0) for order in orders]
    assert (one.price_micro_per_kwh, one.welfare_pico) == (
        plain.price_micro_per_kwh,
        plain.welfare_pico,
    )
    pairs = pay_as_bid(*columns, RULES)
    told = [
        (orders[row].order_id, energy, price)
        for bid, offer, energy, price in zip(
            pairs.bid_row.tolist(),
            pairs.offer_row.tolist(),
            pairs.energy_milliwh.tolist(),
            pairs.price_micro_per_kwh.tolist(),
            strict=True,
        )
        for row in (bid, offer)
    ]
    assert told == [
        (trade.order_id, trade.energy_milliwh, trade.price_micro_per_kwh)
        for trade in clear_pay_as_bid(orders, RULES).trades
    ]
    by_zone = clear_zones(*columns, np.array(zone, dtype=np.uint32), network.native(), RULES)
    zonal = clear_zonal(orders, zone, network.native(), RULES).columns
    assert by_zone.filled_milliwh.tolist() == zonal.filled_milliwh.tolist()
    assert by_zone.price_micro_per_kwh == zonal.price_micro_per_kwh
    assert not one.filled_milliwh.flags.writeable
    with pytest.raises(MarketError, match="2 values for 200 orders"):
        pay_as_clear(columns[0], np.array([1, 2], dtype=np.uint32), *columns[2:], RULES)


# Bids and offers as (rate, energy): the inputs of two markets in gsy-framework's own test of its
# pay-as-clear (tests/test_matching_algorithms, GPL-3.0), of which it clears 20 and 95 kWh. Its
# participants trade with themselves there; here each order is its own participant's.
GSY = {
    "market1": (
        [(1, 10), (2, 15), (3, 20)],
        [(1.00001, 25), (5, 30), (2.4, 35)],
        (25, 45_000_000 - 250),
    ),
    "market2": ([(1.5, 40), (2, 45), (6, 50)], [(1, 55), (5, 60), (1, 65)], (120, 307_500_000)),
}


@pytest.mark.parametrize("name", GSY)
def test_the_optimum_of_gsys_own_markets_is_reached(name: str) -> None:
    bids, offers, (volume_kwh, welfare_micro) = GSY[name]
    drawn = [("bid", *one) for one in bids] + [("offer", *one) for one in offers]
    orders = [
        Order(number, f"p{number}", side, energy * 1_000_000, round(rate * 1_000_000))
        for number, (side, rate, energy) in enumerate(drawn)
    ]
    rules = AuctionRules(lot_milliwh=1_000, tick_micro_per_kwh=1)
    for clear in (clear_pay_as_clear, clear_pay_as_bid):
        clearing = clear(orders, rules)
        assert clearing.volume_milliwh == volume_kwh * 1_000_000
        assert clearing.welfare_pico == welfare_micro * 1_000_000


ZONES = """
[[zone]]
name = "hill"

[[zone]]
name = "valley"
import_milliwh_max = 9000000

[[link]]
between = ["hill", "valley"]
limit_milliwh = 4000000
fee_micro_per_kwh = 20000
"""
ORDERS = """order_id,participant,side,energy_milliwh,price_micro_per_kwh,zone
1,roof,offer,10000000,100000,hill
2,mill,bid,8000000,300000,valley
3,engine,offer,5000000,250000,valley
4,nomad,bid,1000,300000,sea
"""


def write(tmp_path: Path, zones: str = ZONES, orders: str = ORDERS) -> tuple[Path, Path]:
    files = tmp_path / "zones.toml", tmp_path / "orders.csv"
    files[0].write_text(zones)
    files[1].write_text(orders)
    return files


def test_the_command_clears_a_file_in_zones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones, orders = write(tmp_path)
    assert clear_command(orders, mechanism="zonal", network=zones) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1:] == [
        "1,1,roof,offer,4000000,100000",
        "2,2,mill,bid,8000000,250000",
        "3,3,engine,offer,4000000,250000",
    ]
    assert printed.err.splitlines() == [
        "order 4 refused: market.zone_unknown: found zone 'sea', "
        'expected one of "hill", "valley"',
        "zone hill: 100000 micro/kWh, bought 0 mWh, sold 4000000 mWh",
        "zone valley: 250000 micro/kWh, bought 8000000 mWh, sold 4000000 mWh",
        "link hill-valley: 4000000 mWh, fee 80000 micro",
        "fees 80000 micro, rent 520000 micro",
    ]


def test_what_no_wire_brings_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract = '\n[[link]]\nbetween = ["valley", "hill"]\nfinancial = true\n'
    zones, orders = write(tmp_path, ZONES.replace("fee_micro_per_kwh = 20000", "") + contract)
    assert clear_command(orders, mechanism="zonal", network=zones) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [  # 4 kWh of 8 go over the wire
        "trade_id,order_id,participant,side,energy_milliwh,price_micro_per_kwh,zone,"
        "financial_only_milliwh",
        "1,1,roof,offer,8000000,100000,hill,4000000",
        "2,2,mill,bid,8000000,100000,valley,4000000",
    ]
    assert printed.err.splitlines()[-1] == "financial only: 4000000 mWh"


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (('valley"]', 'dale"]'), "market.zone_file", "zones.toml:10: link[0].between"),
        (('name = "hill"', 'name = "valley"'), "market.zone_file", "twice"),
        (("[[zone]]\nname", "[[zone]]\nnamed"), "market.zone_file", "did you mean 'name'"),
        (("= 20000", "= -1"), "market.zone_file", "found -1, expected an integer from 0 to"),
        (
            ("= 20000", "= 20500"),
            "market.zone_file",
            "zones.toml:12: link[0].fee_micro_per_kwh: found 20500, expected a multiple of "
            "tick_micro_per_kwh = 1000",
        ),
        (
            ("= 20000", "= 20000\nback_fee_micro_per_kwh = 1"),
            "market.zone_file",
            "zones.toml:13: link[0].back_fee_micro_per_kwh: found 1",
        ),
    ],
)
def test_a_zone_file_that_does_not_hold_is_refused_with_its_lines(
    tmp_path: Path, change: tuple[str, str], code: str, told: str
) -> None:
    zones, orders = write(tmp_path, ZONES.replace(*change))
    with pytest.raises(RigError) as refused:
        clear_command(orders, mechanism="zonal", network=zones)
    assert refused.value.code == code
    assert told in str(refused.value)


def test_a_link_may_be_another_on_the_way_back(tmp_path: Path) -> None:
    more = 'back_limit_milliwh = 1000\nback_fee_micro_per_kwh = 7000\nname = "cable"\n'
    path, _ = write(tmp_path, ZONES + more)
    (link,) = read_zones(path).links
    assert link == Link("hill", "valley", 4_000_000, 1_000, 20_000, 7_000, "cable")
    (plain,) = read_zones(write(tmp_path)[0]).links
    assert plain == Link("hill", "valley", 4_000_000, 4_000_000, 20_000, 20_000)


def test_zones_where_there_are_none_and_none_where_there_are_zones_are_refused(
    tmp_path: Path,
) -> None:
    zones, orders = write(tmp_path)
    with pytest.raises(MarketError, match="or a network of zones beside a column zone"):
        clear_command(orders)
    with pytest.raises(MarketError, match="pay-as-bid clears no zones"):
        clear_command(orders, mechanism="pay-as-bid", network=zones)
    _, plain = write(
        tmp_path, orders="order_id,participant,side,energy_milliwh,price_micro_per_kwh\n"
    )
    with pytest.raises(MarketError, match="there are none"):
        clear_command(plain, mechanism="zonal")
    with pytest.raises(MarketError, match="price_micro_per_kwh,zone"):
        clear_command(plain, network=zones)


def test_parameters_of_the_command_line_are_checked_as_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parameter("ties=pro-rata") == ("ties", "pro-rata")
    assert parameter("seed=7") == ("seed", 7)
    with pytest.raises(ValueError, match="ties"):
        parameter("ties")
    _, orders = write(tmp_path)
    with pytest.raises(RigError, match=r'parameters\.ties: found "luck", expected'):
        clear_command(orders, parameters={"ties": "luck"})
    with pytest.raises(SystemExit):
        main(["clear", str(orders), "--set", "ties"])
    assert "argument --set: found 'ties', expected KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize("mechanism", ["pay-as-clear", "pay-as-bid", "zonal"])
@pytest.mark.parametrize(
    ("key", "found", "expected"),
    [
        ("seed", -1, "-1, expected an integer from 0 to 18446744073709551615"),
        ("seed", 2**64, "18446744073709551616, expected"),
        ("lot_milliwh", 0, "0, expected an integer from 1 to 1000000000000000"),
        ("lot_milliwh", 2**63, "9223372036854775808, expected"),
        ("tick_micro_per_kwh", 2**63, "9223372036854775808, expected"),
    ],
)
def test_a_number_that_no_auction_takes_is_refused_before_a_file_is_read(
    tmp_path: Path, mechanism: str, key: str, found: int, expected: str
) -> None:
    with pytest.raises(RigError) as refused:
        clear_command(tmp_path / "none.csv", mechanism=mechanism, parameters={key: found})
    assert refused.value.code == "market.mechanism"
    assert f"parameters.{key}: found {expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("zones", "links", "code"),
    [
        ([Zone("a"), Zone("a")], [], "market.zone_repeated"),
        ([Zone("a")], [Link("a", "b")], "market.link_zone"),
        ([Zone("a"), Zone("b")], [Link("a", "a")], "market.link_end"),
        ([Zone("a"), Zone("b")], [Link("a", "b", forward_milliwh_max=-1)], "market.link_limit"),
        ([], [], "market.zones_bound"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(
    zones: list[Zone], links: list[Link], code: str
) -> None:
    with pytest.raises(MarketError) as refused:
        Network(tuple(zones), tuple(links))
    assert refused.value.code == code
