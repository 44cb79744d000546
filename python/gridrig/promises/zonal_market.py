"""A market in zones, made again from its orders and from what the meters signed.

Clearings are judged by the linear programme, money by plain sums, and what is financial only by the
sums of each zone: where no wire joins two zones, it is what is left when everybody has traded
within its zone, and then with the main grid, as much as both sides did.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gridrig.campaign.loop import Loop
from gridrig.campaign.trading import Cleared
from gridrig.campaign.zoned_bills import in_zones
from gridrig.market.zones import Link, Network
from gridrig.promises.bills_again import utility_bills
from gridrig.promises.zonal_optimum import ZonalOptimum
from gridrig.rig.network_tables import NetworkTables
from gridrig.settlement.bills import Bill

PICO = 1_000_000
"""Of them in a millionth."""
Sums = Counter[tuple[str | None, str]]
"""Energy by zone, None for the main grid, and side. [mWh]"""


@dataclass(frozen=True)
class ZonalChecked:
    """All periods of a run, each figure at its worst.

    Parameters
    ----------
    links_full : int
        Periods in which a link carried all that it may.
    welfare_unlike_pico : int
        Welfare of trades and flows against the optimum. [10^-12 of the currency]
    prices_unlike_micro : int
        How far a price is outside those that support the optimum. [millionths/kWh]
    prices_unique : int
        Prices of which there is only one.
    flows_unlike_milliwh : int
        What a zone gave against what its links took from it, and what a link carried beyond its
        limit. [mWh]
    trades_unlike_micro : int
        Price of a trade against that of its zone. [millionths/kWh]
    fees_unlike_micro : int
        Account of a link against what it carried, by its fee. [millionths]
    rent_unlike_micro : int
        Account of the rent against what buyers paid beyond sellers and fees. [millionths]
    marks_unlike_milliwh, financial_only_milliwh : int
        Of a period, what the trades are marked with against the sums of the zones; and that of the
        run. [mWh]
    """

    links_full: int
    welfare_unlike_pico: int
    prices_unlike_micro: int
    prices_unique: int
    flows_unlike_milliwh: int
    trades_unlike_micro: int
    fees_unlike_micro: int
    rent_unlike_micro: int
    marks_unlike_milliwh: int
    financial_only_milliwh: int


def zone_of(tables: NetworkTables) -> dict[str, str]:
    """Return the zone of each participant that a scenario lists."""
    return {name: zone.name for zone in tables.zone for name in zone.participants}


def zonal_checked(loop: Loop, tables: NetworkTables) -> ZonalChecked:
    """Make every period of a run again, from its orders and the zones of its scenario."""
    zones, network = zone_of(tables), tables.network().complete()
    checked = [_checked(one, zones, network, loop.trading.lot_milliwh)
               for one in loop.trading.cleared]  # fmt: skip
    balances = loop.account.journal.balances()
    fees, rent = _money(loop.trading.cleared, network)
    marks = [_marks(one, zones) for one in loop.trading.cleared]
    return ZonalChecked(
        links_full=sum(one.full for one in checked),
        welfare_unlike_pico=max(abs(one.welfare_unlike_pico) for one in checked),
        prices_unlike_micro=max(one.prices_unlike_micro for one in checked),
        prices_unique=sum(one.prices_unique for one in checked),
        flows_unlike_milliwh=max(one.flows_unlike_milliwh for one in checked),
        trades_unlike_micro=max(one.trades_unlike_micro for one in checked),
        fees_unlike_micro=max(
            abs(balances.get(f"link:{name}", 0) - fee) for name, fee in fees.items()
        ),
        rent_unlike_micro=abs(balances.get("congestion-rent", 0) - rent),
        marks_unlike_milliwh=max(abs(marked - due) for marked, due in marks),
        financial_only_milliwh=sum(due for _, due in marks),
    )


@dataclass(frozen=True)
class _Period:
    full: bool
    welfare_unlike_pico: int
    prices_unlike_micro: int
    prices_unique: int
    flows_unlike_milliwh: int
    trades_unlike_micro: int


def _checked(
    cleared: Cleared, zones: Mapping[str, str], network: Network, lot_milliwh: int
) -> _Period:
    orders = {order.order_id: order for order in cleared.orders}
    places = [zones.get(order.participant) for order in cleared.orders]
    optimum = ZonalOptimum(cleared.orders, places, network, lot_milliwh)
    price_of = {one.name: one.price_micro_per_kwh for one in cleared.zones}
    welfare = -sum(abs(one.net_milliwh) * one.fee_micro_per_kwh for one in cleared.links)
    given: Counter[str] = Counter()
    unlike_price = [0]
    for trade in cleared.trades:
        sign = 1 if trade.side == "bid" else -1
        welfare += sign * trade.energy_milliwh * orders[trade.order_id].price_micro_per_kwh
        zone = zones.get(trade.participant)
        if zone is not None:
            given[zone] -= sign * trade.energy_milliwh
            unlike_price.append(abs(trade.price_micro_per_kwh - (price_of[zone] or 0)))
    bounds = {name: optimum.price_bounds(name) for name in price_of}
    return _Period(
        any(_is_full(one.net_milliwh, link, lot_milliwh)
            for one, link in zip(cleared.links, network.links, strict=True)),
        welfare - (optimum.welfare_pico() or 0),
        max(_outside(price, *bounds[name]) for name, price in price_of.items()),
        sum(least is not None and least == most for least, most in bounds.values()),
        _unlike_flows(cleared, given, network),
        max(unlike_price),
    )  # fmt: skip


def _outside(price: int | None, least: int | None, most: int | None) -> int:
    """Return how far a price is from the nearest that supports the optimum; 0 for no price."""
    if price is None:
        return 0
    below = 0 if least is None else least - price
    above = 0 if most is None else price - most
    return max(0, below, above)


def _limit(net_milliwh: int, link: Link) -> int:
    return link.forward_milliwh_max if net_milliwh >= 0 else link.backward_milliwh_max


def _is_full(net_milliwh: int, link: Link, lot_milliwh: int) -> bool:
    return 0 < _limit(net_milliwh, link) < abs(net_milliwh) + lot_milliwh


def _unlike_flows(cleared: Cleared, given: Mapping[str, int], network: Network) -> int:
    """Return the worst of what a zone gave and its links did not take, or a link had too much."""
    left, beyond = Counter(given), [0]
    for one, link in zip(cleared.links, network.links, strict=True):
        left[link.first] -= one.net_milliwh
        left[link.second] += one.net_milliwh
        beyond.append(abs(one.net_milliwh) - _limit(one.net_milliwh, link))
    zones = (abs(left[zone.name]) for zone in network.zones)
    return max(*beyond, *zones)


def _money(periods: Sequence[Cleared], network: Network) -> tuple[dict[str, int], int]:
    """Return what each link is owed, and what buyers paid beyond that and the sellers. [millionths]

    Lots times ticks are whole millionths, so nothing is rounded.
    """
    names = network.link_names()
    pico = dict.fromkeys(names, 0)
    left = 0
    for cleared in periods:
        for name, one, link in zip(names, cleared.links, network.links, strict=True):
            forward = one.net_milliwh >= 0
            fee = link.forward_fee_micro_per_kwh if forward else link.backward_fee_micro_per_kwh
            pico[name] += abs(one.net_milliwh) * fee
        for trade in cleared.trades:
            worth = trade.energy_milliwh * trade.price_micro_per_kwh
            left += worth if trade.side == "bid" else -worth
    fees = {name: fee // PICO for name, fee in pico.items()}
    return fees, left // PICO - sum(fees.values())


def _marks(cleared: Cleared, zones: Mapping[str, str]) -> tuple[int, int]:
    """Return what the trades of a period are marked with, and what the sums of the zones give."""
    sums: Sums = Counter()
    for trade in cleared.trades:
        sums[zones.get(trade.participant), trade.side] += trade.energy_milliwh
    marked = (cleared.marks or {}).values()
    return sum(mark.financial_only_milliwh for mark in marked) // 2, _financial(sums)


def _financial(sums: Sums) -> int:
    """Return what no wire brings: the lesser of what zones have left after the main grid. [mWh]"""
    names = {zone for zone, _ in sums if zone is not None}
    left = [sums[zone, "offer"] - sums[zone, "bid"] for zone in names]
    sold, bought = (sum(max(0, sign * one) for one in left) for sign in (1, -1))
    return min(sold - min(sold, sums[None, "bid"]), bought - min(bought, sums[None, "offer"]))


def zoned_bills(loop: Loop, tables: NetworkTables) -> list[Bill]:
    """Return everybody's bill with its zone, as `gridrig bills` makes them."""
    assert loop.trading.network is not None, f"{len(tables.zone)} zones"
    path = loop.account.journal.path
    return in_zones(utility_bills(loop, path), path, loop.trading.network)


def bills_unlike_signed_milliwh(loop: Loop, tables: NetworkTables, made: Sequence[Bill]) -> int:
    """Return how far the bills of a zone are from what its meters signed of its trades. [mWh]

    Each zone's energy is what was sold and given, or bought and taken; with two zones all that is
    financial only is at either end of it.
    """
    zones = zone_of(tables)
    due = sum(_financial(sums) for sums in _met(loop, zones))
    told: Counter[str] = Counter()
    for bill in made:
        right = zones[bill.participant] == bill.zone
        told[bill.zone if right else ""] += bill.financial_only_milliwh or 0
    return max(told[""], *(abs(told[zone.name] - due) for zone in tables.zone))


def _met(loop: Loop, zones: Mapping[str, str]) -> Iterator[Sums]:
    """Yield by period what of the trades is in the registers of those who made them."""
    trades = {one.period.index: one.trades for one in loop.trading.cleared}
    for settled in loop.account.settled:
        traded: Counter[tuple[str, str]] = Counter()
        for trade in trades[settled.period]:
            traded[trade.participant, trade.side] += trade.energy_milliwh
        sums: Sums = Counter()
        for meter in settled.meters:
            for side, counted in (("offer", meter.export_milliwh), ("bid", meter.import_milliwh)):
                met = min(traded[meter.participant, side], counted)
                sums[zones.get(meter.participant), side] += met
        yield sums
