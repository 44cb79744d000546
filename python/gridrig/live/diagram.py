"""Where the buses of a feeder stand in a one-line diagram: column by column from the main grid.

The feeder is drawn as a tree, breadth first over what is in service; a branch that closes a loop is
kept as an edge between places that the tree gave. A bus that nothing in service reaches stands in a
last column of its own.
"""

from dataclasses import dataclass

from gridrig.grid.network import Network, line_key, trafo_key


@dataclass(frozen=True)
class Diagram:
    """Places of buses, in columns from the main grid and rows, and the branches between them."""

    places: dict[str, tuple[int, float]]
    branches: tuple[tuple[str, str, str, str], ...]
    """Kind (`line`, `transformer` or `coupling`), key as a PCC's cut names it, and both ends."""


def lay_out(network: Network) -> Diagram:
    """Return the diagram of a network, with the buses of its sources in column 0."""
    branches = [
        ("line", line_key(x.name), x.from_bus, x.to_bus) for x in network.lines if x.in_service
    ]
    branches += [
        ("transformer", trafo_key(x.name), x.hv_bus, x.lv_bus)
        for x in network.transformers
        if x.in_service
    ]
    branches += [("coupling", x.name, x.from_bus, x.to_bus) for x in network.couplings]
    joined: dict[str, list[str]] = {bus: [] for bus in network.buses}
    for _, _, one, other in branches:
        joined[one].append(other)
        joined[other].append(one)
    order = list(dict.fromkeys(source.bus for source in network.sources))
    column = dict.fromkeys(order, 0)
    children: dict[str, list[str]] = {bus: [] for bus in network.buses}
    roots = tuple(order)
    for bus in order:
        for other in joined[bus]:
            if other not in column:
                column[other] = column[bus] + 1
                children[bus].append(other)
                order.append(other)
    # A bus with nothing behind it takes the next row; one before others stands in their middle.
    walk: list[str] = []
    waiting = list(reversed(roots))
    while waiting:
        bus = waiting.pop()
        walk.append(bus)
        waiting += reversed(children[bus])
    row: dict[str, float] = {}
    ends = [bus for bus in walk if not children[bus]]
    row |= {bus: float(rank) for rank, bus in enumerate(ends)}
    for bus in reversed(walk):
        if children[bus]:
            row[bus] = sum(row[child] for child in children[bus]) / len(children[bus])
    places = {bus: (column[bus], row[bus]) for bus in walk}
    last = 1 + max(column.values())
    unreached = [bus for bus in network.buses if bus not in places]
    places |= {bus: (last, float(rank)) for rank, bus in enumerate(unreached)}
    return Diagram(places, tuple(branches))
