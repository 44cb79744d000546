"""The point of common coupling: where a feeder parts from the main grid, and what lies behind.

The PCC is a transformer: `trafo:0` is the first, metered at its LV side, where the breaker of a
microgrid and its meter are; `trafo:0@hv` is metered at the HV side, so that the losses of the
transformer are the feeder's. Lines and switches as a PCC are refused by name.
"""

from dataclasses import dataclass
from typing import Literal

from gridrig.errors import GridError
from gridrig.grid.network import Network


@dataclass(frozen=True, slots=True)
class Pcc:
    """Where the feeder is separated from the main grid, and which side is metered."""

    index: int
    side: Literal["lv", "hv"] = "lv"

    @classmethod
    def parse(cls, text: str) -> "Pcc":
        """Read `trafo:0`, `trafo:0@lv` or `trafo:0@hv`.

        Raises
        ------
        GridError
            `grid.pcc_unsupported` for anything else.
        """
        place, _, side = text.partition("@")
        kind, _, number = place.partition(":")
        if kind != "trafo" or not number.isdecimal() or side not in ("", "lv", "hv"):
            raise GridError(
                "grid.pcc_unsupported",
                "pcc {pcc!r}: expected trafo:<n>, metered at the LV side, or trafo:<n>@hv",
                pcc=text,
            )
        return cls(int(number), "hv" if side == "hv" else "lv")


def inside(network: Network, pcc: Pcc) -> frozenset[str]:
    """Return the buses behind the PCC, or say why it cannot island them."""
    if not 0 <= pcc.index < len(network.transformers):
        raise GridError(
            "grid.pcc_unknown",
            "{network} has no transformer {index}: it has {count}",
            network=network.name,
            index=pcc.index,
            count=len(network.transformers),
        )
    trafo = network.transformers[pcc.index]
    if not trafo.in_service:
        raise GridError("grid.pcc_unknown", "the PCC {trafo!r} is out of service", trafo=trafo.name)
    outside = network.reachable([network.source.bus], without=trafo.name)
    if trafo.lv_bus in outside:
        raise GridError(
            "grid.pcc_does_not_island",
            "opening {trafo!r} leaves bus {bus!r} connected to the main grid",
            trafo=trafo.name,
            bus=trafo.lv_bus,
        )
    return frozenset(network.buses) - outside
