"""Which rules govern which delivery period of a run, and when trading is stopped.

A change governs the periods whose gate closes when it is in force or later. Whoever traded before
keeps the rules it traded under, to the settlement of that period. On top of them lie the prices
that are posted for the hour in which a period begins, if there are any by the hour.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from gridrig.campaign.price_windows import local_hour, window_of_hours
from gridrig.campaign.settlement_terms import Fee
from gridrig.clock.zones import zone_of
from gridrig.market.governance import Decision, Governance, Proposal, Said, decide
from gridrig.market.policy import Policy
from gridrig.quantity import DeliveryPeriod
from gridrig.rig.participants import Price
from gridrig.rig.schema import Name, at_least

if TYPE_CHECKING:
    from gridrig.campaign.scenario import MarketRules

_OF_SETTLEMENT = ("grid_fee_micro_per_kwh", "operator_fee_micro_per_kwh")


@dataclass(frozen=True)
class ChangedRules:
    """What a change sets; None leaves a rule as it is.

    Parameters
    ----------
    gate_closure_s : int or None
        As of `[market]`. [s]
    feed_in_micro_per_kwh, retail_micro_per_kwh : int or None
        Posted tariff. [millionths/kWh]
    long_price_micro_per_kwh, short_price_micro_per_kwh : int or None
        Imbalance. [millionths/kWh]
    grid_fee_micro_per_kwh, operator_fee_micro_per_kwh : int or None
        As of `[market.settlement]`. [millionths/kWh]
    policy : str or None
        Name of a `[[policy]]`.
    """

    gate_closure_s: Annotated[int, at_least(0)] | None = None
    feed_in_micro_per_kwh: Price | None = None
    retail_micro_per_kwh: Price | None = None
    long_price_micro_per_kwh: Price | None = None
    short_price_micro_per_kwh: Price | None = None
    grid_fee_micro_per_kwh: Fee | None = None
    operator_fee_micro_per_kwh: Fee | None = None
    policy: Name | None = None

    def stated(self) -> dict[str, int | str]:
        """Return what it sets."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def applied(self, market: "MarketRules") -> "MarketRules":
        """Return the rules of a market with these set."""
        stated = self.stated()
        settlement = {name: stated.pop(name) for name in _OF_SETTLEMENT if name in stated}
        changed: MarketRules = replace(
            market,
            **stated,  # type: ignore[arg-type]
            settlement=replace(market.settlement, **settlement),  # type: ignore[arg-type]
        )
        return changed


@dataclass(frozen=True)
class RuleChange:
    """A change that a scenario has somebody propose."""

    proposal: Proposal
    set: ChangedRules


@dataclass(frozen=True)
class EmergencyStop:
    """An order to stop trading: by whom, when, and until when if it ends. [s]"""

    by: str
    at_s: float
    until_s: float | None = None

    def covers(self, at_s: float) -> bool:
        """Tell whether it would stop what happens at a time. [s]"""
        return self.at_s <= at_s and (self.until_s is None or at_s < self.until_s)


@dataclass(frozen=True)
class RuleTables:
    """What a scenario says of rules that change: who decides, what is tried, and policies."""

    governance: Governance | None = None
    policies: tuple[Policy, ...] = ()
    changes: tuple[RuleChange, ...] = ()
    stops: tuple[EmergencyStop, ...] = ()

    def since(self, from_s: float) -> "RuleTables":
        """Return the same for a run that begins later. [s]"""

        def later(said: Sequence[Said]) -> tuple[Said, ...]:
            return tuple(Said(one.by, one.at_s - from_s) for one in said)

        def moved(one: Proposal) -> Proposal:
            announced_s, effective_s = one.announced_s - from_s, one.effective_s - from_s
            return Proposal(one.name, announced_s, effective_s, later(one.votes), later(one.vetoes))

        return replace(
            self,
            changes=tuple(RuleChange(moved(one.proposal), one.set) for one in self.changes),
            stops=tuple(
                EmergencyStop(s.by, s.at_s - from_s, s.until_s and s.until_s - from_s)
                for s in self.stops
            ),
        )


@dataclass(frozen=True)
class InForce:
    """Rules from a time on: those of the file and the changes made to them, by name. [s]"""

    since_s: float
    changes: tuple[str, ...]
    market: "MarketRules"

    @property
    def gate_s(self) -> int:
        """How long before its period the gate closes. [s]"""
        return self.market.gate_closure_s


class RuleBook:
    """The rules of every period.

    Parameters
    ----------
    market : MarketRules
        As the run begins.
    tables : RuleTables
        What is tried in it.
    start_utc_s : int
        When the run begins, which tells the hours of a tariff. [s since 1970-01-01 UTC]
    """

    def __init__(self, market: "MarketRules", tables: RuleTables, start_utc_s: int) -> None:
        self.tables = tables
        self.by_hour = bool(market.tariff)
        self._start_utc_s = start_utc_s
        self._zone = zone_of(market.zone) or ZoneInfo("UTC")
        self._window_of = window_of_hours(market.tariff)
        self.decisions: tuple[Decision, ...] = ()
        self.states = [InForce(float("-inf"), (), market)]
        # As on a chain (`RuleTimelock`): of changes of the same time the one announced last counts.
        in_order = sorted(
            tables.changes, key=lambda one: (one.proposal.effective_s, one.proposal.announced_s)
        )
        for change in in_order:
            assert tables.governance is not None, "a change without governance is an issue"
            decision = decide(tables.governance, change.proposal)
            self.decisions += (decision,)
            if decision.enacted:
                last = self.states[-1]
                names = (*last.changes, change.proposal.name)
                changed = change.set.applied(last.market)
                self.states.append(InForce(change.proposal.effective_s, names, changed))
        self._in_windows = [
            [replace(state, market=window.applied(state.market)) for window in market.tariff]
            for state in self.states
        ]

    def of(self, period: DeliveryPeriod) -> InForce:
        """Return what governs a period: what is in force when its gate closes, by either rule."""
        return self._posted(self._state_of(period), period)

    def governing(self, periods: Iterable[DeliveryPeriod]) -> list[InForce]:
        """Return what is in force for any of the periods, in each window of a tariff."""
        states = sorted({self._state_of(period) for period in periods})
        return [one for state in states for one in self._in_windows[state] or [self.states[state]]]

    def foreseen(self, later: DeliveryPeriod, period: DeliveryPeriod) -> InForce:
        """Return what would govern a later period by what is in force for this one."""
        return self._posted(self._state_of(period), later)

    def _state_of(self, period: DeliveryPeriod) -> int:
        place = 0
        for after, state in enumerate(self.states[1:], 1):
            gate_s = max(self.states[place].gate_s, state.gate_s)
            if period.start_s - gate_s < state.since_s:
                break
            place = after
        return place

    def _posted(self, state: int, period: DeliveryPeriod) -> InForce:
        """Return a state with the prices of the hour in which a period begins."""
        if not self.by_hour:
            return self.states[state]
        hour = local_hour(self._start_utc_s + period.start_s, self._zone)
        return self._in_windows[state][self._window_of[hour]]

    def closes_s(self, period: DeliveryPeriod) -> int:
        """Return when the gate of a period closes, since the run began. [s]"""
        return period.start_s - self.states[self._state_of(period)].gate_s

    def policy_of(self, period: DeliveryPeriod) -> Policy | None:
        """Return who may trade with whom in a period; None if everybody with everybody."""
        name = self.of(period).market.policy
        return next((one for one in self.tables.policies if one.name == name), None)

    def stop_of(self, period: DeliveryPeriod) -> EmergencyStop | None:
        """Return what stops the trade of a period when its gate closes, if anything does."""
        closes_s = max(0, self.closes_s(period))
        return next((s for s in self.tables.stops if s.covers(closes_s) and self.may_stop(s)), None)

    def may_stop(self, stop: EmergencyStop) -> bool:
        """Tell whether who ordered a stop may."""
        governance = self.tables.governance
        return governance is not None and stop.by in governance.safety

    def news(self, after_s: float, until_s: float) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield what was decided after a time and up to another, as events. [s]"""
        for decision in self.decisions:
            if after_s < decision.proposal.effective_s <= until_s:
                kind = "rule_change_enacted" if decision.enacted else "rule_change_refused"
                facts: dict[str, object] = {
                    "change": decision.proposal.name,
                    "effective_s": decision.proposal.effective_s,
                    "in_favour": decision.in_favour,
                    "reason": decision.reason,
                }
                yield kind, facts if decision.enacted else facts | {"code": decision.code}
        for stop in self.tables.stops:
            if after_s < stop.at_s <= until_s:
                kind = "emergency_stop" if self.may_stop(stop) else "emergency_stop_refused"
                yield kind, {"by": stop.by, "ordered_s": stop.at_s}
