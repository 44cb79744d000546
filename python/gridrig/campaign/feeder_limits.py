"""Limits that the feeder sets the market: sets of buses, and what each may export and import.

The sets are nested or disjoint, so they form a tree of zones: an order belongs to the smallest set
around its bus, each set is joined to the next larger one, and all that is in none, the main grid
among it, is the zone at the root. A line or transformer limits its link; what the buses that move a
voltage, or load a line in a loop, may inject together limits their zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gridrig.market.zones import ENERGY_MILLIWH_MAX, Link, Network, Zone

ROOT = "main grid"


@dataclass(frozen=True)
class FeederLimit:
    """What the buses behind an element, or around a bus, may exchange with all others.

    Parameters
    ----------
    element : str
        The line, transformer or bus that made it.
    buses : frozenset of str
        The set.
    is_link : bool
        A branch limits its link; else the set's zone is limited.
    export_milliwh_max, import_milliwh_max : int or None
        None for no limit. [mWh]
    """

    element: str
    buses: frozenset[str]
    is_link: bool
    export_milliwh_max: int | None = None
    import_milliwh_max: int | None = None

    def side(self, exports: bool) -> int | None:
        """Return one of the two limits. [mWh]"""
        return self.export_milliwh_max if exports else self.import_milliwh_max

    def text(self) -> str:
        """Return the limit as one line for people."""
        sides = (("export", self.export_milliwh_max), ("import", self.import_milliwh_max))
        told = [f"{word} at most {most} mWh" for word, most in sides if most is not None]
        return f"{_name(self)}: {', '.join(told)}"


@dataclass
class FeederLimits:
    """The limits so far.

    Parameters
    ----------
    bus_of : mapping of participant to bus or None
        None is outside the feeder: the main grid.
    lot_milliwh : int
        Step of every limit. [mWh]
    """

    bus_of: Mapping[str, str | None]
    lot_milliwh: int
    limits: list[FeederLimit] = field(default_factory=list)

    def laminar(self, buses: frozenset[str]) -> frozenset[str]:
        """Return the smallest set around `buses` that crosses none of the sets so far."""
        crossing = [
            limit.buses
            for limit in self.limits
            if limit.buses & buses and limit.buses - buses and buses - limit.buses
        ]
        return self.laminar(buses.union(*crossing)) if crossing else buses

    def tighten(
        self, found: FeederLimit, *, exports: bool, net_milliwh: int, less_milliwh: float
    ) -> bool:
        """Tighten one side of a limit to at least a lot less than is traded.

        Parameters
        ----------
        found : FeederLimit
            Its element and set; a limit of the same set is the one tightened.
        exports : bool
            Which side.
        net_milliwh : int
            What the set trades now in that direction. [mWh]
        less_milliwh : float
            By how much that should shrink. [mWh]

        Returns
        -------
        bool
            False if there is nothing to tighten: the set trades nothing in that direction.
        """
        if net_milliwh <= 0:
            return False
        lot = self.lot_milliwh
        wanted = int((net_milliwh - less_milliwh) // lot) * lot
        now = max(0, min(wanted, (net_milliwh - 1) // lot * lot))
        held = next((limit for limit in self.limits if limit.buses == found.buses), None)
        # Two elements may ask the same of one set in one round: the stricter counts, not the sum.
        before = held.side(exports) if held is not None else None
        now = now if before is None else min(before, now)
        limit = held or found
        tighter = (
            replace(limit, export_milliwh_max=now)
            if exports
            else replace(limit, import_milliwh_max=now)
        )
        if held is None:
            self.limits.append(tighter)
        else:
            self.limits[self.limits.index(held)] = tighter
        return True

    def network(self) -> Network:
        """Return the zones and links these limits make."""
        zones, links = [Zone(ROOT)], []
        for limit in self.limits:
            inner = any(other.buses < limit.buses for other in self.limits)
            on_link = limit.is_link or inner
            sides = (limit.export_milliwh_max, limit.import_milliwh_max)
            zones.append(Zone(_name(limit), *((None, None) if on_link else sides)))
            forward, backward = sides if on_link else (None, None)
            links.append(
                Link(
                    _name(limit),
                    self._zone_around(limit.buses, self.limits),
                    ENERGY_MILLIWH_MAX if forward is None else forward,
                    ENERGY_MILLIWH_MAX if backward is None else backward,
                    name=limit.element,
                )
            )
        return Network(tuple(zones), tuple(links))

    def zone_of(self, participant: str) -> str:
        """Return the zone of a participant's orders."""
        bus = self.bus_of[participant]
        around = [limit for limit in self.limits if bus in limit.buses]
        return _name(min(around, key=lambda limit: len(limit.buses))) if around else ROOT

    def _zone_around(self, buses: frozenset[str], limits: Sequence[FeederLimit]) -> str:
        around = [limit for limit in limits if limit.buses > buses]
        return _name(min(around, key=lambda limit: len(limit.buses))) if around else ROOT


def _name(limit: FeederLimit) -> str:
    # Around one bus there may be several sets, of different sizes.
    count = len(limit.buses)
    around = "1 bus around" if count == 1 else f"{count} buses around"
    return f"{'behind' if limit.is_link else around} {limit.element}"
