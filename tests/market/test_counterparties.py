"""Who delivers to whom, against sums by zone and networkx's maximum flow."""

from collections import Counter
from random import Random

import networkx
import pytest

from gridrig.errors import MarketError
from gridrig.market.auction import Trade
from gridrig.market.counterparties import Match, counterparties
from gridrig.market.zones import Link, Network, Zone

NAMES = ("hill", "valley", "harbour", "moor")


def drawn(seed: int) -> tuple[list[Trade], list[str | None], Network]:
    """Draw zones with links of either kind, and trades in them and of the main grid."""
    draw = Random(seed)
    pairs = [(a, b) for a in NAMES for b in NAMES if a < b]
    links = tuple(
        Link(a, b, draw.randint(0, 9), draw.randint(0, 9), financial=draw.random() < 0.3)
        for a, b in draw.sample(pairs, draw.randint(0, len(pairs)))
    )
    zones: list[str | None] = [draw.choice((*NAMES, None)) for _ in range(30)]
    trades = [
        Trade(number, number, f"p{number}", draw.choice(("bid", "offer")), draw.randint(1, 9), 1)
        for number in draw.sample(range(100), len(zones))
    ]
    return trades, zones, Network(tuple(map(Zone, NAMES)), links)


def carried_at_most(left: dict[str, int], network: Network) -> int:
    graph = networkx.DiGraph()
    for name, energy in left.items():
        graph.add_edge(*(("from", name) if energy > 0 else (name, "to")), capacity=abs(energy))
    for link in (one for one in network.links if not one.financial):
        graph.add_edge(link.first, link.second, capacity=link.forward_milliwh_max)
        graph.add_edge(link.second, link.first, capacity=link.backward_milliwh_max)
    both = {"from", "to"} <= set(graph)
    return int(networkx.maximum_flow_value(graph, "from", "to")) if both else 0


def energy_of(matches: list[Match], delivery: str, *, seller: str = "", buyer: str = "") -> int:
    return sum(
        one.energy_milliwh
        for one in matches
        if one.delivery == delivery
        and seller in ("", one.seller_zone)
        and buyer in ("", one.buyer_zone)
    )


@pytest.mark.parametrize("seed", range(60))
def test_prop_each_kind_is_as_much_as_it_can_be_and_financial_only_is_what_is_left(
    seed: int,
) -> None:
    trades, zones, network = drawn(seed)
    found = counterparties(trades, zones, network)
    sums: Counter[tuple[str | None, str]] = Counter()
    for trade, zone in zip(trades, zones, strict=True):
        sums[zone, trade.side] += trade.energy_milliwh
    left = {name: sums[name, "offer"] - sums[name, "bid"] for name in NAMES}
    for name in NAMES:
        local = energy_of(found, "local", seller=name)
        assert local == min(sums[name, "offer"], sums[name, "bid"])
        assert local == energy_of(found, "local", buyer=name)
    carried = energy_of(found, "carried")
    assert carried == carried_at_most(left, network)
    sold = sum(energy for energy in left.values() if energy > 0) - carried
    bought = -sum(energy for energy in left.values() if energy < 0) - carried
    to_grid, from_grid = min(sold, sums[None, "bid"]), min(bought, sums[None, "offer"])
    assert energy_of(found, "main-grid") == to_grid + from_grid
    assert energy_of(found, "financial-only") == min(sold - to_grid, bought - from_grid)


@pytest.mark.parametrize("seed", range(20))
def test_prop_no_trade_is_matched_beyond_its_energy_and_their_order_is_of_no_account(
    seed: int,
) -> None:
    trades, zones, network = drawn(seed)
    found = counterparties(trades, zones, network)
    of = {trade.trade_id: (trade, zone) for trade, zone in zip(trades, zones, strict=True)}
    used: Counter[int] = Counter()
    for one in found:
        (seller, sold_in), (buyer, bought_in) = of[one.seller_trade_id], of[one.buyer_trade_id]
        assert (seller.side, buyer.side) == ("offer", "bid")
        assert (seller.participant, buyer.participant) == (one.seller, one.buyer)
        assert (sold_in, bought_in) == (one.seller_zone, one.buyer_zone)
        assert one.energy_milliwh > 0
        used[one.seller_trade_id] += one.energy_milliwh
        used[one.buyer_trade_id] += one.energy_milliwh
    assert all(energy <= of[number][0].energy_milliwh for number, energy in used.items())
    both = list(zip(trades, zones, strict=True))
    Random(seed).shuffle(both)
    assert counterparties([t for t, _ in both], [z for _, z in both], network) == found


def test_a_full_wire_makes_the_rest_financial_only() -> None:
    network = Network(
        (Zone("hill"), Zone("valley")),
        (Link("hill", "valley", 3, 3), Link("hill", "valley", financial=True)),
    )
    trades = [Trade(1, 1, "roof", "offer", 10, 1), Trade(2, 2, "mill", "bid", 8, 1)]
    found = counterparties(trades, ["hill", "valley"], network)
    assert [(one.energy_milliwh, one.delivery) for one in found] == [
        (3, "carried"),
        (5, "financial-only"),
    ]


def test_a_zone_that_there_is_not_is_refused() -> None:
    with pytest.raises(MarketError, match=r"zone 'sea', expected one of hill") as refused:
        counterparties([Trade(1, 1, "a", "bid", 1, 1)], ["sea"], Network((Zone("hill"),)))
    assert refused.value.code == "market.zone_unknown"
