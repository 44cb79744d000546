"""The load shapes of an OpenDSS file as profiles.

OpenDSS has hours and no calendar: here hour 0 is 1 January, 00:00 UTC of the window's first year,
and a shape that ends begins again, so that one of 24 hours is every day's. A point of a shape holds
up to its hour, as OpenDSS's own daily and yearly solutions use it: the first point of an hourly
shape from 00:00 to 01:00. A load takes its `yearly` shape, else `daily`, else `duty`; one without
draws its rating. `useactual` shapes are kW and kvar, the others shares of the rating; without
reactive points of its own a shape keeps the load's power factor (which OpenDSS itself sets to 1
where a `useactual` shape has none).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import GridError
from gridrig.grid.dss_context import DssContext
from gridrig.grid.dss_file import open_file
from gridrig.grid.network import Network
from gridrig.grid.profile_table import FloatArray, ProfileTable, RowWindow

_ROW_S_DEFAULT = 3600


@dataclass(frozen=True)
class _Shape:
    step_s: int
    p: FloatArray
    q: FloatArray | None
    actual: bool

    def at(self, seconds: NDArray[Any], values: FloatArray) -> FloatArray:
        """Return the values that hold from these seconds on."""
        row = (seconds // self.step_s).astype(np.int64) % len(values)
        held: FloatArray = values[row]
        return held


def read_shapes(network: Network, start_utc_s: int, end_utc_s: int) -> ProfileTable:
    """Read the shapes that the loads and generators of an OpenDSS file name.

    Raises
    ------
    GridError
        `grid.profile_absent` if the network is no OpenDSS file, `grid.profile_missing` for a
        shape that is not there or whose points have no common interval.
    """
    if network.dss_file is None:
        raise GridError(
            "grid.profile_absent",
            "network {network} is no OpenDSS file: it has no load shapes",
            network=network.name,
        )
    context = open_file(network.dss_file)
    named = [x.profile for x in network.loads] + [x.profile for x in network.sgens]
    names = {name for name in named if name}
    shapes = {name: _read(context, name, network.name) for name in sorted(names)}
    row_s = gcd(*(shape.step_s for shape in shapes.values())) if shapes else _ROW_S_DEFAULT
    year = datetime.fromtimestamp(start_utc_s, UTC).year
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    rows = RowWindow.of(start_utc_s, end_utc_s, begin, row_s)
    seconds = (rows.first + np.arange(rows.count)) * float(row_s)
    load_w = np.empty((rows.count, len(network.loads)))
    load_var = np.empty_like(load_w)
    for index, load in enumerate(network.loads):
        shape = shapes[load.profile] if load.profile else None
        load_w[:, index], load_var[:, index] = load.draw_w, load.draw_var
        if shape is not None:
            scale = (1e3, 1e3) if shape.actual else (load.draw_w, load.draw_var)
            load_w[:, index] = shape.at(seconds, shape.p) * scale[0]
            if shape.q is not None:
                load_var[:, index] = shape.at(seconds, shape.q) * scale[1]
            elif load.draw_w:  # its power factor stays
                load_var[:, index] = load_w[:, index] * load.draw_var / load.draw_w
    sgen = np.ones((rows.count, len(network.sgens)))
    for index, machine in enumerate(network.sgens):
        if machine.profile:
            shape = shapes[machine.profile]
            sgen[:, index] = shape.at(seconds, shape.p)
            if shape.actual:
                sgen[:, index] *= 1e3 / machine.rating_w
    return ProfileTable(
        first_utc_s=begin + rows.first * row_s,
        row_s=row_s,
        load_w=load_w,
        load_var=load_var,
        sgens=tuple(x.name for x in network.sgens),
        sgen=sgen,
    )


def _read(context: DssContext, name: str, network: str) -> _Shape:
    shapes = context.circuit.LoadShapes
    if name not in {str(one).lower() for one in shapes.AllNames}:
        raise GridError(
            "grid.profile_missing",
            "{network} has no load shape {name!r}",
            network=network,
            name=name,
        )
    shapes.Name = name
    step_s = round(3600.0 * float(shapes.HrInterval))
    p = np.asarray(shapes.Pmult, dtype=float)
    # The interface gives a lone 0 for a shape without reactive points; the property is empty.
    has_q = bool(context.command(f"? loadshape.{name}.qmult").strip(" []"))
    q = np.asarray(shapes.Qmult, dtype=float) if has_q else None
    if step_s <= 0 or not len(p):
        raise GridError(
            "grid.profile_missing",
            "load shape {name!r} of {network} has {count} points {step_s} s apart, expected an "
            "interval of at least 1 s",
            network=network,
            name=name,
            count=len(p),
            step_s=step_s,
        )
    return _Shape(step_s, p, q, bool(shapes.UseActual))
