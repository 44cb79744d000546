"""What a pandapower net says of single phases: its asymmetric loads and its zero sequence."""

from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.network import Load
from gridrig.grid.points import Point

_ZERO_SEQUENCE = {
    "line": ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"),
    "trafo": ("vector_group", "vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx"),
    "ext_grid": ("s_sc_max_mva", "rx_max", "x0x_max", "r0x0_max"),
}
_BALANCED_ONLY = ("gen", "shunt", "impedance", "trafo3w", "asymmetric_sgen")


def require_zero_sequence(net: Any, network: str) -> None:
    """Refuse a net whose phases differ but whose zero sequence is not there."""
    for kind in _BALANCED_ONLY:
        if len(net[kind]):
            raise GridError(
                "grid.element_unsupported",
                "{network} has {count} elements of kind {kind!r} beside loads of single phases, "
                "which are not modelled",
                network=network,
                kind=kind,
                count=len(net[kind]),
            )
    for kind, columns in _ZERO_SEQUENCE.items():
        for column in columns:
            if column not in net[kind] or net[kind][column].isna().any():
                values = net[kind].get(column)
                first = 0 if values is None else int(np.argmax(values.isna()))
                raise GridError(
                    "grid.zero_sequence_missing",
                    "{network} has loads of single phases, but {kind} {element!r} has no {column}",
                    network=network,
                    kind=kind,
                    element=str(net[kind]["name"].iloc[first]),
                    column=column,
                )


def phase_loads(net: Any, network: str, buses: dict[int, str]) -> tuple[list[Load], list[Point]]:
    """Return the loads of single phases, and the points they hang at.

    A load with power in one phase keeps its name; one with power in several becomes a load for
    each, with the number of the phase after its name.
    """
    loads: list[Load] = []
    points: dict[str, Point] = {}
    for row in net.asymmetric_load[net.asymmetric_load.in_service].to_dict("records"):
        if row["type"] != "wye":
            raise GridError(
                "grid.element_unsupported",
                "{network}: load {load!r} is connected in {connection}, and pandapower solves "
                "single phases against earth only",
                network=network,
                load=row["name"],
                connection=row["type"],
            )
        drawn = [
            (phase, row["scaling"] * row[f"p_{x}_mw"], row["scaling"] * row[f"q_{x}_mvar"])
            for phase, x in enumerate("abc", start=1)
            if row[f"p_{x}_mw"] or row[f"q_{x}_mvar"]
        ]
        for phase, p_mw, q_mvar in drawn:
            bus = buses[row["bus"]]
            point = Point(f"{bus}.{phase}", bus, (phase,))
            points.setdefault(point.name, point)
            name = row["name"] if len(drawn) == 1 else f"{row['name']}.{phase}"
            loads.append(Load(name, point.name, 1e6 * p_mw, 1e6 * q_mvar, None))
    return loads, list(points.values())
