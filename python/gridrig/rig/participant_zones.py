"""The network of zones that the participants of a rig are in."""

from collections.abc import Iterable

from gridrig.market.zones import Network, Zone
from gridrig.rig.participants import GridAgent, Participant


def network_of(participants: Iterable[Participant]) -> Network | None:
    """Return the zones of a rig, in the order in which they are named; None if it names none.

    No wire but the main grid joins them; a file of zones can say more (`zone_file.py`).
    """
    members: dict[str, list[str]] = {}
    main_grid = None
    for participant in participants:
        if participant.zone is not None:
            members.setdefault(participant.zone, []).append(participant.name)
        elif isinstance(participant.agent, GridAgent):
            main_grid = participant.name
    if not members:
        return None
    zones = (Zone(zone, participants=tuple(names)) for zone, names in members.items())
    return Network(tuple(zones), (), main_grid)
