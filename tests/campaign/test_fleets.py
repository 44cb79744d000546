"""Fleets: rooms against an independent integrator, orders spread to the watt, files refused."""

import math
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import tomli_w
from criteria import assert_fails
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gridrig._core import VerifiedReading, Verifier
from gridrig.campaign.aggregating import Aggregating
from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.fleet_events import order_left
from gridrig.campaign.home_meters import HomeMeters
from gridrig.campaign.scenario import load_scenario, units
from gridrig.campaign.scenario_fit import check_together
from gridrig.circuit.heated_homes import HeatedHomes, History
from gridrig.errors import MeteringError, RigError
from gridrig.minds.aggregator import Baseline, Order, dispatch, ordered_w
from gridrig.promises import fleet_credits
from gridrig.promises.comfort import comfort_excess_k, moved
from gridrig.promises.fleet_credits import (
    Event,
    credited_twice,
    enrolled,
    inflating_gain_micro,
    paid,
    preheating_gain_micro,
    response_milliwh,
    responses,
)
from gridrig.promises.fleet_enrolment import WEEK_S, Heartbeats, Shown, capacity, heartbeats
from gridrig.promises.fleet_neighbours import shifted_gain_micro
from gridrig.promises.fleet_response import Response
from gridrig.promises.fleet_silence import of_silent, silent_homes, unlike_share_percent
from gridrig.rig.description import load_rig, override_emulate

START = 1_453_129_200  # 2016-01-18, 15:00 UTC
RIG = RIGS / "emulated-power-plant.toml"


def homes(count: int = 20, **changes: object) -> HeatedHomes:
    settings: dict[str, object] = {
        "count": count, "seed": 3, "p_w_max": 1500.0, "conductance_w_per_k": (40.0, 90.0),
        "capacity_wh_per_k": (1000.0, 4000.0), "cop": 3.0, "set_point_c": 21.0, "low_c": 20.0,
        "high_c": 22.0, "gain_w_max": 200.0, "thermostat_w_per_k": 500.0, "outdoor_c": 2.0,
        "swing_k": 3.0, "spread_k": 1.0,
    }  # fmt: skip
    return HeatedHomes(**(settings | changes))  # type: ignore[arg-type]


def lived(fleet: HeatedHomes, told: float | None, hours: float, dt_s: float = 60.0) -> float:
    """Let a fleet live, and return the electricity that its first home took. [Wh]"""
    fleet.tell(None if told is None else np.full(fleet.count, told), START)
    taken = 0.0
    for at in np.arange(START, START + hours * 3600, dt_s):
        p_w = fleet.power_w(at)
        taken += p_w[0] * dt_s / 3600
        fleet.advance(p_w, at, dt_s)
    return taken


@pytest.mark.parametrize("told", [None, 0.0, 900.0])
def test_a_room_goes_as_an_independent_integrator_says(told: float | None) -> None:
    fleet = homes()
    fleet.begin(START)
    g, c = fleet.conductance_w_per_k[0], fleet.capacity_wh_per_k[0]

    def thermostat(at_c: float, t_c: float, outdoor_c: float) -> float:
        return min(max(g * (at_c - outdoor_c) / 3.0 + 500.0 * (at_c - t_c), 0.0), 1500.0)

    def slope(t_s: float, t_c: np.ndarray) -> list[float]:
        outdoor_c = fleet.outdoor_c(START + t_s)
        asked = thermostat(21.0, t_c[0], outdoor_c) if told is None else told
        low, high = (thermostat(end, t_c[0], outdoor_c) for end in (20.0, 22.0 - 2 / 15))
        p_w = asked if told is None else min(max(asked, low), high)
        heat_w = 3.0 * p_w + fleet.gains_w(START + t_s)[0]
        return [(heat_w - g * (t_c[0] - outdoor_c)) / c / 3600]

    first_c = float(fleet.temperature_c[0])
    oracle = solve_ivp(slope, (0, 6 * 3600), [first_c], max_step=120, rtol=1e-8)
    lived(fleet, told, 6)
    assert fleet.temperature_c[0] == pytest.approx(oracle.y[0, -1], abs=0.01)
    assert told is None or abs(fleet.temperature_c[0] - first_c) > 0.1


def test_a_room_without_heat_cools_by_the_closed_form_whatever_the_step() -> None:
    plain = {"gain_w_max": 0.0, "swing_k": 0.0, "spread_k": 0.0, "guards_comfort": False}
    for dt_s in (60.0, 900.0):
        fleet = homes(**plain)
        lived(fleet, 0.0, 5, dt_s)
        hours = fleet.capacity_wh_per_k / fleet.conductance_w_per_k
        assert fleet.temperature_c == pytest.approx(2 + 19 * np.exp(-5 / hours), abs=1e-9)


def test_no_order_takes_a_room_out_of_its_band_and_silence_frees_it() -> None:
    for told in (0.0, 1500.0):
        fleet = homes(200)
        fleet.begin(START)
        lived(fleet, told, 24)
        assert fleet.temperature_c.min() >= 20.0
        assert fleet.temperature_c.max() <= 22.0
    fleet = homes(200)
    fleet.begin(START)
    fleet.lose(0.25)
    assert np.isnan(fleet.read(START).p_w).sum() == 50
    own = fleet.power_w(START)
    fleet.tell(np.zeros(200), START)
    assert ((fleet.power_w(START) == own) & (own > 0)).sum() == 50


def test_homes_that_only_say_that_they_follow_say_so_and_take_what_they_like() -> None:
    fleet = homes(follows=0.0)
    fleet.begin(START)
    own = fleet.power_w(START)
    fleet.tell(np.zeros(20), START)
    assert (fleet.power_w(START) == own).all()
    assert fleet.read(START).p_w.sum() < own.sum() / 2


@given(
    st.floats(-500.0, 500.0),
    st.lists(st.tuples(*[st.floats(0.0, 100.0)] * 3, st.booleans()), min_size=1, max_size=9),
)
def test_prop_what_is_told_gives_the_order_or_all_there_is(
    order_w: float, devices: list[tuple[float, float, float, bool]]
) -> None:
    base = np.array([d[0] for d in devices])
    silent = np.array([math.nan if d[3] else 0.0 for d in devices])
    low, high = (np.array([f(d[1], d[2]) for d in devices]) + silent for f in (min, max))
    found = dispatch(order_w, base, low, high)
    answers = ~np.isnan(silent)
    assert (np.isnan(found.p_w) == ~answers).all()
    told = found.p_w[answers]
    assert (told >= low[answers] - 1e-9).all()
    assert (told <= high[answers] + 1e-9).all()
    assert found.given_w == pytest.approx(float((base[answers] - told).sum()), abs=1e-6)
    assert found.given_w + found.missing_w == pytest.approx(order_w, abs=1e-6)
    if abs(found.missing_w) > 1e-6:  # then nobody has room left
        edge = low if found.missing_w > 0 else high
        assert told == pytest.approx(edge[answers], abs=1e-6)


def test_a_baseline_is_the_line_through_the_days_before() -> None:
    outdoor = np.linspace(-5, 10, 50)
    taken = np.column_stack([400 - 20 * outdoor, 300 - 10 * outdoor])
    assert Baseline(taken, outdoor).at(2.0) == pytest.approx([360, 280])


def test_the_rest_of_an_order_is_what_a_slice_of_a_scenario_keeps() -> None:
    said = {"p_w": 50.0, "in_s": 300.0, "duration_s": 600.0, "ramp_s": 60.0}
    assert order_left(1000, said, 1900) is None
    assert order_left(1000, said, 1600) == {
        "p_w": 50.0, "in_s": 0.0, "duration_s": 300.0, "ramp_s": 0.0,
    }  # fmt: skip
    assert order_left(1000, said, 1200) == {
        "p_w": 50.0, "in_s": 100.0, "duration_s": 600.0, "ramp_s": 60.0,
    }  # fmt: skip


def test_what_is_wrong_with_fleets_is_said_at_once(tmp_path: Path) -> None:
    table = tomllib.loads(RIG.read_text())
    table["fleet"][0]["emulate"] |= {"low_c": 22, "capacity_wh_per_k": [3000, 2000]}
    table["fleet"][1]["name"] = "storage-a"
    table["aggregator"]["storages"] = ["storage-c"]
    path = tmp_path / "rig.toml"
    path.write_text(tomli_w.dumps(table))
    with pytest.raises(RigError) as refused:
        load_rig(path)
    found = [issue.key for issue in refused.value.issues]
    assert found == [
        "fleet 'homes'.emulate.set_point_c",
        "fleet 'homes'.emulate.capacity_wh_per_k",
        "fleet 'storage-a'.name",
        "aggregator.storages[0]",
    ]


def test_orders_go_to_fleets_that_there_are_and_mutants_of_fleets_are_checked() -> None:
    rig = load_rig(RIG)
    scenario = load_scenario(SCENARIOS / "promise-4-comfort.toml", units(CATALOGUE))
    assert check_together(rig, scenario) == ()
    street = load_rig(RIGS / "emulated-chargers.toml")
    (issue,) = check_together(street, scenario)
    assert "[[fleet]]" in issue.expected
    assert override_emulate(rig, "homes", {"follows": 0.5}).fleets[0].emulate.follows == 0.5
    with pytest.raises(RigError, match="no valid rig"):
        override_emulate(rig, "homes", {"follows": 1.5})


def response(given_w: list[float], order: Order) -> Response:
    t_s = np.arange(len(given_w)) * 10.0
    asked = np.array([ordered_w([order], t) for t in t_s.tolist()])
    saved = np.full(len(given_w), 2.0)
    return Response(t_s, np.full(len(given_w), 10.0), asked, np.array(given_w), saved)


def test_what_was_not_followed_is_found_in_each_part_of_an_order() -> None:
    order = Order(20.0, 80.0, 100.0)
    good = response([0, 0, 100, 100, 100, 100, 100, 100, -30, -10], order)
    assert good.error_percent(20, 80) == 0
    assert good.answered_s(order) == 0
    assert good.most_back_w(80) == 30
    late = response([0, 0, 0, 0, 89, 90, 100, 100, 0, 0], order)
    assert late.answered_s(order) == 30
    missed = late.error_percent(50, 80)
    assert missed == pytest.approx(100 * math.sqrt(100 / 3) / 100)
    assert_fails(missed, "test_fleet_tracking.ramp_error_percent")
    few = homes()
    silent = 100 * (~few.online).sum() / few.count
    assert_fails(float(silent), "test_fleet_tracking.silent_percent")
    assert_fails(few.count, "test_fleet_tracking.devices")
    assert response([0.0] * 10, order).answered_s(order) is None
    assert good.error_percent(0, 20) is None
    assert good.mean_w(70, 90) == pytest.approx(35)
    assert good.energy_wh(70, 90) == pytest.approx((98 - 32) / 360)


def test_a_stove_beside_the_pump_and_a_cold_room_are_found() -> None:
    fleet = homes(1)
    columns = {
        "t_s": [0.0, 3600.0, 7200.0], "dt_s": [3600.0] * 3, "fleet.h.p_w": [-500.0] * 3,
        "fleet.h.stored_wh": [0.0] * 3, "fleet.h.lost_w": [1500.0] * 3,
        "fleet.h.coldest_c": [21.0, 20.1, 20.2], "fleet.h.warmest_c": [21.0] * 3,
    }  # fmt: skip
    run = columns | {"fleet.h.p_w": [-100.0, -600.0, -500.0], "fleet.h.stored_wh": [0, -1200, -900]}
    honest = moved(columns, run, {"h": fleet}, from_s=0, to_s=3600)
    assert (honest.held_back_wh, honest.came_back_wh, honest.peak_back_w) == (400, 100, 100)
    assert honest.of_load_percent == 80
    assert honest.unbalanced_percent == pytest.approx(0, abs=1e-9)
    stove = run | {"fleet.h.stored_wh": [0, -1200, -500]}
    unbalanced = moved(columns, stove, {"h": fleet}, from_s=0, to_s=3600).unbalanced_percent
    assert unbalanced > 30
    assert_fails(unbalanced, "test_moved_comfort.heat_unbalanced_percent")
    assert comfort_excess_k(columns, {"h": fleet}) == pytest.approx(-0.1)
    cold = columns | {"fleet.h.coldest_c": [21.0, 19.7, 20.2]}
    assert comfort_excess_k(cold, {"h": fleet}) == pytest.approx(0.3)


EVENT = Event(START + 6 * 900, START + 7 * 900, START + 9 * 900)  # a Monday, from 16:45 on


def home_meters(loads_w: dict[int, list[float]], **changes: object) -> HomeMeters:
    """Meters of homes that took 400 W on all days before, and on this day what is given."""
    fleet = homes(len(loads_w), **changes)
    quarters = 15 * 96
    past = History(START - quarters * 900, np.full((quarters, fleet.count), 400.0), np.zeros(0))
    counted = np.cumsum([[0.0, *loads_w[k]] for k in loads_w], axis=1) * 250
    registers = {900.0 * k: row for k, row in enumerate(counted.T.astype(np.int64))}
    kept = SimpleNamespace(history={"m": past}, registers={"m": registers})
    return HomeMeters("m", fleet, cast(Aggregating, kept), START)


def test_credits_are_baseline_less_load_and_a_heater_after_the_notice_earns_nothing() -> None:
    flat = [400.0] * 10
    sheds = [400.0] * 7 + [150.0] * 2 + [400.0]
    heater = [400.0] * 6 + [2400.0] + [400.0] * 3
    meters = home_meters({0: sheds, 1: heater, 2: flat})
    fleet = enrolled(meters.names, 400_000)
    found = responses(meters, fleet, EVENT)
    counted = [one.counted_milliwh for one in found.values()]
    assert counted == [125_000 - 10_000, 0, 0]  # less 5 % of 200 Wh
    assert response_milliwh(found) == 125_000
    payments = paid(found, 10_000_000)
    assert payments == {"m/0": 115_000 * 250_000 // 1_000_000, "m/1": 0, "m/2": 0}
    assert sum(paid(found, 1000).values()) == 1000
    assert credited_twice(fleet, found) == 0


def test_wasting_on_the_days_before_costs_more_than_it_earns() -> None:
    sheds = [400.0] * 7 + [150.0] * 2 + [400.0]
    fleet = enrolled(home_meters({0: sheds}).names, 400_000)
    meters = home_meters({0: sheds})
    gain = inflating_gain_micro(meters, fleet, EVENT, 0, wasted_w=100.0, honest=115_000)
    # 50 Wh more a day, of which 95 % are paid once; ten times 50 Wh are bought.
    assert gain == 47_500 * 250_000 // 1_000_000 - 500_000 * 300_000 // 1_000_000 < 0


def test_heating_before_a_notice_costs_more_than_it_earns() -> None:
    sheds = [400.0] * 7 + [150.0] * 2 + [400.0]
    fleet = enrolled(home_meters({0: sheds}).names, 400_000)
    for wasted_w, paid_more_milliwh in (
        (40.0, 2 * 10_000 * 950 // 1000),  # a quarter-hour before the notice for one of the event
        (1000.0, 2 * 20_000 * 950 // 1000),  # and no more than a fifth of the baseline
    ):
        meters = home_meters({0: sheds})
        gain = preheating_gain_micro(meters, fleet, EVENT, 0, wasted_w=wasted_w, honest=115_000)
        cost = round(wasted_w * 500) * 300_000 // 1_000_000
        assert gain == paid_more_milliwh * 250_000 // 1_000_000 - cost < 0


def test_load_on_a_neighbours_meter_pays_only_where_the_neighbour_has_nothing_to_lose() -> None:
    sheds, flat = [400.0] * 7 + [150.0] * 2 + [400.0], [400.0] * 10
    for neighbour, gain in (
        (sheds, 0),  # 75 Wh less and 75 Wh more
        (flat, 75_000 * 250_000 // 1_000_000),
    ):
        meters = [home_meters({0: sheds, 1: neighbour}) for _ in range(3)]
        fleet = enrolled(meters[0].names, 400_000)
        honest = responses(meters[0], fleet, EVENT)
        assert shifted_gain_micro(meters[1], meters[2], fleet, EVENT, [(0, 1)], honest) == gain
    assert_fails(gain, "test_fleet_credits.shifted_gain_micro")


def test_a_meter_that_is_silent_in_the_event_earns_nothing_and_is_told() -> None:
    sheds = [400.0] * 7 + [150.0] * 2 + [400.0]
    meters = home_meters(dict.fromkeys(range(3), sheds))
    fleet = enrolled(meters.names, 400_000)
    silent = of_silent(meters, fleet, EVENT, [2])
    assert [(name, one.shortcoming) for name, one in silent.items()] == [("m/2", "event-unread")]
    heard = responses(home_meters({0: sheds, 1: sheds}), fleet, EVENT)
    some = heard | silent
    assert paid(some, 10_000_000)["m/2"] == 0
    assert response_milliwh(some) == 2 * 125_000
    assert unlike_share_percent(250.0, 375.0, 375.0, 3, 1) == 0.0
    assert silent_homes(200, 20, 1) == silent_homes(200, 20, 1) != silent_homes(200, 20, 2)
    assert len(set(silent_homes(200, 20, 1))) == 20


def test_a_programme_that_guesses_for_the_silent_is_found() -> None:
    """What the silent did is counted as if it had been heard."""
    sheds = [400.0] * 7 + [150.0] * 2 + [400.0]
    meters = home_meters(dict.fromkeys(range(10), sheds))
    fleet = enrolled(meters.names, 400_000)
    guessed = responses(meters, fleet, EVENT)
    (silent,) = silent_homes(10, 1, seed=1)
    assert_fails(1, "test_fleet_credits.silent_members")
    payment = paid(guessed, 10_000_000)[meters.names[silent]]
    assert_fails(payment, "test_fleet_credits.silent_paid_micro")
    untold = int(guessed[meters.names[silent]].shortcoming != "event-unread")
    assert_fails(untold, "test_fleet_credits.silent_untold")
    credited_wh = response_milliwh(guessed) / 1000
    off = unlike_share_percent(credited_wh, credited_wh, credited_wh, 10, 1)
    assert off == pytest.approx(10.0)
    assert_fails(off, "test_fleet_credits.heard_unlike_feeder_percent")


def test_programmes_that_believe_too_much_pay_what_the_judges_find(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sheds, heater = [400.0] * 7 + [150.0] * 2 + [400.0], [400.0] * 6 + [2400.0] + [400.0] * 3
    meters = home_meters({0: sheds, 1: heater})
    fleet = enrolled(meters.names, 400_000)
    assert_fails(len(meters.names), "test_fleet_credits.devices")
    # Told only as it begins, a heater of the quarter-hour before is part of the baseline.
    unnoticed = responses(meters, fleet, replace(EVENT, notice_utc_s=EVENT.from_utc_s))
    payment = paid(unnoticed, 10_000_000)["m/1"]
    assert_fails(payment, "test_fleet_credits.inflated_after_notice_paid_micro")
    # A day of the ten is not read.
    fresh = home_meters({0: sheds})
    periods = fresh.periods(0, EVENT.needed()[4:])
    unread = EVENT.measure(enrolled(fresh.names, 400_000), "m/0", periods)
    assert_fails(int(unread.shortcoming is not None), "test_fleet_credits.credits_missing")
    assert_fails(sum(paid({"m/0": unread}, 1000).values()), "test_fleet_credits.paid_micro")
    with monkeypatch.context() as patch:  # energy that costs nothing
        patch.setattr(fleet_credits, "ENERGY_MICRO_PER_KWH", 0)
        gain = inflating_gain_micro(
            home_meters({0: sheds}), fleet, EVENT, 0, wasted_w=100.0, honest=115_000
        )
        warmer = preheating_gain_micro(
            home_meters({0: sheds}), fleet, EVENT, 0, wasted_w=100.0, honest=115_000
        )
    assert_fails(gain, "test_fleet_credits.inflating_gain_micro")
    assert_fails(warmer, "test_fleet_credits.preheating_gain_micro")
    monkeypatch.setattr(fleet_credits, "reward", lambda *_: None)
    assert_fails(credited_twice(fleet, unnoticed), "test_fleet_credits.credited_twice")


def test_meters_that_read_low_count_low_and_sign_nothing_twice() -> None:
    low = home_meters({0: [400.0] * 10}, meter_scale=0.9)
    (period,) = low.periods(0, [START])
    assert period.import_milliwh == 90_000
    with pytest.raises(MeteringError):
        low.periods(0, [START])


def test_a_quarter_hour_is_there_if_both_its_ends_were_heard_and_no_old_reading_is_one() -> None:
    meters = home_meters({0: [400.0] * 10, 1: [400.0] * 10})
    fleet = enrolled(meters.names, 1)
    lost = {10, 11, 100}  # of 672 quarter-hours three and two
    week = heartbeats(meters, fleet, 0, START - WEEK_S, lost=lost)
    assert week == Heartbeats(100 * 667 / 672, 0)
    replayed = heartbeats(meters, fleet, 1, START - WEEK_S, lost=(), replayed={50})
    assert replayed == Heartbeats(100 * 670 / 672, 0)
    # Nobody who replayed a day would be heard on so many.
    assert_fails(replayed.percent, "test_fleet_enrolment.replayer_percent")


def test_a_verifier_that_forgets_what_it_heard_is_found() -> None:
    meters = home_meters({0: [400.0] * 10})

    def forgets(record: bytes, *, at_s: int, meter: str) -> VerifiedReading:
        return home_meters({0: [400.0] * 10}).verifier.verify(record, at_s=at_s, meter=meter)

    meters.verifier = cast(Verifier, SimpleNamespace(verify=forgets))
    fleet = enrolled(meters.names, 1)
    lost = {2, *range(4, 673)}  # so that no period ends with the old reading
    week = heartbeats(meters, fleet, 0, START - WEEK_S, lost=lost, replayed={3})
    assert_fails(week.replays_believed, "test_fleet_enrolment.replays_believed")


def test_a_capacity_is_believed_that_was_shown_and_not_twice_as_much() -> None:
    sheds = [400.0] * 7 + [0.0] + [400.0] * 2
    meters = home_meters({0: sheds, 1: [400.0] * 10})
    fleet = enrolled(meters.names, 400_000)
    test = Event(EVENT.notice_utc_s, EVENT.from_utc_s, EVENT.from_utc_s + 900)
    assert capacity(meters, fleet, test, 0.9) == Shown(180_000, 90_000, 0)
    # Who claims less than half of what it has is believed twice as much.
    modest = capacity(home_meters({0: sheds}), fleet, test, 0.45)
    assert_fails(modest.liars_believed, "test_fleet_enrolment.liars_believed")
