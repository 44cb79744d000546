"""`gridrig clear`: a file of orders in, trades out, by any installed mechanism."""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridrig.errors import MarketError
from gridrig.market.counterparties import Mark, financial_only_milliwh, marks
from gridrig.market.mechanisms import LOT_MILLIWH, TICK_MICRO_PER_KWH, Mechanism, ZonalMechanism
from gridrig.market.orders_file import read_orders, read_zoned_orders, write_trades
from gridrig.market.outcome import Outcome, check_outcome
from gridrig.market.zonal_clearing import clear_in_zones
from gridrig.rig.issues import At, Issues
from gridrig.rig.mechanism_fit import make_mechanism
from gridrig.rig.zone_file import read_zones
from gridrig.suggestions import one_of

COMMAND_LINE = "command line"


def clear_command(
    path: Path | str,
    *,
    mechanism: str = "pay-as-clear",
    network: Path | str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> int:
    """Clear a file of orders: trades to standard output, all else to standard error.

    Parameters
    ----------
    path : Path or str
        The orders, see `gridrig.market.orders_file`; with a column `zone` if there is a network.
    mechanism : str
        An installed mechanism.
    network : Path, str or None
        A file of zones, see `gridrig.rig.zone_file`; None for one place. With a financial link in
        it, trades are printed with their zones and with what of them is financial only.
    parameters : mapping
        Of the mechanism; lot and tick are 1 Wh and 1,000 micro/kWh unless given.

    Returns
    -------
    int
        0: a market that refuses an order is a market that works.

    Raises
    ------
    MarketError
        `market.orders_file`, `market.zones_missing`, `market.zones_unsupported`,
        `market.outcome_false`, or what the mechanism itself raises.
    RigError
        `market.mechanism`, with every issue; `market.zone_file`.
    """
    chosen = _mechanism(mechanism, parameters or {})
    marked: dict[int, Mark] | None = None
    notes: list[str] = []
    place_of: dict[int, str | None] = {}
    if network is None:
        orders = read_orders(path)
        outcome = chosen.clear(orders)
    else:
        if not isinstance(chosen, ZonalMechanism):
            raise MarketError(
                "market.zones_unsupported", "mechanism {name} clears no zones", name=mechanism
            )
        zones = read_zones(network, tick_micro_per_kwh=chosen.tick_micro_per_kwh).complete()
        orders, named = read_zoned_orders(path)
        places = [None if name == zones.main_grid else name for name in named]
        place_of = {order.order_id: place for order, place in zip(orders, places, strict=True)}
        outcome = clear_in_zones(chosen, orders, places, zones)
    check_outcome(mechanism, orders, outcome, lot_milliwh=chosen.lot_milliwh)
    if network is not None and any(link.financial for link in zones.links):
        at = [place_of[trade.order_id] for trade in outcome.trades]
        marked = marks(outcome.trades, at, zones)
        notes = [f"financial only: {financial_only_milliwh(marked.values())} mWh"]
    write_trades(outcome.trades, sys.stdout, marked)
    for line in [*_told(outcome, place_of), *notes]:
        print(line, file=sys.stderr)
    return 0


def parameter(text: str) -> tuple[str, Any]:
    """Read one `KEY=VALUE` of the command line: a TOML value, or a text that needs no quotes.

    Raises
    ------
    ValueError
        Without a key and a value.
    """
    key, mark, value = text.partition("=")
    if not (key and mark and value):
        raise ValueError(text)
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _mechanism(name: str, parameters: Mapping[str, Any]) -> Mechanism:
    steps = {"lot_milliwh": LOT_MILLIWH, "tick_micro_per_kwh": TICK_MICRO_PER_KWH}
    issues = Issues(COMMAND_LINE)
    made = make_mechanism(name, steps | dict(parameters), At(COMMAND_LINE), issues)
    issues.raise_if_any("market.mechanism", f"mechanism {name} cannot be used")
    assert made is not None, "what could not be made is an issue"
    return made


def _told(outcome: Outcome, place_of: Mapping[int, str | None]) -> Sequence[str]:
    lines = []
    for one in outcome.refused:
        message = one.message
        if one.code == "market.zone_unknown":  # the core knows zones by their numbers
            names = one_of(zone.name for zone in outcome.zones)
            message = f"found zone {place_of[one.order_id]!r}, expected {names}"
        lines.append(f"order {one.order_id} refused: {one.code}: {message}")
    for zone in outcome.zones:
        price = f"{zone.price_micro_per_kwh} micro/kWh"
        told = "no trades" if zone.price_micro_per_kwh is None else price
        energies = f"bought {zone.bought_milliwh} mWh, sold {zone.sold_milliwh} mWh"
        lines.append(f"zone {zone.name}: {told}, {energies}")
    lines += [
        f"link {link.name}: {link.net_milliwh} mWh, fee {link.fee_micro} micro"
        for link in outcome.links
    ]
    if outcome.zones:
        lines.append(f"fees {outcome.fees_micro} micro, rent {outcome.rent_micro} micro")
    return lines
