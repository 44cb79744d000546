"""Random commands to an exchange, and running them through the engine and the naive model.

Values are chosen so that orders meet often and every rule is broken now and then. A drawn
`order_id` is a distance: a new order takes the last number plus it, any other command goes back by
it. So a stream keeps its sense when hypothesis takes commands out.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st
from naive_exchange import Command, Event, NaiveExchange, Rules

from gridrig.market.exchange import (
    REFUSALS,
    Action,
    BookEvent,
    CancelReason,
    EventCode,
    Events,
    Exchange,
    Kind,
    SideCode,
)

KINDS = ("limit", "post-only", "ioc", "fok", "market", "market-fok")
SELF_MATCH = ("cancel-resting", "cancel-incoming", "cancel-both", "decrement")
# Repeated values come up more often.
ACTIONS = (
    *("submit",) * 24,
    *("amend",) * 12,
    *("cancel",) * 4,
    *("cancel_all", "set_participant", "set_collar", "halt", "resume", "resume"),
    *("open_book", "open_book", "close_gate"),
)
PRICES = (*range(-3_000, 4_000, 1_000), 64_000, -64_000)
VALUES: dict[str, Sequence[Any]] = {
    "action": ACTIONS,
    "order_id": (*(1,) * 20, 2, 3, 4, 6, 9, 13, 20, 0),
    "participant": (0, 0, 1, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4),
    "book": (*(0,) * 30, *(1,) * 10, 2, 3),
    "side": ("bid", "offer"),
    "kind": ("limit",) * 6 + KINDS,
    "energy": (*range(1_000, 8_000, 1_000),) * 6 + (0, -1_000, 1_500, 30_000, 10**15 + 1_000),
    "price": PRICES * 8 + (500, 10**9, -(10**9) - 1_000, 100_000),
    "low": (-64_000, -64_000, -2_000, 0, 2_000, 700),
    "high": (64_000, 64_000, 2_000, 1_000, -1_000),
    "orders_max": (2**32 - 1, 2**32 - 1, 6, 1, 0),
    "self_match": SELF_MATCH,
}
BATCHED = {"submit", "cancel", "amend", "cancel_all", "halt", "resume", "close_gate"}

commands = st.builds(Command, **{name: st.sampled_from(v) for name, v in VALUES.items()})
rules = st.builds(
    Rules,
    lot=st.sampled_from((1_000, 1, 500)),
    tick=st.sampled_from((1_000, 1, 500)),
    orders=st.sampled_from((1_000, 5, 1)),
    price_blocks=st.sampled_from((1_000, 4, 1)),
    order_energy_max=st.sampled_from((10**15, 20_000)),
    participant_orders_max=st.sampled_from((2**32 - 1, 3)),
    participant_energy_max=st.sampled_from((2**63 - 1, 20_000)),
    self_match=st.sampled_from(SELF_MATCH),
)


def draw_command(random: Random) -> Command:
    """Draw one command from the same values, without hypothesis, for long streams."""
    return Command(**{name: random.choice(values) for name, values in VALUES.items()})


def draw_rules(random: Random) -> Rules:
    """Draw what an exchange is made with."""
    return Rules(
        lot=random.choice((1_000, 1, 500)),
        tick=random.choice((1_000, 1, 500)),
        orders=random.choice((1_000, 1_000, 8)),
        price_blocks=random.choice((1_000, 1_000, 3)),
        order_energy_max=random.choice((10**15, 20_000)),
        participant_orders_max=random.choice((2**32 - 1, 10)),
        participant_energy_max=random.choice((2**63 - 1, 40_000)),
        self_match=random.choice(SELF_MATCH),
    )


def open_first_book() -> Command:
    """Return the command that every stream begins with."""
    return Command("open_book", book=0, low=-64_000, high=64_000)


def placed(command: Command, last_id: int) -> Command:
    """Turn the distance of a drawn command into an order number."""
    step = command.order_id if command.action == "submit" else -command.order_id
    return command._replace(order_id=max(0, last_id + step))


def make_exchange(made: Rules) -> Exchange:
    """Make the engine's exchange with the model's rules."""
    return Exchange(
        lot_milliwh=made.lot,
        tick_micro_per_kwh=made.tick,
        books=made.books,
        participants=made.participants,
        orders=made.orders,
        price_blocks=made.price_blocks,
        order_energy_milliwh_max=made.order_energy_max,
        participant_orders_max=made.participant_orders_max,
        participant_energy_milliwh_max=made.participant_energy_max,
        self_match=made.self_match,  # type: ignore[arg-type]
    )


def send(exchange: Exchange, c: Command) -> list[Event]:
    """Give the engine one command through the per-order API."""
    collar = {"price_micro_per_kwh_min": c.low, "price_micro_per_kwh_max": c.high}
    terms = {"energy_milliwh": c.energy, "price_micro_per_kwh": c.price}
    match c.action:
        case "submit":
            where = {"participant": c.participant, "book": c.book}
            found = exchange.submit(c.order_id, **where, side=c.side, kind=c.kind, **terms)
        case "cancel":
            found = exchange.cancel(c.order_id, participant=c.participant)
        case "amend":
            found = exchange.amend(c.order_id, participant=c.participant, **terms)
        case "set_participant":
            limits = {"orders_max": c.orders_max, "energy_milliwh_max": c.energy}
            found = exchange.set_participant(c.participant, self_match=c.self_match, **limits)
        case "open_book":
            found = exchange.open_book(c.book, **collar)
        case "set_collar":
            found = exchange.set_collar(c.book, **collar)
        case "cancel_all":
            found = exchange.cancel_all(c.participant)
        case _:
            found = getattr(exchange, c.action)(c.book)
    return [as_event(one) for one in found]


def as_event(one: BookEvent) -> Event:
    """Return the engine's event as the model's."""
    return Event(
        one.event, one.detail, one.side, one.order_id, one.taker_id, one.energy_milliwh,
        one.price_micro_per_kwh, one.participant, one.taker, one.book, one.orders,
    )  # fmt: skip


def columns(batch: Sequence[Command]) -> dict[str, Any]:
    """Return commands as the columns of a batch."""
    return {
        "action": np.array([Action[c.action.upper()] for c in batch], np.uint8),
        "order_id": np.array([c.order_id for c in batch], np.uint64),
        "participant": [c.participant for c in batch],
        "book": [c.book for c in batch],
        "side": [SideCode[c.side.upper()] for c in batch],
        "kind": [KINDS.index(c.kind) for c in batch],
        "energy_milliwh": [c.energy for c in batch],
        "price_micro_per_kwh": [c.price for c in batch],
    }


def rows(events: Events) -> list[tuple[int, Event]]:
    """Return the events of a batch as the model's, each with the row of the batch it answers."""
    details = {
        EventCode.ACCEPTED: [KINDS[kind] for kind in Kind],
        EventCode.REFUSED: REFUSALS,
        EventCode.AMENDED: ("priority-lost", "priority-kept"),
        EventCode.CANCELLED: [one.name.lower().replace("_", "-") for one in CancelReason],
    }
    found = []
    for row, code, detail, side, *numbers in zip(
        *(column.tolist() for column in events.columns().values()), strict=True
    ):
        known = details.get(EventCode(code))
        has_side = code in {EventCode.ACCEPTED, EventCode.TRADED}
        event = Event(
            EventCode(code).name.lower().replace("_", "-"),
            known[detail] if known else None,
            SideCode(side).name.lower() if has_side else None,
            *numbers,
        )
        found.append((row, event))
    return found


def assert_same_state(exchange: Exchange, model: NaiveExchange) -> None:
    """Compare all that can be seen of both, and the depth with the queue."""
    assert exchange.orders_resting == len(model.resting)
    assert exchange.order_id_last == model.last_id
    for number, book in enumerate(model.books):
        state = exchange.book(number)
        assert state is not None
        assert state.status == book.status
        if book.status != "unopened":
            assert state[3:] == (book.low, book.high)
        for side, sign in (("bid", -1), ("offer", 1)):
            queue = [one for one in model.resting if (one.book, one.side) == (number, side)]
            queue.sort(key=lambda one: (sign * one.price, one.turn))
            assert exchange.resting(number, side) == [  # type: ignore[arg-type]
                (o.order_id, o.participant, o.book, o.side, o.kind, o.price, o.filled, o.leaves)
                for o in queue
            ]
            levels: dict[int, list[int]] = {}
            for order in queue:
                levels.setdefault(order.price, []).append(order.leaves)
            depth = exchange.depth(number, side, 1_000)  # type: ignore[arg-type]
            assert depth.price_micro_per_kwh.tolist() == list(levels)
            assert depth.energy_milliwh.tolist() == [sum(level) for level in levels.values()]
            assert depth.orders.tolist() == [len(level) for level in levels.values()]
    for number, limits in enumerate(model.limits):
        own = [one for one in model.resting if one.participant == number]
        energy = sum(one.leaves for one in own)
        assert exchange.participant(number) == (len(own), energy, *limits)


def run_single(
    made: Rules, stream: Iterable[Command], *, state_every: int
) -> tuple[Exchange, NaiveExchange, dict[str, int]]:
    """Run a stream command by command; both must say the same of every one.

    Returns
    -------
    tuple
        The exchange, the model, and how often each event, refusal and reason came up.
    """
    exchange, model = make_exchange(made), NaiveExchange(made)
    seen: dict[str, int] = {}
    for number, drawn in enumerate([open_first_book(), *stream]):
        command = placed(drawn, model.last_id)
        expected = model.apply(command)
        answer = send(exchange, command)
        assert answer == expected, f"command {number} {command}: {answer}, model {expected}"
        for event in expected:
            key = event.detail if event.event in {"refused", "cancelled"} else event.event
            seen[str(key)] = seen.get(str(key), 0) + 1
        if number % state_every == 0:
            assert_same_state(exchange, model)
    assert_same_state(exchange, model)
    return exchange, model, seen


def run_batches(made: Rules, stream: Iterable[Command], *, batch_max: int) -> None:
    """Run a stream in batches, broken where a command has no columns."""
    exchange, model = make_exchange(made), NaiveExchange(made)
    batch: list[Command] = []
    expected: list[tuple[int, Event]] = []

    def flush() -> None:
        if batch:
            found = rows(exchange.apply(columns(batch)))
            for one, wanted in zip(found, expected, strict=False):
                assert one == wanted, f"{batch[wanted[0]]}: {one}, model {wanted}"
            assert len(found) == len(expected)
        batch.clear()
        expected.clear()

    for drawn in [open_first_book(), *stream]:
        command = placed(drawn, model.last_id)
        if command.action not in BATCHED or len(batch) == batch_max:
            flush()
        answer = model.apply(command)
        if command.action in BATCHED:
            expected += [(len(batch), event) for event in answer]
            batch.append(command)
        else:
            assert send(exchange, command) == answer, command
    flush()
    assert_same_state(exchange, model)
