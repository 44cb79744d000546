"""The market of a run: orders before gate closure, one auction a period, trades by number."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gridrig._core import Order, Trade
from gridrig.campaign.feeder_rounds import Checked, FeederRounds
from gridrig.campaign.reserves import Reserves
from gridrig.market.agents import Agent, Tariff, View
from gridrig.market.mechanisms import Mechanism, ZonalMechanism
from gridrig.market.outcome import LinkOutcome, Refused, check_outcome
from gridrig.quantity import DeliveryPeriod


@dataclass(frozen=True)
class Cleared:
    """What the auction of one delivery period gave.

    `price_micro_per_kwh` is that of the zone of the main grid, where limits of the feeder parted
    the market; `checked` is None unless the feeder has the last word. `link_flows` are the links
    between zones that charge for what they carry: name, energy, fee. [mWh, millionths/kWh]
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


@dataclass
class Trading:
    """Agents, the auction and what it gave so far.

    Parameters
    ----------
    agents : mapping of participant to Agent
        In rig order, which is the order their orders arrive in.
    tariff : Tariff
        Posted prices and the market's lot and tick.
    mechanism, island_mechanism : Mechanism
        What clears, connected and in an island.
    feeder : FeederRounds or None
        Has the last word, if there is one.
    reserves : Reserves or None
        What an order needs to be taken; None if everybody pays afterwards.
    """

    agents: Mapping[str, Agent]
    tariff: Tariff
    mechanism: Mechanism
    island_mechanism: Mechanism
    feeder: FeederRounds | None = None
    reserves: Reserves | None = None
    cleared: list[Cleared] = field(default_factory=list)
    _orders: int = 0
    _trades: int = 0

    def clear(
        self, period: DeliveryPeriod, islanded: bool, view_of: Callable[[str], View]
    ) -> Cleared:
        """Collect the orders for a period at gate closure and clear it."""
        orders = self._collect(view_of)
        mechanism = self.island_mechanism if islanded else self.mechanism
        name = type(mechanism).__name__
        covered, uncovered = self._cover(orders)
        outcome = mechanism.clear(covered)
        check_outcome(name, covered, outcome, lot_milliwh=self.tariff.lot_milliwh)
        checked = None
        if self.feeder is not None and isinstance(mechanism, ZonalMechanism):
            checked = self.feeder.check(period, covered, outcome, mechanism)
            outcome = checked.outcome
            check_outcome(name, covered, outcome, lot_milliwh=self.tariff.lot_milliwh)
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
        root = outcome.zones[0].price_micro_per_kwh if outcome.zones else None
        cleared = Cleared(
            period,
            islanded,
            tuple(orders),
            trades,
            (*uncovered, *outcome.refused),
            outcome.price_micro_per_kwh if root is None else root,
            outcome.volume_milliwh,
            checked,
            _charged(outcome.links),
        )
        self.cleared.append(cleared)
        return cleared

    def _collect(self, view_of: Callable[[str], View]) -> list[Order]:
        orders: list[Order] = []
        for name, agent in self.agents.items():
            for intent in agent.intents(view_of(name)):
                self._orders += 1
                orders.append(
                    Order(
                        self._orders,
                        name,
                        intent.side,
                        intent.energy_milliwh,
                        intent.price_micro_per_kwh,
                    )
                )
        return orders

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


def _charged(links: Sequence[LinkOutcome]) -> tuple[tuple[str, int, int], ...]:
    """Return what links carried for a fee; links of one name are told apart by their place."""
    flows = []
    for place, link in enumerate(links):
        if link.net_milliwh and link.fee_micro_per_kwh:
            alone = sum(other.name == link.name for other in links) == 1
            name = link.name if alone else f"{link.name}#{place}"
            flows.append((name, abs(link.net_milliwh), link.fee_micro_per_kwh))
    return tuple(flows)
