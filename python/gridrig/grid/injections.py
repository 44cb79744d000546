"""What goes into a feeder, as its callers give it: by bus name or as arrays, checked once."""

from collections.abc import Mapping, Sequence

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.engine import ComplexArray, FloatArray
from gridrig.grid.network import unknown_bus

Injections = Mapping[str, float] | Sequence[float] | FloatArray


def by_point(p_w: Injections, q_var: Injections, buses: Sequence[str]) -> ComplexArray:
    """Return injections by point of a feeder.

    Parameters
    ----------
    p_w, q_var : mapping by bus name, or one value for each of `buses`
        A bus left out of a mapping has 0. [W], [var]
    buses : sequence of str
        The points.

    Raises
    ------
    GridError
        `grid.bus_unknown`, or `grid.injection` for a wrong length or what is no number.
    """
    power: ComplexArray = np.empty(len(buses), dtype=complex)
    power.real, power.imag = _values(p_w, "p_w", buses), _values(q_var, "q_var", buses)
    if np.isfinite(power).all():
        return power
    name, values = "p_w", power.real
    if np.isfinite(values).all():
        name, values = "q_var", power.imag
    bus = buses[int(np.argmin(np.isfinite(values)))]
    raise GridError("grid.injection", "{name} at bus {bus!r} is not finite", name=name, bus=bus)


def _values(values: Injections, name: str, buses: Sequence[str]) -> FloatArray:
    if not isinstance(values, np.ndarray) and isinstance(values, Mapping):
        known = set(buses)
        for bus in values:
            if bus not in known:
                raise unknown_bus(bus, buses)
        array = np.array([values.get(bus, 0.0) for bus in buses], dtype=float)
    else:
        array = np.asarray(values, dtype=float)
    if array.shape != (len(buses),):
        raise GridError(
            "grid.injection",
            "{name} has shape {shape}, expected one value for each of {count} buses",
            name=name,
            shape=array.shape,
            count=len(buses),
        )
    return array
