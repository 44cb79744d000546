"""The exchange as plain Python: lists, sorted scans and one function a command.

Written from the rules as stated, not from the engine, to be obviously right and as slow as that
takes. An event is the tuple `EVENT` names; what an event does not say is zero or None.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

ENERGY_MAX, LOTS_MAX, PRICE_MAX, BLOCK_TICKS = 10**15, 2**32 - 1, 10**9, 64


class Command(NamedTuple):
    """One command; an action reads the fields it needs."""

    action: str
    order_id: int = 0
    participant: int = 0
    book: int = 0
    side: str = "bid"
    kind: str = "limit"
    energy: int = 0
    price: int = 0
    low: int = 0
    high: int = 0
    orders_max: int = 0
    self_match: str = "cancel-resting"


class Event(NamedTuple):
    """What happened, with the fields of a `BookEvent`."""

    event: str
    detail: str | None = None
    side: str | None = None
    order_id: int = 0
    taker_id: int = 0
    energy: int = 0
    price: int = 0
    participant: int = 0
    taker: int = 0
    book: int = 0
    orders: int = 0


@dataclass
class Order:
    """An order; `turn` is its place in time among the orders at its price."""

    order_id: int
    participant: int
    book: int
    side: str
    kind: str
    price: int
    total: int
    filled: int
    turn: int

    @property
    def leaves(self) -> int:
        return self.total - self.filled


@dataclass
class Book:
    status: str = "unopened"
    low: int = 0
    high: int = 0


@dataclass
class Rules:
    """What an exchange is made with."""

    lot: int = 1_000
    tick: int = 1_000
    books: int = 3
    participants: int = 4
    orders: int = 1_000
    price_blocks: int = 1_000
    order_energy_max: int = ENERGY_MAX
    participant_orders_max: int = 2**32 - 1
    participant_energy_max: int = 2**63 - 1
    self_match: str = "cancel-resting"


NAMED = {
    "submit": ("order_id", "participant", "book"),
    "cancel": ("order_id", "participant"),
    "amend": ("order_id", "participant"),
    "cancel_all": ("participant",),
    "set_participant": ("participant",),
} | dict.fromkeys(("open_book", "set_collar", "halt", "resume", "close_gate"), ("book",))
"""What a refusal says of each command."""


class Refused(Exception):
    """The first rule that a command breaks."""


def refuse_if(broken: bool, rule: str) -> None:
    if broken:
        raise Refused(f"market.{rule}")


class NaiveExchange:
    """Books, participants and one list of all resting orders."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.books = [Book() for _ in range(rules.books)]
        limits = (rules.participant_orders_max, rules.participant_energy_max, rules.self_match)
        self.limits = [limits for _ in range(rules.participants)]
        self.resting: list[Order] = []
        self.last_id = 0
        self.turn = 0

    def apply(self, command: Command) -> list[Event]:
        """Carry out one command; a refused one changes nothing."""
        self.events: list[Event] = []
        try:
            getattr(self, command.action)(command)
        except Refused as refused:
            named = {name: getattr(command, name) for name in NAMED[command.action]}
            return [Event("refused", str(refused), **named)]
        return self.events

    # --- orders ----------------------------------------------------------------------------------

    def submit(self, c: Command) -> None:
        self.require_opened(c.book)
        self.require_participant(c.participant)
        refuse_if(c.order_id <= self.last_id, "order_id_repeated")
        book = self.books[c.book]
        self.require_trading(book)
        self.require_energy(c.energy, least=1)
        price = c.price
        if c.kind in {"market", "market-fok"}:
            price = book.high if c.side == "bid" else book.low
        else:
            self.require_price(c.price, book)
        refuse_if(c.energy > self.rules.order_energy_max, "order_energy_limit")
        order = Order(
            c.order_id, c.participant, c.book, c.side, c.kind, price, c.energy, 0, self.next_turn()
        )
        if c.kind in {"limit", "post-only"}:
            orders_max, energy_max, _ = self.limits[c.participant]
            own = [one for one in self.resting if one.participant == c.participant]
            refuse_if(len(own) >= orders_max, "participant_orders_limit")
            energy = sum(one.leaves for one in own) + c.energy
            refuse_if(energy > energy_max, "participant_energy_limit")
            refuse_if(len(self.resting) >= self.rules.orders, "orders_full")
            self.require_block(order)
        self.require_kind_allows(order)
        self.last_id = c.order_id
        accepted = Event("accepted", c.kind, c.side, c.order_id, 0, c.energy, price, c.participant)
        self.events.append(accepted._replace(book=c.book))
        self.match(order)

    def amend(self, c: Command) -> None:
        order = self.require_own_order(c)
        book = self.books[order.book]
        self.require_trading(book)
        self.require_energy(c.energy, least=0)
        # What rests outside a collar that was moved stays there until it asks for another price.
        self.require_price(c.price, None if c.price == order.price else book)
        refuse_if(c.energy > self.rules.order_energy_max, "order_energy_limit")
        if c.energy <= order.filled:
            self.cancelled(order, "amended-to-filled")
            return
        amended = replace(order, price=c.price, total=c.energy)
        if amended.leaves > order.leaves:
            own = [one for one in self.resting if one.participant == c.participant]
            energy = sum(one.leaves for one in own) - order.leaves + amended.leaves
            refuse_if(energy > self.limits[c.participant][1], "participant_energy_limit")
        keeps = c.price == order.price and c.energy <= order.total
        event = Event("amended", "priority-kept" if keeps else "priority-lost", None, c.order_id)
        event = event._replace(
            energy=c.energy, price=c.price, participant=c.participant, book=order.book
        )
        if keeps:
            order.total = c.energy
            self.events.append(event)
            return
        amended.turn = self.next_turn()
        if c.price != order.price:
            self.require_block(amended)
        if order.kind == "post-only":
            self.require_kind_allows(amended)
        self.events.append(event)
        self.resting.remove(order)
        self.match(amended)

    def cancel(self, c: Command) -> None:
        self.cancelled(self.require_own_order(c), "requested")

    def cancel_all(self, c: Command) -> None:
        self.require_participant(c.participant)
        own = [one for one in self.resting if one.participant == c.participant]
        for order in sorted(own, key=lambda one: one.order_id):
            self.cancelled(order, "all-requested")
        self.events.append(Event("all-cancelled", participant=c.participant, orders=len(own)))

    # --- matching --------------------------------------------------------------------------------

    def crossing(self, order: Order) -> list[Order]:
        """Return what an order could trade with, best price first, then the one there longest."""
        sign = 1 if order.side == "bid" else -1
        others = [
            one
            for one in self.resting
            if one.book == order.book
            and one.side != order.side
            and sign * one.price <= sign * order.price
        ]
        return sorted(others, key=lambda one: (sign * one.price, one.turn))

    def match(self, order: Order) -> None:
        """Trade an incoming order, and rest or cancel what is left of it."""
        for other in self.crossing(order):
            if order.leaves == 0:
                return
            if other.participant == order.participant:
                if self.meet_itself(order, other):
                    return
                continue
            energy = min(order.leaves, other.leaves)
            order.filled += energy
            other.filled += energy
            if other.leaves == 0:
                self.resting.remove(other)
            self.events.append(
                Event(
                    "traded", None, order.side, other.order_id, order.order_id, energy, other.price,
                    other.participant, order.participant, order.book,
                )
            )  # fmt: skip
        if order.leaves == 0:
            return
        if order.kind in {"limit", "post-only"}:
            self.resting.append(order)
        else:
            self.cancelled(order, "unfilled")

    def meet_itself(self, order: Order, other: Order) -> bool:
        """Apply the participant's policy and return whether the incoming order is gone."""
        policy = self.limits[order.participant][2]
        if policy == "decrement":
            energy = min(order.leaves, other.leaves)
            gone = order.leaves == energy
            self.reduce(other, energy)
            self.reduce(order, energy)
            return gone
        if policy in {"cancel-resting", "cancel-both"}:
            self.cancelled(other, "self-match")
        if policy in {"cancel-incoming", "cancel-both"}:
            self.cancelled(order, "self-match")
            return True
        return False

    def reduce(self, order: Order, energy: int) -> None:
        if order.leaves == energy:
            self.cancelled(order, "self-match")
            return
        order.total -= energy
        event = Event("reduced", order_id=order.order_id, energy=energy, book=order.book)
        self.events.append(event._replace(participant=order.participant))

    def cancelled(self, order: Order, reason: str | None, event: str = "cancelled") -> None:
        if order in self.resting:
            self.resting.remove(order)
        gone = Event(event, reason, None, order.order_id, 0, order.leaves)
        self.events.append(gone._replace(participant=order.participant, book=order.book))

    # --- rules -----------------------------------------------------------------------------------

    def require_opened(self, number: int) -> None:
        known = number < len(self.books) and self.books[number].status != "unopened"
        refuse_if(not known, "book_unknown")

    def require_participant(self, participant: int) -> None:
        refuse_if(participant >= self.rules.participants, "participant_unknown")

    def require_own_order(self, c: Command) -> Order:
        self.require_participant(c.participant)
        found = [one for one in self.resting if one.order_id == c.order_id]
        refuse_if(not found, "order_unknown")
        refuse_if(found[0].participant != c.participant, "order_not_owned")
        return found[0]

    def require_trading(self, book: Book) -> None:
        refuse_if(book.status == "closed", "gate_closed")
        refuse_if(book.status == "halted", "book_halted")

    def require_energy(self, energy: int, *, least: int) -> None:
        refuse_if(energy < least, "energy_not_positive")
        too_many_lots = energy // self.rules.lot > LOTS_MAX
        refuse_if(energy > ENERGY_MAX or too_many_lots, "energy_bound")
        refuse_if(energy % self.rules.lot != 0, "lot")

    def require_price(self, price: int, book: Book | None) -> None:
        refuse_if(abs(price) > PRICE_MAX, "price_bound")
        refuse_if(price % self.rules.tick != 0, "price_off_tick")
        if book is not None:
            refuse_if(not book.low <= price <= book.high, "price_collar")

    def require_block(self, order: Order) -> None:
        """Refuse an order that would need one more block of neighbouring ticks than there are."""
        blocks = {self.block(one) for one in self.resting}
        full = self.block(order) not in blocks and len(blocks) >= self.rules.price_blocks
        refuse_if(full, "price_blocks_full")

    def block(self, order: Order) -> tuple[int, str, int]:
        # Ticks are counted from 1 at the lowest price there is.
        ticks = order.price // self.rules.tick + PRICE_MAX // self.rules.tick + 1
        return order.book, order.side, ticks // BLOCK_TICKS

    def require_kind_allows(self, order: Order) -> None:
        """Decide post-only and fill-or-kill on the energy of others."""
        foreign = 0
        policy = self.limits[order.participant][2]
        for other in self.crossing(order):
            if other.participant != order.participant:
                refuse_if(order.kind == "post-only", "post_only_crosses")
                foreign += other.leaves
            elif policy != "cancel-resting" and order.kind != "post-only":
                break
        whole = order.kind in {"fok", "market-fok"}
        refuse_if(whole and foreign < order.leaves, "fill_or_kill_unfilled")

    def next_turn(self) -> int:
        self.turn += 1
        return self.turn

    # --- participants and books ------------------------------------------------------------------

    def set_participant(self, c: Command) -> None:
        self.require_participant(c.participant)
        refuse_if(c.energy < 0, "limits_invalid")
        self.limits[c.participant] = (c.orders_max, c.energy, c.self_match)
        done = Event("participant-set", c.self_match, participant=c.participant, energy=c.energy)
        self.events.append(done._replace(orders=c.orders_max))

    def collar(self, c: Command) -> tuple[int, int]:
        """Return the ends in force: those asked for, rounded inward to the tick."""
        low = -(-c.low // self.rules.tick) * self.rules.tick
        high = c.high // self.rules.tick * self.rules.tick
        bound = c.low < -PRICE_MAX or c.high > PRICE_MAX
        refuse_if(bound or low > high, "limits_invalid")
        return low, high

    def open_book(self, c: Command) -> None:
        refuse_if(c.book >= len(self.books), "book_unknown")
        refuse_if(self.books[c.book].status in {"open", "halted"}, "book_open")
        low, high = self.collar(c)
        self.books[c.book] = Book("open", low, high)
        self.events.append(Event("book-opened", book=c.book, price=low))

    def set_collar(self, c: Command) -> None:
        self.require_opened(c.book)
        low, high = self.collar(c)
        book = self.books[c.book]
        refuse_if(book.status == "closed", "gate_closed")
        book.low, book.high = low, high
        self.events.append(Event("collar-set", book=c.book, price=low))

    def halt(self, c: Command) -> None:
        self.require_opened(c.book)
        self.require_trading(self.books[c.book])
        self.books[c.book].status = "halted"
        self.events.append(Event("halted", book=c.book))

    def resume(self, c: Command) -> None:
        self.require_opened(c.book)
        refuse_if(self.books[c.book].status == "closed", "gate_closed")
        refuse_if(self.books[c.book].status != "halted", "book_not_halted")
        self.books[c.book].status = "open"
        self.events.append(Event("resumed", book=c.book))

    def close_gate(self, c: Command) -> None:
        self.require_opened(c.book)
        refuse_if(self.books[c.book].status == "closed", "gate_closed")
        expired = 0
        for side, sign in (("bid", -1), ("offer", 1)):
            queue = [one for one in self.resting if (one.book, one.side) == (c.book, side)]
            for order in sorted(queue, key=lambda one: (sign * one.price, one.turn)):
                self.cancelled(order, None, "expired")
                expired += 1
        self.books[c.book].status = "closed"
        self.events.append(Event("gate-closed", book=c.book, orders=expired))
