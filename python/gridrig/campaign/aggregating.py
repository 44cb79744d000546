"""The aggregator at work: orders become set-points of fleets and batteries, control step by step.

A set-point told at the end of a tick is followed from the next one on, so the order of the next
tick is what is spread. The batteries give what the fleets cannot or, by what they tell, did not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gridrig.campaign.control import Control
from gridrig.campaign.fleet_reports import FleetReports
from gridrig.campaign.order_wire import OrderWire
from gridrig.campaign.street import Street
from gridrig.circuit.heated_homes import QUARTER_S, History
from gridrig.events import EventLog
from gridrig.minds.aggregator import Baseline, Order, dispatch, ordered_w
from gridrig.minds.series import IntArray
from gridrig.openadr.ven import HeardEvent

EVERYTHING = "aggregator"  # the target of an order to all fleets and batteries
MISSING_OF_ORDER = 0.05  # from here on an order that cannot be given is an event


@dataclass
class _Target:
    """What one target is ordered, and what it was last told to give. [W]"""

    fleets: tuple[str, ...]
    storages: tuple[str, ...] = ()
    orders: list[Order] = field(default_factory=list)
    told_w: float = 0.0
    falls_short: bool = False


class Aggregating:
    """Dispatches the fleets of a rig and the batteries that its `[aggregator]` names.

    Parameters
    ----------
    street : Street
        Whose fleets.
    control : Control
        By which batteries are told, within what they allow.
    """

    def __init__(self, street: Street, control: Control, events: EventLog) -> None:
        self._street, self._control, self._events = street, control, events
        table = street.rig.aggregator
        names = tuple(street.fleets)
        self._targets = {name: _Target((name,)) for name in names}
        if names:
            self._targets[EVERYTHING] = _Target(names, table.storages if table else ())
        self.history: dict[str, History] = {}
        self.registers: dict[str, dict[float, IntArray]] = {}
        """Of each fleet, its homes' registers at every quarter-hour of the run. [mWh]"""
        self._baselines: dict[str, Baseline] = {}
        self._ordered_w = 0.0
        self._given_w = 0.0
        self._start_utc_s = 0
        self.wire: OrderWire | None = None
        self.reports: FleetReports | None = None

    def begin(self, utc_s: int) -> None:
        """Let the fleets live through the days before a run, and learn from them."""
        self._start_utc_s = utc_s
        for name, homes in self._street.fleets.items():
            self.history[name] = past = homes.begin(utc_s)
            self._baselines[name] = Baseline(past.p_w, past.outdoor_c)
            self.registers[name] = {}
        if self.reports is not None:
            self.reports.begin(self.history)

    def orders(self, target: str) -> tuple[Order, ...]:
        """Return the orders that a target was given so far."""
        return tuple(self._targets[target].orders)

    def row(self, utc_s: float) -> dict[str, float]:
        """Return the trace's columns of fleets: what is ordered, what they say, and their rooms."""
        if not self._targets:
            return {}
        row = {"aggregator.ordered_w": self._ordered_w, "aggregator.given_w": self._given_w}
        p_w = self._street.world.held()[0]
        for name, homes in self._street.fleets.items():
            indices = self._street.homes[name]
            row |= {
                f"fleet.{name}.p_w": sum(p_w[indices.start : indices.stop]),
                f"fleet.{name}.coldest_c": float(homes.temperature_c.min()),
                f"fleet.{name}.warmest_c": float(homes.temperature_c.max()),
                f"fleet.{name}.stored_wh": homes.stored_wh(),
                f"fleet.{name}.lost_w": homes.lost_w(utc_s),
            }
        return row

    def dispatch(self, target: str, t_s: float, said: Mapping[str, float]) -> None:
        """Order what an event of a scenario says, by the wire if the rig has one."""
        from_s, lasts_s = t_s + said.get("in_s", 0.0), said["duration_s"]
        if self.wire is not None:
            resource = None if target == EVERYTHING else target
            self.wire.issue(resource, from_s=from_s, duration_s=lasts_s, p_w=said["p_w"])
            return
        order = Order(from_s, from_s + lasts_s, said["p_w"], said.get("ramp_s", 0.0))
        self._targets[target].orders.append(order)

    def take(self, event: HeardEvent) -> str | None:
        """Take an event of the wire, in the place of what it said before; return why not."""
        targets = event.targets or (EVERYTHING,)
        for target in targets:
            if target not in self._targets:
                return f"resource {target!r}, expected one of {', '.join(self._targets)}"
        for one in self._targets.values():
            one.orders = [order for order in one.orders if order.order_id != event.event_id]
        if not event.cancelled:
            begin = self._start_utc_s
            orders = [
                Order(
                    one.from_utc_s - begin,
                    one.from_utc_s - begin + one.duration_s,
                    one.p_w,
                    order_id=event.event_id,
                )
                for one in event.intervals
            ]
            for name in targets:
                self._targets[name].orders += orders
        return None

    def step(self, t_s: float, dt_s: float, utc_s: float) -> Mapping[str, float]:
        """Tell every device of a target that is under an order; return what storages are told. [W]

        Parameters
        ----------
        t_s, dt_s, utc_s : float
            Of the tick that begins now; what is told holds from the next one on. [s]
        """
        if t_s % QUARTER_S == 0:
            for name in self._street.homes:
                self.registers[name][t_s] = self._counted(name)
        if self.reports is not None and t_s % self.reports.interval_s == 0:
            for name in self._street.homes:
                self.reports.read(name, int(utc_s), self._counted(name))
        storages_w: dict[str, float] = {}
        self._ordered_w = self._given_w = 0.0
        for name, target in self._targets.items():
            if any(order.from_s <= t_s + dt_s < order.to_s for order in target.orders):
                self._give(name, target, t_s + dt_s, utc_s, storages_w)
            elif target.told_w:
                self._release(name, target, utc_s)
        return storages_w

    def _counted(self, name: str) -> IntArray:
        """Return what the terminals of a fleet's homes have counted. [mWh]"""
        world = self._street.world
        indices = self._street.homes[name]
        return np.array([world.terminal(one).import_milliwh for one in indices], dtype=np.int64)

    def _give(
        self, name: str, target: _Target, t_s: float, utc_s: float, storages_w: dict[str, float]
    ) -> None:
        order_w = ordered_w(target.orders, t_s)
        homes = [self._street.fleets[fleet] for fleet in target.fleets]
        read = [fleet.read(utc_s) for fleet in homes]
        base_w = np.concatenate(
            [
                self._baselines[fleet].at(self._street.fleets[fleet].outdoor_c(utc_s))
                for fleet in target.fleets
            ]
        )
        low_w, high_w, now_w = (
            np.concatenate([getattr(one, key) for one in read])
            for key in ("low_w", "high_w", "p_w")
        )
        gives_w = float(np.nansum(base_w - now_w))
        # Of those that were told something; before that they do what they like.
        failed_w = target.told_w - gives_w if target.told_w else 0.0
        told = dispatch(order_w, base_w, low_w, high_w)
        missing_w = self._share_out(target.storages, told.missing_w + failed_w, storages_w)
        begin = 0
        for fleet in homes:
            fleet.tell(told.p_w[begin : begin + fleet.count], utc_s)
            begin += fleet.count
        target.told_w = told.given_w
        self._ordered_w += order_w
        self._given_w += gives_w
        falls_short = abs(missing_w) > MISSING_OF_ORDER * abs(order_w)
        if falls_short and not target.falls_short:
            self._events.record(
                "order_beyond_fleet", name, ordered_w=order_w, missing_w=round(missing_w, 1)
            )
        target.falls_short = falls_short

    def _share_out(
        self, storages: tuple[str, ...], wanted_w: float, storages_w: dict[str, float]
    ) -> float:
        """Let batteries give what is wanted, in turn; return what they cannot. [W]"""
        for storage in storages:
            storages_w[storage] = self._control.bounds[storage].clamp(wanted_w)
            wanted_w -= storages_w[storage]
        return wanted_w

    def _release(self, name: str, target: _Target, utc_s: float) -> None:
        for fleet in target.fleets:
            self._street.fleets[fleet].tell(None, utc_s)
        target.told_w, target.falls_short = 0.0, False
        self._events.record("order_over", name)
