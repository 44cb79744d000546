"""What judges two networks with a price each finds what no device can do: other markets, books."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from altered_runs import AlteredAccount
from criteria import (
    Unpassed,
    assert_fails,
    assert_fails_alone,
    module_of,
    not_passed,
    procedure_of,
)

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import open_lab
from gridrig.campaign.loop import Loop
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.scenario import Scenario
from gridrig.campaign.trading import Cleared
from gridrig.clock import Clock, run_virtual
from gridrig.market.auction import Trade
from gridrig.market.counterparties import Mark
from gridrig.promises import zonal_market
from gridrig.promises.zonal_market import bills_unlike_signed_milliwh, zoned_bills
from gridrig.rig.description import load_rig

NAME = "test_zoned_market"
SCENARIO: Scenario = module_of(NAME).SCENARIO
FULL = 9
"""A period in which the contract is full."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Run the procedure's day, of which nobody changes anything for good."""
    journal = tmp_path_factory.mktemp("zones") / "journal.sqlite"

    async def run(clock: Clock) -> Loop:
        async with open_lab(load_rig(RIGS / "region-50hz.toml"), clock, [], []) as lab:
            return kept(await lab.run_loop(SCENARIO, journal))

    return run_virtual(run, start_utc_s=SCENARIO.start_utc_s)


class KeptJournal:
    """A journal that stays open, and says of balances something else if it is told to."""

    def __init__(self, journal: Any, more_micro: Mapping[str, int] | None = None) -> None:
        self._journal, self._more = journal, more_micro or {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_journal"], name)

    def close(self) -> None:
        """Stay open for the next who judges it."""

    def balances(self) -> dict[str, int]:
        found: dict[str, int] = self._journal.balances()
        return {name: micro + self._more.get(name, 0) for name, micro in found.items()}


def kept(loop: Loop, more_micro: Mapping[str, int] | None = None) -> Loop:
    account: Any = AlteredAccount(
        loop.account, journal=KeptJournal(loop.account.journal, more_micro)
    )
    return replace(loop, account=account)


def with_period(loop: Loop, **values: Any) -> Loop:
    """Return a run whose market said of one period something else."""
    cleared = list(loop.trading.cleared)
    cleared[FULL] = replace(cleared[FULL], **values)
    trading = replace(loop.trading, cleared=cleared)
    return replace(loop, trading=trading)


def judged(loop: Loop) -> Unpassed:
    return not_passed(NAME, loop)


def of(loop: Loop) -> Cleared:
    return loop.trading.cleared[FULL]


def made(trade: Trade, **values: Any) -> Trade:
    names = ("trade_id", "order_id", "participant", "side", "energy_milliwh",
             "price_micro_per_kwh")  # fmt: skip
    return Trade(*({name: getattr(trade, name) for name in names} | values).values())


def changed(trades: tuple[Trade, ...], who: str, **values: Any) -> tuple[Trade, ...]:
    return tuple(made(t, **values) if t.participant == who else t for t in trades)


def test_the_day_passes(day: Loop) -> None:
    assert judged(day) == {}


def test_a_price_that_is_a_tick_off_is_found(day: Loop) -> None:
    hill, valley = of(day).zones
    dearer = replace(valley, price_micro_per_kwh=321_000)
    found = judged(with_period(day, zones=(hill, dearer)))
    assert set(found.values()) == {Outcome.FAIL}
    # The trades in it are at the right one, so that it is not theirs.
    assert found.keys() == {"prices_unlike_optimum_micro", "trades_unlike_zone_micro"}


def test_a_zone_that_is_dearer_for_everybody_is_found_by_the_optimum(
    day: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zonal_market.ZonalOptimum.price_bounds

    def cheaper(self: Any, zone: str) -> tuple[int | None, int | None]:
        least, most = real(self, zone)
        return (least, most) if most is None or least is None else (least - 9, most - 1)

    monkeypatch.setattr(zonal_market.ZonalOptimum, "price_bounds", cheaper)
    found = judged(day)
    assert_fails_alone(
        found,
        "test_zoned_market.prices_unlike_optimum_micro",
        beside={"prices_unique": Outcome.FAIL},
    )


def test_prices_that_could_be_anything_are_found(
    day: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zonal_market.ZonalOptimum, "price_bounds", lambda self, zone: (None, None))
    assert_fails_alone(judged(day), "test_zoned_market.prices_unique")


def test_a_trade_at_another_price_than_its_zone_is_found(day: Loop) -> None:
    # The roof gets a tick more: its zone, the fees and the flows are as they were.
    trades = changed(of(day).trades, "roof-1", price_micro_per_kwh=81_000)
    found = judged(with_period(day, trades=trades))
    assert_fails_alone(
        found,
        "test_zoned_market.trades_unlike_zone_micro",
        beside={"rent_unlike_trades_micro": Outcome.FAIL},
    )


def test_less_than_the_optimum_is_found(day: Loop) -> None:
    # A lot less for the shop, and a lot less of the main grid, over its link.
    period = of(day)
    less = {("shop", "bid"), ("grid", "offer")}
    trades = tuple(
        made(t, energy_milliwh=t.energy_milliwh - 1_000) if (t.participant, t.side) in less else t
        for t in period.trades
    )
    links = tuple(
        replace(one, net_milliwh=one.net_milliwh - 1_000) if one.name == "grid-valley" else one
        for one in period.links
    )
    found = judged(with_period(day, trades=trades, links=links))
    assert_fails_alone(
        found,
        "test_zoned_market.welfare_unlike_optimum_pico",
        beside={
            "link_fees_unlike_flows_micro": Outcome.FAIL,
            "bills_unlike_signed_milliwh": Outcome.FAIL,
        },
    )


def test_a_flow_that_no_trade_is_behind_is_found(day: Loop) -> None:
    links = tuple(
        replace(one, net_milliwh=one.net_milliwh - 1_000, fee_micro_per_kwh=0)
        if one.name == "grid-hill"
        else one
        for one in of(day).links
    )
    found = judged(with_period(day, links=links))
    assert_fails_alone(found, "test_zoned_market.flows_unlike_zones_milliwh")


def test_fees_and_rent_in_other_accounts_are_found(day: Loop) -> None:
    fees = judged(kept(day, {"link:hill-valley": -1, "link:grid-hill": 1}))
    assert_fails_alone(fees, "test_zoned_market.link_fees_unlike_flows_micro")
    rent = judged(kept(day, {"congestion-rent": -1, "operator": 1}))
    assert_fails_alone(rent, "test_zoned_market.rent_unlike_trades_micro")


def test_a_mark_that_is_a_milliwatt_hour_off_is_found(day: Loop) -> None:
    marks = of(day).marks
    assert marks is not None
    wrong = dict(marks)
    for number in [n for n, mark in marks.items() if mark.financial_only_milliwh][:2]:
        held = marks[number]
        wrong[number] = Mark(held.zone, held.financial_only_milliwh + 1)
    found = judged(with_period(day, marks=wrong))
    assert_fails_alone(found, "test_zoned_market.marks_unlike_zones_milliwh")


def test_a_bill_of_another_zone_or_energy_is_found(
    day: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SCENARIO.market is not None
    tables = SCENARIO.market.network
    assert tables is not None
    right = zoned_bills(day, tables)
    assert bills_unlike_signed_milliwh(day, tables, right) == 0
    for wrong in (
        replace(right[-1], zone="hill"),
        replace(right[-1], financial_only_milliwh=(right[-1].financial_only_milliwh or 0) + 1),
    ):
        bills = [*right[:-1], wrong]
        assert bills_unlike_signed_milliwh(day, tables, bills) > 0
    monkeypatch.setitem(procedure_of(NAME).body.__globals__, "zoned_bills", lambda *_: bills)
    assert_fails_alone(judged(day), "test_zoned_market.bills_unlike_signed_milliwh")


def test_a_day_without_a_full_link_does_not_try_it(day: Loop) -> None:
    tables = SCENARIO.market.network if SCENARIO.market is not None else None
    assert tables is not None
    night = [one for one in day.trading.cleared if one.period.index < 4]
    nothing = replace(day, trading=replace(day.trading, cleared=night))
    found = zonal_market.zonal_checked(nothing, tables)
    assert_fails(found.links_full, "test_zoned_market.periods_with_full_link")
    assert_fails(found.financial_only_milliwh / 1_000, "test_zoned_market.financial_only_wh")
