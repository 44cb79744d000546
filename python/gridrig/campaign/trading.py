"""The market of a run: orders before gate closure, one auction a period, trades by number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gridrig._core import Order, Rejection, Trade, clear_pay_as_clear
from gridrig.market.agents import Agent, Tariff, View
from gridrig.quantity import DeliveryPeriod


@dataclass(frozen=True)
class Cleared:
    """What the auction of one delivery period gave."""

    period: DeliveryPeriod
    islanded: bool
    orders: tuple[Order, ...]
    trades: tuple[Trade, ...]
    rejections: tuple[Rejection, ...]
    price_micro_per_kwh: int | None
    volume_milliwh: int


@dataclass
class Trading:
    """Agents, the auction and what it gave so far.

    Parameters
    ----------
    agents : mapping of participant to Agent
        In rig order, which is the order their orders arrive in.
    tariff : Tariff
        Posted prices and the market's lot and tick.
    """

    agents: Mapping[str, Agent]
    tariff: Tariff
    cleared: list[Cleared] = field(default_factory=list)
    _orders: int = 0
    _trades: int = 0

    def clear(
        self, period: DeliveryPeriod, islanded: bool, view_of: Callable[[str], View]
    ) -> Cleared:
        """Collect the orders for a period at gate closure and clear it."""
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
        clearing = clear_pay_as_clear(
            orders, lot_milliwh=self.tariff.lot_milliwh, tick_micro_per_kwh=self.tariff.tick
        )
        trades = tuple(
            Trade(
                self._trades + number,
                trade.order_id,
                trade.participant,
                trade.side,
                trade.energy_milliwh,
                trade.price_micro_per_kwh,
            )
            for number, trade in enumerate(clearing.trades, start=1)
        )
        self._trades += len(trades)
        cleared = Cleared(
            period,
            islanded,
            tuple(orders),
            trades,
            tuple(clearing.rejections),
            clearing.price_micro_per_kwh,
            clearing.volume_milliwh,
        )
        self.cleared.append(cleared)
        return cleared

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
