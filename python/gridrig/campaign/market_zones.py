"""`[market.network]` of a scenario: the zones in which its market clears, and who is in them.

A participant is where the rig says, or else where the scenario lists it. The main grid is connected
to all zones and carries nothing between them (`main_grid`), or it is listed in a zone, such as a
station, through which energy goes from one wire to another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gridrig.errors import MarketError
from gridrig.market.mechanisms import Mechanism, Zonal, ZonalMechanism
from gridrig.market.zones import Network
from gridrig.rig.description import Rig
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.network_tables import NetworkTables, check_network
from gridrig.rig.participants import GridAgent, HomeAgent
from gridrig.rig.schema import Draft, read_record
from gridrig.rig.toml_file import parse_toml

if TYPE_CHECKING:
    from gridrig.campaign.scenario import MarketRules


def check_zones(market: "Draft[MarketRules]", made: Mechanism, issues: Issues) -> None:
    """Note every zone, link and fee that is wrong, and what does not go with zones.

    Parameters
    ----------
    market : Draft
    made : Mechanism
        What it clears with.
    issues : Issues
    """
    tables, at = market.get("network"), market.at.key("network")
    if tables is None:
        if isinstance(made, Zonal) and "network" in market.values:
            name = shown(market.get("mechanism"))
            issues.add(market.at.key("mechanism"), f"{name}, without zones", "a [market.network]")
        return
    if not isinstance(made, ZonalMechanism):
        found = f"zones for {shown(market.get('mechanism'))}, which clears none"
        issues.add(at, found, "a mechanism with clear_zones, such as zonal")
    if market.get("feeder_check"):
        expected = "false: zones of the feeder and of the market do not go together"
        issues.add(market.at.key("feeder_check"), "true", expected)
    before = len(issues.sorted())
    check_network(tables, at, issues, tick_micro_per_kwh=market.get("tick_micro_per_kwh"))
    if len(issues.sorted()) == before:
        try:
            _ = tables.network().complete().flat
        except MarketError as error:  # too much of something
            issues.add(at, error.message, "a network that a market takes")


def check_zones_fit(rig: Rig, tables: NetworkTables, at: At, issues: Issues) -> None:
    """Note who is in no zone, in two, or in one that there is not.

    Parameters
    ----------
    rig : Rig
    tables : NetworkTables
        Those of the scenario.
    at : At
        Where they stand in it.
    issues : Issues
    """
    known = {one.name: one for one in rig.participants}
    listed: dict[str, str] = {}
    for number, zone in enumerate(tables.zone):
        for index, name in enumerate(zone.participants):
            place = at.key("zone").item(number, zone.name).key("participants").item(index)
            listed[name] = zone.name
            if name not in known:
                issues.add(place, shown(name), f"a participant of {rig.path}",
                           near_miss(name, known))  # fmt: skip
            elif known[name].zone not in (None, zone.name):
                expected = f"{shown(known[name].zone)}, its zone in {rig.path}"
                issues.add(place, f"{shown(name)} in {shown(zone.name)}", expected)
    grids = [one.name for one in rig.participants if isinstance(one.agent, GridAgent)]
    if tables.main_grid is None:
        for name in grids:
            if name not in listed:
                expected = f"{shown(name)}, unless it is among the participants of a zone"
                issues.add(at.key("main_grid"), "nothing", expected)
    elif tables.main_grid not in grids:
        near = near_miss(tables.main_grid, grids)
        expected = f"{one_of(grids)}, the main grid of {rig.path}"
        issues.add(at.key("main_grid"), shown(tables.main_grid), expected, near)
    names = [zone.name for zone in tables.zone]
    top = parse_toml(rig.text, rig.path).top
    homes: dict[str, str] = {}
    for index, one in enumerate(rig.participants):
        place = top.key("participant").item(index, one.name).key("zone")
        own = one.zone or listed.get(one.name)
        if one.name in grids:
            continue
        if own is None:
            expected = f"its zone, or {one.name} among the participants of one in {at.file}"
            issues.add(place, "nothing", expected)
        elif own not in names:
            near = near_miss(own, names)
            issues.add(place, shown(own), f"{one_of(names)}, the zones of {at.file}", near)
        elif isinstance(one.agent, HomeAgent) and homes.setdefault(one.agent.home, own) != own:
            found = f"{shown(own)} of a connection of {one.agent.home}"
            issues.add(place, found, f"{shown(homes[one.agent.home])}, where its others are")


def network_in(
    tables: NetworkTables, participants: Iterable[tuple[str, str | None, str]]
) -> Network:
    """Return the zones of a scenario with everybody in them.

    Parameters
    ----------
    tables : NetworkTables
        Without an issue, and fitting the rig.
    participants : iterable of (name, zone, kind)
        Of the rig; the zone is that of the rig, None where the scenario has it.
    """
    members: dict[str, list[str]] = {}
    for name, zone, _ in participants:
        own = zone or next((x.name for x in tables.zone if name in x.participants), None)
        if own is not None:
            members.setdefault(own, []).append(name)
    network = tables.network()
    zones = (replace(one, participants=tuple(members.get(one.name, ()))) for one in network.zones)
    return replace(network, zones=tuple(zones)).complete()


def tables_of(scenario: Mapping[str, Any]) -> NetworkTables | None:
    """Return the zones of a scenario file that was checked before; None if it has none."""
    table = scenario.get("market", {}).get("network")
    return None if table is None else read_record(NetworkTables, table, At(""), Issues(""))
