"""The market of a run: orders before gate closure, one auction a period, trades by number."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gridrig._core import Order, Trade
from gridrig.campaign.feeder_rounds import Checked, FeederRounds
from gridrig.campaign.price_windows import PRICES
from gridrig.campaign.reserves import Reserves
from gridrig.campaign.rights import Clamped, Right, within_rights
from gridrig.campaign.rule_book import RuleBook, RuleTables
from gridrig.events import EventLog
from gridrig.market.agents import Agent, Intent, Side, Tariff, View
from gridrig.market.counterparties import Mark, financial_only_milliwh, marks
from gridrig.market.mechanisms import Mechanism, ZonalMechanism
from gridrig.market.outcome import LinkOutcome, Outcome, Refused, ZoneOutcome, check_outcome
from gridrig.market.policy import POLICY_REFUSED, clear_under
from gridrig.market.zonal_clearing import clear_in_zones
from gridrig.market.zones import Network
from gridrig.minds.home import HomeMind
from gridrig.minds.home_car import News
from gridrig.quantity import DAY_S, DeliveryPeriod

if TYPE_CHECKING:
    from gridrig.campaign.scenario import MarketRules

HALTED = "market.halted"
TOLD_REFUSALS = (POLICY_REFUSED, HALTED)


@dataclass(frozen=True)
class Cleared:
    """What the auction of one delivery period gave.

    `price_micro_per_kwh` is that of the zone of the main grid, where limits of the feeder parted
    the market; `checked` is None unless the feeder has the last word. `link_flows` are the links
    between zones that charge for what they carry: name, energy, fee. [mWh, millionths/kWh] `why`
    is what a mind says of an order, by its number; `clamped` what the limit layer cut off, `flags`
    what a home did without, by its name; `news` is what was decided of the rules since the clearing
    before, and which car cannot have what it needs, as events. `marks` tells of each trade its zone
    and what of it is financial only; None where there are no zones. `zones` and `links` are those
    of a market that clears in zones, empty of any other; then `price_micro_per_kwh` is None if
    there was more than one.
    """

    period: DeliveryPeriod
    islanded: bool
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    rejections: tuple[Refused, ...]
    price_micro_per_kwh: int | None
    volume_milliwh: int
    checked: Checked | None = None
    link_flows: tuple[tuple[str, int, int], ...] = ()
    why: Mapping[int, str] = field(default_factory=dict)
    clamped: tuple[Clamped, ...] = ()
    flags: tuple[tuple[str, str], ...] = ()
    news: tuple[News, ...] = ()
    marks: Mapping[int, Mark] | None = None
    zones: tuple[ZoneOutcome, ...] = ()
    links: tuple[LinkOutcome, ...] = ()

    def price_in(self, zone: str | None) -> int | None:
        """Return the price of a zone; that of the period where the market has none of its own."""
        own = (one.price_micro_per_kwh for one in self.zones if one.name == zone)
        return next(own, self.price_micro_per_kwh)

    def tell(self, events: EventLog) -> None:
        """Record the clearing, and what the rules, the minds and the feeder said to it."""
        for kind, facts in self.news:
            events.record(kind, **facts)
        zoned: dict[str, Any] = {}
        if self.marks is not None:
            zoned["financial_only_milliwh"] = financial_only_milliwh(self.marks.values())
        if self.zones:
            zoned["zone_prices"] = {one.name: one.price_micro_per_kwh for one in self.zones}
            zoned["link_fees"] = {
                one.name: one.fee_micro_per_kwh for one in self.links if one.net_milliwh
            }
        events.record(
            "cleared",
            period=self.period.index,
            islanded=self.islanded,
            price_micro_per_kwh=self.price_micro_per_kwh,
            volume_milliwh=self.volume_milliwh,
            **zoned,
        )
        by_number = {order.order_id: order for order in self.orders}
        for refusal in self.rejections:
            if refusal.code in TOLD_REFUSALS:
                events.record(
                    "order_refused",
                    period=self.period.index,
                    participant=by_number[refusal.order_id].participant,
                    side=by_number[refusal.order_id].side,
                    order_id=refusal.order_id,
                    code=refusal.code,
                    reason=refusal.message,
                )
        for home, flag in self.flags:
            events.record("mind_flag", period=self.period.index, home=home, flag=flag)
        for cut in self.clamped:
            events.record(
                "order_clamped",
                period=self.period.index,
                participant=cut.participant,
                side=cut.side,
                asked_milliwh=cut.asked_milliwh,
                allowed_milliwh=cut.allowed_milliwh,
                why=cut.why,
            )
        if self.checked is not None:
            self.checked.tell(events, self.period)


@dataclass
class _Collected:
    """The orders for one period, on their way to the auction."""

    orders: list[Order] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)
    clamped: list[Clamped] = field(default_factory=list)
    flags: list[tuple[str, str]] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


@dataclass
class Trading:
    """Agents, the auction and what it gave so far.

    Parameters
    ----------
    agents : mapping of participant to Agent
        In rig order, which is the order their orders arrive in; None of one that a home's mind
        decides for.
    lot_milliwh : int
        Smallest step of an order's energy. [mWh]
    book : RuleBook
        Which rules govern which period.
    roles : mapping of participant to str
        By which a policy names them.
    mechanism, island_mechanism : Mechanism
        What clears, connected and in an island.
    rights : callable
        Tells what a participant may order, from its view (`rights.py`).
    homes : sequence of HomeMind
        Minds that decide for several participants.
    feeder : FeederRounds or None
        Has the last word, if there is one.
    reserves : Reserves or None
        What an order needs to be taken; None if everybody pays afterwards.
    network : Network or None
        The zones of the participants, by which trades are told apart; None if they have none.
    zonal : bool
        Whether each of these zones has a price of its own.

    `overasking` makes minds ask for a multiple of what they would: a fault that a scenario injects.
    """

    agents: Mapping[str, Agent | None]
    lot_milliwh: int
    book: RuleBook
    roles: Mapping[str, str]
    mechanism: Mechanism
    island_mechanism: Mechanism
    rights: Callable[[str, View], Mapping[Side, Right]]
    homes: Sequence[HomeMind] = ()
    feeder: FeederRounds | None = None
    reserves: Reserves | None = None
    network: Network | None = None
    zonal: bool = False
    cleared: list[Cleared] = field(default_factory=list)
    overasking: dict[str, float] = field(default_factory=dict)
    _orders: int = 0
    _trades: int = 0
    _told_s: float = float("-inf")
    _zone_of: Mapping[str, str | None] = field(init=False)

    def __post_init__(self) -> None:
        self._zone_of = {} if self.network is None else self.network.zone_of()

    def prices_seen(self, participant: str) -> tuple[int | None, ...]:
        """Return what each period so far cleared at where a participant is. [millionths/kWh]"""
        zone = self._zone_of.get(participant)
        return tuple(cleared.price_in(zone) for cleared in self.cleared)

    def cleared_at(self, t_s: float) -> Cleared | None:
        """Return what was cleared for the delivery period at a moment, if it was traded. [s]"""
        now = (c for c in self.cleared if c.period.start_s <= t_s < c.period.end_s)
        return next(now, None)

    def tariff_of(self, period: DeliveryPeriod) -> Tariff:
        """Return the prices posted for a period."""
        return _tariff(self.book.of(period).market)

    def tariff_ahead(self, period: DeliveryPeriod) -> tuple[Tariff, ...]:
        """Return what is posted for each period of a day from this one on; empty if all the same.

        What is in force for this one is taken to stay: nobody knows how a vote will end.
        """
        if not self.book.by_hour:
            return ()
        index, length_s = period.index, period.duration_s
        later = (
            DeliveryPeriod(index + k, period.start_s + k * length_s, length_s)
            for k in range(DAY_S // length_s)
        )
        return tuple(_tariff(self.book.foreseen(one, period).market) for one in later)

    def clear(
        self, period: DeliveryPeriod, islanded: bool, view_of: Callable[[str], View]
    ) -> Cleared:
        """Collect the orders for a period at gate closure and clear it."""
        collected = self._collect(view_of)
        orders = collected.orders
        mechanism = self.island_mechanism if islanded else self.mechanism
        name = type(mechanism).__name__
        covered, uncovered = self._cover(orders)
        outcome = self._outcome(period, covered, mechanism)
        check_outcome(name, covered, outcome, lot_milliwh=self.lot_milliwh)
        checked = None
        if self.feeder is not None and isinstance(mechanism, ZonalMechanism):
            checked = self.feeder.check(period, covered, outcome, mechanism)
            outcome = checked.outcome
            check_outcome(name, covered, outcome, lot_milliwh=self.lot_milliwh)
        trades = tuple(
            Trade(
                self._trades + number,
                trade.order_id,
                trade.participant,
                trade.side,
                trade.energy_milliwh,
                trade.price_micro_per_kwh,
            )
            for number, trade in enumerate(outcome.trades, start=1)
        )
        self._trades += len(trades)
        # Where limits of the feeder parted the market, the main grid's zone comes first.
        parted = outcome.zones if not self.zonal else ()
        root = parted[0].price_micro_per_kwh if parted else None
        cleared = Cleared(
            period,
            islanded,
            tuple(orders),
            trades,
            (*uncovered, *outcome.refused),
            outcome.price_micro_per_kwh if root is None else root,
            outcome.volume_milliwh,
            checked,
            charged(outcome.links),
            collected.why,
            tuple(collected.clamped),
            tuple(collected.flags),
            (*self._news(period), *collected.news),
            self._marks(trades),
            outcome.zones if self.zonal else (),
            outcome.links if self.zonal else (),
        )
        self.cleared.append(cleared)
        return cleared

    def _outcome(
        self, period: DeliveryPeriod, orders: Sequence[Order], mechanism: Mechanism
    ) -> Outcome:
        """Clear the orders as the rules of their period say."""
        if (stop := self.book.stop_of(period)) is not None:
            reason = f"trading is stopped since {stop.at_s:g} s by {stop.by}"
            return Outcome((), tuple(Refused(one.order_id, HALTED, reason) for one in orders))
        if (policy := self.book.policy_of(period)) is not None:
            return clear_under(policy, orders, self.roles, mechanism)
        if self.zonal and self.network is not None and isinstance(mechanism, ZonalMechanism):
            places = [self._zone_of[order.participant] for order in orders]
            return clear_in_zones(mechanism, orders, places, self.network)
        return mechanism.clear(orders)

    def _marks(self, trades: Sequence[Trade]) -> Mapping[int, Mark] | None:
        if self.network is None:
            return None
        return marks(trades, [self._zone_of[one.participant] for one in trades], self.network)

    def _news(self, period: DeliveryPeriod) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the prices of a period, if by the hour, and what rules it, if rules can change."""
        rules = self.book.of(period)
        if self.book.by_hour:
            posted = {name: getattr(rules.market, name) for name in PRICES}
            yield "tariff_posted", {"period": period.index, **posted}
        if self.book.tables == RuleTables():
            return
        now_s = float(max(0, self.book.closes_s(period)))
        yield from self.book.news(self._told_s, now_s)
        self._told_s = now_s
        facts = {"changes": rules.changes, "policy": rules.market.policy}
        yield "rules_in_force", {"period": period.index, **facts}

    def _collect(self, view_of: Callable[[str], View]) -> _Collected:
        collected = _Collected()
        decided: dict[str, Sequence[Intent]] = {}
        for home in self.homes:
            decision = home.decide({one.participant: view_of(one.participant)
                                    for one in home.connections})  # fmt: skip
            decided |= decision.orders
            collected.flags += [(home.name, flag) for flag in decision.flags]
            collected.news += decision.news
        for name, agent in self.agents.items():
            view = view_of(name)
            asked = decided[name] if agent is None else agent.intents(view)
            if name in self.overasking:
                asked = _multiplied(asked, self.overasking[name], self.lot_milliwh)
            allowed, clamped = within_rights(name, asked, self.rights(name, view), self.lot_milliwh)
            collected.clamped += clamped
            for intent in allowed:
                self._orders += 1
                number, side = self._orders, intent.side
                energy, price = intent.energy_milliwh, intent.price_micro_per_kwh
                collected.orders.append(Order(number, name, side, energy, price))
                if intent.why:
                    collected.why[number] = intent.why
        return collected

    def _cover(self, orders: list[Order]) -> tuple[list[Order], list[Refused]]:
        if self.reserves is None:
            return orders, []
        return self.reserves.cover(orders, self._unsettled(self.reserves.is_settled))

    def _unsettled(self, is_settled: Callable[[int], bool]) -> Iterator[Trade]:
        for cleared in self.cleared:
            if not is_settled(cleared.period.index):
                yield from cleared.trades

    def of_period(self, index: int) -> Cleared:
        """Return the clearing of a delivery period."""
        return next(c for c in self.cleared if c.period.index == index)

    def scheduled_w(self, participant: str, period: DeliveryPeriod) -> float:
        """Return the mean power a participant sold minus bought for a period; + is delivery. [W]"""
        energy = 0
        for trade in self.of_period(period.index).trades:
            if trade.participant == participant:
                energy += trade.energy_milliwh if trade.side == "offer" else -trade.energy_milliwh
        return energy / 1_000 / period.hours


def _tariff(market: "MarketRules") -> Tariff:
    return Tariff(
        market.feed_in_micro_per_kwh,
        market.retail_micro_per_kwh,
        market.tick_micro_per_kwh,
        market.lot_milliwh,
        market.long_price_micro_per_kwh,
        market.short_price_micro_per_kwh,
    )


def _multiplied(asked: Sequence[Intent], factor: float, lot_milliwh: int) -> list[Intent]:
    """Return what a mind that has gone wrong asks for."""
    return [
        replace(one, energy_milliwh=round(one.energy_milliwh * factor) // lot_milliwh * lot_milliwh)
        for one in asked
    ]


def charged(links: Sequence[LinkOutcome]) -> tuple[tuple[str, int, int], ...]:
    """Return what links carried for a fee; links of one name are told apart by their place."""
    flows = []
    for place, link in enumerate(links):
        if link.net_milliwh and link.fee_micro_per_kwh:
            alone = sum(other.name == link.name for other in links) == 1
            name = link.name if alone else f"{link.name}#{place}"
            flows.append((name, abs(link.net_milliwh), link.fee_micro_per_kwh))
    return tuple(flows)
