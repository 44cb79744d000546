"""The `[market.settlement]` table of a scenario, and the rules it makes with the market."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from gridrig._core import SettlementRules
from gridrig.errors import SettlementError
from gridrig.rig.issues import Issues, shown
from gridrig.rig.participants import PRICE_MICRO_PER_KWH_MAX, Price
from gridrig.rig.schema import Draft, at_least, between

Fee = Annotated[int, between(0, PRICE_MICRO_PER_KWH_MAX)]


@dataclass(frozen=True)
class SettlementTable:
    """What is agreed beyond the prices of the market.

    Parameters
    ----------
    island_long_price_micro_per_kwh, island_short_price_micro_per_kwh : int or None
        Imbalance prices of a period without the main grid; None for those of the market.
        [millionths/kWh]
    floor_micro_per_kwh, ceiling_micro_per_kwh : int or None
        Prices at which trades are settled; None for half the bound of a price. [millionths/kWh]
    grid_fee_micro_per_kwh, operator_fee_micro_per_kwh : int
        For energy imported, and for energy traded and met. [millionths/kWh]
    losses : {"house", "importers"}
        Who pays for the losses.
    deposit_micro : int or None
        Paid in by every participant but the main grid at the start: an order is taken if the
        balance covers the most it can cost, and what one owes beyond its balance becomes a
        receivable. Needs a floor and a ceiling. None if everybody pays afterwards. [millionths]
    """

    island_long_price_micro_per_kwh: Price | None = None
    island_short_price_micro_per_kwh: Price | None = None
    floor_micro_per_kwh: Price | None = None
    ceiling_micro_per_kwh: Price | None = None
    grid_fee_micro_per_kwh: Fee = 0
    operator_fee_micro_per_kwh: Fee = 0
    losses: Literal["house", "importers"] = "house"
    deposit_micro: Annotated[int, at_least(0)] | None = None


@dataclass(frozen=True)
class Terms:
    """Rules of the engine, and what everybody pays in; None if everybody pays afterwards.

    `changed` holds, by the number of its period, what differs from `rules`.
    """

    rules: SettlementRules
    deposit_micro: int | None = None
    changed: Mapping[int, SettlementRules] = field(default_factory=dict)

    def rules_of(self, period: int) -> SettlementRules:
        """Return the rules that a period settles by."""
        return self.changed.get(period, self.rules)


_EXACT = 1_000_000  # a lot times a tick is a multiple of this: whole millionths of the currency
_OF_MARKET = (
    "long_price_micro_per_kwh",
    "short_price_micro_per_kwh",
    "lot_milliwh",
    "tick_micro_per_kwh",
)
_OF_TABLE = (
    "island_long_price_micro_per_kwh",
    "island_short_price_micro_per_kwh",
    "floor_micro_per_kwh",
    "ceiling_micro_per_kwh",
    "grid_fee_micro_per_kwh",
    "operator_fee_micro_per_kwh",
    "losses",
)


def make_terms(market: Any, changed: Mapping[int, Any] | None = None) -> Terms:
    """Return the terms of a scenario's market rules, which were checked.

    Parameters
    ----------
    market : MarketRules
        As the run begins.
    changed : mapping of int to MarketRules, or None
        Those of the periods that others govern, by number.

    Raises
    ------
    SettlementError
        As `SettlementRules`.
    """

    def rules(of: Any) -> SettlementRules:
        return _rules({name: getattr(of, name) for name in _OF_MARKET}, of.settlement)

    return Terms(
        rules(market),
        market.settlement.deposit_micro,
        {period: rules(of) for period, of in (changed or {}).items()},
    )


def _rules(of_market: Mapping[str, Any], table: SettlementTable) -> SettlementRules:
    return SettlementRules(**of_market, **{name: getattr(table, name) for name in _OF_TABLE})


def check_terms(market: Draft[Any], issues: Issues) -> None:
    """Note at its place what the engine refuses of the rules of a market."""
    table = market.get("settlement")
    given = {name: market.get(name) for name in _OF_MARKET}
    if table is None or None in given.values():
        return
    lot, tick = given["lot_milliwh"], given["tick_micro_per_kwh"]
    if lot * tick % _EXACT:
        step = _EXACT // math.gcd(tick, _EXACT)
        expected = f"a multiple of {step}, or a lot at tick_micro_per_kwh = {tick} would round"
        issues.add(market.at.key("lot_milliwh"), shown(lot), expected)
        return
    long, short = given["long_price_micro_per_kwh"], given["short_price_micro_per_kwh"]
    if long > short:
        return  # an issue of the market's own prices
    if table.deposit_micro is not None:
        for name in ("floor_micro_per_kwh", "ceiling_micro_per_kwh"):
            if getattr(table, name) is None:
                expected = "a price, for a deposit has to cover the worst shortfall it allows"
                issues.add(market.at.key("settlement").key(name), "nothing", expected)
    try:
        _rules(given, table)
    except SettlementError as error:
        issues.add(market.at.key("settlement"), error.message, "rules that fit each other")
