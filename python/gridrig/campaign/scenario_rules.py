"""`[governance]`, `[[policy]]`, `[[rule_change]]` and `[[emergency_stop]]` of a scenario file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Annotated, Any

from gridrig.campaign.rule_book import (
    ChangedRules,
    EmergencyStop,
    RuleBook,
    RuleChange,
    RuleTables,
)
from gridrig.campaign.scenario_prices import check_rising, check_windowed_change
from gridrig.market.governance import Governance, Proposal, Said
from gridrig.market.policy import Policy, Segment
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.schema import Draft, Name, NotNegative, at_least, read_draft, read_drafts


@dataclass(frozen=True, kw_only=True)
class _GovernanceTable(Governance):
    delay_s: Annotated[int, at_least(0)]
    voters: tuple[Name, ...]
    quorum: Annotated[int, at_least(1)]
    veto: tuple[Name, ...] = ()
    safety: tuple[Name, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _PolicyTable:
    name: Name
    reason: Name
    segment: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True)
class _ChangeTable:
    name: Name
    announced_s: NotNegative
    effective_s: NotNegative
    votes: tuple[Said, ...] = ()
    vetoes: tuple[Said, ...] = ()
    set: ChangedRules


@dataclass(frozen=True, kw_only=True)
class _StopTable(EmergencyStop):
    by: Name
    at_s: NotNegative
    until_s: NotNegative | None = None


@dataclass(frozen=True)
class RuleDrafts:
    """What was read, before it is known whether the file holds."""

    governance: Draft[_GovernanceTable] | None
    policies: list[Draft[_PolicyTable]]
    changes: list[Draft[_ChangeTable]]
    stops: list[Draft[_StopTable]]

    def build(self) -> RuleTables:
        """Return the tables of a file without an issue."""
        return RuleTables(
            self.governance.build() if self.governance is not None else None,
            tuple(
                Policy(one.name, one.segment, one.reason)
                for one in (draft.build() for draft in self.policies)
            ),
            tuple(
                RuleChange(
                    Proposal(one.name, one.announced_s, one.effective_s, one.votes, one.vetoes),
                    one.set,
                )
                for one in (draft.build() for draft in self.changes)
            ),
            tuple(sorted((draft.build() for draft in self.stops), key=lambda one: one.at_s)),
        )

    def gates_s(self) -> set[int]:
        """Return every gate closure that a change would bring. [s]"""
        given = (draft.get("set") for draft in self.changes)
        return {one.gate_closure_s for one in given if one and one.gate_closure_s is not None}


def read_rules(top: Draft[Any], market: Draft[Any] | None, issues: Issues) -> RuleDrafts:
    """Read the tables, and note what cannot be whatever the rest of the file says."""

    governance = None
    if top.get("governance") is not None:
        at = top.at.key("governance")
        governance = read_draft(_GovernanceTable, top.get("governance"), at, issues)
        _check_governance(governance, issues)
    drafts = RuleDrafts(
        governance,
        read_drafts(_PolicyTable, "policy", top, issues),
        read_drafts(_ChangeTable, "rule_change", top, issues),
        read_drafts(_StopTable, "emergency_stop", top, issues),
    )
    needing: list[Draft[Any]] = [*drafts.policies, *drafts.changes, *drafts.stops]
    if market is None and (needing or governance is not None):
        at = needing[0].at if needing else top.at.key("governance")
        issues.add(at, "no [market]", "a market whose rules these are")
    if governance is None:
        governed: list[Draft[Any]] = [*drafts.changes, *drafts.stops]
        for draft in governed:
            issues.add(draft.at, "no [governance]", "who may change the rules and stop trading")
    for drafted in (drafts.policies, drafts.changes):
        _check_names(drafted, issues)
    _check_policies(drafts, market, issues)
    for draft in drafts.changes:
        if (changed := draft.get("set")) is not None and not changed.stated():
            expected = one_of([one.name for one in fields(ChangedRules)])
            issues.add(draft.at.key("set"), "nothing", expected)
    for draft in drafts.stops:
        at_s, until_s = draft.get("at_s"), draft.get("until_s")
        if at_s is not None and until_s is not None and until_s <= at_s:
            issues.add(draft.at.key("until_s"), shown(until_s), f"after at_s = {shown(at_s)}")
    return drafts


def _check_governance(governance: Draft[_GovernanceTable], issues: Issues) -> None:
    voters, quorum = governance.get("voters"), governance.get("quorum")
    if voters is not None and len(set(voters)) != len(voters):
        issues.add(governance.at.key("voters"), shown(list(voters)), "each voter once")
    if voters is not None and quorum is not None and quorum > len(voters):
        expected = f"at most {len(voters)}, the number of voters"
        issues.add(governance.at.key("quorum"), shown(quorum), expected)


def _check_names(drafts: Sequence[Draft[Any]], issues: Issues) -> None:
    first: dict[str, Draft[Any]] = {}
    for draft in drafts:
        name = draft.text("name")
        if name is not None and first.setdefault(name, draft) is not draft:
            found = f"{shown(name)}, the name of line {first[name].at.line()}"
            issues.add(draft.at.key("name"), found, "a name of its own")


def _check_policies(drafts: RuleDrafts, market: Draft[Any] | None, issues: Issues) -> None:
    known = [name for draft in drafts.policies if (name := draft.text("name")) is not None]
    asked: list[tuple[At, str]] = []
    if market is not None and (name := market.text("policy")) is not None:
        asked.append((market.at.key("policy"), name))
    for draft in drafts.changes:
        changed = draft.get("set")
        if changed is not None and changed.policy is not None:
            asked.append((draft.at.key("set").key("policy"), changed.policy))
    for at, name in asked:
        if name not in known:
            expected = f"a [[policy]]: {one_of(known)}" if known else "a [[policy]] of that name"
            issues.add(at, shown(name), expected, near_miss(name, known))
    for one in drafts.policies:
        if one.get("segment") == ():
            issues.add(one.at.key("segment"), "none", "at least one, or nobody may trade")
    if asked and market is not None and market.get("feeder_check"):
        expected = "false: zones of the feeder and segments of a policy do not go together"
        issues.add(market.at.key("feeder_check"), "true", expected)
    if market is not None and market.get("network") is not None:
        for at, name in asked:
            issues.add(
                at, shown(name), "nothing: segments of a policy and zones do not go together"
            )


def check_changes(
    market: Draft[Any], rules: RuleDrafts, period_s: int | None, issues: Issues
) -> None:
    """Note what the rules would come to that no market can have, by the votes in the file."""
    broken = any(
        not {one.name for one in fields(draft.of)} <= draft.values.keys()
        for draft in (market, *([rules.governance] if rules.governance else []), *rules.changes)
    )
    if broken or rules.governance is None:
        return  # there are issues already
    changes = {draft.get("name"): draft for draft in rules.changes}
    for state in RuleBook(market.build(), rules.build(), start_utc_s=0).states[1:]:
        change = changes[state.changes[-1]]
        at = change.at.key("set")
        check_rising(partial(getattr, state.market), at.key, issues)
        check_windowed_change(change.get("set"), state.market, at, issues)
        if period_s is not None and state.gate_s > period_s:
            expected = f"at most period_s = {period_s}"
            issues.add(at.key("gate_closure_s"), shown(state.gate_s), expected)


def check_roles(
    tables: Iterable[Mapping[str, Any]], at: At, known: Sequence[str], issues: Issues
) -> None:
    """Note names in the `[[policy]]` tables that are no role and no participant of the rig."""
    for index, table in enumerate(tables):
        place = at.item(index, table.get("name")).key("segment")
        for number, segment in enumerate(table.get("segment", ())):
            for side in ("sellers", "buyers"):
                for name in segment.get(side, ()):
                    if name not in known:
                        expected = f"a participant or a role: {one_of(known)}"
                        where = place.item(number).key(side)
                        issues.add(where, shown(name), expected, near_miss(name, known))
