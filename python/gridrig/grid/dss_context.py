"""An OpenDSS engine of one's own, and what both ways of using it need from it.

The in-process engine is one global circuit: each feeder has a context of its own. It must not
change the folder of the process, open an editor or a window.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.engine import ComplexArray
from gridrig.grid.phases import TURN

TOLERANCE_PU = 1e-11
"""Change of voltage between iterations at which OpenDSS may stop. [pu]"""


class DssContext:
    """One OpenDSS engine with at most one circuit."""

    def __init__(self) -> None:
        from dss import DSS, DSSException

        self._refusal = DSSException
        self.dss: Any = DSS.NewContext()
        self.dss.AllowForms = False
        self.dss.AllowEditor = False
        self.dss.AllowChangeDir = False
        self.circuit: Any = self.dss.ActiveCircuit

    def call(self, action: Any, *words: Any) -> Any:
        """Call the engine; its refusal is an error that keeps its words."""
        try:
            return action(*words)
        except self._refusal as error:
            reason = " ".join(str(word) for word in error.args[1:]).replace("\n", " ")
            raise GridError(
                "grid.engine_refused", "opendss: {reason}", reason=reason, number=error.args[0]
            ) from error

    def command(self, text: str) -> str:
        """Run one line of OpenDSS's language and return its result."""
        self.call(self.dss.Text.Commands, text)
        return str(self.dss.Text.Result)

    def node_places(self) -> dict[str, int]:
        """Return where each node is in the arrays of the circuit, in lower case."""
        return {str(name).lower(): place for place, name in enumerate(self.circuit.YNodeOrder)}


def positive_sequence(
    context: DssContext, nodes: Iterable[tuple[str, int, int, float]], buses: int
) -> ComplexArray:
    """Return the nodal admittances of a circuit in positive sequence; its sources are gone then.

    The phases that a bus has are held to be balanced. Thus power is kept, also at a bus of fewer
    than three phases.

    Parameters
    ----------
    context : DssContext
        With what is to be left out disabled, except sources and loads.
    nodes : iterable of (name, bus, phase, line-to-neutral nominal voltage)
    buses : int
        Their number.

    Returns
    -------
    array of complex128, shape (buses, buses)
        Over nominal voltages, for the power of all phases. [VA]
    """
    circuit = context.circuit
    for name in circuit.AllElementNames:
        if str(name).split(".", 1)[0].lower() in ("vsource", "load"):
            circuit.Disable(name)
    context.call(circuit.Solution.BuildYMatrix, 2, 0)
    places = context.node_places()
    y = as_complex(circuit.SystemY).reshape(len(places), len(places))
    spread = np.zeros((len(places), buses), dtype=complex)
    for name, bus, phase, volt in nodes:
        if name in places:
            spread[places[name], bus] = np.conj(TURN[phase - 1]) * volt
    reduced: ComplexArray = spread.conj().T @ y @ spread
    return reduced


def as_complex(pairs: Any) -> ComplexArray:
    """Return what OpenDSS gives as pairs of numbers."""
    values: ComplexArray = np.asarray(pairs, dtype=np.float64).view(np.complex128)
    return values
