"""Where OpenDSS keeps the powers of the power-delivery elements of a circuit, end by end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.grid.dss_context import DssContext
from gridrig.grid.engine import ComplexArray, IntArray


@dataclass(frozen=True)
class ElementEnds:
    """The ends of all power-delivery elements, in OpenDSS's order.

    A branch of the network that the circuit lacks has the end after the last, whose power is 0.
    """

    start: IntArray
    """Of each end: the first of its conductors."""
    home: IntArray
    """Of each end: the position of its bus in the network."""
    branch: IntArray
    """First two ends of each branch, lines before transformers, shape (branches, 2)."""
    rank: IntArray
    """Position of each branch among the elements; that after the last for one that is not there."""

    @classmethod
    def none(cls) -> "ElementEnds":
        """Return those of no circuit."""
        one = np.zeros(0, dtype=np.int64)
        return cls(one, one, one.reshape(-1, 2), one)

    @classmethod
    def of(
        cls, context: DssContext, place: Mapping[str, int], branches: Sequence[str]
    ) -> "ElementEnds":
        """Find those of a circuit.

        Parameters
        ----------
        context : DssContext
        place : mapping of str to int
            Position of each bus in the network, by OpenDSS's name in lower case.
        branches : sequence of str
            OpenDSS's names of the network's branches: `line.<name>`, `transformer.<name>`.
        """
        circuit = context.circuit
        elements = circuit.PDElements
        names = [str(name).lower() for name in elements.AllNames]
        starts = context.flow_places()
        start: list[int] = []
        home: list[int] = []
        first: dict[str, int] = {}
        for name, width in zip(names, np.asarray(elements.AllNumConductors).tolist(), strict=True):
            circuit.SetActiveElement(name)
            first[name] = len(start)
            for end, bus in enumerate(circuit.ActiveCktElement.BusNames):
                start.append(starts[name] + end * width)
                home.append(place[str(bus).split(".", 1)[0].lower()])
        rank = {name: index for index, name in enumerate(names)}
        none, last = (len(start), len(start)), len(names)
        ends = [(first[x], first[x] + 1) if x in first else none for x in branches]
        return cls(
            np.array(start, dtype=np.int64),
            np.array(home, dtype=np.int64),
            np.array(ends, dtype=np.int64).reshape(-1, 2),
            np.array([rank.get(x, last) for x in branches], dtype=np.int64),
        )

    def flows(self, powers: ComplexArray) -> ComplexArray:
        """Return the power into each end, all its conductors together, and a 0 after the last."""
        ends: ComplexArray = np.zeros(len(self.start) + 1, dtype=complex)
        if len(self.start):
            np.add.reduceat(powers, self.start, out=ends[:-1])
        return ends

    def leaving(self, flows: ComplexArray, buses: int) -> ComplexArray:
        """Return the power that leaves each bus of the network into these ends."""
        total: ComplexArray = np.zeros(buses, dtype=complex)
        np.add.at(total, self.home, flows[:-1])
        return total
