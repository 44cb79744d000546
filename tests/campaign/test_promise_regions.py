"""The checks behind campaign 10 find what is wrong: runs under other rules, tampered trades."""

import importlib.util
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridrig.campaign.builtin import PROCEDURES, RIGS, SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.procedures import Procedure, execute
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.trading import Cleared
from gridrig.clock import Clock, run_virtual
from gridrig.market.auction import Trade
from gridrig.promises.policies import against_table_milliwh, between_members_milliwh
from gridrig.promises.regions import days_unlike_meters_milliwh, run_beside
from gridrig.quantity import DeliveryPeriod
from gridrig.rig.description import load_rig

ROLES = {"home": "consumer", "roof": "producer", "grid": "grid"}


def module_of(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, PROCEDURES / "promises" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    assert min(found[name] or 0 for name in (
        "traded_against_table_milliwh", "refusals_unlike_table", "blocked_between_members_milliwh"
    )) > 0  # fmt: skip


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
    assert min(found.values()) > 0
