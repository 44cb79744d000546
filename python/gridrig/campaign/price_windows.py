"""`[[market.tariff]]` of a scenario: prices that are posted by the hour of the local day.

```toml
[market]
zone = "Europe/Berlin"                # of the local day; UTC unless stated

[[market.tariff]]
from_hour = 22
to_hour = 6                           # of the next morning
retail_micro_per_kwh = 150_000        # what a window does not state is that of [market]
```

The windows fill the local day, each hour once. Its hours are those of the clock on the wall: where
it is set forward or back, a window is an hour shorter or longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from gridrig.campaign.tariff_file import HOURS
from gridrig.rig.participants import Price
from gridrig.rig.schema import between

if TYPE_CHECKING:
    from gridrig.campaign.scenario import MarketRules

PRICES = (
    "long_price_micro_per_kwh",
    "feed_in_micro_per_kwh",
    "retail_micro_per_kwh",
    "short_price_micro_per_kwh",
)
"""The posted prices, in the order in which they may not fall."""


@dataclass(frozen=True)
class PriceWindow:
    """Prices of some hours of the local day; None leaves a price as it is in `[market]`.

    Parameters
    ----------
    from_hour, to_hour : int
        The window's first hour, and the hour at which it is over; not above the first, it is that
        of the next morning. [h]
    retail_micro_per_kwh, feed_in_micro_per_kwh : int or None
        What the main grid asks and pays. [millionths/kWh]
    long_price_micro_per_kwh, short_price_micro_per_kwh : int or None
        Imbalance. [millionths/kWh]
    """

    from_hour: Annotated[int, between(0, HOURS - 1)]
    to_hour: Annotated[int, between(1, HOURS)]
    retail_micro_per_kwh: Price | None = None
    feed_in_micro_per_kwh: Price | None = None
    long_price_micro_per_kwh: Price | None = None
    short_price_micro_per_kwh: Price | None = None

    def hours(self) -> tuple[int, ...]:
        """Return the hours of the local day that it holds in. [h]"""
        last = self.to_hour if self.to_hour > self.from_hour else self.to_hour + HOURS
        return tuple(hour % HOURS for hour in range(self.from_hour, last))

    def stated(self) -> dict[str, int]:
        """Return the prices it sets."""
        found = {name: getattr(self, name) for name in PRICES}
        return {name: price for name, price in found.items() if price is not None}

    def applied(self, market: "MarketRules") -> "MarketRules":
        """Return the rules of a market in this window."""
        changed: MarketRules = replace(market, **self.stated())  # type: ignore[arg-type]
        return changed


def window_of_hours(windows: Sequence[PriceWindow]) -> dict[int, int]:
    """Return which window, by its place, each hour of the local day lies in."""
    return {hour: place for place, one in enumerate(windows) for hour in one.hours()}


def local_hour(utc_s: int, zone: ZoneInfo) -> int:
    """Return the hour of the local day at a time. [s since 1970, h]"""
    return datetime.fromtimestamp(utc_s, zone).hour
