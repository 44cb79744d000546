"""What a home's charger is told of small trades, where windows of a scenario have other ticks."""

import pytest
from paper_street import new_log

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.car_stays import CarThere
from gridrig.campaign.charging import Charging
from gridrig.campaign.home_cars import HomeCars, make_home_cars
from gridrig.campaign.rule_book import RuleBook
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.trading import Cleared, Trading
from gridrig.market.auction import Trade
from gridrig.market.mechanisms import PayAsClear
from gridrig.quantity import SECONDS_PER_HOUR, DeliveryPeriod
from gridrig.rig.description import load_rig

CHARGER = "charger-1"
LEAST_W = 1_380.0
NIGHT = DeliveryPeriod(25, 45_000, 1_800)  # the car has just come, and only charges
BOUGHT_WH = 100


def home_and_trades() -> tuple[HomeCars, Trading]:
    rig = load_rig(RIGS / "emulated-home.toml")
    scenario = load_scenario(SCENARIOS / "promise-3-home-day.toml")
    assert scenario.charging is not None
    assert scenario.market is not None
    charging = Charging(rig, {CHARGER: None}, new_log())  # nothing is sent here
    home = make_home_cars(rig, scenario, charging)
    assert home is not None
    home.cars.present[CHARGER] = CarThere(scenario.charging.stays[1], 0)
    mechanism = PayAsClear()
    book = RuleBook(scenario.market, scenario.rules, scenario.start_utc_s)
    trading = Trading({}, 1_000, book, {}, mechanism, mechanism, lambda *_: {})
    bought = Trade(1, 1, "car", "bid", BOUGHT_WH * 1_000, 100_000)
    trading.cleared.append(Cleared(NIGHT, False, (), (bought,), (), 100_000, BOUGHT_WH * 1_000))
    return home, trading


@pytest.mark.parametrize(("before_s", "then_s"), [(300, 10), (10, 300), (60, 60)])
def test_a_charger_offers_its_least_until_what_was_bought_is_had(
    before_s: int, then_s: int
) -> None:
    home, trading = home_and_trades()
    had_wh, tick_s = 0.0, before_s
    for acts_s in range(NIGHT.start_s, NIGHT.end_s, then_s):
        home.step(acts_s, tick_s, trading, islanded=False)
        tick_s = then_s
        offered_w = home.charging._limits_w.wanted[CHARGER]
        assert offered_w in (0.0, LEAST_W)
        had_wh += offered_w * then_s / SECONDS_PER_HOUR
    assert 0 <= had_wh - BOUGHT_WH < LEAST_W * then_s / SECONDS_PER_HOUR
