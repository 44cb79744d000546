"""A file of zones and links, as `gridrig clear` and `gridrig relief` read it.

main_grid = "grid"                      # optional: the participant that is connected to every zone

[[zone]]
name = "north"
export_milliwh_max = 5000000            # optional, as import_milliwh_max
participants = ["roof-1", "house-2"]    # optional: who is connected there

[[link]]
between = ["north", "south"]            # forward is from the first to the second
limit_milliwh = 4000000                 # each way, unless back_limit_milliwh says otherwise
fee_micro_per_kwh = 20000               # the same for back_fee_micro_per_kwh
financial = true                        # optional: a contract between two networks, no wire
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from gridrig.errors import MarketError, RigError
from gridrig.market.zones import ENERGY_MILLIWH_MAX, Link, Network, Zone
from gridrig.rig.issues import Issues, near_miss, one_of, shown
from gridrig.rig.schema import Name, between, read_draft, read_drafts
from gridrig.rig.toml_file import read_toml

PRICE_MICRO_PER_KWH_MAX = 10**9
Limit = Annotated[int, between(0, ENERGY_MILLIWH_MAX)]
Fee = Annotated[int, between(0, PRICE_MICRO_PER_KWH_MAX)]


@dataclass(frozen=True, kw_only=True)
class _Zone:
    name: Name
    export_milliwh_max: Limit | None = None
    import_milliwh_max: Limit | None = None
    participants: tuple[Name, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Link:
    between: tuple[Name, Name]
    limit_milliwh: Limit = ENERGY_MILLIWH_MAX
    back_limit_milliwh: Limit | None = None
    fee_micro_per_kwh: Fee = 0
    back_fee_micro_per_kwh: Fee | None = None
    name: str = ""
    financial: bool = False


@dataclass(frozen=True, kw_only=True)
class _Top:
    main_grid: Name | None = None
    zone: tuple[dict[str, Any], ...] = ()
    link: tuple[dict[str, Any], ...] = ()


def read_zones(path: str | Path) -> Network:
    """Read a file of zones and links.

    Raises
    ------
    RigError
        `rig.unreadable` or `market.zone_file`, with every issue found.
    """
    file = read_toml(path)
    issues = Issues(file.path)
    top = read_draft(_Top, file.table, file.top, issues)
    zones, links = read_drafts(_Zone, "zone", top, issues), read_drafts(_Link, "link", top, issues)
    if not file.table.get("zone"):
        issues.add(file.top.key("zone"), "no zone", "at least one [[zone]]")
    names = [name for zone in zones if (name := zone.text("name")) is not None]
    for zone in zones:
        name = zone.text("name")
        if name is not None and names.count(name) > 1:
            issues.add(zone.at.key("name"), f"{shown(name)}, twice", "a name of its own")
    for link in links:
        ends: tuple[str, ...] = link.get("between") or ()
        for name in ends:
            if name not in names:
                at = link.at.key("between")
                issues.add(at, shown(name), one_of(names), near_miss(name, names))
        if len(set(ends)) == 1:
            issues.add(link.at.key("between"), f"{shown(ends[0])} twice", "two zones")
    issues.raise_if_any("market.zone_file", f"{file.path} is no network of zones")
    try:
        return Network(
            tuple(Zone(**draft.values) for draft in zones),
            tuple(_link(draft.build()) for draft in links),
            top.get("main_grid"),
        )
    except MarketError as error:  # too much of something, or somebody in two zones
        issues.add(file.top, error.message, "a network that a market takes")
        raise RigError("market.zone_file", str(error), issues=issues.sorted()) from error


def _link(found: _Link) -> Link:
    back_limit, back_fee = found.back_limit_milliwh, found.back_fee_micro_per_kwh
    return Link(
        first=found.between[0],
        second=found.between[1],
        forward_milliwh_max=found.limit_milliwh,
        backward_milliwh_max=found.limit_milliwh if back_limit is None else back_limit,
        forward_fee_micro_per_kwh=found.fee_micro_per_kwh,
        backward_fee_micro_per_kwh=found.fee_micro_per_kwh if back_fee is None else back_fee,
        name=found.name,
        financial=found.financial,
    )
