"""Posted prices of a scenario, by the hour or not: what no market can have is an issue."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gridrig.campaign.price_windows import PRICES, PriceWindow, local_hour, window_of_hours
from gridrig.campaign.rule_book import ChangedRules
from gridrig.campaign.settlement_terms import make_terms
from gridrig.campaign.tariff_file import HOURS
from gridrig.clock.zones import zone_of
from gridrig.errors import SettlementError
from gridrig.quantity import delivery_periods
from gridrig.rig.issues import At, Issues, one_of, shown
from gridrig.rig.schema import Draft

if TYPE_CHECKING:
    from gridrig.campaign.scenario import MarketRules

LOOK_S = 900  # every clock on earth is whole quarters of an hour from UTC


def check_rising(
    value_of: Callable[[str], Any], at_of: Callable[[str], At], issues: Issues
) -> None:
    """Prices must be whole ticks, and no trade may lie outside the imbalance prices."""
    tick = value_of("tick_micro_per_kwh")
    for key in PRICES:
        price = value_of(key)
        if price is not None and tick and price % tick:
            expected = f"a multiple of tick_micro_per_kwh = {tick}"
            issues.add(at_of(key), shown(price), expected)
    for low, high in pairwise(PRICES):
        low_price, high_price = value_of(low), value_of(high)
        if low_price is not None and high_price is not None and low_price > high_price:
            expected = f"at least {low} = {low_price}"
            issues.add(at_of(high), shown(high_price), expected)


def check_windows(
    market: Draft[Any], header: Draft[Any], start_utc_s: int | None, issues: Issues
) -> None:
    """Note what is wrong with the windows of a market, and with how they fall into its periods."""
    windows, zone = market.get("tariff"), market.get("zone")
    if isinstance(zone, str) and zone_of(zone) is None:
        expected = "a name such as 'Europe/Berlin', or 'UTC'"
        issues.add(market.at.key("zone"), shown(zone), expected)
        zone = None
    if not windows:
        return
    at = market.at.key("tariff")
    _check_day(windows, at, issues)
    for place, window in enumerate(windows):
        if not window.stated():
            issues.add(at.item(place), "no price", f"at least {one_of(PRICES)}")
    if {one.name for one in fields(market.of)} <= market.values.keys():
        rules = market.build()
        for place, window in enumerate(windows):
            _check_prices(window.applied(rules), at.item(place), issues)
    duration_s, period_s = header.get("duration_s"), header.get("period_s")
    if None in (zone, start_utc_s, duration_s, period_s) or len(windows) < 2:
        return
    place_of = window_of_hours(windows)
    for period in delivery_periods(duration_s, period_s):
        begin_s = int(start_utc_s or 0) + period.start_s
        end_s = begin_s + period_s
        looks_s = (*range(begin_s, end_s, LOOK_S), end_s - 1)
        if len({place_of.get(local_hour(look_s, ZoneInfo(zone))) for look_s in looks_s}) > 1:
            found = f"{period_s}, and period {period.index} lies in two windows of the tariff"
            issues.add(header.at.key("period_s"), found, "periods that lie in one each")
            return


def _check_day(windows: Sequence[PriceWindow], at: At, issues: Issues) -> None:
    owner: dict[int, int] = {}
    for place, window in enumerate(windows):
        if window.to_hour == window.from_hour:
            expected = f"another hour than from_hour = {window.from_hour}, or 0 to {HOURS}"
            issues.add(at.item(place).key("to_hour"), shown(window.to_hour), expected)
            continue
        taken = [hour for hour in window.hours() if owner.setdefault(hour, place) != place]
        if taken:
            found = f"{window.from_hour} to {window.to_hour}, and hour {taken[0]} is in two windows"
            expected = f"hours that tariff[{owner[taken[0]]}] has not"
            issues.add(at.item(place).key("from_hour"), found, expected)
    if missing := [str(hour) for hour in range(HOURS) if hour not in owner]:
        found = f"no window for the hours that begin at {', '.join(missing)}"
        issues.add(at, found, "windows that fill the local day")


def _check_prices(market: "MarketRules", at: At, issues: Issues) -> bool:
    """Note at a table what prices no market can have, and tell whether there were any."""
    before = len(issues.sorted())
    check_rising(partial(getattr, market), at.key, issues)
    if len(issues.sorted()) == before:
        try:
            make_terms(market)
        except SettlementError as error:
            issues.add(at, error.message, "prices that fit [market.settlement]")
    return len(issues.sorted()) > before


def check_windowed_change(
    changed: ChangedRules, market: "MarketRules", at: At, issues: Issues
) -> None:
    """Note what a change of the rules would come to in the windows of a tariff.

    Parameters
    ----------
    changed : ChangedRules
        What it sets.
    market : MarketRules
        The rules with it.
    at : At
        Where it sets it.
    """
    for name in changed.stated():
        if market.tariff and all(name in window.stated() for window in market.tariff):
            found = "a price that every window of [[market.tariff]] states itself"
            issues.add(at.key(name), found, "one that the change can have an effect on")
    for window in market.tariff:
        if _check_prices(window.applied(market), at, issues):
            return
