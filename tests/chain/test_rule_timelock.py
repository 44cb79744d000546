"""Rules on a chain: what the contract refuses, and that it decides as a market's rules do."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from anvil import Anvil, Deployed, deploy
from criteria import assert_fails, module_of

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.procedures import execute
from gridrig.campaign.rule_book import ChangedRules, EmergencyStop, RuleChange, RuleTables
from gridrig.clock import Clock, run_virtual
from gridrig.market.governance import Governance, Proposal, Said, decide
from gridrig.promises.rules_on_chain import decided_on_chain
from gridrig.rig.description import load_rig

UNAUTHORISED = "AccessControlUnauthorizedAccount"
DELAY_S, WEEK_S = 3_600, 604_800
SEED = 38  # gives a change of every fate
DIGEST, OTHER = b"d" * 32, b"o" * 32


@pytest.fixture
def timelock(node: Anvil) -> Deployed:
    admin, one, two, three, veto, safety = node.accounts[:6]
    voters = [one, two, three]
    given = (admin, voters, 2, [veto], [safety], DELAY_S, b"r" * 32)
    return deploy(node, "RuleTimelock", *given)


def test_a_change_waits_its_time_and_needs_its_votes(timelock: Deployed) -> None:
    node = timelock.node
    admin, one, two, three, veto, safety = node.accounts[:6]
    at_s = node.now_s() + DELAY_S + 100
    assert timelock.refusal(admin, "announce", DIGEST, at_s) == UNAUTHORISED
    assert timelock.refusal(one, "announce", DIGEST, at_s - 200) == "DelayShort"
    assert timelock.refusal(one, "vote", DIGEST) == "ChangeUnknown"
    for digest in (DIGEST, OTHER):
        timelock.do(one, "announce", digest, at_s)
        timelock.do(one, "vote", digest)
    assert timelock.refusal(two, "announce", DIGEST, at_s) == "ChangeKnown"
    assert timelock.refusal(one, "vote", DIGEST) == "VotedAlready"
    for wrong in (admin, veto, safety):
        assert timelock.refusal(wrong, "vote", DIGEST) == UNAUTHORISED
    assert timelock.refusal(one, "veto", DIGEST) == UNAUTHORISED
    timelock.do(two, "vote", DIGEST)
    assert timelock.refusal(one, "enact", DIGEST) == "ChangeAhead"
    node.move_to(at_s)
    assert timelock.refusal(three, "vote", OTHER) == "ChangeOver"
    assert timelock.refusal(veto, "veto", DIGEST) == "ChangeOver"
    assert timelock.refusal(one, "enact", OTHER) == "QuorumShort"
    assert timelock.ask("rules") == b"r" * 32
    timelock.do(admin, "enact", DIGEST)
    assert timelock.ask("rules") == DIGEST
    assert timelock.refusal(admin, "enact", DIGEST) == "EnactedAlready"


def test_a_change_may_come_late_and_never_in_the_place_of_a_newer_one(timelock: Deployed) -> None:
    node = timelock.node
    _, one, two, *_ = node.accounts[:6]
    first_s = node.now_s() + DELAY_S + 100
    for digest, at_s in ((DIGEST, first_s), (OTHER, first_s + 50)):
        timelock.do(one, "announce", digest, at_s)
        for voter in (one, two):
            timelock.do(voter, "vote", digest)
    node.move_to(first_s + 100)
    timelock.do(one, "enact", OTHER)
    assert timelock.refusal(one, "enact", DIGEST) == "Superseded"
    assert timelock.ask("rules") == OTHER
    assert timelock.ask("rulesFrom") == first_s + 50


@pytest.mark.parametrize("in_order", [True, False])
def test_of_changes_of_one_time_the_one_announced_last_counts_in_whatever_order_they_are_enacted(
    timelock: Deployed, in_order: bool
) -> None:
    node = timelock.node
    _, one, two, *_ = node.accounts[:6]
    at_s = node.now_s() + DELAY_S + 100
    for digest in (DIGEST, OTHER):
        timelock.do(one, "announce", digest, at_s)
        for voter in (one, two):
            timelock.do(voter, "vote", digest)
    node.move_to(at_s)
    if in_order:
        timelock.do(one, "enact", DIGEST)
        assert timelock.ask("rules") == DIGEST
    timelock.do(one, "enact", OTHER)
    if not in_order:
        assert timelock.refusal(one, "enact", DIGEST) == "Superseded"
    assert timelock.ask("rules") == OTHER
    assert (timelock.ask("rulesFrom"), timelock.ask("rulesNumber")) == (at_s, 2)


def test_a_veto_has_the_last_word_and_a_stop_needs_no_vote(timelock: Deployed) -> None:
    node = timelock.node
    admin, one, two, _, veto, safety = node.accounts[:6]
    at_s = node.now_s() + DELAY_S + 100
    timelock.do(one, "announce", DIGEST, at_s)
    timelock.do(one, "vote", DIGEST)
    timelock.do(two, "vote", DIGEST)
    timelock.do(veto, "veto", DIGEST)
    node.move_to(at_s)
    assert timelock.refusal(one, "enact", DIGEST) == "Vetoed"
    for wrong in (admin, one, veto):
        assert timelock.refusal(wrong, "stop") == UNAUTHORISED
    timelock.do(safety, "stop")
    assert timelock.ask("stopped")
    assert timelock.refusal(veto, "resume") == UNAUTHORISED
    timelock.do(safety, "resume")
    assert not timelock.ask("stopped")


def proposed(random: Random, rules: Governance, number: int) -> RuleChange:
    """Return a change that people say all kinds of things to, in time and out of it."""
    announced_s = random.randrange(0, WEEK_S)
    effective_s = announced_s + rules.delay_s + random.choice([-3_600, 0, 50_000])
    times = [announced_s - 600, announced_s + 600, effective_s - 600, effective_s + 600]

    def said(people: Sequence[str], most: int) -> tuple[Said, ...]:
        by = random.choices(people, k=random.randrange(most))
        said_at = [(one, random.choice(times)) for one in by]
        return tuple(Said(one, at_s) for one, at_s in said_at if at_s > 0)

    many = said([*rules.voters, rules.veto[0]], 9)
    few = said([*rules.veto, rules.voters[0]], 2)
    proposal = Proposal(f"change {number}", announced_s, effective_s, many, few)
    return RuleChange(proposal, ChangedRules(grid_fee_micro_per_kwh=number))


@pytest.mark.usefixtures("installed")
def test_a_chain_decides_as_the_market_does() -> None:
    """Four weeks of review, five who vote and seven who may veto."""
    voters, veto = (tuple(f"{kind}-{k}" for k in range(n)) for kind, n in (("v", 5), ("c", 7)))
    rules = Governance(4 * WEEK_S, voters, 2, veto, ("safety",))
    random = Random(SEED)
    changes = tuple(proposed(random, rules, number) for number in range(8))
    stops = (EmergencyStop("c-1", 10), EmergencyStop("safety", 20))
    decisions = [decide(rules, one.proposal) for one in changes]
    assert {one.code.partition(".")[2] for one in decisions} == {
        "", "delay_short", "vetoed", "quorum_short"
    }  # fmt: skip
    expected = {one.proposal.name: one.enacted for one in decisions}
    found: dict[str, bool] = {}

    async def main(clock: Clock) -> None:
        found.update(await decided_on_chain(RuleTables(rules, (), changes, stops), clock))

    run_virtual(main, start_utc_s=1_466_380_800)
    assert found == expected | {"c-1": False, "safety": True}


@pytest.mark.usefixtures("installed")
def test_a_market_that_lets_everything_pass_is_found() -> None:
    module = module_of("test_rule_change")
    rules = module.SCENARIO.rules
    lax = replace(rules.governance, delay_s=0, quorum=1, veto=(), safety=("council",))
    module.SCENARIO = replace(module.SCENARIO, rules=replace(rules, governance=lax))
    execution = execute(module.test_rule_change.procedure, load_rig(RIGS / "region-50hz.toml"))
    assert execution.verdicts.cause == ""
    found = {one.criterion.name: one.value for one in execution.verdicts.verdicts}
    assert found["decisions_unlike_expected"] == 5
    assert found["chain_decides_otherwise"] == 5
    assert found["periods_unlike_rules"] == 13  # from the free network of 10:00 on
    decided = found["decisions_unlike_expected"]
    assert_fails(decided, "test_rule_change.decisions_unlike_expected")
    assert_fails(found["chain_decides_otherwise"], "test_rule_change.chain_decides_otherwise")
    assert_fails(found["periods_unlike_rules"], "test_rule_change.periods_unlike_rules")
    assert found["ledger_sum_micro"] == 0  # the books are right, by the wrong rules
