"""A clearing in zones that the main grid is connected to, and what is checked of its flows.

A mechanism clears zones and links. The main grid is no zone: it trades with every zone, and carries
nothing from one to another. So it is cleared as two zones, one that sells and one that buys, and
put together again afterwards.
"""

from collections.abc import Sequence
from dataclasses import replace

from gridrig._core import Order
from gridrig.errors import MarketError
from gridrig.market.mechanisms import ZonalMechanism
from gridrig.market.outcome import LinkOutcome, Outcome
from gridrig.market.zones import Link, Network

MICRO = 1_000_000


def clear_in_zones(
    mechanism: ZonalMechanism,
    orders: Sequence[Order],
    places: Sequence[str | None],
    network: Network,
) -> Outcome:
    """Clear the orders of one delivery period in the zones of a network.

    Parameters
    ----------
    mechanism : ZonalMechanism
    orders : sequence of Order
    places : sequence of str or None
        The zone of each order; None for the main grid.
    network : Network

    Returns
    -------
    Outcome
        Of the zones that have a name, and of all links of `network.complete()`, each with the net
        of its two ways. One price only if all trades are at one.

    Raises
    ------
    MarketError
        `market.outcome_false`, as `check_flows`; what the mechanism raises.
    """
    whole = network.complete()
    flat, ways = whole.flat
    sells, buys = whole.main_grid_zones()
    # The two zones of the main grid are nobody's place: who names one is in no zone.
    known = {own.name: own.name for own in whole.zones}
    zone = [
        (sells if order.side == "offer" else buys)
        if place is None
        else known.get(place, f"no {sells}")
        for order, place in zip(orders, places, strict=True)
    ]
    outcome = mechanism.clear_zones(orders, zone, flat)
    told_by = type(mechanism).__name__
    check_flows(told_by, orders, zone, outcome, flat)
    prices = {trade.price_micro_per_kwh for trade in outcome.trades}
    return replace(
        outcome,
        price_micro_per_kwh=prices.pop() if len(prices) == 1 else None,
        zones=outcome.zones[: len(whole.zones)],
        links=tuple(
            _joined(told_by, name, [(outcome.links[place], sign) for place, sign in way])
            for name, way in zip(whole.link_names(), ways, strict=True)
        ),
    )


def _joined(mechanism: str, name: str, parts: Sequence[tuple[LinkOutcome, int]]) -> LinkOutcome:
    """Return what a link carried, of whose two ways only one may carry anything."""
    used, sign = max(parts, key=lambda part: abs(part[0].net_milliwh))
    if any(one.net_milliwh for one, _ in parts if one is not used):
        raise _false(mechanism, f"link {name} carries both ways at once")
    return replace(used, name=name, net_milliwh=sign * used.net_milliwh)


def check_flows(
    mechanism: str,
    orders: Sequence[Order],
    zone: Sequence[str],
    outcome: Outcome,
    network: Network,
) -> None:
    """Check what is told of zones, that flows balance each, keep the limits, and cost their fees.

    Raises
    ------
    MarketError
        `market.outcome_false`, with the first rule broken.
    """
    if fault := _fault(orders, zone, outcome, network):
        raise _false(mechanism, fault)


def _false(mechanism: str, fault: str) -> MarketError:
    return MarketError(
        "market.outcome_false",
        "mechanism {mechanism} cleared what no link carries: {fault}",
        mechanism=mechanism,
        fault=fault,
    )


def _fault(orders: Sequence[Order], zone: Sequence[str], outcome: Outcome, network: Network) -> str:
    if len(outcome.links) != len(network.links) or len(outcome.zones) != len(network.zones):
        told = f"{len(outcome.zones)} zones and {len(outcome.links)} links"
        return f"it tells of {told}, not of {len(network.zones)} and {len(network.links)}"
    place_of = {order.order_id: place for order, place in zip(orders, zone, strict=True)}
    sold = {own.name: 0 for own in network.zones}
    bought = dict(sold)
    for trade in outcome.trades:
        place = place_of.get(trade.order_id)
        if place not in sold:
            return f"trade {trade.trade_id} fills order {trade.order_id}, which is in no zone"
        side = sold if trade.side == "offer" else bought
        side[place] += trade.energy_milliwh
    for own, told_of in zip(network.zones, outcome.zones, strict=True):
        if told_of.name != own.name:
            return f"it tells of zone {told_of.name} in the place of {own.name}"
        traded = (bought[own.name], sold[own.name])
        if (told_of.bought_milliwh, told_of.sold_milliwh) != traded:
            said = f"{told_of.bought_milliwh} mWh bought and {told_of.sold_milliwh} sold"
            return f"zone {own.name} is said to have {said}, its trades say {traded}"
    left = {name: energy - bought[name] for name, energy in sold.items()}
    for own in network.zones:
        most, least = own.export_milliwh_max, own.import_milliwh_max
        if (most is not None and left[own.name] > most) or (
            least is not None and -left[own.name] > least
        ):
            return f"zone {own.name} gives {left[own.name]} mWh, beyond its limit"
    for link, found in zip(network.links, outcome.links, strict=True):
        if fault := _link_fault(link, found):
            return f"link {found.name} {fault}"
        left[link.first] -= found.net_milliwh
        left[link.second] += found.net_milliwh
    unmet = {name: energy for name, energy in left.items() if energy}
    return f"zones are left with {unmet} mWh" if unmet else ""


def _link_fault(link: Link, found: LinkOutcome) -> str:
    forward = found.net_milliwh >= 0
    most = link.forward_milliwh_max if forward else link.backward_milliwh_max
    fee = link.forward_fee_micro_per_kwh if forward else link.backward_fee_micro_per_kwh
    if abs(found.net_milliwh) > most:
        return f"carries {found.net_milliwh} mWh, beyond {most}"
    if found.net_milliwh and found.fee_micro_per_kwh != fee:
        return f"charges {found.fee_micro_per_kwh} micro/kWh, not {fee}"
    # One line, rounded half up, as everywhere.
    charged = (2 * abs(found.net_milliwh) * found.fee_micro_per_kwh + MICRO) // (2 * MICRO)
    return "" if found.fee_micro == charged else f"charges {found.fee_micro} micro, not {charged}"
