"""Which rules govern which delivery period of a run, and when trading is stopped.

A change governs the periods whose gate closes when it is in force or later. Whoever traded before
keeps the rules it traded under, to the settlement of that period.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated

from gridrig.campaign.settlement_terms import Fee
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
    """

    def __init__(self, market: "MarketRules", tables: RuleTables) -> None:
        self.tables = tables
        self.decisions: tuple[Decision, ...] = ()
        self.states = [InForce(float("-inf"), (), market)]
        for change in sorted(tables.changes, key=lambda one: one.proposal.effective_s):
            assert tables.governance is not None, "a change without governance is an issue"
            decision = decide(tables.governance, change.proposal)
            self.decisions += (decision,)
            if decision.enacted:
                last = self.states[-1]
                names = (*last.changes, change.proposal.name)
                changed = change.set.applied(last.market)
                self.states.append(InForce(change.proposal.effective_s, names, changed))

    def of(self, period: DeliveryPeriod) -> InForce:
        """Return what governs a period: what is in force when its gate closes, by either rule."""
        found = self.states[0]
        for state in self.states[1:]:
            if period.start_s - max(found.gate_s, state.gate_s) < state.since_s:
                break
            found = state
        return found

    def closes_s(self, period: DeliveryPeriod) -> int:
        """Return when the gate of a period closes, since the run began. [s]"""
        return period.start_s - self.of(period).gate_s

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
