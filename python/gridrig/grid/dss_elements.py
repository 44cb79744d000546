"""Where OpenDSS keeps the powers of the power-delivery elements of a circuit, end by end."""

from dataclasses import dataclass

import numpy as np

from gridrig.grid.dss_context import DssContext
from gridrig.grid.engine import ComplexArray, IntArray
from gridrig.grid.network import Network


@dataclass(frozen=True)
class ElementEnds:
    """The ends of all power-delivery elements, in OpenDSS's order."""

    start: IntArray
    """Of each end: the first of its conductors."""
    home: IntArray
    """Of each end: the position of its bus in the network."""
    line: IntArray
    """Ends of each line of the network, shape (lines, 2)."""
    trafo: IntArray
    """First two ends of each transformer, shape (transformers, 2)."""
    line_rank: IntArray
    """Position of each line among the elements."""
    trafo_rank: IntArray

    @classmethod
    def none(cls) -> "ElementEnds":
        """Return those of no circuit."""
        one, two = np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64)
        return cls(one, one, two, two, one, one)

    @classmethod
    def of(cls, context: DssContext, network: Network) -> "ElementEnds":
        """Find those of a circuit."""
        circuit = context.circuit
        elements = circuit.PDElements
        names = [str(name).lower() for name in elements.AllNames]
        starts = context.flow_places()
        place = {bus: index for index, bus in enumerate(network.buses)}
        start: list[int] = []
        home: list[int] = []
        first: dict[str, int] = {}
        for name, width in zip(names, np.asarray(elements.AllNumConductors).tolist(), strict=True):
            circuit.SetActiveElement(name)
            first[name] = len(start)
            for end, bus in enumerate(circuit.ActiveCktElement.BusNames):
                start.append(starts[name] + end * width)
                home.append(place[str(bus).split(".", 1)[0].lower()])
        lines = [f"line.{x.name}" for x in network.lines]
        trafos = [f"transformer.{x.name}" for x in network.transformers]
        rank = {name: index for index, name in enumerate(names)}
        return cls(
            np.array(start, dtype=np.int64),
            np.array(home, dtype=np.int64),
            np.array([[first[x], first[x] + 1] for x in lines], dtype=np.int64).reshape(-1, 2),
            np.array([[first[x], first[x] + 1] for x in trafos], dtype=np.int64).reshape(-1, 2),
            np.array([rank[x] for x in lines], dtype=np.int64),
            np.array([rank[x] for x in trafos], dtype=np.int64),
        )

    def flows(self, powers: ComplexArray) -> ComplexArray:
        """Return the power into each end, all conductors together, of those of conductors."""
        ends: ComplexArray = np.add.reduceat(powers, self.start)
        return ends
