"""The clocks of a trade: matched, written, accepted, included, final. They are never one number.

* Matched: from when an order was due to the return of its trades, in a continuous book of ten
  thousand resting orders, order by order from Python. An open loop: what a stall delays is counted
  from when it was due (no coordinated omission).
* Written: the same, until the command log that holds the order is synced, in the temporary folder;
  where that is kept in memory, a sync reaches no disk, and the row and a remark say so.
* Accepted, included, final: from handing a signed transaction to a node of this machine, which
  makes a block a second, until the node has it, until a block has it, and until so many blocks
  stand above that. Of a public chain this says nothing: its blocks come when they come.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from gridrig.bench.machine import IN_MEMORY, file_system
from gridrig.bench.market_orders import Calls, open_exchange, open_loop_ns
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.clock import Clock, run_wall
from gridrig.clock.wall_time import utc_now
from gridrig.errors import SettlementError
from gridrig.market.exchange import Exchange, Side
from gridrig.settlement.chain import Node, Terms, calls
from gridrig.settlement.chain.local_node import COIN_WEI, local_node, worthless_signer

WORKLOADS = ("matched", "written", "chain")
LIVE = 10_000
ORDERS, QUICK_ORDERS = 40_000, 400
SYNCED, QUICK_SYNCED = 300, 20
PACE_NS, SYNCED_PACE_NS = 50_000, 10_000_000
MATCHED_P99_MS = 10.0
NS_PER_MS = 1e6
LOT_MILLIWH, MIDDLE, TICK = 1_000, 200_000, 1_000
TAKER = 999  # who takes lots and rests none, for nobody trades with itself
QUANTILES = ("p50", "p99", "p99.9", "max")
CHAIN_ID, BLOCK_S, CONFIRMATIONS = 31_337, 1, 3
TRANSACTIONS, QUICK_TRANSACTIONS = 6, 1
STATIONS = ("accepted", "included", "final")
POLL_S, GIVEN_UP_S = 0.02, 60.0


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen clocks, in the order asked for."""
    measured = Measured()
    for workload in workloads:
        match workload:
            case "matched":
                measured.rows += _matched(QUICK_ORDERS if quick else ORDERS)
            case "written":
                measured.rows += _written(QUICK_SYNCED if quick else SYNCED)
                measured.remarks += _no_disk()
            case _:
                try:
                    measured.rows += _on_chain(QUICK_TRANSACTIONS if quick else TRANSACTIONS)
                except SettlementError as fault:
                    measured.remarks.append(f"{', '.join(STATIONS)}: not measured, {fault}")
    if hasattr(os, "getloadavg"):
        measured.remarks.append(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")
    return measured


def resting_book(*, log: bool = False) -> Exchange:
    """Return a book of ten thousand resting orders of a lot, half on each side of the middle."""
    exchange = open_exchange(1, 2 * LIVE, log=log)
    random = Random(1)
    for number in range(LIVE):
        away = TICK * random.randrange(1, 100)
        _rest(exchange, number + 1, "offer" if number % 2 else "bid", away)
    return exchange


def _rest(exchange: Exchange, order_id: int, side: Side, away: int) -> None:
    price = MIDDLE + away if side == "offer" else MIDDLE - away
    _send(exchange, order_id, order_id % TAKER, side, price)


def _send(exchange: Exchange, order_id: int, participant: int, side: Side, price: int) -> None:
    exchange.submit(
        order_id,
        participant=participant,
        book=0,
        side=side,
        energy_milliwh=LOT_MILLIWH,
        price_micro_per_kwh=price,
    )


def order_calls(exchange: Exchange, orders: int) -> Calls:
    """Return orders that keep the book as deep as it is: one takes a lot, the next rests one."""
    random = Random(2)
    found: list[Callable[[], object]] = []
    for number in range(orders):
        order_id = LIVE + number + 1
        away = TICK * random.randrange(1, 100)
        taken: Side = "offer" if number % 4 < 2 else "bid"
        if number % 2:  # in the place of the lot that was taken
            found.append(partial(_rest, exchange, order_id, taken, away))
        else:
            side: Side = "bid" if taken == "offer" else "offer"
            price = MIDDLE + 100 * TICK if side == "bid" else MIDDLE - 100 * TICK
            found.append(partial(_send, exchange, order_id, TAKER, side, price))
    return found


def _matched(orders: int) -> Iterator[Row]:
    found = open_loop_ns(order_calls(resting_book(), orders), PACE_NS)
    for quantile, time_ns in zip(QUANTILES, found, strict=True):
        yield Row(
            task=f"matched, {quantile}",
            workload=f"{LIVE:,} live orders, one more each {PACE_NS // 1_000} us, open loop",
            ours=time_ns / NS_PER_MS,
            unit="ms",
            goal=Goal(ours=MATCHED_P99_MS) if quantile == "p99" else None,
            less_is_better=True,
        )


def _no_disk() -> list[str]:
    """Say that the written clock reached no disk, if it did not."""
    folder = tempfile.gettempdir()
    kind = file_system(Path(folder))
    if kind not in IN_MEMORY:
        return []
    return [
        f"written: {folder} is on {kind}, in memory, where a sync costs nothing: no disk was "
        "measured; set TMPDIR to a folder on one"
    ]


def _written(orders: int) -> Iterator[Row]:
    exchange = resting_book(log=True)
    kept_where = "log in memory, on no disk" if _no_disk() else "log synced"
    with tempfile.TemporaryDirectory(prefix="gridrig-trade-") as folder:
        with (Path(folder) / "commands.log").open("wb", buffering=0) as file:

            def kept(send: Callable[[], object]) -> None:
                send()
                file.write(exchange.take_log() or b"")
                os.fsync(file.fileno())

            kept(lambda: None)  # the orders that rest
            sends = [partial(kept, send) for send in order_calls(exchange, orders)]
            found = open_loop_ns(sends, SYNCED_PACE_NS)
        for quantile, time_ns in zip(QUANTILES, found, strict=True):
            yield Row(
                task=f"written, {quantile}",
                workload=f"the same book, one each {SYNCED_PACE_NS // 10**6} ms, {kept_where}",
                ours=time_ns / NS_PER_MS,
                unit="ms",
                less_is_better=True,
            )


def _on_chain(transactions: int) -> Iterator[Row]:
    now_s = int(datetime.fromisoformat(utc_now()).timestamp())
    with local_node(CHAIN_ID, start_utc_s=now_s, options=("--block-time", str(BLOCK_S))) as url:
        found = run_wall(lambda clock: _seen(Node(url), clock, transactions), start_utc_s=now_s)
    for name, times_s in zip(STATIONS, zip(*found, strict=True), strict=True):
        for quantile, time_s in (("p50", np.median(times_s)), ("max", max(times_s))):
            yield Row(
                task=f"{name}, {quantile}",
                workload=f"{transactions} transactions to a node here, a block each {BLOCK_S} s, "
                f"final under {CONFIRMATIONS} blocks",
                ours=float(time_s),
                unit="s",
                less_is_better=True,
            )


async def _seen(node: Node, clock: Clock, transactions: int) -> list[tuple[float, ...]]:
    """Send transactions one after the other; return how long each took to every station. [s]"""
    signer, terms = worthless_signer("trade"), Terms(CHAIN_ID, fee_wei_per_gas_max=10**11)
    node.ask("anvil_setBalance", "0x" + signer.address.hex(), hex(COIN_WEI))
    found: list[tuple[float, ...]] = []
    for number in range(transactions):
        call = calls.Call(f"trade/{number}", b"\x77" * 20, b"", 21_000)
        raw, name = signer.sign(call, terms, number)
        sent_s = clock.now_s()
        node.send(raw)
        accepted_s = clock.now_s() - sent_s

        def block(name: bytes = name) -> int | None:
            receipt = node.receipt(name)
            return None if receipt is None else receipt.block_number

        at = await _until(clock, block)
        included_s = clock.now_s() - sent_s

        def above(at: int = at) -> int | None:
            head = node.head().number
            return head if head >= at + CONFIRMATIONS else None

        await _until(clock, above)
        found.append((accepted_s, included_s, clock.now_s() - sent_s))
    return found


async def _until(clock: Clock, look: Callable[[], int | None]) -> int:
    """Look until there is something."""
    end_s = clock.now_s() + GIVEN_UP_S
    while (seen := look()) is None:
        if clock.now_s() > end_s:
            raise SettlementError("settlement.chain_not_final", "no block for {s} s", s=GIVEN_UP_S)
        await clock.sleep(POLL_S)
    return seen
