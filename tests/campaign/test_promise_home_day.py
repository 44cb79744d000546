"""What judges a day at home finds what is tampered with; what fits no home's car is said."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from criteria import assert_fails, assert_passes

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.charging_rules import ChargingRules, Stay
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.errors import RigError
from gridrig.promises import home_day
from gridrig.promises.car_park import named_although_possible, short_untold
from gridrig.promises.computing import Registers
from gridrig.rig.description import load_rig

RIG = RIGS / "emulated-home.toml"
DAY = SCENARIOS / "promise-3-home-day.toml"
HOUR_S, HOURS = 3_600, 8
TARIFF = SimpleNamespace(retail_micro_per_kwh=300_000, feed_in_micro_per_kwh=80_000)
STAY = Stay("charger-1", 2.0 * HOUR_S, 7.0 * HOUR_S, 15_000)


def registers_of(**taken_w: list[float]) -> Registers:
    """Return what meters would have signed of so much taken in each hour. [W]"""
    found = Registers()
    for name, values in taken_w.items():
        took, gave = (np.cumsum([0.0, *np.maximum(s * np.array(values), 0)]) for s in (1, -1))
        for hour in range(HOURS + 1):
            at = float(hour * HOUR_S), f"meter-{name}"
            found.took[at], found.gave[at] = round(1000 * took[hour]), round(1000 * gave[hour])
    return found


def day(*, car: list[float], storage: list[float], named_s: float | None = None) -> Any:
    signed = registers_of(
        house=[1_000.0] * HOURS,
        pv=[0, 0, 0, 0, -6_000.0, -6_000.0, -6_000.0, 0],
        storage=storage,
        car=car,
        grid=[0.0] * HOURS,
    )
    told = [] if named_s is None else [
        SimpleNamespace(t_s=named_s, kind="car_infeasible", device="charger-1")
    ]  # fmt: skip
    loop = SimpleNamespace(
        scenario=SimpleNamespace(
            market=TARIFF, charging=ChargingRules(3600, (STAY,)), period_s=HOUR_S
        ),
        events=SimpleNamespace(ordered=lambda: told),
    )
    return load_rig(RIG), loop, signed


REST = [0.0] * HOURS
AT_ARRIVAL = [0, 0, 11_000.0, 4_000.0, 0, 0, 0, 0]
AT_NOON = [0, 0, 0, 0, 5_000.0, 5_000.0, 5_000.0, 0]


def test_a_day_without_a_mind_costs_what_it_costs_and_the_sun_makes_it_cheaper() -> None:
    unplanned = home_day.cost_of_uncontrolled_percent(*day(car=AT_ARRIVAL, storage=REST))
    assert unplanned == pytest.approx(100)
    assert_fails(unplanned, "test_home_day.cost_of_uncontrolled_percent")
    # 5 kWh of the house against 20 kWh less 15 kWh that are fed in.
    bought_at_noon = 5 * 300
    at_arrival = 20 * 300 - 15 * 80
    found = home_day.cost_of_uncontrolled_percent(*day(car=AT_NOON, storage=REST))
    assert found == pytest.approx(100 * bought_at_noon / at_arrival)
    assert_passes(found, "test_home_day.cost_of_uncontrolled_percent")
    # A sixth of it at noon is a plan as well, and not a good one.
    late = [0, 0, 11_000.0, 1_500.0, 0, 0, 2_500.0, 0]
    poor = home_day.cost_of_uncontrolled_percent(*day(car=late, storage=REST))
    assert_fails(poor, "test_home_day.cost_of_uncontrolled_percent")


def test_a_day_that_is_paid_from_the_battery_pays_for_what_is_missing_in_it() -> None:
    gives = [-1_000.0, -1_000.0, 0, 0, 0, 0, 0, 0]
    lent = home_day.cost_of_uncontrolled_percent(*day(car=AT_NOON, storage=gives))
    bought = home_day.cost_of_uncontrolled_percent(*day(car=AT_NOON, storage=REST))
    assert lent > bought
    keeps = [0, 0, 0, 0, 0, 0, 0, 1_000.0]
    # Bought at 300 and left over, it counts as what feeding in pays, and loses on the way.
    kept = home_day.cost_of_uncontrolled_percent(*day(car=AT_NOON, storage=keeps))
    assert kept == pytest.approx(bought + 100 * (300 - 0.9 * 80) / (20 * 300 - 15 * 80))


def test_a_car_short_by_its_signed_meter_has_to_be_named_and_rightly() -> None:
    half = [0, 0, 0, 0, 5_000.0, 2_500.0, 0, 0]
    for named_s, untold, wrongly in ((None, 1, 0), (6.5 * HOUR_S, 1, 1), (3.0 * HOUR_S, 0, 1)):
        cars = home_day.served_by_meter(*day(car=half, storage=REST, named_s=named_s))
        assert (short_untold(cars), named_although_possible(cars)) == (untold, wrongly)
    # Seen after two periods it has three hours at 11 kW.
    assert home_day.served_by_meter(*day(car=half, storage=REST))[0].could_wh == 33_000
    back = home_day.served_by_meter(*day(car=[0, 0, -1_000.0, *AT_NOON[3:]], storage=REST))
    assert back[0].had_wh == pytest.approx(14_000)


def test_the_connection_is_what_all_meters_of_the_home_signed_together() -> None:
    rig, _, signed = day(car=AT_ARRIVAL, storage=[0, 0, -2_000.0, 0, 0, 0, 0, 0])
    assert home_day.connection_w(rig, signed) == pytest.approx(10_000)


def test_a_homes_car_without_stays_or_with_another_coordinator_does_not_fit(tmp_path: Path) -> None:
    text = DAY.read_text()
    begin, end = text.index("[charging]"), text.index("# A person charges")
    lines = {
        "none.toml": text[:begin] + text[end:],
        "both.toml": text.replace("coordinated = false\n", ""),
    }
    found = {}
    for name, changed in lines.items():
        (tmp_path / name).write_text(changed)
        (issue,) = check_together(load_rig(RIG), load_scenario(tmp_path / name))
        found[name] = (issue.key, issue.found)
    assert found == {
        "none.toml": ("charging", "nothing"),
        "both.toml": ("charging.coordinated", "true"),
    }


def test_a_home_with_two_connections_and_a_hand_that_wants_what_a_charger_cannot_are_refused(
    tmp_path: Path,
) -> None:
    text = RIG.read_text().replace("networks/car-home.dss", str(RIGS / "networks/car-home.dss"))
    (tmp_path / "two.toml").write_text(text.replace("connection_w = 6000", "zone = 'UTC'", 1))
    with pytest.raises(RigError) as refused:
        load_rig(tmp_path / "two.toml")
    assert {(issue.key, issue.found) for issue in refused.value.issues} >= {
        ("participant 'roof'.agent.connection_w", "6000"),
        ("participant 'roof'.agent.zone", '"Europe/Berlin"'),
    }
    (tmp_path / "old.toml").write_text(text.replace('version = "2.1"', 'version = "1.6"'))
    (tmp_path / "gives.toml").write_text(DAY.read_text().replace("p_w = -6000", "p_w = 3000"))
    rig, scenario = load_rig(tmp_path / "old.toml"), load_scenario(tmp_path / "gives.toml")
    (issue,) = check_together(rig, scenario)
    assert (issue.key, issue.found) == ("event[2].p_w", "3000")
    assert issue.expected == "at most 0: OCPP 1.6 has no set-points"
