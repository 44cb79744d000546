"""Zones by name, and the links between them.

A link carries net energy from its first zone to its second (forward) or back, up to a limit each
way, for a fee per kWh each way. A zone may have limits of its own on what it sells beyond what it
buys, and the other way round. A link that is *financial* joins two zones by contract only: energy
is bought and sold over it, and nothing flows (`counterparties.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
        The participant that is the main grid, which is connected to every zone and in none.

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
        for link in self.links:
            for name in (link.first, link.second):
                if name not in names:
                    raise MarketError(
                        "market.link_zone",
                        "a link to zone {name!r}, which there is not{hint}",
                        name=name,
                        hint=_hint(name, names),
                    )
        self.zone_of()
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
