"""Mechanisms by name: ours, and those that other packages register.

A mechanism is a frozen dataclass whose fields are its parameters, registered by name in the
entry-point group `gridrig.clearing`. `lot_milliwh` and `tick_micro_per_kwh` it must have; whatever
else it has must have a default. It answers orders with an `Outcome`:

    @dataclass(frozen=True)
    class MyMechanism:
        lot_milliwh: int
        tick_micro_per_kwh: int
        generosity: int = 3

        def clear(self, orders: Sequence[Order]) -> Outcome: ...

One that can clear in zones also has `clear_zones(orders, zone, network)`. Parameters that it
cannot take are refused in `__post_init__`, by a `ValueError` or a `MarketError`; facts `parameter`,
`found` and `expected` of the latter are told at the parameter's own place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, is_dataclass
from importlib.metadata import EntryPoint
from typing import Literal, Protocol, runtime_checkable

from gridrig._core import AuctionRules, Clearing, Order, clear_pay_as_bid, clear_pay_as_clear
from gridrig.errors import MarketError
from gridrig.market.outcome import LinkOutcome, Outcome, ZoneOutcome, refused
from gridrig.market.zones import ENERGY_MILLIWH_MAX, Network, clear_zonal
from gridrig.plugins import Plugins, installed

CLEARING = "gridrig.clearing"
LOT_MILLIWH = 1_000
TICK_MICRO_PER_KWH = 1_000
PRICE_MICRO_PER_KWH_MAX = 10**9
SEED_MAX = 2**64 - 1


@runtime_checkable
class Mechanism(Protocol):
    """What clears the orders of one delivery period."""

    @property
    def lot_milliwh(self) -> int:
        """Smallest step of energy. [mWh]"""

    @property
    def tick_micro_per_kwh(self) -> int:
        """Smallest step of price. [millionths/kWh]"""

    def clear(self, orders: Sequence[Order]) -> Outcome:
        """Clear orders; the arrival of an order is its number, not its place."""


@runtime_checkable
class ZonalMechanism(Mechanism, Protocol):
    """What can clear orders in zones."""

    def clear_zones(
        self, orders: Sequence[Order], zone: Sequence[str], network: Network
    ) -> Outcome:
        """Clear orders; `zone` names the zone of each."""


@dataclass(frozen=True)
class PayAsBid:
    """The dearest bid trades with the cheapest offer first, each pair at its bid.

    Parameters
    ----------
    lot_milliwh, tick_micro_per_kwh : int
        Smallest steps of energy and price. [mWh], [millionths/kWh]
    ties : {"time", "pro-rata"}
        How orders at one price share what is not enough for all of them.
    seed : int
        Of the draw between equal remainders, pro rata; from 0 to 2^64 - 1.

    Raises
    ------
    MarketError
        `market.rules_lot`, `market.rules_tick`, `market.rules_seed`.
    """

    lot_milliwh: int = LOT_MILLIWH
    tick_micro_per_kwh: int = TICK_MICRO_PER_KWH
    ties: Literal["time", "pro-rata"] = "time"
    seed: int = 0

    def __post_init__(self) -> None:
        _rules_of(self)

    def clear(self, orders: Sequence[Order]) -> Outcome:
        """Clear orders in pairs."""
        return _outcome(clear_pay_as_bid(orders, _rules_of(self)))


@dataclass(frozen=True)
class PayAsClear:
    """One price for everybody, or one a zone.

    Parameters
    ----------
    lot_milliwh, tick_micro_per_kwh, ties, seed
        As `PayAsBid`.
    price : {"lowest", "middle", "highest"}
        Which price of the interval in which everybody gets what it wants.

    Raises
    ------
    MarketError
        As `PayAsBid`.
    """

    lot_milliwh: int = LOT_MILLIWH
    tick_micro_per_kwh: int = TICK_MICRO_PER_KWH
    ties: Literal["time", "pro-rata"] = "time"
    price: Literal["lowest", "middle", "highest"] = "middle"
    seed: int = 0

    def __post_init__(self) -> None:
        _rules_of(self, self.price)

    def clear(self, orders: Sequence[Order]) -> Outcome:
        """Clear orders at one price."""
        return _outcome(clear_pay_as_clear(orders, _rules_of(self, self.price)))

    def clear_zones(
        self, orders: Sequence[Order], zone: Sequence[str], network: Network
    ) -> Outcome:
        """Clear orders in zones, net of the fees of links and within their limits."""
        numbers = [network.number(name) for name in zone]
        rules = _rules_of(self, self.price)
        cleared = clear_zonal(orders, numbers, network.native(), rules)
        columns = cleared.columns
        prices = columns.price_micro_per_kwh
        return Outcome(
            tuple(cleared.trades),
            refused(cleared.rejections),
            prices[0] if len(prices) == 1 else None,
            columns.volume_milliwh,
            tuple(
                ZoneOutcome(own.name, price, bought, sold)
                for own, price, bought, sold in zip(
                    network.zones, prices, columns.bought_milliwh, columns.sold_milliwh, strict=True
                )
            ),
            tuple(
                LinkOutcome(
                    link.name or f"{link.first}-{link.second}",
                    net,
                    fee,
                    link.forward_fee_micro_per_kwh if net >= 0 else link.backward_fee_micro_per_kwh,
                )
                for link, net, fee in zip(
                    network.links, columns.net_milliwh, columns.fee_micro, strict=True
                )
            ),
            columns.fees_micro,
            columns.rent_micro,
        )


@dataclass(frozen=True)
class Zonal(PayAsClear):
    """Pay-as-clear that is only for zones: orders without zones are refused as a file."""

    def clear(self, orders: Sequence[Order]) -> Outcome:
        """Refuse: without zones, `pay-as-clear` is the name.

        Raises
        ------
        MarketError
            `market.zones_missing`, always.
        """
        raise MarketError(
            "market.zones_missing", "mechanism zonal clears in zones, and there are none"
        )


def _rules_of(
    mechanism: PayAsBid | PayAsClear, price: Literal["lowest", "middle", "highest"] = "middle"
) -> AuctionRules:
    bounds = {
        "lot": ("lot_milliwh", 1, ENERGY_MILLIWH_MAX),
        "tick": ("tick_micro_per_kwh", 1, PRICE_MICRO_PER_KWH_MAX),
        "seed": ("seed", 0, SEED_MAX),
    }
    for name, (parameter, least, most) in bounds.items():
        found = getattr(mechanism, parameter)
        if not least <= found <= most:  # also what the core's integers cannot hold
            raise MarketError(
                f"market.rules_{name}",
                "{parameter} is {found}, expected {expected}",
                parameter=parameter,
                found=found,
                expected=f"an integer from {least} to {most}",
            )
    return AuctionRules(
        lot_milliwh=mechanism.lot_milliwh,
        tick_micro_per_kwh=mechanism.tick_micro_per_kwh,
        ties=mechanism.ties,
        price=price,
        seed=mechanism.seed,
    )


def _outcome(clearing: Clearing) -> Outcome:
    return Outcome(
        tuple(clearing.trades),
        refused(clearing.rejections),
        clearing.price_micro_per_kwh,
        clearing.volume_milliwh,
    )


class Mechanisms(Plugins):
    """What the installed packages clear with; refusals are `market.mechanism_...`.

    Parameters
    ----------
    points : iterable of EntryPoint
        Entry points of the group `gridrig.clearing`.
    """

    def __init__(self, points: Iterable[EntryPoint]) -> None:
        what = {CLEARING: "mechanism"}
        super().__init__(points, what=what, error=MarketError, code="market.mechanism")

    @classmethod
    def installed(cls) -> "Mechanisms":
        """Return the mechanisms of the running Python's packages."""
        return cls(installed(CLEARING))

    def mechanism(self, name: str) -> type[Mechanism]:
        """Return the class of a mechanism.

        Raises
        ------
        MarketError
            `market.mechanism_unknown`, which lists the installed ones, `market.mechanism_twice`,
            which names both packages, `market.mechanism_broken` with its cause, also for a class
            that is no frozen dataclass with a method `clear`.
        """
        loaded = self.load(CLEARING, name)
        frozen = is_dataclass(loaded) and loaded.__dataclass_params__.frozen  # type: ignore[attr-defined]
        fields = getattr(loaded, "__dataclass_fields__", {})
        if not frozen or not {"lot_milliwh", "tick_micro_per_kwh"} <= set(fields):
            raise self._refusal(
                "broken",
                f"mechanism {name!r}, which is {loaded.__module__}.{loaded.__qualname__}",
                "a frozen dataclass with fields lot_milliwh and tick_micro_per_kwh",
            )
        if not callable(getattr(loaded, "clear", None)):
            found = f"mechanism {name!r}, which has no method clear"
            raise self._refusal("broken", found, "clear(orders), which returns an Outcome")
        return loaded
