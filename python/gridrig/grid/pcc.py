"""The point of common coupling: where a feeder parts from the main grid, and what lies behind.

- `trafo:0` or `trafo:<name>` is a transformer metered at its LV side, where the breaker of a
  microgrid and its meter are; `@hv` after it meters at the HV side, so that the losses of the
  transformer are the feeder's.
- `line:0` or `line:<name>` is a line (a switch is one), metered at its far end from the main grid.
- `source` is the connection of the whole network to its main grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gridrig.errors import GridError
from gridrig.grid.network import Line, Network, Transformer, line_key, trafo_key


@dataclass(frozen=True, slots=True)
class Pcc:
    """Where the feeder is separated from the main grid, and which side is metered."""

    kind: Literal["trafo", "line", "source"]
    element: str = ""
    """Its number or its name; empty for the source."""
    side: Literal["lv", "hv"] = "lv"

    @classmethod
    def parse(cls, text: str) -> "Pcc":
        """Read `trafo:0`, `trafo:<name>@hv`, `line:<name>` or `source`.

        Raises
        ------
        GridError
            `grid.pcc_unsupported` for anything else.
        """
        if text == "source":
            return cls("source")
        kind, _, element = text.partition(":")
        if kind == "line" and element:
            return cls("line", element)
        place, _, side = element.partition("@")
        if kind == "trafo" and place and side in ("", "lv", "hv"):
            return cls("trafo", place, "hv" if side == "hv" else "lv")
        raise GridError(
            "grid.pcc_unsupported",
            "pcc {pcc!r}: expected source, line:<n or name>, trafo:<n or name>, metered at the "
            "LV side, or trafo:<n or name>@hv",
            pcc=text,
        )


@dataclass(frozen=True)
class Cut:
    """A PCC found in a network."""

    key: str
    """The branch that opens, as `Topology.out` names it; empty for the source."""
    position: int
    """Of the line or transformer among those of the network; -1 for the source."""
    far_end: int
    """Which end of it is inside."""
    bus: str
    """The bus at that end; the source's, if that is the PCC."""
    inside: frozenset[str]
    """The buses behind it."""
    rating_va: float
    """What it may carry; of a source, all loads at their rating. [VA]"""


def find_cut(network: Network, pcc: Pcc) -> Cut:
    """Find a PCC, or say why it cannot island what is behind it.

    Raises
    ------
    GridError
        `grid.pcc_unknown`, `grid.pcc_does_not_island`.
    """
    starts = [source.bus for source in network.sources]
    if pcc.kind == "source":
        drawn_va = sum(abs(complex(x.draw_w, x.draw_var)) for x in network.loads)
        return Cut("", -1, 0, starts[0], frozenset(network.buses), drawn_va)
    elements: Sequence[Line | Transformer] = (
        network.lines if pcc.kind == "line" else network.transformers
    )
    position = _position(network, pcc, [x.name for x in elements])
    element = elements[position]
    if not element.in_service:
        raise GridError("grid.pcc_unknown", "the PCC {name!r} is out of service", name=element.name)
    if isinstance(element, Line):
        key, ends = line_key(element.name), (element.from_bus, element.to_bus)
        rating_va = 3**0.5 * element.max_i_a * network.v_nominal_v[network.bus_index(ends[0])]
    else:
        key, ends = trafo_key(element.name), (element.hv_bus, element.lv_bus)
        rating_va = element.s_va
    outside = network.reachable(starts, network.out_of_service | {key})
    far_end = 1 if pcc.kind == "trafo" or ends[0] in outside else 0
    if ends[far_end] in outside:
        raise GridError(
            "grid.pcc_does_not_island",
            "opening {name!r} leaves bus {bus!r} connected to the main grid",
            name=element.name,
            bus=ends[far_end],
        )
    return Cut(key, position, far_end, ends[far_end], frozenset(network.buses) - outside, rating_va)


def _position(network: Network, pcc: Pcc, names: Sequence[str]) -> int:
    if pcc.element in names:
        return names.index(pcc.element)
    if pcc.element.isdecimal() and int(pcc.element) < len(names):
        return int(pcc.element)
    raise GridError(
        "grid.pcc_unknown",
        "{network} has no {kind} {element!r}: it has {count}, by number or name",
        network=network.name,
        kind="transformer" if pcc.kind == "trafo" else "line",
        element=pcc.element,
        count=len(names),
    )
