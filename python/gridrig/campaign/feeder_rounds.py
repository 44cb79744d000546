"""The feeder has the last word: what is cleared is solved, and what it cannot carry is limited.

A cleared period is put to the feeder engine: what every participant trades as a mean power at its
bus, and what is not traded (`Untraded`) as it is forecast. Whatever is then outside its limit
becomes a limit of the market, and the period is cleared again, in zones:

- a line or transformer that alone joins the buses behind it to the rest: its link, by what the
  engine says a watt behind it adds to its loading;
- a bus outside its band, or a line in a loop: the zone of the buses that move it at least half as
  much as the one that moves it most, by the engine's sensitivities; once that zone trades nothing
  the wrong way any more, a quarter as much, and so on.

Each round tightens every limit it can, at least one by at least a lot. After `ROUNDS_MAX` rounds,
or if nothing is left to tighten, the period is infeasible: it schedules nothing, and names the
element. What is outside its limit without any trade is reported and not blamed on the market.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig._core import Order
from gridrig.campaign.feeder_limits import FeederLimit, FeederLimits
from gridrig.errors import GridError
from gridrig.events import EventLog
from gridrig.grid.engine import FloatArray
from gridrig.grid.feeder import Feeder
from gridrig.grid.findings import Finding, Limits, findings
from gridrig.grid.network import line_key, trafo_key
from gridrig.grid.sensitivity import sensitivity
from gridrig.market.mechanisms import ZonalMechanism
from gridrig.market.outcome import Outcome
from gridrig.quantity import MILLIWH_PER_WH, DeliveryPeriod

ROUNDS_MAX = 20
SHARES = (1 / 2, 1 / 4, 1 / 8, 0.0)
"""How much of the largest sensitivity a bus of a zone has, at least; tried in this order."""

Untraded = Callable[[DeliveryPeriod], tuple[FloatArray, FloatArray]]
"""Forecast by bus of the feeder of what is not traded, positive into the grid. [W, var]"""


@dataclass(frozen=True)
class Checked:
    """What the feeder said of a cleared period.

    Parameters
    ----------
    outcome : Outcome
        What it can carry; without trades if `infeasible`.
    rounds : int
        Times the period was cleared again.
    limits : tuple of FeederLimit
        What the market was held to.
    infeasible : str
        Why nothing is scheduled, with the element; else empty.
    without_trades : tuple of Finding
        What is outside its limit whatever the market does.
    """

    outcome: Outcome
    rounds: int = 0
    limits: tuple[FeederLimit, ...] = ()
    infeasible: str = ""
    without_trades: tuple[Finding, ...] = ()

    def tell(self, events: EventLog, period: DeliveryPeriod) -> None:
        """Record what the feeder had to say; nothing if all was well at once."""
        if self.without_trades:
            texts = [finding.text() for finding in self.without_trades]
            events.record("grid_outside_without_trades", period=period.index, findings=texts)
        if self.limits:
            limits = [limit.text() for limit in self.limits]
            events.record("grid_limited", period=period.index, rounds=self.rounds, limits=limits)
        if self.infeasible:
            events.record("grid_infeasible", period=period.index, cause=self.infeasible)


class FeederRounds:
    """Puts cleared periods to a feeder of its own.

    Parameters
    ----------
    feeder : Feeder
        Not the one of the run: its solutions start from other ones.
    limits : Limits
        What it is held to.
    bus_of : mapping of participant to bus or None
        None for the main grid.
    untraded : callable
    """

    def __init__(
        self,
        feeder: Feeder,
        limits: Limits,
        bus_of: Mapping[str, str | None],
        untraded: Untraded,
    ) -> None:
        self._feeder = feeder
        self._limits = limits
        self._bus_of = bus_of
        self._untraded = untraded

    def arrange(self, run: Feeder) -> None:
        """Put the feeder into the state that the feeder of the run is in."""
        self._feeder.same_state_as(run)

    def check(
        self,
        period: DeliveryPeriod,
        orders: Sequence[Order],
        outcome: Outcome,
        mechanism: ZonalMechanism,
    ) -> Checked:
        """Return what of an outcome the feeder can carry.

        Parameters
        ----------
        period : DeliveryPeriod
        orders : sequence of Order
        outcome : Outcome
            As cleared without limits.
        mechanism : ZonalMechanism
            Clears again, in zones.
        """
        rest_w, q_var = self._untraded(period)
        held = FeederLimits(self._bus_of, mechanism.lot_milliwh)
        excused: tuple[Finding, ...] = ()
        rounds = 0
        while True:
            p_w = rest_w + self._traded_w(period, outcome)
            try:
                found = self._outside(p_w, q_var)
                if found and not rounds:
                    excused = self._found(rest_w, q_var)
                known = {(one.kind, one.element) for one in excused}
                found = [one for one in found if (one.kind, one.element) not in known]
                limits = tuple(held.limits)
                if not found:
                    return Checked(outcome, rounds, limits, without_trades=excused)
                if rounds == ROUNDS_MAX:
                    why = f"{found[0].text()}, after {ROUNDS_MAX} rounds"
                    return Checked(_nothing(outcome), rounds, limits, why, excused)
                tightened = [
                    self._tighten(held, one, p_w, q_var, self._net_of(outcome), period)
                    for one in found
                ]
            except GridError as error:
                limits = tuple(held.limits)
                return Checked(_nothing(outcome), rounds, limits, error.message, excused)
            if not any(tightened):
                why = f"{found[0].text()}, and no trade is left that makes it worse"
                return Checked(_nothing(outcome), rounds, limits, why, excused)
            zone = [held.zone_of(order.participant) for order in orders]
            outcome = mechanism.clear_zones(orders, zone, held.network())
            rounds += 1

    def _found(self, p_w: FloatArray, q_var: FloatArray) -> tuple[Finding, ...]:
        try:
            return tuple(self._outside(p_w, q_var))
        except GridError:
            return ()  # without trades the engine has no solution: the trades are not excused

    def _outside(self, p_w: FloatArray, q_var: FloatArray) -> list[Finding]:
        found = findings(self._feeder.solve(p_w, q_var), self._limits)
        return [one for one in found if one.kind != "dead_bus"]

    def _traded_w(self, period: DeliveryPeriod, outcome: Outcome) -> FloatArray:
        p_w = np.zeros(len(self._feeder.buses))
        for participant, energy_milliwh in self._net_of(outcome).items():
            bus = self._bus_of[participant]
            if bus is not None:
                at = self._feeder.buses.index(bus)
                p_w[at] += energy_milliwh / MILLIWH_PER_WH / period.hours
        return p_w

    @staticmethod
    def _net_of(outcome: Outcome) -> dict[str, int]:
        """Return by participant what it sold minus what it bought. [mWh]"""
        net: dict[str, int] = {}
        for trade in outcome.trades:
            energy = trade.energy_milliwh if trade.side == "offer" else -trade.energy_milliwh
            net[trade.participant] = net.get(trade.participant, 0) + energy
        return net

    def _tighten(
        self,
        held: FeederLimits,
        finding: Finding,
        p_w: FloatArray,
        q_var: FloatArray,
        net_of: Mapping[str, int],
        period: DeliveryPeriod,
    ) -> bool:
        """Tighten the limit that a finding asks for; False if there is nothing to tighten."""
        for buses, is_link, less_w in self._candidates(finding, p_w, q_var):
            around = held.laminar(buses)
            net_milliwh = sum(
                energy for name, energy in net_of.items() if self._bus_of[name] in around
            )
            exports = less_w > 0
            if held.tighten(
                FeederLimit(finding.element, around, is_link and around == buses),
                exports=exports,
                net_milliwh=net_milliwh if exports else -net_milliwh,
                less_milliwh=abs(less_w) * period.hours * MILLIWH_PER_WH,
            ):
                return True
        return False

    def _candidates(
        self, finding: Finding, p_w: FloatArray, q_var: FloatArray
    ) -> list[tuple[frozenset[str], bool, float]]:
        """Return sets of buses, whether a branch bounds them, and how much less they may give. [W]

        What they give is less the other way round where it is negative: they take too much.
        """
        slopes = sensitivity(self._feeder, finding, p_w, q_var)
        buses = self._feeder.buses
        behind = self._behind(finding)
        if behind:
            slopes = np.where([bus in behind for bus in buses], slopes, 0.0)
        elif "voltage" not in finding.kind:
            # In a loop a bus may load a line in either direction: those that load it more count.
            slopes = np.where(slopes * np.sign(p_w) > 0, slopes, 0.0)
        strongest = float(slopes[np.abs(slopes).argmax()])
        if strongest == 0.0:
            return []
        # The strongest answer promises the most for the least, so nothing is cut that need not be.
        less_w = (finding.value - finding.limit) / strongest
        if behind:
            return [(behind, True, less_w)]
        near = [
            frozenset(
                bus
                for bus, slope in zip(buses, slopes.tolist(), strict=True)
                if slope * strongest > 0 and slope / strongest >= share
            )
            for share in SHARES
        ]
        return [(bus_set, False, less_w) for bus_set in dict.fromkeys(near)]

    def _behind(self, finding: Finding) -> frozenset[str]:
        """Return the buses that only this branch joins to the rest, if there are any."""
        kinds = {"line_overload": line_key, "transformer_overload": trafo_key}
        if finding.kind not in kinds:
            return frozenset()
        feeder, network = self._feeder, self._feeder.network
        sources = [source.bus for source in network.sources]
        start = sources if feeder.former_bus is None else [feeder.former_bus]
        branch = kinds[finding.kind](finding.element)
        whole = network.reachable(start, feeder.out)
        lost = whole - network.reachable(start, feeder.out | {branch})
        return frozenset(bus for bus, home in feeder.homes() if home in lost)


def _nothing(outcome: Outcome) -> Outcome:
    """Return an outcome that refuses the same orders and schedules nothing."""
    return Outcome((), outcome.refused)
