"""W1 order by order from Python: our per-order API and the peers', each as a list of calls.

A call is one order, ready to be sent; what is measured is making the calls, nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from types import ModuleType

import numpy as np

from gridrig.clock.stopwatch import now_ns
from gridrig.market.book_columns import Column
from gridrig.market.exchange import Exchange

Calls = Sequence[Callable[[], object]]
NS_PER_S = 1e9


@dataclass(frozen=True)
class Peer:
    """A package that takes orders, and how long a stream it can be asked to take.

    Parameters
    ----------
    package, module : str
        Its name to pip, and the module to import.
    calls : callable
        Makes the calls from the module and the columns of W1.
    orders : int
        Length of the stream.
    interval_ns : int
        Pace of the open loop, which the peer can keep on the machines we have seen. [ns]
    requirement : str
        What to ask pip for.
    note : str
        What a reader must know of it.
    """

    package: str
    module: str
    calls: Callable[[ModuleType, Sequence[Column]], Calls]
    orders: int
    interval_ns: int
    requirement: str
    note: str


def open_exchange(books: int, orders: int, *, log: bool = False) -> Exchange:
    """Open the exchange of the workloads, as the native measurement does."""
    exchange = Exchange(
        books=books, participants=1_000, orders=orders, price_blocks=16 * books + 64, log=log
    )
    for book in range(books):
        exchange.open_book(book, price_micro_per_kwh_min=0, price_micro_per_kwh_max=10**9)
    return exchange


def our_calls(columns: Sequence[Column]) -> Calls:
    """Return the calls of the per-order API."""
    _, order_id, participant, _, side, _, energy, price = (one.tolist() for one in columns)
    exchange = open_exchange(1, len(order_id))
    return [
        partial(
            exchange.submit,
            order_id[i],
            participant=participant[i],
            book=0,
            side="offer" if side[i] else "bid",
            energy_milliwh=energy[i],
            price_micro_per_kwh=price[i],
        )
        for i in range(len(order_id))
    ]


def _limit_order_book(module: ModuleType, columns: Sequence[Column]) -> Calls:
    _, order_id, _, _, side, _, energy, price = columns
    book = module.LimitOrderBook()
    # It calls a bid True, and its quantities have 32 bits: lots and ticks.
    rows = zip(
        (side == 0).tolist(),
        order_id.tolist(),
        (energy // 1_000).tolist(),
        (price // 1_000).tolist(),
        strict=True,
    )
    return [partial(book.limit, *row) for row in rows]


def _order_matching(module: ModuleType, columns: Sequence[Column]) -> Calls:
    import_module("loguru").logger.disable("order_matching")
    order = import_module("order_matching.order").LimitOrder
    orders = import_module("order_matching.orders").Orders
    sides = import_module("order_matching.enums").Side
    engine = module.MatchingEngine(seed=42)
    _, order_id, participant, _, side, _, energy, price = (one.tolist() for one in columns)

    def place(one: object, at: datetime) -> None:
        engine.place(orders([one]))
        engine.match(timestamp=at)

    calls: list[Callable[[], object]] = []
    for i, number in enumerate(order_id):
        at = datetime(2016, 7, 10) + timedelta(microseconds=i)
        one = order(
            side=sides.SELL if side[i] else sides.BUY,
            price=price[i] / 1_000,
            size=energy[i] / 1_000,
            timestamp=at,
            order_id=str(number),
            trader_id=str(participant[i]),
        )
        calls.append(partial(place, one, at))
    return calls


PEERS = (
    Peer(
        "limit-order-book",
        "limit_order_book",
        _limit_order_book,
        orders=100_000,
        interval_ns=5_000,
        requirement="gridrig[bench]",
        note="limit-order-book (C++ behind ctypes) takes orders and reports no trades",
    ),
    Peer(
        "order-matching",
        "order_matching.matching_engine",
        _order_matching,
        orders=1_000,
        interval_ns=2_000_000,
        requirement="order-matching[polars]",
        note="order-matching states no licence, so no extra of gridrig brings it",
    ),
)


def rate_per_s(make: Callable[[], Calls], repetitions: int) -> float:
    """Return the calls a second of the best repetition; making the calls is not timed."""
    best = 0.0
    for _ in range(repetitions):
        calls = make()
        began = now_ns()
        for call in calls:
            call()
        best = max(best, len(calls) / (now_ns() - began) * NS_PER_S)
    return best


def open_loop_ns(calls: Calls, interval_ns: int) -> list[float]:
    """Make each call when it is due, or as soon after as can be; the first tenth warms up.

    Returns
    -------
    list of float
        p50, p99, p99.9 and the largest of the times from when a call was due to its end. [ns]
    """
    for call in calls[: len(calls) // 10]:
        call()
    calls = calls[len(calls) // 10 :]
    late = np.empty(len(calls), np.int64)
    began = now_ns()
    for number, call in enumerate(calls):
        due = began + number * interval_ns
        while now_ns() < due:
            pass
        call()
        late[number] = now_ns() - due
    return [*np.percentile(late, (50, 99, 99.9)).tolist(), float(late.max())]
