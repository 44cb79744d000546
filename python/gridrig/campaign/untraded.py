"""What the feeder carries besides the trades: a forecast of whoever does not trade.

Forecasts are means of the day before, as the agents' own. Reactive power is nobody's to trade, so
that of every load counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.street import Street
from gridrig.campaign.views import SAMPLE_S, Seat
from gridrig.grid.engine import FloatArray
from gridrig.quantity import DAY_S, DeliveryPeriod
from gridrig.rig.device import LOAD


def bus_of(seat: Seat) -> str | None:
    """Return the bus of a participant, None for the main grid."""
    return seat.meter.bus if seat.device is None else seat.device.bus


@dataclass(frozen=True)
class UntradedForecast:
    """Forecasts for the buses of a feeder.

    Parameters
    ----------
    buses : tuple of str
        Of the feeder.
    street : Street
        Whose profiles are looked up.
    seats : mapping of participant to Seat
        Those who trade.
    start_utc_s : int
        Scenario start. [s since 1970]
    """

    buses: tuple[str, ...]
    street: Street
    seats: Mapping[str, Seat]
    start_utc_s: int

    def __call__(self, period: DeliveryPeriod) -> tuple[FloatArray, FloatArray]:
        """Return the forecast by bus, positive into the grid. [W, var]"""
        p_w, q_var = np.zeros(len(self.buses)), np.zeros(len(self.buses))
        begin = self.start_utc_s + period.start_s - DAY_S
        instants = range(begin, begin + period.duration_s, SAMPLE_S)
        loads = [seat for seat in self.seats.values() if seat.device is None]
        traded = {bus_of(seat) for seat in loads if seat.meter.measures == LOAD}
        sold = {seat.device.name for seat in self.seats.values() if seat.device is not None}
        for at, bus in enumerate(self.buses):
            if bus in self.street.loads:
                drawn = np.mean([self.street.profiles.load(bus, t) for t in instants], axis=0)
                p_w[at] += 0.0 if bus in traded else drawn[0]
                q_var[at] += drawn[1]
        for name in self.street.sun:
            if name not in sold:
                given = np.mean([self.street.sun_w(name, t) for t in instants])
                p_w[self.buses.index(self.street.bus_of(name))] += float(given)
        return p_w, q_var
