"""Where the buses of a feeder stand in a one-line diagram: column by column from the main grid.

The feeder is drawn as a tree, breadth first over what is in service; a branch that closes a loop is
kept as an edge between places that the tree gave. A bus that nothing in service reaches stands in a
last column of its own.
"""

from dataclasses import dataclass

from gridrig.grid.network import Network


@dataclass(frozen=True)
class Diagram:
    """Places of buses, in columns from the main grid and rows, and the branches between them."""

    places: dict[str, tuple[int, float]]
    branches: tuple[tuple[str, str, str], ...]
    """Kind (`line` or `transformer`), and the buses at both ends."""


def lay_out(network: Network) -> Diagram:
    """Return the diagram of a network, with its source's bus in column 0."""
    branches = [("line", x.from_bus, x.to_bus) for x in network.lines if x.in_service]
    branches += [("transformer", x.hv_bus, x.lv_bus) for x in network.transformers if x.in_service]
    joined: dict[str, list[str]] = {bus: [] for bus in network.buses}
    for _, one, other in branches:
        joined[one].append(other)
        joined[other].append(one)
    column = {network.source.bus: 0}
    children: dict[str, list[str]] = {bus: [] for bus in network.buses}
    order = [network.source.bus]
    for bus in order:
        for other in joined[bus]:
            if other not in column:
                column[other] = column[bus] + 1
                children[bus].append(other)
                order.append(other)
    row: dict[str, float] = {}
    free = 0
    # Children before their parents: a parent stands in the middle of its children.
    stack = [network.source.bus]
    walk: list[str] = []
    while stack:
        bus = stack.pop()
        walk.append(bus)
        stack += reversed(children[bus])
    for bus in walk:
        if not children[bus]:
            row[bus] = float(free)
            free += 1
    for bus in reversed(walk):
        if children[bus]:
            row[bus] = sum(row[child] for child in children[bus]) / len(children[bus])
    places = {bus: (column[bus], row[bus]) for bus in walk}
    last = 1 + max(column.values())
    for rank, bus in enumerate(bus for bus in network.buses if bus not in places):
        places[bus] = (last, float(rank))
    return Diagram(places, tuple(branches))
