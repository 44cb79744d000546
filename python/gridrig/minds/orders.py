"""From what a home needs, what its battery can do and what stored energy is worth, to its orders.

A home behind one meter has one net position. Cheap energy is stored, dear energy is saved by
discharging, and in between the battery rests; written as orders, that is a demand that falls with
the price, and no bid of a home ever meets an offer of its own. Every order says why it is made.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gridrig.market.agents import Intent, Side, Tariff
from gridrig.quantity import whole_lots

UNIT = "micro/kWh"  # of a price in a reason, as of an order: millionths


@dataclass(frozen=True)
class Battery:
    """What a battery can do in one period, and what is in it.

    Parameters
    ----------
    charge_wh, discharge_wh : float
        The most it takes and gives at its terminal within the period. [Wh]
    value_micro_per_kwh : float
        What a kilowatt-hour in store is worth by the schedule. [millionths/kWh]
    efficiency : float
        Of one way. [1]
    """

    charge_wh: float
    discharge_wh: float
    value_micro_per_kwh: float
    efficiency: float = 0.95

    def buys_below(self, tick: int) -> int:
        """Return the price below which charging pays, on a tick. [millionths/kWh]"""
        return int(self.value_micro_per_kwh * self.efficiency) // tick * tick

    def sells_above(self, tick: int) -> int:
        """Return the price above which discharging pays, a tick or more above. [millionths/kWh]"""
        price = -(-int(self.value_micro_per_kwh / self.efficiency) // tick) * tick
        return max(price, self.buys_below(tick) + tick)


NO_BATTERY = Battery(0.0, 0.0, 0.0)


def home_orders(
    net_wh: float, battery: Battery, tariff: Tariff, *, must_buy_micro: int, must_sell_micro: int
) -> list[Intent]:
    """Return the orders of a home for one period.

    Parameters
    ----------
    net_wh : float
        What it expects to use beyond what it makes; - is a surplus. [Wh]
    battery : Battery
    tariff : Tariff
        Its lot and tick.
    must_buy_micro, must_sell_micro : int
        Limit prices of what cannot wait. [millionths/kWh]
    """
    making = _short(net_wh, battery, tariff.tick, must_buy_micro)
    if net_wh < 0:
        making = _long(-net_wh, battery, tariff.tick, must_sell_micro)
    orders = []
    for side, energy_wh, price, why in making:
        orders += one_order(side, energy_wh, price, why, tariff)
    return orders


def _short(
    needed_wh: float, battery: Battery, tick: int, must: int
) -> Iterator[tuple[Side, float, int, str]]:
    low, high = battery.buys_below(tick), min(battery.sells_above(tick), must)
    saved = min(needed_wh, battery.discharge_wh)
    yield "bid", needed_wh - saved, must, "use that nothing at home can cover"
    yield "bid", saved, high, f"use; dearer than {high} {UNIT} it comes from the battery"
    if high < must:
        left = battery.discharge_wh - saved
        # A bid for its own use at that price must not meet it.
        above = high + tick if saved > 0 else high
        yield "offer", left, above, f"stored energy is worth {high} {UNIT} when delivered"
    yield "bid", battery.charge_wh, min(low, high - tick), f"storing pays below {low} {UNIT}"


def _long(
    surplus_wh: float, battery: Battery, tick: int, must: int
) -> Iterator[tuple[Side, float, int, str]]:
    low, high = max(battery.buys_below(tick), must), battery.sells_above(tick)
    kept = min(surplus_wh, battery.charge_wh)
    yield "offer", surplus_wh - kept, must, "surplus that the battery cannot take"
    yield "offer", kept, low, f"surplus; cheaper than {low} {UNIT} it is stored"
    if low > must:
        yield "bid", battery.charge_wh - kept, low - tick, f"storing pays below {low} {UNIT}"
    above = max(high, low + tick)
    stored = f"stored energy is worth {above} {UNIT} when delivered"
    yield "offer", battery.discharge_wh, above, stored


def one_order(
    side: Side, energy_wh: float, price_micro: int, why: str, tariff: Tariff
) -> list[Intent]:
    """Return an order for whole lots, none if that is nothing."""
    energy = whole_lots(energy_wh, tariff.lot_milliwh)
    return [Intent(side, energy, price_micro, why)] if energy > 0 else []
