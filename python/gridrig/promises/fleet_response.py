"""How a fleet followed its orders: what the feeder head saw, against a run without any order.

Both runs have the same weather, homes and loads. What is given is how much less the feeder takes at
its head; it includes the losses that the feeder saves, and nothing that any device says of itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridrig.campaign.lab import Lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.scenario import Scenario
from gridrig.minds.aggregator import Order, ordered_w
from gridrig.minds.series import FloatArray

REACHED = 0.9  # an order is answered when so much of it is there
HEAD_W, LOSSES_W = "feeder.head_p_w", "feeder.losses_w"


@dataclass(frozen=True)
class Response:
    """What was ordered and given, tick by tick.

    Parameters
    ----------
    t_s, dt_s : array of float64
        When each tick began, and how long it was. [s]
    ordered_w, given_w : array of float64
        Power beside the run without an order, + is into the grid. [W]
    losses_saved_w : array of float64
        By how much less the feeder lost. [W]
    """

    t_s: FloatArray
    dt_s: FloatArray
    ordered_w: FloatArray
    given_w: FloatArray
    losses_saved_w: FloatArray

    def _within(self, from_s: float, to_s: float) -> FloatArray:
        """Return how long of each tick lies in a span. [s]"""
        shared: FloatArray = np.minimum(self.t_s + self.dt_s, to_s) - np.maximum(self.t_s, from_s)
        return np.maximum(shared, 0.0)

    def error_percent(self, from_s: float, to_s: float) -> float | None:
        """Return the root mean square of what was not followed, of that of the order. [%]"""
        weight = self._within(from_s, to_s)
        if not (weight * np.abs(self.ordered_w)).any():
            return None
        missed = np.average((self.given_w - self.ordered_w) ** 2, weights=weight)
        asked = np.average(self.ordered_w**2, weights=weight)
        return float(100.0 * np.sqrt(missed / asked))

    def mean_w(self, from_s: float, to_s: float) -> float:
        """Return what was given on average. [W]"""
        return float(np.average(self.given_w, weights=self._within(from_s, to_s)))

    def energy_wh(self, from_s: float, to_s: float) -> float:
        """Return what was given without the losses that the feeder saved by it. [Wh]"""
        hours = self._within(from_s, to_s) / 3600
        return float(np.sum((self.given_w - self.losses_saved_w) * hours))

    def answered_s(self, order: Order) -> float | None:
        """Return how long after its beginning an order was there; None if it never was. [s]"""
        there = self.given_w / order.p_w >= REACHED
        times = self.t_s[there & (self.t_s >= order.from_s) & (self.t_s < order.to_s)]
        return float(times[0]) - order.from_s if len(times) else None

    def tick_s(self, t_s: float) -> float:
        """Return the length of the tick at a time. [s]"""
        return float(self.dt_s[np.searchsorted(self.t_s, t_s, side="right") - 1])

    def most_back_w(self, from_s: float) -> float:
        """Return the most that is taken back from a time on. [W]"""
        return float(max(-self.given_w[self.t_s >= from_s].min(), 0.0))


async def without_orders(lab: Lab, scenario: Scenario) -> Mapping[str, list[float]]:
    """Run a scenario without its events, and return the trace."""
    loop = await lab.run_loop(replace(scenario, events=()))
    return loop.trace.columns()


def response(reference: Mapping[str, list[float]], loop: Loop, orders: Sequence[Order]) -> Response:
    """Compare a run with what it would have been without orders."""
    columns = {key: np.array(values) for key, values in loop.trace.columns().items()}
    given_w = np.array(reference[HEAD_W]) - columns[HEAD_W]
    # A ramp is followed in steps: what a tick is to give on average is what it is ordered at its
    # middle.
    middles_s = columns["t_s"] + columns["dt_s"] / 2
    asked_w = np.array([ordered_w(orders, t_s) for t_s in middles_s.tolist()])
    saved_w = np.array(reference[LOSSES_W]) - columns[LOSSES_W]
    return Response(columns["t_s"], columns["dt_s"], asked_w, given_w, saved_w)
