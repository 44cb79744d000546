"""What an operator did about an overload, against the same evening without it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from gridrig.campaign.loop import Loop
from gridrig.grid.network import Network, line_key
from gridrig.promises.feeder_again import FeederAgain, TickAgain
from gridrig.quantity import SECONDS_PER_HOUR

ENGINES_PERCENT = 0.5  # of loading, by which the engines may differ


@dataclass(frozen=True)
class Rerouted:
    """What switching and shedding came to.

    Parameters
    ----------
    without_percent : float
        Highest loading of any line, had nobody done anything. [%]
    ahead_s : float
        From the operator's last switching to the time at which a line would have been overloaded;
        -inf if it never switched. [s]
    said_s : float
        From the first plan that has to shed to that time; -inf if there was none. [s]
    rings : int
        Most rings of the network at one tick.
    unserved_wh : float
        What loads would have drawn and did not get. [Wh]
    protected_unserved_wh : float
        The same, of loads that have no stage. [Wh]
    out_of_order : int
        Ticks at which a load was off that had a later stage than one which would have done alone.
    needless : int
        Ticks at which a load was off that every limit would have stood.
    off_at_end : int
        Loads that are off at the last tick.
    engines_differ_pu : float
        Largest difference of any voltage between the run's engine and the other. [pu]
    """

    without_percent: float
    ahead_s: float
    said_s: float
    rings: int
    unserved_wh: float
    protected_unserved_wh: float
    out_of_order: int
    needless: int
    off_at_end: int
    engines_differ_pu: float


def rerouted(loop: Loop, limit_percent: float) -> Rerouted:
    """Solve every tick of a run again and judge its operator, who was to keep `limit_percent`."""
    again = FeederAgain(loop)
    network = loop.physics.feeder.network
    stages = loop.physics.street.shed_stages()
    without, differ = 0.0, 0.0
    limit_s = inf
    rings = out_of_order = needless = 0
    unserved: dict[str, float] = {}
    shed: dict[str, float] = {}
    for tick in again.ticks():
        row = tick.row
        loading = float(again.without_operator(tick).line_loading_percent.max())
        without = max(without, loading)
        if loading > 100.0:
            limit_s = min(limit_s, row["t_s"])
        solution = again.as_run(tick)
        told = [row[f"bus.{bus}.v_pu"] for bus in again.buses]
        differ = max(differ, float(np.abs(solution.v_pu - told).max()))
        closed = again.closed(tick)
        rings = max(rings, _rings(network, closed))
        shed = tick.shed
        for bus, p_w in shed.items():
            unserved[bus] = unserved.get(bus, 0.0) + p_w * row["dt_s"] / SECONDS_PER_HOUR
            back = again.as_run(tick, given_back=bus)
            needless += _keeps(back.line_loading_percent, limit_percent - ENGINES_PERCENT)
        out_of_order += _out_of_order(again, tick, stages, limit_percent - ENGINES_PERCENT)
    said = [e.t_s for e in loop.events.ordered() if e.kind == "operator_plan" and e.data["shed"]]
    switched = [e.t_s for e in loop.events.ordered() if e.kind == "operator_switched"]
    return Rerouted(
        without_percent=without,
        ahead_s=limit_s - max(switched) if switched else -inf,
        said_s=limit_s - min(said) if said else -inf,
        rings=rings,
        unserved_wh=sum(unserved.values()),
        protected_unserved_wh=sum(wh for bus, wh in unserved.items() if bus not in stages),
        out_of_order=out_of_order,
        needless=int(needless),
        off_at_end=len(shed),
        engines_differ_pu=differ,
    )


def _keeps(loading_percent: Iterable[float], limit_percent: float) -> bool:
    return max(loading_percent) <= limit_percent


def _out_of_order(
    again: FeederAgain, tick: TickAgain, stages: Mapping[str, int], limit_percent: float
) -> bool:
    """Tell whether a load of an earlier stage would have done in the place of one that is off."""
    off = tick.shed
    for bus in off:
        for other, stage in stages.items():
            if other in off or stage >= stages.get(bus, inf) or other not in tick.loads:
                continue
            instead = again.as_run(tick, given_back=bus, taken=other)
            if _keeps(instead.line_loading_percent, limit_percent):
                return True
    return False


def _rings(network: Network, closed: Mapping[str, bool]) -> int:
    """Count the lines that join what is joined already."""
    root: dict[str, str] = {}

    def root_of(bus: str) -> str:
        while bus in root:
            bus = root[bus]
        return bus

    rings = 0
    for line in network.lines:
        if not closed.get(line_key(line.name), line.in_service):
            continue
        one, other = root_of(line.from_bus), root_of(line.to_bus)
        if one == other:
            rings += 1
        else:
            root[one] = other
    return rings
