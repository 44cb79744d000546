"""Zones by name, and the links between them.

A link carries net energy from its first zone to its second (forward) or back, up to a limit each
way, for a fee per kWh each way. A zone may have limits of its own on what it sells beyond what it
buys, and the other way round. A link that is *financial* joins two zones by contract only: energy
is bought and sold over it, and nothing flows (`counterparties.py`).

The main grid is a participant that is connected to every zone, and carries nothing from one to
another. Its links have limits and fees, too; what the core clears, which knows no such thing, is
`Network.flat`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from gridrig._core import ZonalClearing, ZonalColumns, ZoneNetwork, clear_zonal, clear_zones
from gridrig.errors import MarketError
from gridrig.suggestions import near_miss

__all__ = [
    "ENERGY_MILLIWH_MAX",
    "Link",
    "Network",
    "ZonalClearing",
    "ZonalColumns",
    "Zone",
    "ZoneNetwork",
    "clear_zonal",
    "clear_zones",
]

ENERGY_MILLIWH_MAX = 10**15
"""Limit of a link that has none. [mWh]"""


@dataclass(frozen=True)
class Zone:
    """A place with one price.

    Parameters
    ----------
    name : str
    export_milliwh_max, import_milliwh_max : int or None
        Most energy sold beyond what is bought, and the other way round; None for no limit. [mWh]
    participants : tuple of str
        Who is connected there, where that is not said order by order.
    """

    name: str
    export_milliwh_max: int | None = None
    import_milliwh_max: int | None = None
    participants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A way between two zones.

    Parameters
    ----------
    first, second : str
        The zones; forward is from the first to the second.
    forward_milliwh_max, backward_milliwh_max : int
        Most net energy each way. [mWh]
    forward_fee_micro_per_kwh, backward_fee_micro_per_kwh : int
        Charged on net energy, not negative. [millionths/kWh]
    name : str
        What it is called, if that is not its zones.
    financial : bool
        Whether it is a contract between two networks and no wire.
    """

    first: str
    second: str
    forward_milliwh_max: int = ENERGY_MILLIWH_MAX
    backward_milliwh_max: int = ENERGY_MILLIWH_MAX
    forward_fee_micro_per_kwh: int = 0
    backward_fee_micro_per_kwh: int = 0
    name: str = ""
    financial: bool = False


@dataclass(frozen=True)
class Network:
    """Zones joined by links; two zones may have several, and loops are allowed.

    Parameters
    ----------
    zones : tuple of Zone
    links : tuple of Link
    main_grid : str or None
        The participant that is the main grid, which is connected to every zone and in none; a link
        may end at it.

    Raises
    ------
    MarketError
        `market.zone_repeated`, `market.link_zone`, `market.zone_twice` for a participant in two
        zones, or in one and the main grid, or what a network's numbers may be refused for:
        `market.zones_bound`, `market.links_bound`, `market.zone_limit`, `market.link_end`,
        `market.link_limit`, `market.link_fee`.
    """

    zones: tuple[Zone, ...]
    links: tuple[Link, ...] = ()
    main_grid: str | None = None

    def __post_init__(self) -> None:
        names = [zone.name for zone in self.zones]
        for name in names:
            if names.count(name) > 1:
                raise MarketError("market.zone_repeated", "two zones {name!r}", name=name)
        ends = names if self.main_grid is None else [*names, self.main_grid]
        for link in self.links:
            for name in (link.first, link.second):
                if name not in ends:
                    raise MarketError(
                        "market.link_zone",
                        "a link to zone {name!r}, which there is not{hint}",
                        name=name,
                        hint=_hint(name, ends),
                    )
        self.zone_of()
        if any(self.is_of_main_grid(link) for link in self.links):
            _ = self.flat
        else:
            self.native()

    def zone_of(self) -> dict[str, str | None]:
        """Return the zone of every participant that is named; None for the main grid."""
        found: dict[str, str | None] = {} if self.main_grid is None else {self.main_grid: None}
        for zone in self.zones:
            for participant in zone.participants:
                if participant in found:
                    raise MarketError(
                        "market.zone_twice",
                        "{participant!r} is in {first} and in {second}, expected in one of them",
                        participant=participant,
                        first=_place(found[participant]),
                        second=_place(zone.name),
                    )
                found[participant] = zone.name
        return found

    def is_of_main_grid(self, link: Link) -> bool:
        """Tell whether a link ends at the main grid."""
        return self.main_grid is not None and self.main_grid in (link.first, link.second)

    def complete(self) -> "Network":
        """Return the network with a link of the main grid to every zone.

        Those that it did not have come last, and have neither limit nor fee.
        """
        if self.main_grid is None:
            return self
        joined = {
            end for link in self.links if self.is_of_main_grid(link)
            for end in (link.first, link.second)
        }  # fmt: skip
        missing = [zone.name for zone in self.zones if zone.name not in joined]
        return replace(self, links=(*self.links, *(Link(self.main_grid, zone) for zone in missing)))

    def link_names(self) -> list[str]:
        """Return a name for each link, its own or its zones'; equal ones are told by number."""
        names = [link.name or f"{link.first}-{link.second}" for link in self.links]
        times = Counter(names)
        return [name if times[name] == 1 else f"{name}#{place}" for place, name in enumerate(names)]

    @cached_property
    def flat(self) -> "tuple[Network, list[list[tuple[int, int]]]]":
        """The network with the main grid as two zones, and what became of each link.

        One zone of the main grid sells into all others, one buys from them, and nothing passes
        through either: so it joins no two zones. Of each link it gives the places among the links
        of the flat one, each with 1 or, where it is the way back, -1.
        """
        if self.main_grid is None:
            return self, [[(place, 1)] for place in range(len(self.links))]
        sells, buys = self.main_grid_zones()
        links: list[Link] = []
        ways: list[list[tuple[int, int]]] = []
        for link in self.links:
            first = len(links)
            if not self.is_of_main_grid(link):
                links.append(link)
                ways.append([(first, 1)])
                continue
            there = replace(link, backward_milliwh_max=0)
            back = replace(
                there,
                first=link.second,
                second=link.first,
                forward_milliwh_max=link.backward_milliwh_max,
                forward_fee_micro_per_kwh=link.backward_fee_micro_per_kwh,
            )
            for way in (there, back):
                sold = way.first == self.main_grid
                links.append(replace(way, first=sells) if sold else replace(way, second=buys))
            ways.append([(first, 1), (first + 1, -1)])
        zones = (*self.zones, Zone(sells), Zone(buys))
        return Network(zones, tuple(links)), ways

    def main_grid_zones(self) -> tuple[str, str]:
        """Return the names of the zones in which the main grid sells and buys, where it is flat."""
        return f"{self.main_grid} sells", f"{self.main_grid} buys"

    def number(self, zone: str) -> int:
        """Return the number of a zone; a name that there is not gets the number after the last."""
        return next((k for k, own in enumerate(self.zones) if own.name == zone), len(self.zones))

    def native(self) -> ZoneNetwork:
        """Return the network as the core takes it, zones by their places."""
        return ZoneNetwork(
            [(zone.export_milliwh_max, zone.import_milliwh_max) for zone in self.zones],
            [
                (
                    self.number(link.first),
                    self.number(link.second),
                    link.forward_milliwh_max,
                    link.backward_milliwh_max,
                    link.forward_fee_micro_per_kwh,
                    link.backward_fee_micro_per_kwh,
                )
                for link in self.links
            ],
        )


def _place(zone: str | None) -> str:
    return "the main grid" if zone is None else f"zone {zone!r}"


def _hint(name: str, names: Sequence[str]) -> str:
    near = near_miss(name, names)
    return f" (did you mean {near!r}?)" if near else ""
