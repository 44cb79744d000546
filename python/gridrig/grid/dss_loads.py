"""All loads of an OpenDSS circuit, told what to draw in one call for all of them.

One call for each load and each of its two powers is most of what a step would cost from Python.
The engine has calls for many elements at once; dss-python loads them and keeps them to itself.

A handle is a pointer into the circuit: whoever rebuilds the circuit or adds a load to it makes a
new one.
"""

from typing import Any

import numpy as np

from gridrig.grid.dss_context import DssContext, as_complex
from gridrig.grid.engine import ComplexArray

_SET = 0
_KEEP_MATRIX = 2
"""OpenDSS's `AvoidFullRecalc`: what a load draws is no reason to build the matrix anew."""


class DssLoads:
    """The loads that a circuit has now, in its order.

    Parameters
    ----------
    context : DssContext
        With a circuit that keeps its loads while this lives.
    """

    def __init__(self, context: DssContext) -> None:
        api: Any = context.dss._api_util
        self._api = api
        self._lib, self._check = api.lib, api._check_for_error
        ffi: Any = api.ffi
        found, size = ffi.new("void***"), ffi.new("int32_t[4]")
        self._lib.Batch_CreateByClassS(found, size, b"load")
        context.call(self._check)
        self._all = ffi.gc(found[0], self._lib.Batch_Dispose)
        self.count = int(size[0])
        self._kilo = np.zeros((2, self.count))
        at = [ffi.from_buffer("double[]", row) for row in self._kilo]
        self._told = tuple(zip((b"kW", b"kvar"), at, strict=True))

    def draw(self, into_grid_va: ComplexArray) -> None:
        """Set P and Q of every load.

        Parameters
        ----------
        into_grid_va : array of complex128, shape (count,)
            As injections: what a load draws is negative, a negative load generates. [VA]
        """
        np.multiply(into_grid_va.real, -1e-3, out=self._kilo[0])
        np.multiply(into_grid_va.imag, -1e-3, out=self._kilo[1])
        for name, at in self._told:
            self._lib.Batch_Float64ArrayS(self._all, self.count, name, _SET, at, _KEEP_MATRIX)
        self._check()

    def taken(self) -> ComplexArray:
        """Return what went in at each load in the last solution, as `draw` counts it. [VA]"""
        read = self._lib.Alt_CEBatch_Get_TotalPowers
        return as_complex(self._api.get_float64_array(read, self._all, self.count)) * -1e3
