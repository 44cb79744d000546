"""Where OpenDSS keeps the voltages of a circuit, node by node."""

from collections.abc import Mapping, Sequence

import numpy as np

from gridrig.grid.dss_context import DssContext, as_complex
from gridrig.grid.engine import ComplexArray, FloatArray
from gridrig.grid.phases import PhaseVoltages
from gridrig.grid.points import Point


class DssNodes:
    """The nodes of a circuit as it is now: whoever rebuilds the circuit looks anew.

    Parameters
    ----------
    context : DssContext
        With a circuit that was solved.
    points : sequence of Point
    homes : sequence of str
        By point: what the circuit calls its bus, in lower case.
    base_v : mapping of str to float
        Nominal line-to-neutral voltage of each bus of the circuit. [V]
    """

    def __init__(
        self,
        context: DssContext,
        points: Sequence[Point],
        homes: Sequence[str],
        base_v: Mapping[str, float],
    ) -> None:
        places = context.node_places()
        self._circuit = context.circuit
        self._v = np.zeros(len(places) + 1, dtype=complex)
        self._nominal_v = np.ones(len(self._v))
        for name, at in places.items():
            self._nominal_v[at] = base_v[name.rsplit(".", 1)[0]]
        node = [[places.get(f"{home}.{phase}", -1) for home in homes] for phase in (1, 2, 3)]
        self._node = np.array(node, dtype=np.int64).reshape(3, -1)
        self._phases = PhaseVoltages(points, self._node, self._nominal_v)

    def read(self) -> ComplexArray:
        """Return the voltages of the last solution; the array is written into by the next read.

        Returns
        -------
        array of complex128, shape (nodes + 1,)
            Of each node against earth, and of earth itself. [V]
        """
        self._v[:-1] = as_complex(self._circuit.YNodeVarray)
        return self._v

    def balanced(self) -> ComplexArray:
        """Return what was read by point, where all phases are alike. [pu]"""
        first = self._node[0]
        v_pu: ComplexArray = self._v[first] / self._nominal_v[first]
        return v_pu

    def by_phase(self) -> tuple[ComplexArray, FloatArray, FloatArray]:
        """Return what was read by point, with the lowest and highest phase of each. [pu]"""
        return self._phases.of(self._v)
