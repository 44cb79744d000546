"""A utility's tariff as a file: what the bills of a run are compared with.

```toml
[utility]
import_micro_per_kwh = 300_000        # or one price for each hour of the local day, 24 of them
export_micro_per_kwh = 80_000
network_micro_per_kwh = 70_000        # on energy taken, beside its price
standing_micro_per_day = 500_000
zone = "Europe/Berlin"                # of the local day; UTC unless stated

[market]
network_micro_per_kwh = 70_000        # the same, unless settlement has booked it as grid fees
```
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from gridrig.clock.zones import zone_of
from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import at_least, between, read_draft
from gridrig.rig.toml_file import read_toml
from gridrig.settlement.bills import DAY_S, Tariff

HOURS = 24
PRICE_MICRO_PER_KWH_MAX = 1_000_000_000  # as the core bounds prices

Price = Annotated[int, between(-PRICE_MICRO_PER_KWH_MAX, PRICE_MICRO_PER_KWH_MAX)]


@dataclass(frozen=True)
class _Utility:
    import_micro_per_kwh: Price | tuple[Price, ...]
    export_micro_per_kwh: Price
    network_micro_per_kwh: Price
    standing_micro_per_day: Annotated[int, at_least(0)] = 0
    zone: str = "UTC"


@dataclass(frozen=True)
class _Market:
    network_micro_per_kwh: Price


@dataclass(frozen=True)
class _Top:
    utility: dict[str, Any]
    market: dict[str, Any]


def read_tariff(path: Path | str, *, duration_s: int) -> Tariff:
    """Read a tariff for a run of some length.

    Parameters
    ----------
    path : Path or str
        The file.
    duration_s : int
        Length of the run; the standing charge is that share of a day, rounded down. [s]

    Raises
    ------
    RigError
        `settlement.tariff_file`, with every issue of the file.
    """
    file = read_toml(path)
    issues = Issues(file.path)
    top = read_draft(_Top, file.table, file.top, issues)
    utility = read_draft(_Utility, top.get("utility") or {}, file.top.key("utility"), issues)
    market = read_draft(_Market, top.get("market") or {}, file.top.key("market"), issues)
    by_hour = _by_hour(utility.get("import_micro_per_kwh"), file.top, issues)
    zone = _zone(utility.get("zone"), file.top, issues)
    issues.raise_if_any("settlement.tariff_file", file.path)
    read, beside = utility.build(), market.build()
    return Tariff(
        import_micro_per_kwh=by_hour,
        export_micro_per_kwh=read.export_micro_per_kwh,
        network_micro_per_kwh=read.network_micro_per_kwh,
        standing_micro=read.standing_micro_per_day * duration_s // DAY_S,
        zone=zone,
        market_network_micro_per_kwh=beside.network_micro_per_kwh,
    )


def _by_hour(found: object, top: At, issues: Issues) -> tuple[int, ...]:
    if isinstance(found, int):
        return (found,) * HOURS
    if isinstance(found, tuple):
        if len(found) == HOURS:
            return found
        at = top.key("utility").key("import_micro_per_kwh")
        issues.add(at, f"{len(found)} prices", f"one price, or {HOURS} of them")
    return ()


def _zone(found: object, top: At, issues: Issues) -> ZoneInfo:
    zone = zone_of(found) if isinstance(found, str) else None
    if isinstance(found, str) and zone is None:
        at = top.key("utility").key("zone")
        issues.add(at, shown(found), "a name such as 'Europe/Berlin', or 'UTC'")
    return zone or ZoneInfo("UTC")
