"""The auctions of the core: orders in, trades out; columns in, columns out.

Order by order:

>>> rules = AuctionRules(lot_milliwh=1_000, tick_micro_per_kwh=1_000)
>>> clearing = clear_pay_as_clear(
...     [Order(1, "home", "bid", 5_000, 300_000), Order(2, "roof", "offer", 8_000, 100_000)], rules
... )
>>> clearing.price_micro_per_kwh, clearing.volume_milliwh, clearing.residuals
(100000, 5000, [(2, 3000)])

By column, a million orders at a time, the interpreter free meanwhile:

>>> import numpy as np
>>> cleared = pay_as_clear(
...     order_id=np.array([1, 2], dtype=np.uint64),
...     participant=np.array([0, 1], dtype=np.uint32),
...     is_bid=np.array([True, False]),
...     energy_milliwh=np.array([5_000, 8_000]),
...     price_micro_per_kwh=np.array([300_000, 100_000]),
...     rules=rules,
... )
>>> cleared.price_micro_per_kwh, cleared.filled_milliwh.tolist()
(100000, [5000, 5000])
"""

from gridrig._core import (
    AuctionRules,
    BilateralColumns,
    ClearedColumns,
    Clearing,
    Order,
    Rejection,
    Trade,
    clear_pay_as_bid,
    clear_pay_as_clear,
    pay_as_bid,
    pay_as_clear,
)

__all__ = [
    "AuctionRules",
    "BilateralColumns",
    "ClearedColumns",
    "Clearing",
    "Order",
    "Rejection",
    "Trade",
    "clear_pay_as_bid",
    "clear_pay_as_clear",
    "pay_as_bid",
    "pay_as_clear",
]
