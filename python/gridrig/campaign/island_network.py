"""The network between the devices of an island, for the plant's 1 ms model.

The feeder's admittances as they are when the PCC opens, reduced to the buses that carry something
(Kron): between those it is exact. Without it an island is one bus, all devices at one voltage.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import GridError
from gridrig.grid.feeder import Feeder
from gridrig.plant import World, kron_reduced

BUSES_MAX = 200
"""Of the plant's model."""


@dataclass(frozen=True)
class IslandNetwork:
    """A reduced network, or why there is none.

    Parameters
    ----------
    of_device : tuple of int
        The bus of each device of the plant, in the order of adding.
    y_va : array of complex128, shape (buses, buses)
        Between them, over nominal voltages. [VA]
    pcc : int
        Which of them is behind the PCC.
    one_bus : str
        Why the island is one bus; empty if it has a network.
    """

    of_device: tuple[int, ...]
    y_va: NDArray[np.complex128]
    pcc: int
    one_bus: str = ""

    def put_into(self, world: World, s_base_va: float) -> None:
        """Give it to the plant, for the islands that follow."""
        if self.one_bus:
            world.remove_network()
        else:
            world.set_network(list(self.of_device), self.y_va / s_base_va, self.pcc)


def reduced_network(feeder: Feeder, points: Sequence[str]) -> IslandNetwork:
    """Reduce a feeder whose PCC is open to the buses of some devices.

    Parameters
    ----------
    feeder : Feeder
        Held by a former.
    points : sequence of str
        Where each device of the plant is, in the order of adding.
    """
    home = dict(feeder.homes())
    inner = [bus for bus in feeder.network.buses if bus in set(feeder.home)]
    dead = set(feeder.dead_buses)
    kept = list(dict.fromkeys([feeder.pcc_bus, *(home[point] for point in points)]))
    if dead & set(kept):
        return _one(f"bus {min(dead & set(kept))!r} is not part of it")
    if len(kept) > BUSES_MAX:
        return _one(f"{len(kept)} buses carry something, the plant models {BUSES_MAX}")
    try:
        whole = feeder.admittances()
    except GridError as error:
        return _one(error.message)
    alive = [index for index, bus in enumerate(inner) if bus not in dead]
    names = [inner[index] for index in alive]
    y_va = kron_reduced(whole[np.ix_(alive, alive)], [names.index(bus) for bus in kept])
    place = {bus: index for index, bus in enumerate(kept)}
    return IslandNetwork(tuple(place[home[point]] for point in points), y_va, 0)


def _one(why: str) -> IslandNetwork:
    return IslandNetwork((), np.zeros((0, 0), dtype=complex), 0, why)
