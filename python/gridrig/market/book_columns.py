"""Columns of the continuous books: what a batch of commands and of events is made of.

A command column is a NumPy array, an Arrow array, a sequence of integers, or one integer for all
rows. Integers of another width are converted if every value fits; floats are refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gridrig.errors import MarketError

if TYPE_CHECKING:
    import pyarrow as pa

Column: TypeAlias = npt.NDArray[Any]
Commands: TypeAlias = "Mapping[str, Any] | pa.RecordBatch | pa.Table"


class Action(IntEnum):
    """What a row of a batch does."""

    SUBMIT = 0
    CANCEL = 1
    AMEND = 2
    CANCEL_ALL = 3
    HALT = 4
    RESUME = 5
    CLOSE_GATE = 6


class SideCode(IntEnum):
    """Which way an order points."""

    BID = 0
    OFFER = 1


class Kind(IntEnum):
    """How an order trades, and whether what is left of it rests."""

    LIMIT = 0
    POST_ONLY = 1
    IMMEDIATE_OR_CANCEL = 2
    FILL_OR_KILL = 3
    MARKET = 4
    MARKET_FILL_OR_KILL = 5


class EventCode(IntEnum):
    """What happened."""

    ACCEPTED = 0
    REFUSED = 1
    TRADED = 2
    AMENDED = 3
    REDUCED = 4
    CANCELLED = 5
    EXPIRED = 6
    ALL_CANCELLED = 7
    PARTICIPANT_SET = 8
    BOOK_OPENED = 9
    COLLAR_SET = 10
    HALTED = 11
    RESUMED = 12
    GATE_CLOSED = 13


class CancelReason(IntEnum):
    """Why an order left without trading the rest."""

    REQUESTED = 0
    ALL_REQUESTED = 1
    AMENDED_TO_FILLED = 2
    UNFILLED = 3
    SELF_MATCH = 4


REFUSALS = (
    "market.book_unknown",
    "market.book_open",
    "market.participant_unknown",
    "market.limits_invalid",
    "market.order_id_repeated",
    "market.order_unknown",
    "market.order_not_owned",
    "market.gate_closed",
    "market.book_halted",
    "market.book_not_halted",
    "market.energy_not_positive",
    "market.energy_bound",
    "market.lot",
    "market.price_bound",
    "market.price_off_tick",
    "market.price_collar",
    "market.order_energy_limit",
    "market.participant_orders_limit",
    "market.participant_energy_limit",
    "market.orders_full",
    "market.price_blocks_full",
    "market.post_only_crosses",
    "market.fill_or_kill_unfilled",
)
"""Stable names of the rules, by code, in the order in which they are checked."""

COMMAND_TYPES: dict[str, npt.DTypeLike] = {
    "action": np.uint8,
    "order_id": np.uint64,
    "participant": np.uint32,
    "book": np.uint32,
    "side": np.uint8,
    "kind": np.uint8,
    "energy_milliwh": np.int64,
    "price_micro_per_kwh": np.int32,
}
"""The columns of a batch of commands, and the type each has in the core."""

_NEEDED = {
    Action.SUBMIT: frozenset(COMMAND_TYPES),
    Action.CANCEL: frozenset({"action", "order_id", "participant"}),
    Action.AMEND: frozenset(
        {"action", "order_id", "participant", "energy_milliwh", "price_micro_per_kwh"}
    ),
    Action.CANCEL_ALL: frozenset({"action", "participant"}),
    Action.HALT: frozenset({"action", "book"}),
    Action.RESUME: frozenset({"action", "book"}),
    Action.CLOSE_GATE: frozenset({"action", "book"}),
}


@dataclass(frozen=True, eq=False)
class Events:
    """The events of a batch, one array a field, each of shape (n_events,).

    What an event does not say is zero.

    Parameters
    ----------
    command : array of uint32
        Row of the batch that the event answers.
    event : array of uint8
        `EventCode`.
    detail : array of uint8
        Of an acceptance the `Kind`, of a refusal the index into `REFUSALS`, of a cancellation the
        `CancelReason`, of an amendment 1 if the priority was kept.
    side : array of uint8
        `SideCode` of an accepted order; of a trade that of the order that came in.
    order_id : array of uint64
        The order; of a trade the one that rested.
    taker_id : array of uint64
        Of a trade the order that came in.
    energy_milliwh : array of int64
        All of an accepted or amended order, what was traded, reduced, cancelled, expired. [mWh]
    price_micro_per_kwh : array of int32
        Limit of an accepted or amended order, price of a trade. [millionths/kWh]
    participant : array of uint32
        Whose order; of a trade whose order rested.
    taker : array of uint32
        Of a trade whose order came in.
    book : array of uint32
        The book.
    orders : array of uint32
        How many orders a cancel-all or a gate closure took out.
    """

    command: Column
    event: Column
    detail: Column
    side: Column
    order_id: Column
    taker_id: Column
    energy_milliwh: Column
    price_micro_per_kwh: Column
    participant: Column
    taker: Column
    book: Column
    orders: Column

    def __len__(self) -> int:
        return len(self.event)

    def of(self, code: EventCode) -> "Events":
        """Return the events of one kind only, as copies."""
        chosen = self.event == code
        return Events(**{name: column[chosen] for name, column in self.columns().items()})

    def columns(self) -> dict[str, Column]:
        """Return the columns by name, none copied."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_arrow(self) -> "pa.RecordBatch":
        """Return the events as an Arrow record batch that shares their memory."""
        import pyarrow as pa

        return pa.RecordBatch.from_pydict(self.columns())


def command_columns(commands: Commands) -> list[Column]:
    """Return the columns of `COMMAND_TYPES` as the core takes them.

    Parameters
    ----------
    commands : mapping, pyarrow.RecordBatch or pyarrow.Table
        Columns by name. What none of the batch's actions needs may be left out.

    Raises
    ------
    MarketError
        `market.column_unknown`, `market.column_missing`, `market.column_type`,
        `market.column_length`; the column is a fact.
    """
    given = _by_name(commands)
    for name in given:
        if name not in COMMAND_TYPES:
            _refuse("unknown", name, "a column", f"one of {', '.join(COMMAND_TYPES)}")
    read = {name: _integers(name, given[name]) for name in COMMAND_TYPES if name in given}
    rows = next((len(column) for column in read.values() if column.ndim == 1), 1)
    whole = {name: _whole(name, column, rows) for name, column in read.items()}
    if len(whole) < len(COMMAND_TYPES):
        _require_needed(whole)
    nothing = np.zeros(rows, np.int64)
    return [
        whole[name] if name in whole else nothing.astype(dtype)
        for name, dtype in COMMAND_TYPES.items()
    ]


def _by_name(commands: Commands) -> Mapping[str, Any]:
    if isinstance(commands, Mapping):
        return commands
    if hasattr(commands, "column_names"):
        return {name: commands.column(name) for name in commands.column_names}
    found = type(commands).__name__
    raise MarketError(
        "market.column_type",
        "{column}: found {found}, expected a mapping or an Arrow table",
        column="commands",
        found=found,
    )


def _integers(name: str, value: Any) -> Column:
    """Return a column in the core's type, of no dimension if one value stands for all rows."""
    if getattr(value, "null_count", 0):
        _refuse("type", name, f"{value.null_count} nulls", "no null")
    column = np.asarray(value)
    wanted = np.dtype(COMMAND_TYPES[name])
    if column.ndim > 1:
        _refuse("type", name, f"{column.ndim} dimensions", "one")
    if column.dtype == wanted:
        return np.ascontiguousarray(column) if column.ndim else column
    if column.size == 0:
        return np.zeros(column.shape, wanted)
    if column.dtype.kind not in "iu":
        _refuse("type", name, str(column.dtype), f"integers of {wanted}")
    least, most = int(column.min()), int(column.max())
    bounds = np.iinfo(wanted)
    for found in (least, most):
        if not bounds.min <= found <= bounds.max:
            _refuse("type", name, str(found), f"{bounds.min} to {bounds.max}")
    return column.astype(wanted)


def _whole(name: str, column: Column, rows: int) -> Column:
    if column.ndim == 0:
        return np.full(rows, column)
    if len(column) != rows:
        _refuse("length", name, f"{len(column)} rows", f"{rows}")
    return column


def _require_needed(given: Mapping[str, Column]) -> None:
    actions: Sequence[int] = np.unique(given["action"]).tolist() if "action" in given else [0]
    for action in actions:
        # A code that stands for nothing is refused by the core, with its row.
        missing = _NEEDED.get(Action(action), frozenset()) if action in list(Action) else ()
        for name in COMMAND_TYPES:
            if name in missing and name not in given:
                _refuse("missing", name, "no column", f"it, for {Action(action).name}")


def _refuse(what: str, column: str, found: str, expected: str) -> None:
    near = get_close_matches(column, COMMAND_TYPES, 1) if what == "unknown" else []
    raise MarketError(
        f"market.column_{what}",
        "{column}: found {found}, expected {expected}{hint}",
        column=column,
        found=found,
        expected=expected,
        hint=f" (did you mean {near[0]!r}?)" if near else "",
    )
