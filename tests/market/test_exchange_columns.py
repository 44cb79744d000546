"""Batches: what a column may be, what is refused and how, and the way of the log."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gridrig.errors import MarketError
from gridrig.market.exchange import REFUSALS, Action, EventCode, Exchange, Kind, SideCode

ORDERS: dict[str, Any] = {
    "action": Action.SUBMIT,
    "order_id": [1, 2, 3],
    "participant": [0, 1, 2],
    "book": 0,
    "side": [SideCode.OFFER, SideCode.BID, SideCode.BID],
    "kind": Kind.LIMIT,
    "energy_milliwh": [3_000, 1_000, 1_000],
    "price_micro_per_kwh": [5_000, 6_000, 4_000],
}


def opened(**made: Any) -> Exchange:
    exchange = Exchange(**made)
    exchange.open_book(0, price_micro_per_kwh_min=0, price_micro_per_kwh_max=10**9)
    return exchange


def arrow() -> pa.Table:
    whole = {name: np.broadcast_to(np.asarray(value), 3) for name, value in ORDERS.items()}
    return pa.table({name: pa.chunked_array([v[:1], v[1:]]) for name, v in whole.items()})


@pytest.mark.parametrize("commands", [ORDERS, arrow(), arrow().combine_chunks().to_batches()[0]])
def test_a_mapping_a_table_and_a_record_batch_do_the_same(commands: Any) -> None:
    events = opened().apply(commands)
    assert events.event.tolist() == [
        EventCode.ACCEPTED,
        EventCode.ACCEPTED,
        EventCode.TRADED,
        EventCode.ACCEPTED,
    ]
    assert events.command.tolist() == [0, 1, 1, 2]
    trade = events.of(EventCode.TRADED)
    assert (trade.order_id[0], trade.taker_id[0]) == (1, 2)
    assert (trade.energy_milliwh[0], trade.price_micro_per_kwh[0]) == (1_000, 5_000)
    assert (trade.participant[0], trade.taker[0], trade.side[0]) == (0, 1, SideCode.BID)


def test_events_reach_arrow_without_a_copy() -> None:
    events = opened().apply(ORDERS)
    batch = events.to_arrow()
    assert batch.column_names == list(events.columns())
    for name, column in events.columns().items():
        assert batch.column(name).buffers()[1].address == column.ctypes.data


def test_columns_that_no_action_needs_may_be_left_out() -> None:
    exchange = opened()
    exchange.apply(ORDERS)
    events = exchange.apply({"action": [Action.CANCEL, Action.CANCEL_ALL], "order_id": [1, 0],
                             "participant": [0, 2]})  # fmt: skip
    assert events.event.tolist() == [
        EventCode.CANCELLED,
        EventCode.CANCELLED,
        EventCode.ALL_CANCELLED,
    ]
    assert exchange.orders_resting == 0


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"order_idd": [1, 2, 3]}, "market.column_unknown", "did you mean 'order_id'?"),
        ({"side": [0.0, 1.0, 1.0]}, "market.column_type", "side: found float64"),
        ({"price_micro_per_kwh": [0, 0, 2**31]}, "market.column_type", "found 2147483648"),
        ({"participant": [0, -1, 2]}, "market.column_type", "found -1, expected 0 to 4294967295"),
        ({"book": [[0, 0, 0]]}, "market.column_type", "2 dimensions"),
        ({"order_id": pa.array([1, None, 3])}, "market.column_type", "1 nulls"),
        ({"energy_milliwh": [1_000]}, "market.column_length", "found 1 rows, expected 3"),
        ({"action": [0, 9, 0]}, "market.column_code", "column action holds 9 in row 1"),
        ({"kind": [0, 0, 6]}, "market.column_code", "column kind holds 6 in row 2"),
        ({"side": [2, 0, 0]}, "market.column_code", "the codes are 0 to 1"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_whole(
    change: dict[str, Any], code: str, text: str
) -> None:
    exchange = opened()
    before = exchange.state_hash()
    with pytest.raises(MarketError) as refused:
        exchange.apply(ORDERS | change)
    assert refused.value.code == code
    assert text in str(refused.value)
    assert exchange.state_hash() == before


def test_a_column_that_an_action_needs_has_to_be_there() -> None:
    without = {name: column for name, column in ORDERS.items() if name != "kind"}
    with pytest.raises(MarketError, match="kind: found no column, expected it, for SUBMIT"):
        opened().apply(without)
    with pytest.raises(MarketError) as refused:
        opened().apply(42)  # type: ignore[arg-type]
    assert refused.value.code == "market.column_type"


def test_an_empty_batch_says_nothing() -> None:
    empty = {name: [] for name in ORDERS}
    assert len(opened().apply(empty)) == 0


def test_the_log_is_taken_in_pieces_and_replays_to_the_same_state() -> None:
    exchange = opened(log=True)
    pieces = [exchange.take_log()]
    exchange.apply(ORDERS)
    exchange.halt(0)
    pieces.append(exchange.take_log())
    log = b"".join(piece for piece in pieces if piece is not None)
    again = Exchange.replay(log)
    assert again.state_hash() == exchange.state_hash()
    assert again.book(0) == exchange.book(0)
    assert again.take_log() is None
    assert opened().take_log() is None
    with pytest.raises(MarketError) as refused:
        Exchange.replay(log[:-1])
    assert refused.value.code == "market.bytes_truncated"


def test_a_refused_batch_is_not_logged() -> None:
    exchange = opened(log=True)
    exchange.take_log()
    with pytest.raises(MarketError):
        exchange.apply(ORDERS | {"action": [0, 0, 9]})
    assert exchange.take_log() == b""


def test_a_snapshot_has_the_same_future() -> None:
    exchange = opened()
    exchange.apply(ORDERS)
    twin = Exchange.restore(exchange.snapshot())
    assert twin.state_hash() == exchange.state_hash()
    assert twin.close_gate(0) == exchange.close_gate(0)
    assert twin.state_hash() == exchange.state_hash()
    with pytest.raises(MarketError) as refused:
        Exchange.restore(b"not a snapshot")
    assert refused.value.code.startswith("market.bytes_")


def test_a_word_that_is_none_is_named() -> None:
    exchange = opened()
    order: dict[str, Any] = {"participant": 0, "book": 0, "energy_milliwh": 1_000}
    with pytest.raises(MarketError, match='kind "gtc" is not limit, post-only'):
        exchange.submit(1, side="bid", kind="gtc", **order)
    with pytest.raises(MarketError, match='side "buy" is not bid or offer'):
        exchange.submit(1, side="buy", **order)


def test_a_refusal_by_batch_and_by_order_has_one_code() -> None:
    unknown = ORDERS | {"book": 900_000}
    assert REFUSALS[opened().apply(unknown).detail[0]] == "market.book_unknown"
    (event,) = opened().submit(
        1, participant=0, book=900_000, side="bid", energy_milliwh=1_000, price_micro_per_kwh=0
    )
    assert (event.detail, event.message) == ("market.book_unknown", "no such book")
