"""Where OpenDSS keeps the currents of the power-delivery elements of a circuit, end by end.

Currents are read once for each solution. Powers are worked out from them and the voltages, and so
are loadings, when somebody asks: OpenDSS would work out all currents anew for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridrig.grid.dss_context import DssContext, as_complex
from gridrig.grid.engine import ComplexArray, FloatArray, IntArray


@dataclass(frozen=True)
class ElementEnds:
    """The ends of all power-delivery elements, in OpenDSS's order.

    A branch of the network that the circuit lacks has the end after the last, whose power is 0.
    """

    node: IntArray
    """Of each conductor: place of its node in the circuit, that after the last at earth."""
    home: IntArray
    """Of each conductor: the position of its bus in the network."""
    start: IntArray
    """Of each end: the first of its conductors."""
    branch: IntArray
    """First two ends of each branch, lines before transformers, shape (branches, 2)."""
    rated: IntArray
    """Conductors of each branch whose current is held against its rating, shape (most, branches).

    Where there are fewer, any other, which then counts for nothing.
    """
    percent_per_a: FloatArray
    """What an ampere is of the rating, for each of them; 0 without a rating. [%/A]"""

    @classmethod
    def none(cls) -> "ElementEnds":
        """Return those of no circuit."""
        one = np.zeros(0, dtype=np.int64)
        two = one.reshape(-1, 2)
        return cls(one, one, one, two, two.T, np.zeros((2, 0)))

    @classmethod
    def of(
        cls,
        context: DssContext,
        place: Mapping[str, int],
        branches: Sequence[str],
        rated_a: FloatArray | None = None,
    ) -> "ElementEnds":
        """Find those of a circuit.

        Parameters
        ----------
        context : DssContext
        place : mapping of str to int
            Position of each bus in the network, by OpenDSS's name in lower case.
        branches : sequence of str
            OpenDSS's names of the network's branches: `line.<name>`, `transformer.<name>`.
        rated_a : array of float64, shape (branches, 2), optional
            Ratings of both ends, where all phases are alike; without them OpenDSS's own count, for
            every phase of the first end. [A]
        """
        circuit = context.circuit
        nodes = context.node_places()
        node: list[int] = []
        home: list[int] = []
        start: list[int] = []
        first: dict[str, int] = {}
        leading: dict[str, list[int]] = {}
        normal_a: dict[str, float] = {}
        # Of no elements OpenDSS tells one name, "NONE", and one number.
        names = circuit.PDElements.AllNames if circuit.PDElements.Count else ()
        for name in (str(name).lower() for name in names):
            circuit.SetActiveElement(name)
            element = circuit.ActiveCktElement
            width = int(element.NumConductors)
            numbers = [int(number) for number in element.NodeOrder]
            first[name] = len(start)
            leading[name] = list(range(len(node), len(node) + int(element.NumPhases)))
            if rated_a is not None:
                leading[name] = [len(node), len(node) + width]
            normal_a[name] = float(element.NormalAmps)
            for end, written in enumerate(element.BusNames):
                start.append(len(node))
                bus = str(written).split(".", 1)[0].lower()
                for number in numbers[end * width : (end + 1) * width]:
                    # Number 0 is earth; a bus that only what is out of service has is no node.
                    node.append(nodes.get(f"{bus}.{number}", len(nodes)))
                    home.append(place[bus])
        ends = [(first[x], first[x] + 1) if x in first else (len(start),) * 2 for x in branches]
        most = max((len(one) for one in leading.values()), default=1)
        rated = np.zeros((most, len(branches)), dtype=np.int64)
        per_a = np.zeros((most, len(branches)))
        for column, name in enumerate(branches):
            for row, conductor in enumerate(leading.get(name, ())):
                rated[row, column] = conductor
                if rated_a is not None:
                    per_a[row, column] = 100.0 / rated_a[column, row]
                elif normal_a[name] > 0.0:
                    per_a[row, column] = 100.0 / normal_a[name]
        return cls(
            np.array(node, dtype=np.int64),
            np.array(home, dtype=np.int64),
            np.array(start, dtype=np.int64),
            np.array(ends, dtype=np.int64).reshape(-1, 2),
            rated,
            per_a,
        )

    def currents(self, circuit: Any) -> ComplexArray:
        """Read the current into each conductor. [A]"""
        if not len(self.node):
            return np.zeros(0, dtype=complex)
        return as_complex(circuit.PDElements.AllCurrents)

    def powers(self, volts: ComplexArray, amps: ComplexArray) -> ComplexArray:
        """Return the power into each conductor.

        Parameters
        ----------
        volts : array of complex128, shape (nodes + 1,)
            Of each node against earth, and of earth itself. [V]
        amps : array of complex128, shape (conductors,)
            Into each conductor. [A]

        Returns
        -------
        array of complex128, shape (conductors,)
            [VA]
        """
        power: ComplexArray = np.conj(amps)
        power *= volts[self.node]
        return power

    def leaving(self, powers: ComplexArray, buses: int) -> ComplexArray:
        """Return the power that leaves each bus of the network into these elements. [VA]"""
        total: ComplexArray = np.zeros(buses, dtype=complex)
        np.add.at(total, self.home, powers)
        return total

    def branch_va(self, powers: ComplexArray) -> ComplexArray:
        """Return the power into the two ends of each branch, shape (branches, 2). [VA]"""
        ends: ComplexArray = np.zeros(len(self.start) + 1, dtype=complex)
        if len(self.start):
            np.add.reduceat(powers, self.start, out=ends[:-1])
        picked: ComplexArray = ends[self.branch]
        return picked

    def percent(self, amps: ComplexArray) -> FloatArray:
        """Return the highest of the rated currents over its rating, by branch. [%]"""
        if not len(amps):
            return np.zeros(len(self.branch))
        percent: FloatArray = np.abs(amps[self.rated])
        percent *= self.percent_per_a
        highest: FloatArray = percent.max(axis=0)
        return highest
