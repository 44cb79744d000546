"""The checks behind campaign 10 find what is wrong: runs under other rules, tampered trades."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from altered_runs import region_hours, thawed, with_settled
from criteria import KeptLab, assert_fails, module_of, not_passed, procedure_of, values_of

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.loop import Loop
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.procedures import Procedure, execute
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.shares_file import Shares
from gridrig.campaign.trading import Cleared
from gridrig.clock import Clock, run_virtual
from gridrig.market.auction import Trade
from gridrig.promises import regions
from gridrig.promises.changed_rules import rules_untold
from gridrig.promises.crossing import Crossing
from gridrig.promises.deliveries import certified
from gridrig.promises.holders import paid_of, revenue_unlike_balance_micro, spans_unlike_meters
from gridrig.promises.policies import (
    against_table_milliwh,
    between_members_milliwh,
    metered_unlike_milliwh,
)
from gridrig.promises.regions import (
    days_unlike_meters_milliwh,
    delivered_wh,
    run_beside,
    sources_of,
)
from gridrig.quantity import DeliveryPeriod
from gridrig.rig.description import load_rig
from gridrig.rig.safe_end import SafeReport
from gridrig.settlement.payouts import Payout

ROLES = {"home": "consumer", "roof": "producer", "grid": "grid"}


def measured(tested: Procedure) -> dict[str, float | None]:
    """Execute a procedure and return what it measured."""
    execution = execute(tested, load_rig(RIGS / f"{tested.rig}.toml"))
    assert execution.verdicts.cause == ""
    return {one.criterion.name: one.value for one in execution.verdicts.verdicts}


def cleared(*trades: tuple[str, str, int]) -> Cleared:
    made = tuple(
        Trade(number, number, who, side, energy, 100_000)  # type: ignore[arg-type]
        for number, (who, side, energy) in enumerate(trades, 1)
    )
    return Cleared(DeliveryPeriod(0, 0, 900), False, (), made, (), None, 0)


@pytest.mark.parametrize(
    ("trades", "against", "between"),
    [
        ([("roof", "offer", 4), ("grid", "bid", 4)], 0, 0),
        ([("roof", "offer", 4), ("home", "bid", 4)], 4, 4),
        ([("roof", "offer", 4), ("home", "bid", 1), ("grid", "bid", 3)], 1, 1),
        ([("grid", "offer", 4), ("home", "bid", 4)], 0, 0),
        ([("grid", "offer", 4), ("home", "bid", 3)], 1, 0),  # energy of nobody
    ],
)
def test_energy_that_the_table_does_not_allow_is_found(
    trades: list[tuple[str, str, int]], against: int, between: int
) -> None:
    middle = {("producer", "grid"), ("grid", "consumer")}
    assert against_table_milliwh(cleared(*trades), ROLES, middle) == against
    assert between_members_milliwh(cleared(*trades), ROLES, "grid") == between


def test_a_market_without_its_table_is_found() -> None:
    module = module_of("test_trading_policies")
    market = module.SCENARIO.rules
    everybody = tuple(replace(one, segments=market.policies[0].segments) for one in market.policies)
    module.SCENARIO = replace(
        module.SCENARIO, rules=replace(market, policies=everybody), duration_s=12 * 3600
    )
    found = measured(module.test_trading_policies.procedure)
    against = found["traded_against_table_milliwh"]
    assert_fails(against, "test_trading_policies.traded_against_table_milliwh")
    assert_fails(found["refusals_unlike_table"], "test_trading_policies.refusals_unlike_table")
    blocked = found["blocked_between_members_milliwh"]
    assert_fails(blocked, "test_trading_policies.blocked_between_members_milliwh")


def test_neighbours_who_do_not_trade_and_a_rule_that_moves_registers_are_found() -> None:
    only_grid = cleared(("roof", "offer", 4), ("grid", "bid", 4))
    between = between_members_milliwh(only_grid, ROLES, "grid")
    assert_fails(between, "test_trading_policies.traded_between_members_milliwh")
    hours = region_hours()
    settled: Any = hours.account.settled[0]
    meters = list(settled.meters)
    meters[0] = thawed(meters[0], import_milliwh=meters[0].import_milliwh + 2)
    unlike = metered_unlike_milliwh(hours, with_settled(hours, 0, meters=meters))
    assert_fails(unlike, "test_trading_policies.metered_unlike_milliwh")


def test_a_page_by_the_wrong_clock_is_found() -> None:
    scenario = load_scenario(SCENARIOS / "promise-10-region-60hz.toml", units(CATALOGUE))
    found = {}

    async def main(clock: Clock) -> None:
        loop, left_unsafe = await run_beside(clock, "region-60hz", scenario)
        assert left_unsafe == 0
        for name in ("America/St_Johns", "America/Halifax", "UTC"):
            found[name] = days_unlike_meters_milliwh(loop, ZoneInfo(name), -9_000)

    run_virtual(main, start_utc_s=scenario.start_utc_s)
    assert found.pop("America/St_Johns") == 0
    for unlike in found.values():
        assert_fails(unlike, "test_two_regions.days_unlike_meters_milliwh")


def test_a_second_bench_that_is_left_unsafe_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = region_hours()

    @asynccontextmanager
    async def open_lab(
        rig: Any, clock: Any, recorded: Any, safe: list[SafeReport]
    ) -> AsyncIterator[KeptLab]:
        yield KeptLab([hours])
        safe.append(SafeReport({"roof-1": "unsafe: it did not answer"}))

    monkeypatch.setattr(regions, "open_lab", open_lab)
    loop, left_unsafe = asyncio.run(run_beside(hours.clock, "region-60hz", hours.scenario))
    assert loop is hours
    assert_fails(left_unsafe, "test_two_regions.second_bench_unsafe")


def test_units_that_no_meter_signed_for_are_found() -> None:
    """Minted of what was settled, while the readings of a period say a watt-hour less."""
    hours = region_hours()
    rig = hours.physics.street.rig
    sources = sources_of(rig)
    minted_wh = certified(hours, sources).minted_wh
    assert minted_wh == delivered_wh(hours, sources)
    settled: Any = hours.account.settled[-1]
    meters = [
        thawed(one, closing=thawed(one.closing, export_milliwh=one.closing.export_milliwh - 1_000))
        if one.meter in sources
        else one
        for one in settled.meters
    ]
    less = with_settled(hours, -1, meters=meters)
    unlike = abs(minted_wh - delivered_wh(less, sources))
    assert_fails(unlike, "test_two_regions.minted_unlike_meters_wh")


def test_a_bridge_that_takes_what_is_false_or_keeps_units_is_found() -> None:
    """No chain is asked: what was counted and taken is given."""
    believes: Any = SimpleNamespace(refuses=lambda *_: False)
    crossing = Crossing(believes, believes, 100)
    crossing._try("said by a stranger", believes, "guest", cast(Any, None))
    assert_fails(len(crossing.taken), "test_two_regions.false_messages_taken")
    crossing.live_wh += [("minted", 100), ("released", 99)]
    assert_fails(crossing.lost_wh(), "test_two_regions.units_lost_wh")


def test_two_sunny_hours_are_no_year_with_a_loss() -> None:
    hours = region_hours()
    found = not_passed("test_holders", hours)
    assert found == {"spans": Outcome.FAIL, "negative_spans": Outcome.FAIL}
    values = values_of("test_holders", hours)
    assert_fails(values["spans"], "test_holders.spans")
    assert_fails(values["negative_spans"], "test_holders.negative_spans")


def test_a_holder_who_is_forgotten_or_pays_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = region_hours()
    body: Any = procedure_of("test_holders").body

    def judged(change: Callable[[tuple[tuple[str, int], ...]], Any]) -> dict[str, float | None]:
        def paid_otherwise(loop: Loop, shares: Shares) -> list[Payout]:
            return [replace(one, paid=change(one.paid)) for one in paid_of(loop, shares)]

        with monkeypatch.context() as patch:
            patch.setitem(body.__globals__, "paid_of", paid_otherwise)
            return values_of("test_holders", hours)

    forgotten = judged(lambda paid: paid[1:])
    assert_fails(forgotten["holders"], "test_holders.holders")
    missing = forgotten["paid_unlike_revenue_micro"]
    assert_fails(missing, "test_holders.paid_unlike_revenue_micro")
    pays = judged(lambda paid: ((paid[0][0], -1), *paid[1:]))
    assert_fails(pays["negative_payouts"], "test_holders.negative_payouts")


def test_revenue_that_no_entry_tells_of_is_found() -> None:
    hours = region_hours()
    shares: Shares = module_of("test_holders").SHARES
    first, *others = paid_of(hours, shares)
    more = [replace(first, revenue_micro=first.revenue_micro + 1), *others]
    unlike = revenue_unlike_balance_micro(hours, shares, more)
    assert_fails(unlike, "test_holders.revenue_unlike_balance_micro")
    spans = spans_unlike_meters(hours, shares, more)
    assert_fails(spans, "test_holders.spans_unlike_meters")


def test_a_period_whose_rules_nobody_told_is_found() -> None:
    assert_fails(rules_untold(region_hours()), "test_rule_change.rules_untold")
