"""Rules that change, in a scenario file: what is refused, and which period keeps which rules."""

import math
from collections.abc import Sequence
from dataclasses import fields

import pytest
from edited_scenario import described, issues
from offers import registry
from small_rig import small_rig

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.rule_book import ChangedRules, RuleBook
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.campaign.slicing import slice_scenario
from gridrig.quantity import delivery_periods
from gridrig.rig.description import load_rig
from gridrig.suggestions import one_of

CHANGE = (SCENARIOS / "promise-10-rule-change.toml").read_text()
POLICIES = (SCENARIOS / "promise-10-policies.toml").read_text()


def governed(scenario: Scenario) -> Sequence[tuple[int, int]]:
    """Return operator fee and time of gate closure of each period."""
    assert scenario.market is not None
    book = RuleBook(scenario.market, scenario.rules, scenario.start_utc_s)
    return [
        (book.of(p).market.settlement.operator_fee_micro_per_kwh, book.closes_s(p))
        for p in delivery_periods(scenario.duration_s, scenario.period_s)
    ]


def test_a_period_whose_gate_closed_before_keeps_the_old_rules() -> None:
    found = governed(described(CHANGE))
    assert found[6] == (4_000, 6 * 3600 - 900)  # begins as the change takes effect
    assert found[7] == (6_000, 7 * 3600 - 1800)
    earlier = ("effective_s = 21600", "effective_s = 19800")  # as the new gate of period 6 closes
    later = ("effective_s = 21600", "effective_s = 19801")
    soon = ("delay_s = 14400", "delay_s = 3600")
    vote = ("at_s = 21599", "at_s = 19000")
    assert governed(described(CHANGE, earlier, soon, vote))[6] == (6_000, 6 * 3600 - 1800)
    assert governed(described(CHANGE, later, soon, vote))[6] == (4_000, 6 * 3600 - 900)


@pytest.mark.parametrize("announced_s", [3599, 3601])
def test_of_changes_of_one_time_the_one_announced_last_counts(announced_s: int) -> None:
    voters = ("house-1", "house-2", "shop")
    votes = ", ".join(f'{{ by = "{one}", at_s = 4000 }}' for one in voters)
    later = f"""[[rule_change]]
name = "dear network"
announced_s = {announced_s}
effective_s = 21600
votes = [{votes}]
set = {{ operator_fee_micro_per_kwh = 9000 }}

"""
    first = '[[rule_change]]\nname = "dearer operator'
    for at in (first, '[[rule_change]]\nname = "free network"'):  # in either order in the file
        found = governed(described(CHANGE, (at, later + at)))
        assert found[7][0] == (9_000 if announced_s > 3600 else 6_000)


def test_a_slice_keeps_the_rules_of_the_whole() -> None:
    whole = described(CHANGE)
    part = slice_scenario(whole, from_s=8 * 3600, for_s=4 * 3600, tick_s=None)
    shifted = [(fee, closes_s - 8 * 3600) for fee, closes_s in governed(whole)[8:12]]
    assert governed(part) == shifted
    assert [s.at_s for s in part.rules.stops] == [50_400 - 28_800, 61_200 - 28_800]


def test_what_cannot_be_is_told_at_its_place_all_at_once() -> None:
    assert issues(
        CHANGE,
        ("quorum = 3", "quorum = 6"),
        ('name = "overnight"', 'name = "free network"'),
        ("until_s = 66600", "until_s = 61200"),
        ("set = { grid_fee_micro_per_kwh = 0 }", "set = {}"),
    ) == [
        ("governance.quorum", "6", "at most 5, the number of voters"),
        (
            "rule_change 'free network'.set",
            "nothing",
            one_of([one.name for one in fields(ChangedRules)]),
        ),
        (
            "rule_change 'free network'.name",
            '"free network", the name of line 39',
            "a name of its own",
        ),
        ("emergency_stop[1].until_s", "61200", "after at_s = 61200"),
    ]
    (untitled,) = issues("\n".join(CHANGE.split("[governance]")[0].splitlines()) + STOP + CRITERION)
    assert untitled[1] == "no [governance]"


STOP = '\n[[emergency_stop]]\nby = "nobody"\nat_s = 5\n'
CRITERION = '[[criterion]]\nname = "ledger_sum_micro"\nunit = "micro"\nmax = 0\nsource = "x"\n'


def test_a_change_that_no_market_can_have_is_refused_only_if_it_has_its_votes() -> None:
    dear = ("feed_in_micro_per_kwh = 90000", "feed_in_micro_per_kwh = 300500")
    assert issues(CHANGE, dear) == [
        (
            "rule_change 'dearer operator, later gate'.set.feed_in_micro_per_kwh",
            "300500",
            "a multiple of tick_micro_per_kwh = 1000",
        ),
        (
            "rule_change 'dearer operator, later gate'.set.retail_micro_per_kwh",
            "300000",
            "at least feed_in_micro_per_kwh = 300500",
        ),
    ]
    assert described(CHANGE, dear, ('by = "shop", at_s = 5000', 'by = "shop", at_s = 1')).rules
    off_tick = ("gate_closure_s = 1800", "gate_closure_s = 1000")
    assert issues(CHANGE, off_tick)[0][1] == "a gate closure at 2600 s"


def test_an_agents_price_is_held_to_the_imbalance_prices_of_every_change_that_governs() -> None:
    rig = small_rig(('kind = "consumer"', 'kind = "consumer", bid_micro_per_kwh = 380000'))
    short = ("gate_closure_s = 1800", "gate_closure_s = 1800, short_price_micro_per_kwh = 350000")
    changed = described(CHANGE, short)

    def told(scenario: Scenario, to_s: float = math.inf) -> list[str]:
        found = check_together(rig, scenario, registry(), to_s=to_s)
        return [one.expected for one in found if one.key.endswith(".bid_micro_per_kwh")]

    assert told(changed) == [
        "from 20000 to 350000, the scenario's imbalance prices with the change "
        '"dearer operator, later gate"'
    ]
    assert told(described(CHANGE)) == []
    assert (
        told(described(CHANGE, short, ('by = "shop", at_s = 5000', 'by = "shop", at_s = 1'))) == []
    )
    assert told(changed, to_s=7 * 3600) == []  # period 6 keeps the old rules
    assert len(told(changed, to_s=7 * 3600 + 1)) == 1


def test_a_policy_names_roles_and_participants_that_there_are() -> None:
    (unknown,) = issues(POLICIES, ('policy = "neighbours', 'policy = "neighbors'))
    assert unknown[0] == "market.policy"
    rig = load_rig(RIGS / "region-50hz.toml", registry())
    assert check_together(rig, described(POLICIES), registry()) == ()
    wrong = described(POLICIES, ('buyers = ["consumer"]', 'buyers = ["consumers", "shop"]'))
    (issue,) = check_together(rig, wrong, registry())
    assert (issue.key, issue.found, issue.near_miss) == (
        "policy 'supplier in the middle'.segment[1].buyers",
        '"consumers"',
        "consumer",
    )
