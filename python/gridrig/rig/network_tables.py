"""Tables of zones and links, as a file of zones and `[market.network]` of a scenario hold them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from gridrig.market.zones import ENERGY_MILLIWH_MAX, Link, Network, Zone
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.schema import Name, between

PRICE_MICRO_PER_KWH_MAX = 10**9
Limit = Annotated[int, between(0, ENERGY_MILLIWH_MAX)]
Fee = Annotated[int, between(0, PRICE_MICRO_PER_KWH_MAX)]
FEES = ("fee_micro_per_kwh", "back_fee_micro_per_kwh")


@dataclass(frozen=True, kw_only=True)
class ZoneTable:
    """`[[zone]]`, as `gridrig.market.zones.Zone`."""

    name: Name
    export_milliwh_max: Limit | None = None
    import_milliwh_max: Limit | None = None
    participants: tuple[Name, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LinkTable:
    """`[[link]]`, as `gridrig.market.zones.Link`; the way back is the same unless it says so."""

    between: tuple[Name, Name]
    limit_milliwh: Limit = ENERGY_MILLIWH_MAX
    back_limit_milliwh: Limit | None = None
    fee_micro_per_kwh: Fee = 0
    back_fee_micro_per_kwh: Fee | None = None
    name: str = ""
    financial: bool = False

    def link(self) -> Link:
        """Return the link that it describes."""
        back_limit, back_fee = self.back_limit_milliwh, self.back_fee_micro_per_kwh
        return Link(
            first=self.between[0],
            second=self.between[1],
            forward_milliwh_max=self.limit_milliwh,
            backward_milliwh_max=self.limit_milliwh if back_limit is None else back_limit,
            forward_fee_micro_per_kwh=self.fee_micro_per_kwh,
            backward_fee_micro_per_kwh=self.fee_micro_per_kwh if back_fee is None else back_fee,
            name=self.name,
            financial=self.financial,
        )


@dataclass(frozen=True, kw_only=True)
class NetworkTables:
    """Zones, links, and the participant that is the main grid, if there is one."""

    main_grid: Name | None = None
    zone: tuple[ZoneTable, ...] = ()
    link: tuple[LinkTable, ...] = ()

    def network(self) -> Network:
        """Return the network of tables without an issue.

        Raises
        ------
        MarketError
            As `Network`, for more zones or links than a market takes.
        """
        return Network(
            tuple(
                Zone(one.name, one.export_milliwh_max, one.import_milliwh_max, one.participants)
                for one in self.zone
            ),
            tuple(one.link() for one in self.link),
            self.main_grid,
        )


def check_network(
    tables: NetworkTables, at: At, issues: Issues, *, tick_micro_per_kwh: int | None = None
) -> None:
    """Note every zone, link and fee that is wrong, at its own place.

    Parameters
    ----------
    tables : NetworkTables
    at : At
        The table that holds them.
    tick_micro_per_kwh : int or None
        Of the market that clears in them; None if none does. [millionths/kWh]
    """
    names = [zone.name for zone in tables.zone]
    if not names:
        issues.add(at.key("zone"), "no zone", "at least one [[zone]]")
    for place, name in zip(_items(at, "zone", names), names, strict=True):
        if names.count(name) > 1:
            issues.add(place.key("name"), f"{shown(name)}, twice", "a name of its own")
        if name == tables.main_grid:
            issues.add(place.key("name"), f"{shown(name)}, the main grid", "a name of its own")
    _check_participants(tables, at, issues)
    ends = [*names, *([tables.main_grid] if tables.main_grid is not None else [])]
    for place, link in zip(_items(at, "link", [x.name for x in tables.link]), tables.link,
                           strict=True):  # fmt: skip
        for name in link.between:
            if name not in ends:
                near = near_miss(name, ends)
                issues.add(place.key("between"), shown(name), one_of(ends), near)
        if link.between[0] == link.between[1]:
            issues.add(place.key("between"), f"{shown(link.between[0])} twice", "two zones")
        if tables.main_grid in link.between and link.financial:
            found = f"true of a link with {shown(tables.main_grid)}"
            issues.add(place.key("financial"), found, "false: the main grid has wires to all zones")
        for key in FEES if tick_micro_per_kwh else ():
            fee = getattr(link, key)
            if fee is not None and fee % tick_micro_per_kwh:
                expected = f"a multiple of tick_micro_per_kwh = {tick_micro_per_kwh}"
                issues.add(place.key(key), shown(fee), expected)


def _check_participants(tables: NetworkTables, at: At, issues: Issues) -> None:
    """Nobody is in two zones, and the main grid is in none."""
    held: dict[str, str] = {}
    places = _items(at, "zone", [zone.name for zone in tables.zone])
    for place, zone in zip(places, tables.zone, strict=True):
        for index, name in enumerate(zone.participants):
            where = place.key("participants").item(index)
            if name == tables.main_grid:
                issues.add(where, f"{shown(name)}, the main grid", "who is in one zone only")
            elif name in held:
                found = f"{shown(name)}, who is in {shown(held[name])}"
                issues.add(where, found, "each participant in one zone, once")
            held.setdefault(name, zone.name)


def _items(at: At, key: str, labels: list[str]) -> Iterator[At]:
    for index, label in enumerate(labels):
        yield at.key(key).item(index, label)
