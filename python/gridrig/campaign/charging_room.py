"""What the feeder of a run leaves to its cars: a linear picture of what is near a limit.

The feeder is solved for what is forecast of the day (the day before, as everybody's forecast) and
with every car at its most. What is then outside a limit is what may bind: of each such line,
transformer and bus, the engine says what a watt at each charger adds, and what is left in each
slot. What the head's meter says beyond the forecast is taken to last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.grid.engine import FloatArray
from gridrig.grid.feeder import Feeder
from gridrig.grid.findings import Finding, Limits, findings
from gridrig.grid.sensitivity import sensitivities, value_of
from gridrig.minds.car_park import FeederRoom
from gridrig.quantity import DeliveryPeriod

Forecast = Callable[[DeliveryPeriod], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class _Element:
    """A limit that may bind: what chargers add, and what is used of it without them."""

    finding: Finding
    per_w: FloatArray  # by charger, of a watt taken
    room: FloatArray  # by slot


class ChargingRoom:
    """Says at any time what is left of the feeder.

    Parameters
    ----------
    feeder : Feeder
        Not the one of the run: its solutions start from other ones.
    limits : Limits
    margin_percent : float
        Kept of lines and transformers. [%]
    most_w, gives_w : mapping of charger to float
        The most that its cars take and give. [W]
    bus_of : mapping of charger to bus
    forecast : callable
        What the feeder carries besides the cars, by slot.
    slots : sequence of DeliveryPeriod
        Of the run.
    """

    def __init__(
        self,
        feeder: Feeder,
        limits: Limits,
        margin_percent: float,
        most_w: Mapping[str, float],
        gives_w: Mapping[str, float],
        bus_of: Mapping[str, str],
        forecast: Forecast,
        slots: Sequence[DeliveryPeriod],
    ) -> None:
        self._slots = slots
        self._chargers = list(most_w)
        self._used = [forecast(slot) for slot in slots]
        without = [feeder.solve(*used) for used in self._used]
        self._head_w = np.array([solution.head_p_w for solution in without])
        worst = int(np.argmax(self._head_w))
        self._elements: list[_Element] = []
        for sign, powers in ((-1.0, most_w), (1.0, gives_w)):
            p_w, q_var = self._used[worst]
            p_w = p_w.copy()
            for name, power_w in powers.items():
                p_w[feeder.buses.index(bus_of[name])] += sign * power_w
            near = [f for f in findings(feeder.solve(p_w, q_var), limits) if f.kind != "dead_bus"]
            buses = [bus_of[name] for name in self._chargers]
            slopes = sensitivities(feeder, near, buses, p_w, q_var)
            for finding, slope in zip(near, slopes, strict=True):
                # What grows beyond its limit counts upwards, a low voltage downwards.
                grows = -1.0 if finding.kind == "undervoltage" else 1.0
                kept = 0.0 if "voltage" in finding.kind else margin_percent / 100 * finding.limit
                used = np.array([value_of(finding, solution) for solution in without])
                room = grows * (finding.limit - used) - kept
                self._elements.append(_Element(finding, -grows * slope, room))

    def forecast_w(self, t_s: float) -> float:
        """Return what the head was expected to deliver without cars. [W]"""
        return float(self._head_w[self._slot_at(t_s)])

    def of(
        self, chargers: Sequence[str], t_s: float, step_s: FloatArray, beyond_w: float
    ) -> FeederRoom:
        """Return what is left from a moment on.

        Parameters
        ----------
        chargers : sequence of str
        t_s : float
            Since the run began. [s]
        step_s : array of float64, shape (steps,)
            Lengths of the steps; in each the least of its slots counts. [s]
        beyond_w : float
            What the feeder takes beyond the forecast, now and from now on. [W]
        """
        rows = [self._chargers.index(name) for name in chargers]
        edges = t_s + np.concatenate([[0.0], np.cumsum(step_s)])
        first = [self._slot_at(edge) for edge in edges[:-1]]
        last = [self._slot_at(edge - 1e-6) + 1 for edge in edges[1:]]
        most = np.zeros((len(self._elements), len(step_s)))
        for k, element in enumerate(self._elements):
            more = float(element.per_w.mean()) * beyond_w
            most[k] = [
                element.room[a : max(a + 1, b)].min() - more
                for a, b in zip(first, last, strict=True)
            ]
        per_w = np.array([element.per_w[rows] for element in self._elements])
        names = [element.finding.element for element in self._elements]
        return FeederRoom(names, per_w.reshape(len(names), len(rows)), most)

    def _slot_at(self, t_s: float) -> int:
        length_s = self._slots[0].duration_s
        return min(int(t_s // length_s), len(self._slots) - 1)
