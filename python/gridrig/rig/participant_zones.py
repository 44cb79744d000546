"""The network of zones that the participants of a rig are in."""

from collections.abc import Iterable

from gridrig.market.zones import Network, Zone
from gridrig.rig.device import HEAD
from gridrig.rig.participants import AGENT_BEHIND


def network_of(participants: Iterable[tuple[str, str | None, str]]) -> Network | None:
    """Return the zones of a rig, in the order in which they are named; None if it names none.

    No wire but the main grid joins them; a file of zones can say more (`zone_file.py`).

    Parameters
    ----------
    participants : iterable of (name, zone, kind)
        With the kind of their agents.
    """
    members: dict[str, list[str]] = {}
    main_grid = None
    for name, zone, kind in participants:
        if zone is not None:
            members.setdefault(zone, []).append(name)
        elif kind == AGENT_BEHIND[HEAD]:
            main_grid = name
    if not members:
        return None
    zones = (Zone(zone, participants=tuple(names)) for zone, names in members.items())
    return Network(tuple(zones), (), main_grid)
