"""Continuous order books: batches of columns for programs, single orders for the curious.

One exchange holds thousands of books, one for each delivery period and zone, behind one sequence
of commands. A command that breaks a rule is refused, which is an event like any other and changes
nothing. Both ways of use are shown, and run as tests, in
`docs/exchange_from_python.md`.
"""

from typing import Literal, NamedTuple

from gridrig import _core
from gridrig._core import BookEvent
from gridrig.market.book_columns import (
    REFUSALS,
    Action,
    CancelReason,
    Column,
    Commands,
    EventCode,
    Events,
    Kind,
    SideCode,
    command_columns,
)

__all__ = [
    "REFUSALS",
    "Action",
    "BookEvent",
    "BookState",
    "CancelReason",
    "Depth",
    "EventCode",
    "Events",
    "Exchange",
    "Kind",
    "ParticipantState",
    "RestingOrder",
    "SideCode",
]

Side = Literal["bid", "offer"]
KindWord = Literal["limit", "post-only", "ioc", "fok", "market", "market-fok"]
SelfMatch = Literal["cancel-resting", "cancel-incoming", "cancel-both", "decrement"]

ENERGY_MILLIWH_MAX = 10**15
UNLIMITED_ORDERS = 2**32 - 1
UNLIMITED_ENERGY_MILLIWH = 2**63 - 1


class BookState(NamedTuple):
    """A book without its orders: prices in millionths/kWh, `status` a word."""

    status: Literal["unopened", "open", "halted", "closed"]
    period: int
    zone: int
    price_micro_per_kwh_min: int
    price_micro_per_kwh_max: int


class ParticipantState(NamedTuple):
    """What a participant has resting in all books, and what it may have. Energy in mWh."""

    orders: int
    energy_milliwh: int
    orders_max: int
    energy_milliwh_max: int
    self_match: SelfMatch


_NOBODY = ParticipantState(0, 0, UNLIMITED_ORDERS, UNLIMITED_ENERGY_MILLIWH, "cancel-resting")
"""In the place of a participant beyond the capacity, whom the core refuses."""


class RestingOrder(NamedTuple):
    """An order that rests: its price in millionths/kWh, energies traded and left in mWh."""

    order_id: int
    participant: int
    book: int
    side: Side
    kind: KindWord
    price_micro_per_kwh: int
    filled_milliwh: int
    leaves_milliwh: int


class Depth(NamedTuple):
    """Price levels of one side, best first: int32, int64 and uint32 arrays of one length."""

    price_micro_per_kwh: Column
    energy_milliwh: Column
    orders: Column


class Exchange:
    """Order books behind one sequence of commands.

    Parameters
    ----------
    lot_milliwh, tick_micro_per_kwh : int
        Smallest steps of energy and of price. [mWh], [millionths/kWh]
    books, participants, orders : int
        How many there can be: books and participants are numbered from 0, orders count while
        they rest. All memory is allocated here.
    price_blocks : int
        Blocks of 64 neighbouring ticks of one side of a book that can hold orders at a time.
    order_energy_milliwh_max : int
        Most energy of one order. [mWh]
    participant_orders_max, participant_energy_milliwh_max : int
        Most orders and energy resting, for a participant whose limits were not set. [1], [mWh]
    self_match : str
        "cancel-resting", "cancel-incoming", "cancel-both" or "decrement", for a participant whose
        policy was not set.
    log : bool
        Whether every command is kept for `take_log`, at 32 bytes each until it is taken.

    Raises
    ------
    MarketError
        `market.rules_lot`, `market.rules_tick`, `market.exchange_capacity`,
        `market.exchange_memory`, `market.exchange_limit`, `market.word`.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        *,
        lot_milliwh: int = 1_000,
        tick_micro_per_kwh: int = 1_000,
        books: int = 1_000,
        participants: int = 10_000,
        orders: int = 100_000,
        price_blocks: int = 10_000,
        order_energy_milliwh_max: int = ENERGY_MILLIWH_MAX,
        participant_orders_max: int = UNLIMITED_ORDERS,
        participant_energy_milliwh_max: int = UNLIMITED_ENERGY_MILLIWH,
        self_match: SelfMatch = "cancel-resting",
        log: bool = False,
    ) -> None:
        self._core = _core.Exchange(
            lot_milliwh=lot_milliwh,
            tick_micro_per_kwh=tick_micro_per_kwh,
            books=books,
            participants=participants,
            orders=orders,
            price_blocks=price_blocks,
            order_energy_milliwh_max=order_energy_milliwh_max,
            participant_orders_max=participant_orders_max,
            participant_energy_milliwh_max=participant_energy_milliwh_max,
            self_match=self_match,
            log=log,
        )

    # --- batches ---------------------------------------------------------------------------------

    def apply(self, commands: Commands) -> Events:
        """Carry out a batch of commands, row by row, without the GIL.

        Parameters
        ----------
        commands : mapping, pyarrow.RecordBatch or pyarrow.Table
            The columns of `gridrig.market.book_columns.COMMAND_TYPES` by name, as arrays of one
            length or single integers; codes as in `Action`, `SideCode` and `Kind`. Each is copied
            once. Columns that no action of the batch needs may be left out.

        Returns
        -------
        Events
            What happened, in order; moved out of the core without a copy.

        Raises
        ------
        MarketError
            `market.column_*`, `market.batch_bound`: nothing was carried out.
        """
        return Events(*self._core.apply_columns(*command_columns(commands)))

    # --- single commands -------------------------------------------------------------------------

    def submit(
        self,
        order_id: int,
        *,
        participant: int,
        book: int,
        side: Side,
        energy_milliwh: int,
        price_micro_per_kwh: int = 0,
        kind: KindWord = "limit",
    ) -> list[BookEvent]:
        """Send an order.

        Parameters
        ----------
        order_id : int
            Arrival number, larger than that of any order accepted before.
        participant, book : int
            Who sends it, and where to.
        side : {"bid", "offer"}
            Buy or sell.
        energy_milliwh : int
            Most energy to trade, a whole number of lots. [mWh]
        price_micro_per_kwh : int
            Worst price accepted, may be negative; not read for market orders. [millionths/kWh]
        kind : str
            "limit", "post-only", "ioc" (immediate or cancel), "fok" (fill or kill), "market" or
            "market-fok".

        Returns
        -------
        list of BookEvent
            What became of it, then what followed: trades, cancellations.
        """
        return self._core.submit(
            order_id, participant, book, side, kind, energy_milliwh, price_micro_per_kwh
        )

    def cancel(self, order_id: int, *, participant: int) -> list[BookEvent]:
        """Take a participant's own resting order out."""
        return self._core.cancel(order_id, participant)

    def amend(
        self, order_id: int, *, participant: int, energy_milliwh: int, price_micro_per_kwh: int
    ) -> list[BookEvent]:
        """Restate a resting order.

        Another price or more energy loses its priority, and it trades if it crosses; less energy
        keeps the priority.

        Parameters
        ----------
        order_id, participant : int
            The order, and whose it is.
        energy_milliwh : int
            Its new total, what was filled included; at or below that cancels it. [mWh]
        price_micro_per_kwh : int
            Its new limit. [millionths/kWh]
        """
        return self._core.amend(order_id, participant, energy_milliwh, price_micro_per_kwh)

    def cancel_all(self, participant: int) -> list[BookEvent]:
        """Cancel every resting order of a participant, the oldest first."""
        return self._core.cancel_all(participant)

    def set_participant(
        self,
        participant: int,
        *,
        orders_max: int | None = None,
        energy_milliwh_max: int | None = None,
        self_match: SelfMatch | None = None,
    ) -> list[BookEvent]:
        """Set the most a participant may have resting, and how it meets itself.

        Parameters
        ----------
        participant : int
            Whose limits and policy.
        orders_max, energy_milliwh_max : int or None
            Most orders and energy resting in all books; None leaves what is set. [1], [mWh]
        self_match : str or None
            As in `Exchange`; None leaves what is set.
        """
        was = self.participant(participant) or _NOBODY
        return self._core.set_participant(
            participant,
            was.orders_max if orders_max is None else orders_max,
            was.energy_milliwh_max if energy_milliwh_max is None else energy_milliwh_max,
            was.self_match if self_match is None else self_match,
        )

    def open_book(
        self,
        book: int,
        *,
        period: int = 0,
        zone: int = 0,
        price_micro_per_kwh_min: int,
        price_micro_per_kwh_max: int,
    ) -> list[BookEvent]:
        """Open a book that was never open, or whose gate has closed.

        Parameters
        ----------
        book, period, zone : int
            Its number, and the delivery period and the zone it is for.
        price_micro_per_kwh_min, price_micro_per_kwh_max : int
            The price collar, both ends allowed. [millionths/kWh]
        """
        return self._core.open_book(
            book, period, zone, price_micro_per_kwh_min, price_micro_per_kwh_max
        )

    def set_collar(
        self, book: int, *, price_micro_per_kwh_min: int, price_micro_per_kwh_max: int
    ) -> list[BookEvent]:
        """Move the price collar of a book; what rests outside stays. [millionths/kWh]"""
        return self._core.set_collar(book, price_micro_per_kwh_min, price_micro_per_kwh_max)

    def halt(self, book: int) -> list[BookEvent]:
        """Stop trading in a book; what rests stays and can be cancelled."""
        return self._core.halt(book)

    def resume(self, book: int) -> list[BookEvent]:
        """Take trading up again."""
        return self._core.resume(book)

    def close_gate(self, book: int) -> list[BookEvent]:
        """Close the gate: what rests expires, bids before offers, best price first."""
        return self._core.close_gate(book)

    # --- what can be seen ------------------------------------------------------------------------

    @property
    def order_id_last(self) -> int:
        """The largest arrival number taken, 0 before the first."""
        return self._core.order_id_last

    @property
    def orders_resting(self) -> int:
        """How many orders rest in all books."""
        return self._core.orders_resting

    def book(self, book: int) -> BookState | None:
        """Return the state of a book, None beyond the capacity."""
        row = self._core.book(book)
        return None if row is None else BookState._make(row)

    def participant(self, participant: int) -> ParticipantState | None:
        """Return what a participant has and may have resting, None beyond the capacity."""
        row = self._core.participant(participant)
        return None if row is None else ParticipantState._make(row)

    def order(self, order_id: int) -> RestingOrder | None:
        """Return an order if it rests."""
        row = self._core.order(order_id)
        return None if row is None else RestingOrder._make(row)

    def resting(self, book: int, side: Side) -> list[RestingOrder]:
        """Return the resting orders of a side by priority: best price first, then arrival."""
        return [RestingOrder._make(row) for row in self._core.resting(book, side)]

    def depth(self, book: int, side: Side, levels_max: int = 10) -> Depth:
        """Return the best price levels of a side."""
        return Depth(*self._core.depth(book, side, levels_max))

    def state_hash(self) -> bytes:
        """Return the SHA-256 of all that the future depends on, in canonical order."""
        return self._core.state_hash()

    def snapshot(self) -> bytes:
        """Return the state as bytes, from which `restore` goes on with the same future."""
        return self._core.snapshot()

    def take_log(self) -> bytes | None:
        """Return the commands since the log was last taken, and forget them; None without a log.

        The pieces, in order and put together, are the log from the first command on.
        """
        return self._core.take_log()

    @classmethod
    def replay(cls, log: bytes) -> "Exchange":
        """Make the exchange that a log from the first command on leads to.

        Raises
        ------
        MarketError
            `market.bytes_*`, with what is wrong with the bytes and where.
        """
        return cls._around(_core.Exchange.replay(log))

    @classmethod
    def restore(cls, snapshot: bytes) -> "Exchange":
        """Bring back the exchange that wrote a snapshot.

        Raises
        ------
        MarketError
            `market.bytes_*`, with what is wrong with the bytes and where.
        """
        return cls._around(_core.Exchange.restore(snapshot))

    @classmethod
    def _around(cls, core: _core.Exchange) -> "Exchange":
        exchange = cls.__new__(cls)
        exchange._core = core
        return exchange
