"""The market's benchmark: the continuous books, native and from Python, beside the peers.

Rates: every venue gets the same commands in the same run, in turn, and must come to the same answer
or nothing is printed; the best repetition counts, as the one least disturbed. Latencies: in an open
loop, from when a command was due, so that a stall counts for everything that arrives meanwhile
(no coordinated omission), and as service times from call to return, which is what others print.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from gridrig._core import (
    market_auction_s,
    market_commands,
    market_latencies,
    market_rates,
    timer_cost,
)
from gridrig.bench.market_orders import (
    NS_PER_S,
    PEERS,
    open_exchange,
    open_loop_ns,
    our_calls,
    rate_per_s,
)
from gridrig.bench.peers import peer
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.clock.stopwatch import now_ns
from gridrig.market.book_columns import COMMAND_TYPES

__all__ = [
    "WORKLOADS",
    "market_auction_s",
    "market_commands",
    "market_latencies",
    "market_rates",
    "measure",
    "timer_cost",
]

WORKLOADS = ("w1", "w2", "w3", "latency", "python", "auction")
COMMANDS = {"w1": 1_000_000, "w2": 3_001_000, "w3": 1_000_000}
NAMES = {"w1": "W1, one growing book", "w2": "W2, move-heavy", "w3": "W3, 1,000 growing books"}
GOALS = {
    "w1": Goal(ours=9.0, ratio=2.9),
    "w2": Goal(ours=15.0, ratio=4.0),
    "w3": Goal(ours=4.5, ratio=2.1),
}
AUCTION_ORDERS = 1_000_000
QUICK_COMMANDS = 20_000
QUICK_ORDERS = 500
BATCH = 16_384
REPETITIONS = 5
INTERVAL_NS = 1_000
MILLION = 1e6
QUANTILES = ("p50", "p99", "p99.9", "max")


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen workloads, in the order asked for."""
    measured = Measured()
    for workload in workloads:
        match workload:
            case "latency":
                measured.rows += _latencies(measured, quick)
                measured.rows += _latencies_from_python(measured, quick)
            case "python":
                measured.rows += _batches(quick)
                measured.rows += _order_by_order(measured, quick)
            case "auction":
                measured.rows += _auction(quick)
            case _:
                measured.rows += _rates(workload, quick)
    return measured


def _size(workload: str, quick: bool) -> int:
    return QUICK_COMMANDS if quick else COMMANDS[workload]


def _repetitions(quick: bool) -> int:
    return 1 if quick else REPETITIONS


def _rates(workload: str, quick: bool) -> Iterator[Row]:
    found = market_rates(workload, _size(workload, quick), _repetitions(quick))
    best = {name: rate / MILLION for name, rate, _ in found}
    medians = ", ".join(f"{name} {rate / MILLION:.2f}" for name, _, rate in found)
    for ours, log in (("engine", "off"), ("engine, command log", "on")):
        for floor in ("naive book", "naive book, fast hash"):
            yield Row(
                task="continuous book",
                workload=f"{NAMES[workload]}, log {log}",
                ours=best[ours],
                unit="M commands/s",
                peer=floor,
                peer_figure=best[floor],
                goal=GOALS[workload] if (log, floor) == ("off", "naive book") else None,
                note=f"{workload}, medians in M commands/s: {medians}",
            )


def _batches(quick: bool) -> Iterator[Row]:
    commands = _size("w2", quick)
    columns = dict(zip(COMMAND_TYPES, market_commands("w2", commands), strict=True))
    batches = [
        {name: column[at : at + BATCH] for name, column in columns.items()}
        for at in range(0, commands, BATCH)
    ]
    native = batched = 0.0
    for _ in range(1 if quick else 3):
        rates = {name: rate for name, rate, _ in market_rates("w2", commands, 1)}
        native = max(native, rates["engine"] / MILLION)
        exchange = open_exchange(1, 16_384)
        began = now_ns()
        for batch in batches:
            exchange.apply(batch)
        batched = max(batched, commands / (now_ns() - began) * NS_PER_S / MILLION)
    yield Row(
        task="Python, batches",
        workload=f"W2, {BATCH:,} commands a batch, events read as columns",
        ours=batched,
        unit="M commands/s",
        peer="native engine, log off",
        peer_figure=native,
        goal=Goal(ratio=0.8),
    )


def _order_by_order(measured: Measured, quick: bool) -> Iterator[Row]:
    for one in PEERS:
        module = peer(one.package, one.module, measured, requirement=one.requirement)
        if module is None:
            continue
        columns = market_commands("w1", QUICK_ORDERS if quick else one.orders)
        size = len(columns[0])
        yield Row(
            task="Python, order by order",
            workload=f"W1, {size:,} orders",
            ours=rate_per_s(partial(our_calls, columns), 3) / MILLION,
            unit="M orders/s",
            peer=one.package,
            peer_figure=rate_per_s(partial(one.calls, module, columns), 1 if quick else 3)
            / MILLION,
            note=one.note,
        )


def _latencies(measured: Measured, quick: bool) -> Iterator[Row]:
    found = {
        name: {"open": open_loop, "service": service}
        for name, open_loop, service in market_latencies("w2", _size("w2", quick), INTERVAL_NS)
    }
    p50, p99, *_ = timer_cost()
    measured.remarks.append(
        "open loop: from when a command was due, so a stall counts for all that arrives meanwhile "
        "(no coordinated omission); service time: from call to return; the first tenth of a stream "
        "warms up and is not timed; reading the clock twice "
        f"takes p50 {p50} ns, p99 {p99} ns of each"
    )
    labels = {"open": f"open loop, one a {INTERVAL_NS:,} ns", "service": "service time"}
    for kind, label in labels.items():
        for index, quantile in enumerate(QUANTILES):
            yield Row(
                task="latency",
                workload=f"W2, {label}, {quantile}",
                ours=found["engine"][kind][index],
                unit="ns",
                peer="naive book",
                peer_figure=found["naive book"][kind][index],
                goal=Goal(ours=200.0) if quantile == "p99" else None,
                less_is_better=True,
            )


def _latencies_from_python(measured: Measured, quick: bool) -> Iterator[Row]:
    for one in PEERS:
        module = peer(one.package, one.module, measured, requirement=one.requirement)
        if module is None:
            continue
        columns = market_commands("w1", QUICK_ORDERS if quick else one.orders)
        ours = open_loop_ns(our_calls(columns), one.interval_ns)
        theirs = open_loop_ns(one.calls(module, columns), one.interval_ns)
        pace = f"{len(columns[0]):,} orders, one a {one.interval_ns // 1_000:,} us"
        for quantile, mine, other in zip(QUANTILES, ours, theirs, strict=True):
            yield Row(
                task="latency from Python",
                workload=f"W1, open loop, {pace}, {quantile}",
                ours=mine,
                unit="ns",
                peer=one.package,
                peer_figure=other,
                less_is_better=True,
                note=one.note,
            )


def _auction(quick: bool) -> Iterator[Row]:
    orders = QUICK_COMMANDS if quick else AUCTION_ORDERS
    for workload, prices in (("e1", "21 prices a side"), ("e2", "distinct prices")):
        yield Row(
            task="pay-as-clear auction",
            workload=f"{workload.upper()}, {orders:,} orders, {prices}",
            ours=min(market_auction_s(workload, orders) for _ in range(1 if quick else 3)),
            unit="s",
            goal=Goal(ours=0.3) if workload == "e2" else None,
            less_is_better=True,
        )
