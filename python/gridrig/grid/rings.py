"""Ways and rings of a network: what an open tie would close, and whether it is radial."""

from collections.abc import Collection

from gridrig.grid.network import Network, line_key, trafo_key


def branch_ends(network: Network) -> dict[str, tuple[str, str]]:
    """Return the buses at both ends of every branch, by `line:<name>` or `trafo:<name>`."""
    ends = {line_key(x.name): (x.from_bus, x.to_bus) for x in network.lines}
    return ends | {trafo_key(x.name): (x.hv_bus, x.lv_bus) for x in network.transformers}


def _joined(network: Network, out: Collection[str]) -> list[tuple[str, str, str]]:
    """Return name and ends of every branch in service; couplings have no name."""
    found = [(key, *ends) for key, ends in branch_ends(network).items() if key not in out]
    return found + [("", x.from_bus, x.to_bus) for x in network.couplings]


def way_between(network: Network, start: str, goal: str, out: Collection[str]) -> list[str]:
    """Return the branches between two buses of a radial network, the last first.

    Parameters
    ----------
    network : Network
    start, goal : str
        Buses.
    out : collection of str
        Branches that are open.

    Returns
    -------
    list of str
        Empty if there is no way.
    """
    around: dict[str, list[tuple[str, str]]] = {}
    for key, one, other in _joined(network, out):
        around.setdefault(one, []).append((key, other))
        around.setdefault(other, []).append((key, one))
    came: dict[str, tuple[str, str]] = {start: ("", "")}
    waiting = [start]
    while waiting:
        bus = waiting.pop()
        for key, there in around.get(bus, ()):
            if there not in came:
                came[there] = (key, bus)
                waiting.append(there)
    way: list[str] = []
    while goal != start and goal in came:
        key, goal = came[goal]
        way.append(key)
    return [key for key in way if key]


def ring_count(network: Network, out: Collection[str]) -> int:
    """Return how many rings the part that the sources reach has; 0 is radial.

    Parallel branches, such as two transformers, are one way; a way from one source to another is a
    ring.
    """
    sources = {source.bus for source in network.sources}
    live = network.reachable(sources, out)
    ways = {
        frozenset((one, other))
        for _, one, other in _joined(network, out)
        if one in live and one != other
    }
    return len(ways) - (len(live) - len(sources))
