"""The optimum of a market in zones, as a linear programme: what HiGHS says of the same orders.

Columns are fills, flows, and what each zone gives to all its links; of rows each zone has one for
its own energy and one for its links. The main grid has two zones: what it sells leaves it over its
links, what it buys comes over them, and nothing passes through. The price of a zone is what one lot
more in it is worth: between what the optimum gains by a lot that is given for nothing and what it
loses by one that is taken away. Both are the same where the price is unique. With whole lots the
matrix is that of a network, so every vertex is whole [1] and neither is an estimate.

References
----------
.. [1] A. Schrijver, "Theory of Linear and Integer Programming," Wiley, 1986, ch. 19.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from gridrig._core import Order
from gridrig.market.zones import Network

SELLS, BUYS = "main grid, selling", "main grid, buying"


@dataclass(frozen=True)
class ZonalOptimum:
    """The programme of one delivery period.

    Parameters
    ----------
    orders : sequence of Order
        Those that a market takes.
    places : sequence of str or None
        The zone of each; None for the main grid.
    network : Network
        With every link of the main grid.
    lot_milliwh : int
        [mWh]
    """

    orders: Sequence[Order]
    places: Sequence[str | None]
    network: Network
    lot_milliwh: int

    def welfare_pico(self, given: str | None = None, lots: int = 0) -> int | None:
        """Return the largest welfare; None if nothing fits. [10^-12 of the currency]

        Parameters
        ----------
        given : str or None
            A zone into which energy comes from nowhere, or goes where it is negative.
        lots : int
            How much.
        """
        zones = [*(zone.name for zone in self.network.zones), SELLS, BUYS]
        columns = self._columns(zones)
        right = np.zeros(2 * len(zones))
        if given is not None:
            right[zones.index(given)] = -lots
        entries = [
            (row, number, sign)
            for number, column in enumerate(columns)
            for row, sign in column.entries
        ]
        rows, places, signs = zip(*entries, strict=True)
        solved = linprog(
            [column.cost for column in columns],
            A_eq=coo_array((signs, (rows, places)), shape=(len(right), len(columns))).tocsr(),
            b_eq=right,
            bounds=[(column.least, column.most) for column in columns],
            method="highs",
        )
        if not solved.success:
            return None
        lots_of = [round(value) for value in solved.x.tolist()]
        cost = sum(n * column.cost for n, column in zip(lots_of, columns, strict=True))
        return int(-cost * self.lot_milliwh)

    def price_bounds(self, zone: str) -> tuple[int | None, int | None]:
        """Return the least and the largest price of a zone. [millionths/kWh]

        None where nothing bounds it: nobody there could take a lot more, or do with a lot less.
        """
        best, more, less = (self.welfare_pico(zone, lots) for lots in (0, 1, -1))
        assert best is not None, "nothing always fits"
        return (
            None if more is None else (more - best) // self.lot_milliwh,
            None if less is None else (best - less) // self.lot_milliwh,
        )

    def _columns(self, zones: list[str]) -> "list[_Column]":
        columns = []
        for order, place in zip(self.orders, self.places, strict=True):
            sign = 1 if order.side == "offer" else -1
            main = SELLS if sign > 0 else BUYS
            row = zones.index(main if place is None else place)
            most = order.energy_milliwh // self.lot_milliwh
            columns.append(_Column(sign * order.price_micro_per_kwh, 0, most, [(row, sign)]))
        for link in self.network.links:
            for start, end, limit, fee in (
                (link.first, link.second, link.forward_milliwh_max, link.forward_fee_micro_per_kwh),
                (link.second, link.first, link.backward_milliwh_max,
                 link.backward_fee_micro_per_kwh),
            ):  # fmt: skip
                out = zones.index(SELLS if start == self.network.main_grid else start)
                into = zones.index(BUYS if end == self.network.main_grid else end)
                entries = [(len(zones) + out, -1), (len(zones) + into, 1)]
                columns.append(_Column(fee, 0, limit // self.lot_milliwh, entries))
        limits = [(own.import_milliwh_max, own.export_milliwh_max) for own in self.network.zones]
        for row, (taken, given) in enumerate([*limits, (None, None), (None, None)]):
            least = None if taken is None else -(taken // self.lot_milliwh)
            most_given = None if given is None else given // self.lot_milliwh
            entries = [(row, -1), (len(zones) + row, 1)]
            columns.append(_Column(0, least, most_given, entries))
        return columns


@dataclass(frozen=True)
class _Column:
    """Cost, bounds, and coefficient by row. [millionths/kWh, lots]"""

    cost: int
    least: int | None
    most: int | None
    entries: list[tuple[int, int]]
